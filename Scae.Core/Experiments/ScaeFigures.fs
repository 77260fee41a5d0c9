namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// The pictures of the stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeFigures =
    // How many digits reconstructions show, and how many of them stand side by side.
    [<Literal>]
    let private Shown = 32

    [<Literal>]
    let private Columns = 8

    // --- digits, drawings, parts

    let private seen (title: string) (pictures: ScaePictures) : Panel list =
        [
            ScaePictures.tiles Columns pictures.Images title
            ScaePictures.tiles Columns pictures.Drawn "reconstruction: the mixture's mean"
            ScaePictures.tiles Columns pictures.Coloured "parts in the colours of their capsules"
        ]

    let private reconstructions (upright: ScaePictures) (affine: ScaePictures) : Figure =
        Figure.create
            "reconstructions"
            "What is seen, and what is drawn of it"
            [ seen "validation digits" upright; seen "affine viewpoints of test digits" affine ]
        |> Figure.panelSize 400.0 230.0
        |> Figure.note
            "A part has the colour of the object capsule that explains its pose best, and is grey where none does better than the dummy; the favourites show whose colour is whose."

    let private templates (pictures: ScaePictures) : Figure =
        let panels =
            [
                yield ScaePictures.tiles Columns pictures.Templates "pixel values, before their colours"
                match pictures.Weights with
                | Some weights -> yield ScaePictures.tiles Columns weights "where they cover the background"
                | None -> ()
            ]

        Figure.create "templates" "Learned templates" [ panels ]
        |> Figure.panelSize 400.0 (60.0 + 45.0 * ceil (float pictures.Templates.shape[0] / float Columns))

    // --- what capsules like

    // How many digits are shown of a capsule.
    [<Literal>]
    let private Favourites = 10

    let private largest (values: float[]) : int =
        values |> Array.indexed |> Array.maxBy (fun (i, value) -> struct (value, -i)) |> fst

    /// Says in how many digits capsule k explains more than any other, and which class is the commonest among these, with its
    /// share.
    let private likes (test: ScaeRepresentation) (k: int) : string =
        let own =
            Array.zip test.Posterior test.Labels
            |> Array.choose (fun (mass, label) -> if largest mass = k then Some label else None)

        if own.Length = 0 then
            $"{k}: first in no digit"
        else
            let label, count = own |> Array.countBy id |> Array.maxBy (fun (label, count) -> struct (count, -label))
            let share = 100.0 * float count / float own.Length
            $"{k}: first in {own.Length}, %.0f{share} %% are {label}"

    /// A digit in a colour, [3, side, side].
    let private tinted (canvases: CanvasDigits) (colour: Colour) (digit: int) : float32[] =
        let size = canvases.Side * canvases.Side
        let value i = float32 canvases.Pixels[digit * size + i] / 255.0f
        let channel (c: byte) = Array.init size (fun i -> value i * float32 c / 255.0f)
        Array.concat [ channel colour.R; channel colour.G; channel colour.B ]

    let private favourites (config: ScaeConfig) (canvases: CanvasDigits) (test: ScaeRepresentation) : Figure =
        let ofCapsule (k: int) =
            let best =
                [| 0 .. test.Labels.Length - 1 |]
                |> Array.sortBy (fun i -> struct (-test.Posterior[i][k], i))
                |> Array.truncate Favourites
                |> Array.map (tinted canvases (ScaePictures.colour config k))

            Tiles.panel 3 canvases.Side (Favourites / 2) best (likes test k)

        let panels = List.init config.Objects ofCapsule

        Figure.create
            "favourites"
            "The test digits of which each object capsule explains most"
            (List.chunkBySize 4 panels)
        |> Figure.panelSize 230.0 110.0
        |> Figure.note
            "A capsule is first in a digit of which it explains more parts than any other capsule. Digits are drawn in the colour that the capsule's parts have in the reconstructions."

    // --- classes

    let private classes = [ for label in 0 .. ScaeConfig.Classes - 1 -> string label ]

    let private confusionPanel (title: string) (found: ScaeFinding) : Panel =
        Panel.create $"{title}: %.2f{100.0 * found.Clusters.Strict} %% matched"
        |> Panel.axes "digit that the cluster stands for" "digit"
        |> Panel.confusion 100.0 "0;-0;''" classes classes found.Clusters.Confusion

    let private confusion (probed: ScaeProbed) : Figure =
        let titles = Map.ofList [ "posterior", "explained mass"; "prior", "presence" ]

        Figure.create
            "confusion"
            "Test digits by cluster, % of each digit"
            [ probed.Findings |> List.map (fun found -> confusionPanel titles[found.Name] found) ]
        |> Figure.panelSize 460.0 420.0
        |> Figure.note
            "Ten clusters of training digits by k-means, matched one to one with the classes of training digits (LIN-MATCH, strict form)."

    // --- the plane

    /// Where the points of a class lie closest together: the mean of the points in the fullest cell of a grid.
    let private densest (places: float[][]) : float * float =
        let side = places |> Array.collect id |> Array.map abs |> Array.max |> max 1e-9
        let cell (x: float) = int (floor (x / side * 12.0))

        let _, fullest =
            places
            |> Array.groupBy (fun place -> struct (cell place[0], cell place[1]))
            |> Array.maxBy (fun (cell, members) -> struct (members.Length, cell))

        fullest |> Array.averageBy (fun place -> place[0]), fullest |> Array.averageBy (fun place -> place[1])

    let private label (x: float, y: float) (digit: int) (panel: Panel) : Panel =
        Panel.add
            (Mark.Text
                {
                    X = x
                    Y = y
                    Text = string digit
                    Colour = Colour.black
                    Size = 20.0
                    Background = Colour.withOpacity 0.75 Colour.white
                })
            panel

    let private plane (key: Key) (test: ScaeRepresentation) : Figure =
        let places = TSne.embed TSne.published key test.Posterior
        let colours = test.Labels |> Array.map (fun digit -> Colour.withOpacity 0.7 (Palette.digit digit))
        let axis a = places |> Array.map (fun place -> place[a])
        let present = Array.distinct test.Labels |> Array.sort

        let points =
            Panel.create ""
            |> Panel.frame Frame.Box
            |> Panel.equalAspect
            |> Panel.colouredPoints Marker.Circle (if places.Length > 2000 then 3.5 else 6.0) colours (axis 0) (axis 1)
            |> Panel.each present (fun digit ->
                let own = Array.zip places test.Labels |> Array.filter (fun (_, label) -> label = digit)
                label (densest (Array.map fst own)) digit)

        Figure.create
            "t-sne"
            $"t-SNE of the mass that each object capsule explains, {places.Length} test digits"
            [ [ points ] ]
        |> Figure.panelSize 900.0 860.0
        |> Figure.note
            $"Perplexity %.0f{TSne.perplexity TSne.published places.Length}; colours are classes, which the capsules were never told."
        |> Figure.keys (Swatch.Point Marker.Circle) [ for digit in present -> string digit, Palette.digit digit ]

    /// Curves, digits with their drawings, templates, capsules' favourite digits, classes by cluster, and test digits in the plane.
    let all
        (settings: ScaeSettings)
        (data: ScaeData)
        (model: Scae)
        (test: ScaeRepresentation, probed: ScaeProbed)
        (history: History)
        : Figure list =
        let show = ScaePictures.ofScenes settings model Shown
        let pictures = show data.Validation

        [
            ScaeCurves.all history
            reconstructions pictures (show data.Viewpoints.Value)
            templates pictures
            favourites settings.Model data.Test.Canvases test
            confusion probed
            plane (data.Clusters.Named "plane") test
        ]

    // --- the animation

    /// What the animation shows of a moment.
    let snapshot (settings: ScaeSettings) (data: ScaeData) (model: Scae) : unit -> (string * Tensor) list =
        let show = ScaePictures.ofScenes settings model Columns

        fun () ->
            let pictures = show data.Validation

            [
                "images", pictures.Images
                "drawn", pictures.Drawn
                "coloured", pictures.Coloured
                "templates", pictures.Templates
            ]

    /// One frame for each snapshot: images, their drawings, and parts in the colours of their capsules; below, templates and
    /// growing curves.
    let animation (history: History) : Animation option =
        let frame (snapshot: Snapshot) (until: History) =
            let values = Map.ofList snapshot.Values

            Figure.create
                "training"
                $"Step {snapshot.Step}"
                [
                    [
                        ScaePictures.tiles 4 values["images"] "validation digits"
                        ScaePictures.tiles 4 values["drawn"] "the mixture's mean"
                        ScaePictures.tiles 4 values["coloured"] "parts by their capsules"
                    ]
                    [
                        ScaePictures.tiles Columns values["templates"] "templates"
                        ScaeCurves.term "reconstruction" history until
                        ScaeCurves.probes history until
                    ]
                ]
            |> Figure.panelSize 300.0 220.0

        TrainingCurves.animation 4.0 frame history

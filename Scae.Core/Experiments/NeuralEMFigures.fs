namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Metrics
open Scae.Core.Training

/// The pictures of neural expectation maximization.
[<RequireQualifiedAccess>]
module NeuralEMFigures =
    // How many images the animation shows, and the most EM iterations in a picture.
    [<Literal>]
    let private Animated = 3

    [<Literal>]
    let private MostIterations = 6

    /// At most `most` of T iterations, counted from 1: the first, the last, and others between them at growing distances.
    let shownIterations (most: int) (iterations: int) : int list =
        if iterations <= most then
            [ 1..iterations ]
        else
            [ for i in 0 .. most - 1 -> int (Math.Round(float iterations ** (float i / float (most - 1)))) ]
            |> List.distinct

    /// What the animation shows of a moment: γ [3·b, slots, D] of the first b images after each of three iterations.
    let snapshot (iterations: ShownIteration[]) : (string * Tensor) list =
        let first (t: int) = Rows.first Animated iterations[t - 1].Responsibilities
        [ "gamma", Tensor.cat (shownIterations 3 iterations.Length |> List.map first |> Array.ofList, 0) ]

    // --- pixels to colours

    let private canvas (data: NeuralEMData) : int = int (sqrt (float data.Shown.Shapes.Images.shape[1]))

    let private canvasColour = Colour.hex 0xF4F4F4

    /// The foreground of image number `image`, each pixel in a colour; those that several shapes cover are darker.
    let internal foreground (shapes: Shapes) (image: int) (title: string) (colour: int -> Colour) : Panel =
        let pixels = shapes.Images.shape[1]
        let canvas = int (sqrt (float pixels))

        Panel.create title
        |> Panel.painted canvas canvas (fun y x ->
            let pixel = y * canvas + x
            let at = image * pixels + pixel

            if shapes.Labels[at] = 0 then
                canvasColour
            elif shapes.Overlap[at] then
                Colour.mix 0.45 (colour pixel) Colour.black
            else
                colour pixel)

    /// The shapes of an image, each in its colour.
    let internal truth (shapes: Shapes) (colour: int -> Colour) (image: int) : Panel =
        let first = image * shapes.Images.shape[1]
        foreground shapes image "" (fun pixel -> colour (shapes.Labels[first + pixel] - 1))

    // How many colours are needed: as many as there are shapes or slots, whichever are more.
    let private colours (model: NeuralEMConfig) (data: NeuralEMData) : int =
        max (NeuralEM.slots model) (Array.max data.Shown.Shapes.Labels)

    /// Each foreground pixel in the colour of the slot with the largest responsibility.
    let internal assignment (data: NeuralEMData) (gamma: float32[]) (image: int) (title: string) : Panel =
        let pixels = data.Shown.Shapes.Images.shape[1]
        let slots = [ 0 .. gamma.Length / pixels - 1 ]

        foreground data.Shown.Shapes image title (fun pixel ->
            slots |> List.maxBy (fun k -> gamma[k * pixels + pixel]) |> Palette.categoryOf slots.Length)

    /// Each foreground pixel in the colour of the slot with the largest responsibility. It is paler the closer that responsibility
    /// is to an equal share.
    let private certainty (data: NeuralEMData) (gamma: float32[]) (image: int) : Panel =
        let pixels = data.Shown.Shapes.Images.shape[1]
        let slots = gamma.Length / pixels

        foreground data.Shown.Shapes image "" (fun pixel ->
            let best = [ 0 .. slots - 1 ] |> List.maxBy (fun k -> gamma[k * pixels + pixel])
            let equal = 1.0 / float slots
            let above = (float gamma[best * pixels + pixel] - equal) / max 1e-9 (1.0 - equal)
            Colour.mix above Colour.lightGrey (Palette.categoryOf slots best))

    let internal input (shapes: Shapes) (image: int) : Panel = Panel.ofGrey (Rows.values image shapes.Images) ""

    let private shown (data: NeuralEMData) : int list = [ 0 .. data.Shown.Shapes.Images.shape[0] - 1 ]

    let private slotKeys (model: NeuralEMConfig) (figure: Figure) : Figure =
        let slots = NeuralEM.slots model

        let name k =
            if k < model.Slots then
                $"slot {k + 1}"
            else
                "background slot"

        figure |> Figure.keys Swatch.Patch [ for k in 0 .. slots - 1 -> name k, Palette.categoryOf slots k ]

    // --- figures

    let private examples (model: NeuralEMConfig) (data: NeuralEMData) : Figure =
        let shapes = data.Shown.Shapes
        let truth = truth shapes (Palette.categoryOf (colours model data))

        Figure.create
            "dataset-examples"
            "Validation images"
            [ shown data |> List.map (input shapes); shown data |> List.map truth ]
        |> Figure.panelSize 150.0 150.0
        |> Figure.rowLabels [ "image"; "shapes" ]
        |> Figure.note
            "Where shapes overlap, the later one owns the pixel, drawn darker. Training never sees the shapes."

    // A training's curves until a moment, with the axes of the whole training.
    let private lossPanels (whole: History) (until: History) : Panel list =
        let ofValidation = [ "", Palette.blue, TrainingCurves.metric "loss" ]

        [
            TrainingCurves.loss "Training loss, weighted over iterations" whole until
            TrainingCurves.curves "Validation loss, last iteration" "loss" ofValidation whole until
        ]

    /// NMI and AMI with the peak of the metric that chooses the best epoch.
    let private agreementPanel (bestBy: string) (whole: History) (until: History) : Panel =
        let curves =
            [
                "NMI", Palette.blue, "nmi"
                "AMI without overlap", Palette.vermilion, "ami_distinct"
                if TrainingCurves.has "ami_distinct_first" until then
                    "the same, one start", Palette.orange, "ami_distinct_first"
            ]

        let value = TrainingCurves.metric bestBy

        let peak =
            match until.Evaluations |> List.filter (fun e -> (TrainingCurves.tryMetric bestBy e).IsSome) with
            | [] -> []
            | evaluations -> [ List.maxBy value evaluations ]

        TrainingCurves.panel "Agreement of slots and shapes, validation" "agreement" whole
        |> Panel.yLimits 0.0 1.0
        |> Panel.each peak (fun best ->
            Panel.horizontal $"peak %.3f{value best}, epoch {best.Epoch}" Colour.grey (value best))
        |> Panel.each curves (fun (label, colour, name) ->
            TrainingCurves.curve label colour until (TrainingCurves.metric name))
        |> Panel.each peak (fun best ->
            Panel.points "" Marker.Circle 8.0 Colour.black [| float best.Epoch |] [| value best |])

    let private assignments (model: NeuralEMConfig) (data: NeuralEMData) (iterations: ShownIteration[]) : Figure =
        let times = shownIterations MostIterations iterations.Length

        let panels image =
            input data.Shown.Shapes image
            :: [
                for t in times -> assignment data (Rows.values image iterations[t - 1].Responsibilities) image ""
            ]

        Figure.create "slot-assignments" "Slots over EM iterations" (shown data |> List.truncate 4 |> List.map panels)
        |> Figure.panelSize 150.0 150.0
        |> Figure.columnLabels ("input" :: [ for t in times -> $"iteration {t}" ])
        |> slotKeys model
        |> Figure.note
            "The slot of the largest responsibility. Pixels of several shapes are darker; the background isn't scored."

    let private reconstructions (model: NeuralEMConfig) (data: NeuralEMData) (last: ShownIteration) : Figure =
        let pixels, slots = data.Shown.Shapes.Images.shape[1], NeuralEM.slots model
        let mixture = NeuralEM.mixture last.Responsibilities last.Means

        let panels image =
            let means = Rows.values image last.Means

            [
                input data.Shown.Shapes image
                for k in 0 .. slots - 1 do
                    Panel.ofGrey (Array.sub means (k * pixels) pixels) ""
                Panel.ofGrey (Rows.values image mixture) ""
                certainty data (Rows.values image last.Responsibilities) image
            ]

        Figure.create "slot-reconstructions" "What each slot draws" (shown data |> List.truncate 4 |> List.map panels)
        |> Figure.panelSize 150.0 150.0
        |> Figure.columnLabels ([ "input" ] @ [ for k in 1..slots -> $"ψ of slot {k}" ] @ [ "Σ γ ψ"; "γ" ])
        |> slotKeys model
        |> Figure.note
            "γ: the slot of the largest responsibility, grey where all slots have the same. Pixels of several shapes are darker."

    /// The shape with which each slot is matched, counted from 0. The matching is one to one, and as many as possible of the
    /// pixels that only one shape covers agree. Slots beyond the number of shapes get further numbers. `labels` are 0 for
    /// background or a shape counted from 1, and `found` are the slots of the same pixels.
    let matched (slots: int) (labels: int[]) (overlap: bool[]) (found: int[]) : int[] =
        let size = max slots (Array.max labels)
        let cost = Array2D.zeroCreate<float> size size

        for pixel in 0 .. labels.Length - 1 do
            if labels[pixel] > 0 && not overlap[pixel] then
                cost[found[pixel], labels[pixel] - 1] <- cost[found[pixel], labels[pixel] - 1] - 1.0

        Array.truncate slots (Assignment.hungarian cost)

    /// Shapes, and slots in the colours of the shapes with which they are matched, so that mistakes stand out.
    let private grouping (model: NeuralEMConfig) (data: NeuralEMData) (last: ShownIteration) : Figure =
        let shapes = data.Shown.Shapes
        let pixels = shapes.Images.shape[1]
        let slots, colours = NeuralEM.slots model, colours model data
        let found = NeuralEM.assign last.Responsibilities

        let grouped image =
            let first = image * pixels
            let ofImage (values: 'value[]) = Array.sub values first pixels
            let matched = matched slots (ofImage shapes.Labels) (ofImage shapes.Overlap) (ofImage found)

            foreground data.Shown.Shapes image "" (fun pixel ->
                Palette.categoryOf colours matched[found[first + pixel]])

        Figure.create
            "grouping"
            "Shapes, and the groups that slots make"
            [
                shown data |> List.map (input shapes)
                shown data |> List.map (truth shapes (Palette.categoryOf colours))
                shown data |> List.map grouped
            ]
        |> Figure.panelSize 200.0 200.0
        |> Figure.rowLabels [ "image"; "shapes"; "slots" ]
        |> Figure.note
            "Slots have the colours of the shapes that they were matched with, one to one. Pixels of several shapes are darker."

    /// Examples, curves, groups, assignments and reconstructions.
    let all (settings: NeuralEMSettings) (data: NeuralEMData) (iterations: ShownIteration[]) (history: History) =
        [
            examples settings.Model data
            Figure.create "learning-curves" "Training" [ lossPanels history history ]
            |> Figure.panelSize 420.0 320.0
            Figure.single "grouping-curve" (agreementPanel (NeuralEMSettings.bestBy settings) history history)
            |> Figure.panelSize 560.0 380.0
            grouping settings.Model data (Array.last iterations)
            assignments settings.Model data iterations
            reconstructions settings.Model data (Array.last iterations)
        ]

    /// One frame for each snapshot: assignments of three images after each of three iterations, and the growing curves below.
    let animation (settings: NeuralEMSettings) (data: NeuralEMData) (history: History) : Animation option =
        let bestBy = NeuralEMSettings.bestBy settings
        let times = shownIterations 3 (NeuralEMSettings.measured settings).Iterations
        let images = shown data |> List.truncate Animated

        let frame (snapshot: Snapshot) (until: History) =
            let gamma = snd snapshot.Values.Head

            let pictures =
                [
                    for i in 0 .. times.Length - 1 ->
                        [
                            for image in images do
                                let own = Rows.values (i * images.Length + image) gamma
                                assignment data own image $"iteration {times[i]}"
                        ]
                ]

            Figure.create
                "training"
                $"Step {snapshot.Step}"
                (pictures @ [ lossPanels history until @ [ agreementPanel bestBy history until ] ])
            |> Figure.panelSize 270.0 220.0

        TrainingCurves.animation 4.0 frame history

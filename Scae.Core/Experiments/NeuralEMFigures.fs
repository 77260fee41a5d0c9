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
    // Images in the animation, and EM iterations at most in a picture.
    [<Literal>]
    let private Animated = 3

    [<Literal>]
    let private MostIterations = 6

    /// Some of T iterations, counted from 1: the first, the last, and others between that grow apart.
    let shownIterations (most: int) (iterations: int) : int list =
        if iterations <= most then
            [ 1..iterations ]
        else
            [ for i in 0 .. most - 1 -> int (Math.Round(float iterations ** (float i / float (most - 1)))) ]
            |> List.distinct

    /// What the animation shows of a moment: γ [3·b, slots, D] of the first images after three iterations.
    let snapshot (iterations: ShownIteration[]) : (string * Tensor) list =
        let first (t: int) = Rows.first Animated iterations[t - 1].Responsibilities
        [ "gamma", Tensor.cat (shownIterations 3 iterations.Length |> List.map first |> Array.ofList, 0) ]

    // --- pixels to colours

    let private canvas (data: NeuralEMData) : int = int (sqrt (float data.Shown.Shapes.Images.shape[1]))

    let internal canvasColour = Colour.hex 0xF4F4F4

    let internal paint (canvas: int) (colour: int -> Colour) (panel: Panel) : Panel =
        let values = Array3D.zeroCreate canvas canvas 3

        for y in 0 .. canvas - 1 do
            for x in 0 .. canvas - 1 do
                let c = colour (y * canvas + x)
                values[y, x, 0] <- float c.R / 255.0
                values[y, x, 1] <- float c.G / 255.0
                values[y, x, 2] <- float c.B / 255.0

        Panel.rgb values panel

    /// Pixels that several shapes cover are darker.
    let internal shade (overlap: bool) (colour: Colour) =
        if overlap then
            Colour.mix 0.45 colour Colour.black
        else
            colour

    // Among how many colours are chosen: as many as there are shapes or slots.
    let private colours (model: NeuralEMConfig) (data: NeuralEMData) : int =
        max (NeuralEM.slots model) (Array.max data.Shown.Shapes.Labels)

    /// The shapes of one image, each in its colour of so many.
    let private truth (data: NeuralEMData) (colours: int) (image: int) : Panel =
        let { Labels = labels; Overlap = overlap }: Shapes = data.Shown.Shapes
        let first = image * data.Shown.Shapes.Images.shape[1]

        Panel.create ""
        |> paint (canvas data) (fun pixel ->
            match labels[first + pixel] with
            | 0 -> canvasColour
            | label -> shade overlap[first + pixel] (Palette.categoryOf colours (label - 1)))

    /// The foreground of one image, each pixel in a colour that follows from γ [slots, D] there.
    let private foreground (data: NeuralEMData) (image: int) (title: string) (colour: int -> Colour) : Panel =
        let { Labels = labels; Overlap = overlap }: Shapes = data.Shown.Shapes
        let first = image * data.Shown.Shapes.Images.shape[1]

        Panel.create title
        |> paint (canvas data) (fun pixel ->
            if labels[first + pixel] > 0 then
                shade overlap[first + pixel] (colour pixel)
            else
                canvasColour)

    /// Each foreground pixel in the colour of the slot with the largest responsibility.
    let private assignment (data: NeuralEMData) (gamma: float32[]) (image: int) (title: string) : Panel =
        let pixels = data.Shown.Shapes.Images.shape[1]
        let slots = [ 0 .. gamma.Length / pixels - 1 ]

        foreground data image title (fun pixel ->
            slots |> List.maxBy (fun k -> gamma[k * pixels + pixel]) |> Palette.categoryOf slots.Length)

    /// The colour of the slot with the largest responsibility, the paler the closer that is to what the others have.
    let private certainty (data: NeuralEMData) (gamma: float32[]) (image: int) : Panel =
        let pixels = data.Shown.Shapes.Images.shape[1]
        let slots = gamma.Length / pixels

        foreground data image "" (fun pixel ->
            let best = [ 0 .. slots - 1 ] |> List.maxBy (fun k -> gamma[k * pixels + pixel])
            let equal = 1.0 / float slots
            let above = (float gamma[best * pixels + pixel] - equal) / max 1e-9 (1.0 - equal)
            Colour.mix above Colour.lightGrey (Palette.categoryOf slots best))

    let internal grey (canvas: int) (values: float32[]) (title: string) : Panel =
        Panel.create title
        |> Panel.grey (0.0, 1.0) (Array2D.init canvas canvas (fun y x -> float values[y * canvas + x]))

    let private row (x: Tensor) (image: int) : float32[] = (x.select (0, image)).contiguous().toArray<float32>()

    let private input (data: NeuralEMData) (image: int) : Panel =
        grey (canvas data) (row data.Shown.Shapes.Images image) ""

    let private shown (data: NeuralEMData) : int list = [ 0 .. data.Shown.Shapes.Images.shape[0] - 1 ]

    let private slotKeys (model: NeuralEMConfig) (figure: Figure) : Figure =
        let objects = model.Slots

        let slots = NeuralEM.slots model

        (figure, [ 0 .. slots - 1 ])
        ||> List.fold (fun figure k ->
            let name = if k < objects then $"slot {k + 1}" else "background slot"
            Figure.key name (Palette.categoryOf slots k) Swatch.Patch figure)

    // --- figures

    let private examples (model: NeuralEMConfig) (data: NeuralEMData) : Figure =
        let truth = truth data (colours model data)

        Figure.create
            "dataset-examples"
            "Validation images"
            [ [ for image in shown data -> input data image ]; [ for image in shown data -> truth image ] ]
        |> Figure.panelSize 150.0 150.0
        |> Figure.rowLabels [ "image"; "shapes" ]
        |> Figure.note
            "Where shapes overlap, the later one owns the pixel, drawn darker. Training never sees the shapes."

    let private has (name: string) (history: History) =
        history.Evaluations
        |> List.exists (fun evaluation -> evaluation.Metrics |> List.exists (fun (other, _) -> other = name))

    // The curves of a course until a moment, with the axes of the whole.
    let private lossPanels (whole: History) (until: History) : Panel list =
        let loss = TrainingCurves.metric "loss"

        [
            TrainingCurves.loss "Training loss, weighted over iterations" whole until
            TrainingCurves.panel "Validation loss, last iteration" "loss" whole
            |> Panel.yRangeOf (whole.Evaluations |> List.map loss)
            |> TrainingCurves.curve "" Palette.blue until loss
        ]

    /// NMI and AMI with the peak of the metric that chooses the best epoch.
    let private agreementPanel (bestBy: string) (whole: History) (until: History) : Panel =
        let curve label colour name = TrainingCurves.curve label colour until (TrainingCurves.metric name)

        let panel =
            TrainingCurves.panel "Agreement of slots and shapes, validation" "agreement" whole
            |> Panel.yLimits 0.0 1.0
            |> curve "NMI" Palette.blue "nmi"
            |> curve "AMI without overlap" Palette.vermilion "ami_distinct"

        let panel =
            if has "ami_distinct_first" until then
                panel |> curve "the same, one start" Palette.orange "ami_distinct_first"
            else
                panel

        match until.Evaluations with
        | [] -> panel
        | evaluations ->
            let best = evaluations |> List.maxBy (TrainingCurves.metric bestBy)
            let value = TrainingCurves.metric bestBy best

            panel
            |> Panel.points "" Marker.Circle 8.0 Colour.black [| float best.Epoch |] [| value |]
            |> Panel.horizontal $"peak %.3f{value}, epoch {best.Epoch}" Colour.grey value

    let private assignments (model: NeuralEMConfig) (data: NeuralEMData) (iterations: ShownIteration[]) : Figure =
        let times = shownIterations MostIterations iterations.Length

        let panels image =
            input data image
            :: [ for t in times -> assignment data (row iterations[t - 1].Responsibilities image) image "" ]

        Figure.create "slot-assignments" "Slots over EM iterations" (shown data |> List.truncate 4 |> List.map panels)
        |> Figure.panelSize 150.0 150.0
        |> Figure.columnLabels ("input" :: [ for t in times -> $"iteration {t}" ])
        |> slotKeys model
        |> Figure.note
            "The slot of the largest responsibility. Pixels of several shapes are darker; the background isn't scored."

    let private reconstructions (model: NeuralEMConfig) (data: NeuralEMData) (last: ShownIteration) : Figure =
        let canvas, pixels = canvas data, data.Shown.Shapes.Images.shape[1]
        let slots = NeuralEM.slots model
        let mixture = NeuralEM.mixture last.Responsibilities last.Means

        let panels image =
            let means = row last.Means image

            [
                input data image
                for k in 0 .. slots - 1 do
                    grey canvas (Array.sub means (k * pixels) pixels) ""
                grey canvas (row mixture image) ""
                certainty data (row last.Responsibilities image) image
            ]

        Figure.create "slot-reconstructions" "What each slot draws" (shown data |> List.truncate 4 |> List.map panels)
        |> Figure.panelSize 150.0 150.0
        |> Figure.columnLabels ([ "input" ] @ [ for k in 1..slots -> $"ψ of slot {k}" ] @ [ "Σ γ ψ"; "γ" ])
        |> slotKeys model
        |> Figure.note "γ: the slot of the largest responsibility, grey where all slots have the same."

    /// The shape that each of so many slots is matched with, one to one, so that most pixels that one shape alone covers agree;
    /// slots beyond the shapes get numbers of their own. Labels 0 (background) to n and slots of the same pixels → the number of
    /// a shape, from 0 on, for each slot.
    let matched (slots: int) (labels: int[]) (overlap: bool[]) (found: int[]) : int[] =
        let size = max slots (Array.max labels)
        let cost = Array2D.zeroCreate<float> size size

        for pixel in 0 .. labels.Length - 1 do
            if labels[pixel] > 0 && not overlap[pixel] then
                cost[found[pixel], labels[pixel] - 1] <- cost[found[pixel], labels[pixel] - 1] - 1.0

        Array.truncate slots (Assignment.hungarian cost)

    /// Shapes, and slots in the colours of the shapes that they were matched with, so that mistakes stand out.
    let private grouping (model: NeuralEMConfig) (data: NeuralEMData) (last: ShownIteration) : Figure =
        let pixels = data.Shown.Shapes.Images.shape[1]
        let slots, colours = NeuralEM.slots model, colours model data
        let found = NeuralEM.assign last.Responsibilities

        let grouped image =
            let first = image * pixels
            let ofImage (values: 'value[]) = Array.sub values first pixels
            let { Labels = labels; Overlap = overlap }: Shapes = data.Shown.Shapes
            let matched = matched slots (ofImage labels) (ofImage overlap) (ofImage found)
            foreground data image "" (fun pixel -> Palette.categoryOf colours matched[found[first + pixel]])

        Figure.create
            "grouping"
            "Shapes, and the groups that slots make"
            [
                [ for image in shown data -> input data image ]
                [ for image in shown data -> truth data colours image ]
                [ for image in shown data -> grouped image ]
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

    /// A frame a snapshot: assignments of three images after three iterations, the curves growing below.
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
                            for image in images ->
                                assignment data (row gamma (i * images.Length + image)) image $"iteration {times[i]}"
                        ]
                ]

            Figure.create
                "training"
                $"Step {snapshot.Step}"
                (pictures @ [ lossPanels history until @ [ agreementPanel bestBy history until ] ])
            |> Figure.panelSize 270.0 220.0

        TrainingCurves.animation 4.0 frame history

namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Figures

/// The pictures of attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirFigures =
    // Scenes in the animation, and rows of the pictures that have a row a scene.
    [<Literal>]
    let private Animated = 4

    [<Literal>]
    let private Rows = 5

    let private infer (data: AirData) (model: Air) : AirInference =
        AirEncoder.infer data.Model (Parameters.frozen model) (AirData.batch data.Model data.Shown.Images)

    /// What the animation shows of a moment: of the first scenes what is drawn [b, D], where [b, T, 3] and how present
    /// [b, T].
    let snapshot (data: AirData) (model: Air) : (string * Tensor) list =
        let inference = infer data model
        let few (x: Tensor) = (x.slice (0, 0, min Animated x.shape[0])).clone()

        [
            "drawn", few (Air.compose data.Model (AirData.weights data.Model inference) inference.Renders)
            "where", few inference.Where
            "presence", few (AirObjective.cumulativePresence inference)
        ]

    // --- panels

    let private row (x: Tensor) (i: int) : float32[] = (x.select (0, i)).contiguous().toArray<float32>()

    let private picture (side: int) (values: float32[]) (title: string) : Panel =
        Panel.create title
        |> Panel.grey (0.0, 1.0) (Array2D.init side side (fun y x -> float values[y * side + x]))

    let private image (data: AirData) (i: int) (title: string) : Panel =
        picture data.Scenes.Canvas (row data.Shown.Images i) title

    let private outline (colour: Colour) (dashed: bool) (square: Square) (panel: Panel) : Panel =
        let half = square.Side / 2.0
        Panel.box colour dashed (square.X - half, square.Y - half) (square.X + half, square.Y + half) panel

    /// Where each step looks, in the step's colour: solid where it is present.
    let private boxes (data: AirData) (where: float32[]) (presence: float32[]) (panel: Panel) : Panel =
        (panel, [ presence.Length - 1 .. -1 .. 0 ])
        ||> List.fold (fun panel t ->
            let at i = float where[3 * t + i]
            let square = AirData.square data.Scenes.Canvas (at 0) (at 1) (at 2)
            outline (Palette.category t) (presence[t] <= 0.5f) square panel)

    let private stepKeys (data: AirData) (figure: Figure) : Figure =
        (figure, [ 0 .. data.Model.Steps - 1 ])
        ||> List.fold (fun figure t -> Figure.key $"step {t + 1}" (Palette.category t) (Swatch.Outline false) figure)
        |> Figure.key "not present" Colour.grey (Swatch.Outline true)

    let private digits (n: int) = if n = 1 then "1 digit" else $"{n} digits"

    let private count (presence: float32[]) = presence |> Array.filter (fun p -> p > 0.5f) |> Array.length

    let private shown (data: AirData) : int list = [ 0 .. data.Shown.Truth.Length - 1 ]

    /// Two rows of half of the scenes each.
    let private twoRows (panels: Panel list) : Panel list list =
        List.chunkBySize (max 1 ((panels.Length + 1) / 2)) panels

    // --- curves

    // The curves of a course until a moment, with the axes of the whole.
    let private errorPanel (whole: History) (until: History) : Panel =
        TrainingCurves.panel "Squared error a pixel, validation" "error" whole
        |> Panel.yRangeOf (whole.Evaluations |> List.map (TrainingCurves.metric "mse"))
        |> TrainingCurves.curve "" Palette.blue until (TrainingCurves.metric "mse")

    let private countPanel (most: int) (whole: History) (until: History) : Panel =
        let panel =
            TrainingCurves.panel "Scenes counted right, validation" "share" whole
            |> Panel.yLimits 0.0 1.02
            |> TrainingCurves.curve "all" Colour.black until (TrainingCurves.metric "count_accuracy")

        (panel, [ 0..most ])
        ||> List.fold (fun panel n ->
            TrainingCurves.curve
                (digits n)
                (Palette.category n)
                until
                (TrainingCurves.metric $"count_accuracy_{n}")
                panel)
        |> Panel.horizontal "chance" Colour.grey (1.0 / float (most + 1))

    let private curvePanels (data: AirData) (whole: History) (until: History) : Panel list =
        [
            TrainingCurves.loss "Loss, training" whole until
            errorPanel whole until
            countPanel data.Scenes.Most whole until
        ]

    let private curves (data: AirData) (history: History) : Figure =
        Figure.create "training-curves" "Training" [ curvePanels data history history ]
        |> Figure.panelSize 380.0 300.0

    // --- pictures

    let private examples (data: AirData) : Figure =
        let panel i =
            let truth = data.Shown.Truth[i]
            let classes = truth |> Array.map (fun digit -> string digit.Class) |> String.concat ", "
            let title = if classes = "" then "empty" else classes

            (image data i title, truth)
            ||> Array.fold (fun panel digit -> outline Palette.green false (AirData.trueSquare digit) panel)

        Figure.create "dataset-examples" "Validation scenes" (shown data |> List.map panel |> twoRows)
        |> Figure.panelSize 190.0 205.0
        |> Figure.note "Boxes and classes are the truth, which training never sees."

    /// Scenes with the boxes of every step.
    let private looks (data: AirData) (scenes: Scenes) (inference: AirInference) : Panel list =
        let presence = AirObjective.cumulativePresence inference

        [
            for i in 0 .. scenes.Truth.Length - 1 ->
                picture
                    data.Scenes.Canvas
                    (row scenes.Images i)
                    $"{scenes.Truth[i].Length} true, {count (row presence i)} inferred"
                |> boxes data (row inference.Where i) (row presence i)
        ]

    let private attention (data: AirData) (inference: AirInference) : Figure =
        Figure.create "attention-boxes" "Where each step looks" (looks data data.Shown inference |> twoRows)
        |> Figure.panelSize 190.0 205.0
        |> stepKeys data

    /// The first validation scenes that are counted wrong.
    let private mistakes (data: AirData) (model: Air) (reading: AirReading) : Figure =
        let wrong =
            [
                for i in 0 .. reading.Counts.Length - 1 do
                    if reading.Counts[i] <> data.Validation.Truth[i].Length then
                        i
            ]
            |> List.truncate data.Shown.Truth.Length

        let panels =
            match wrong with
            | [] -> [ Panel.create "none" ]
            | _ ->
                let scenes: Scenes =
                    {
                        Images = data.Validation.Images.indexSelect (0, Array.ofList wrong)
                        Truth = [| for i in wrong -> data.Validation.Truth[i] |]
                    }

                AirEncoder.infer data.Model (Parameters.frozen model) (AirData.batch data.Model scenes.Images)
                |> looks data scenes

        Figure.create "miscounted" "Validation scenes that are counted wrong" (twoRows panels)
        |> Figure.panelSize 190.0 205.0
        |> stepKeys data

    /// The first scenes with digits, and one without.
    let private instructive (data: AirData) : int list =
        let empty, others = shown data |> List.partition (fun i -> data.Shown.Truth[i].Length = 0)
        List.truncate (Rows - 1) others @ List.truncate 1 empty

    let private reconstructions (data: AirData) (inference: AirInference) : Figure =
        let side, steps = data.Scenes.Canvas, data.Model.Steps
        let weights = AirData.weights data.Model inference
        let drawn = Air.compose data.Model weights inference.Renders

        let panels i =
            let scene, total = row data.Shown.Images i, row drawn i
            let renders, weight = row inference.Renders i, row weights i

            [
                image data i ""
                picture side total ""
                for t in 0 .. steps - 1 do
                    picture
                        side
                        (Array.init (side * side) (fun p -> weight[t] * renders[t * side * side + p]))
                        $"weight %.2f{weight[t]}"
                Panel.create ""
                |> Panel.mapped
                    ColourMap.diverging
                    (-1.0, 1.0)
                    false
                    (Array2D.init side side (fun y x -> float (scene[y * side + x] - total[y * side + x])))
            ]

        Figure.create "reconstructions" "What each step draws" (instructive data |> List.map panels)
        |> Figure.panelSize 160.0 175.0
        |> Figure.columnLabels ([ "scene"; "all steps" ] @ [ for t in 1..steps -> $"step {t}" ] @ [ "scene − all" ])
        |> Figure.note
            "Each step's patch where it lands, times its weight: the probability that it and all before it are present."

    let private patches (data: AirData) (inference: AirInference) : Figure =
        let side, patch = data.Scenes.Canvas, data.Model.Patch
        let presence = AirObjective.cumulativePresence inference

        let panels i =
            let drawn, renders, where, present =
                row inference.Patches i, row inference.Renders i, row inference.Where i, row presence i

            [
                image data i ""
                for t in 0 .. data.Model.Steps - 1 do
                    let part (n: int) (values: float32[]) = Array.sub values (t * n) n
                    picture patch (part (patch * patch) drawn) ""

                    let at k = float where[3 * t + k]

                    picture side (part (side * side) renders) ""
                    |> outline (Palette.category t) (present[t] <= 0.5f) (AirData.square side (at 0) (at 1) (at 2))
            ]

        Figure.create "patches" "Decoded patches, and where they land" (instructive data |> List.map panels)
        |> Figure.panelSize 150.0 165.0
        |> Figure.columnLabels (
            "scene"
            :: [
                for t in 1 .. data.Model.Steps do
                    $"patch {t}"
                    "lands"
            ]
        )
        |> stepKeys data

    let private counts (data: AirData) (reading: AirReading) : Figure =
        let table = AirData.confusion data.Scenes.Most data.Model.Steps data.Validation reading
        let rows = [ for n in 0 .. data.Scenes.Most -> digits n ]
        let columns = [ for n in 0 .. data.Model.Steps -> string n ]

        let shares =
            Array2D.init rows.Length columns.Length (fun i j ->
                let all = Seq.sum [ for k in 0 .. columns.Length - 1 -> table[i, k] ]
                float table[i, j] / float (max 1 all))

        Panel.create "Counts of validation scenes"
        |> Panel.axes "inferred" "true"
        |> Panel.heatmap ColourMap.blues (0.0, 1.0) rows columns "P1" shares
        |> Figure.single "count-confusion"

    /// Examples, curves, boxes, reconstructions, patches, the table of counts and what was miscounted.
    let all (data: AirData) (model: Air) (history: History) : Figure list =
        let inference = infer data model
        let reading = AirData.read data.Model (Parameters.frozen model) data.Validation.Images

        [
            examples data
            curves data history
            attention data inference
            reconstructions data inference
            patches data inference
            counts data reading
            mistakes data model reading
        ]

    /// A frame a snapshot: scenes with boxes, what is drawn below, the curves growing beside.
    let animation (data: AirData) (history: History) : Animation option =
        let frame (snapshot: Snapshot) (until: History) =
            let values = Map.ofList snapshot.Values
            let drawn, where, presence = values["drawn"], values["where"], values["presence"]
            let several = [ 0 .. drawn.shape[0] - 1 ]

            Figure.create
                "training"
                $"Step {snapshot.Step}"
                [
                    [
                        for i in several do
                            image data i $"{data.Shown.Truth[i].Length} true, {count (row presence i)} inferred"
                            |> boxes data (row where i) (row presence i)
                    ]
                    [ for i in several -> picture data.Scenes.Canvas (row drawn i) "" ]
                    curvePanels data history until
                ]
            |> Figure.panelSize 230.0 210.0
            |> Figure.rowLabels [ "scenes"; "drawn"; "" ]
            |> stepKeys data

        TrainingCurves.animation 4.0 frame history

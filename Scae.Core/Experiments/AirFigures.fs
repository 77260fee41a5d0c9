namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// The pictures of attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirFigures =
    // How many scenes the animation shows, and how many rows pictures have that show a scene in each row.
    [<Literal>]
    let private Animated = 4

    [<Literal>]
    let private MostRows = 5

    /// What is inferred from the scenes that the pictures show, all in one batch. The next call overwrites it.
    let show (settings: AirSettings) (data: AirData) (model: Air) : unit -> AirShown =
        let config, images = settings.Model, data.Shown.Images

        let infer (batch: AirBatch) =
            let inference = AirEncoder.infer config model batch

            {
                Inference = inference
                Presence = AirReading.presence settings model batch inference
            }

        let inference = Inference(images.shape[0], AirReading.allocate settings, infer)

        fun () ->
            let found = ref Unchecked.defaultof<AirShown>

            inference.Over(
                images.shape[0],
                fun part ->
                    Rows.load images part.First part.Batch.Images
                    part.Run()
                    found.Value <- part.Output
            )

            found.Value

    /// What the animation shows of a moment: for the first scenes what is drawn [b, D], where the steps look [b, T, 3], and
    /// their presence [b, T].
    let snapshot (settings: AirSettings) (shown: AirShown) : (string * Tensor) list =
        let few (x: Tensor) = (Rows.first Animated x).clone()
        let inference = shown.Inference
        let weights = AirReading.weights settings.Model inference

        [
            "drawn", few (Air.compose settings.Model weights inference.Renders)
            "where", few inference.Where
            "presence", few shown.Presence
        ]

    // --- panels

    let private image (data: AirData) (i: int) (title: string) : Panel =
        Panel.ofGrey (Rows.values i data.Shown.Images) title

    let private outline (colour: Colour) (dashed: bool) (square: Square) (panel: Panel) : Panel =
        let half = square.Side / 2.0
        Panel.box colour dashed (square.X - half, square.Y - half) (square.X + half, square.Y + half) panel

    /// Where each step of a scene looks, from the steps' (log s, t_x, t_y).
    let private windows (settings: AirSettings) (where: float32[]) : Square[] =
        let at i = float where[i]

        Array.init (where.Length / 3) (fun t ->
            AirReading.square settings.Scenes.Canvas (at (3 * t)) (at (3 * t + 1)) (at (3 * t + 2)))

    /// The steps' windows in the steps' colours, solid for a step that is present and dashed for one that isn't.
    let private boxes (windows: Square[]) (presence: float32[]) (panel: Panel) : Panel =
        panel
        |> Panel.each [ presence.Length - 1 .. -1 .. 0 ] (fun t ->
            outline (Palette.category t) (presence[t] <= 0.5f) windows[t])

    let internal stepKeys (settings: AirSettings) (figure: Figure) : Figure =
        figure
        |> Figure.keys
            (Swatch.Outline false)
            [ for t in 0 .. settings.Model.Steps - 1 -> $"step {t + 1}", Palette.category t ]

    /// The key of pictures that show steps that aren't present, too.
    let private allStepKeys (settings: AirSettings) (figure: Figure) : Figure =
        stepKeys settings figure |> Figure.key "not present" Colour.grey (Swatch.Outline true)

    let internal digits (n: int) = if n = 1 then "1 digit" else $"{n} digits"

    let private count (presence: float32[]) = presence |> Array.filter (fun p -> p > 0.5f) |> Array.length

    let private shown (data: AirData) : int list = [ 0 .. data.Shown.Truth.Length - 1 ]

    /// The panels in two rows.
    let private twoRows (panels: Panel list) : Panel list list =
        List.chunkBySize (max 1 ((panels.Length + 1) / 2)) panels

    // --- curves

    // A training's curves until a moment, with the axes of the whole training.
    let private errorPanel: History -> History -> Panel =
        TrainingCurves.curves
            "Squared error a pixel, validation"
            "error"
            [ "", Palette.blue, TrainingCurves.metric "mse" ]

    let private countPanel (most: int) (whole: History) (until: History) : Panel =
        TrainingCurves.panel "Scenes counted right, validation" "share" whole
        |> Panel.yLimits 0.0 1.0
        |> TrainingCurves.curve "all" Colour.black until (TrainingCurves.metric "count_accuracy")
        |> Panel.each [ 0..most ] (fun n ->
            TrainingCurves.curve (digits n) (Palette.category n) until (TrainingCurves.metric $"count_accuracy_{n}"))
        |> Panel.horizontal "chance" Colour.grey (1.0 / float (most + 1))

    let private curvePanels (settings: AirSettings) (whole: History) (until: History) : Panel list =
        [
            TrainingCurves.loss "Loss, training" whole until
            errorPanel whole until
            countPanel settings.Scenes.Most whole until
        ]

    let private curves (settings: AirSettings) (history: History) : Figure =
        Figure.create "training-curves" "Training" [ curvePanels settings history history ]
        |> Figure.panelSize 380.0 300.0

    // --- pictures

    let private examples (data: AirData) : Figure =
        let panel i =
            let truth = data.Shown.Truth[i]
            let classes = truth |> Array.map (fun digit -> string digit.Class) |> String.concat ", "
            let title = if classes = "" then "empty" else classes

            (image data i title, truth)
            ||> Array.fold (fun panel digit -> outline Palette.green false (AirReading.trueSquare digit) panel)

        Figure.create "dataset-examples" "Validation scenes" (shown data |> List.map panel |> twoRows)
        |> Figure.panelSize 190.0 205.0
        |> Figure.note "Boxes and classes are the truth, which training never sees."

    /// A scene with the boxes of every step, titled with its true and its inferred count.
    let internal look (pixels: float32[]) (truth: PlacedDigit[]) windows presence : Panel =
        Panel.ofGrey pixels $"{truth.Length} true, {count presence} inferred" |> boxes windows presence

    let private attention (settings: AirSettings) (data: AirData) (found: AirShown) : Figure =
        let panel i =
            look
                (Rows.values i data.Shown.Images)
                data.Shown.Truth[i]
                (windows settings (Rows.values i found.Inference.Where))
                (Rows.values i found.Presence)

        Figure.create "attention-boxes" "Where each step looks" (shown data |> List.map panel |> twoRows)
        |> Figure.panelSize 190.0 205.0
        |> allStepKeys settings

    /// The first validation scenes that are counted wrong.
    let private mistakes (settings: AirSettings) (shown: int) (reading: AirReading) : Figure =
        let scenes = reading.Scenes

        let panel i =
            look (Rows.values i scenes.Images) scenes.Truth[i] reading.Windows[i] reading.Presence[i]

        let wrong =
            [ 0 .. reading.Counts.Length - 1 ]
            |> List.filter (fun i -> reading.Counts[i] <> scenes.Truth[i].Length)
            |> List.truncate shown
            |> List.map panel

        Figure.create
            "miscounted"
            "Validation scenes that are counted wrong"
            (twoRows (if wrong.IsEmpty then [ Panel.create "none" ] else wrong))
        |> Figure.panelSize 190.0 205.0
        |> (if wrong.IsEmpty then id else allStepKeys settings)

    /// The first scenes with digits, and one without.
    let private instructive (data: AirData) : int list =
        let empty, others = shown data |> List.partition (fun i -> data.Shown.Truth[i].Length = 0)
        List.truncate (MostRows - 1) others @ List.truncate 1 empty

    let private reconstructions (settings: AirSettings) (data: AirData) (inference: AirInference) : Figure =
        let side, steps = settings.Scenes.Canvas, settings.Model.Steps
        let weights = AirReading.weights settings.Model inference
        let drawn = Air.compose settings.Model weights inference.Renders

        let panels i =
            let total = Rows.values i drawn
            let scene = defaultArg inference.Restored data.Shown.Images |> Rows.values i
            let renders, weight = Rows.values i inference.Renders, Rows.values i weights

            [
                image data i ""
                if inference.Restored.IsSome then
                    Panel.ofGrey scene ""
                Panel.ofGrey total ""
                for t in 0 .. steps - 1 do
                    Panel.ofGrey
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
        |> Figure.columnLabels
            [
                "scene"
                if inference.Restored.IsSome then
                    "without light"
                "all steps"
                for t in 1..steps do
                    $"step {t}"
                "scene − all"
            ]
        |> Figure.note (
            (match settings.Model.Presence with
             | AirPresence.Relaxed ->
                 "Each step's patch where it lands, times its weight: the probability that it and all before it are present."
             | _ ->
                 "Each step's patch where it lands, if it and all before it are present with a probability above ½; else nothing.")
            + " Red is missing, blue too much."
        )

    let private patches (settings: AirSettings) (data: AirData) (found: AirShown) : Figure =
        let side, patch = settings.Scenes.Canvas, settings.Model.Patch
        let { Inference = inference; Presence = presence } = found

        let panels i =
            let drawn, renders = Rows.values i inference.Patches, Rows.values i inference.Renders
            let windows, present = windows settings (Rows.values i inference.Where), Rows.values i presence

            [
                image data i ""
                for t in 0 .. settings.Model.Steps - 1 do
                    let part (n: int) (values: float32[]) = Array.sub values (t * n) n
                    Panel.ofGrey (part (patch * patch) drawn) ""

                    Panel.ofGrey (part (side * side) renders) ""
                    |> outline (Palette.category t) (present[t] <= 0.5f) windows[t]
            ]

        Figure.create "patches" "Decoded patches, and where they land" (instructive data |> List.map panels)
        |> Figure.panelSize 160.0 160.0
        |> Figure.columnLabels (
            "scene"
            :: [
                for t in 1 .. settings.Model.Steps do
                    $"patch {t}"
                    "lands"
            ]
        )
        |> allStepKeys settings

    let internal counts (settings: AirSettings) (reading: AirReading) : Figure =
        let table = AirMeasures.confusion settings.Scenes.Most settings.Model.Steps reading
        let rows = [ for n in 0 .. settings.Scenes.Most -> digits n ]
        let columns = [ for n in 0 .. settings.Model.Steps -> string n ]

        Panel.create "Counts of validation scenes"
        |> Panel.axes "inferred" "true"
        |> Panel.confusion 1.0 "P1" rows columns table
        |> Figure.single "count-confusion"

    /// Examples, curves, boxes, reconstructions, patches, the table of counts and miscounted scenes, from what is inferred of
    /// the shown scenes (`found`) and from the reading of all validation scenes.
    let all settings (data: AirData) (found: AirShown) (reading: AirReading) (history: History) : Figure list =
        [
            examples data
            curves settings history
            attention settings data found
            reconstructions settings data found.Inference
            patches settings data found
            counts settings reading
            mistakes settings data.Shown.Truth.Length reading
        ]

    /// One frame for each snapshot: scenes with boxes, below them what is drawn, and below that the growing curves.
    let animation (settings: AirSettings) (data: AirData) (history: History) : Animation option =
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
                            look
                                (Rows.values i data.Shown.Images)
                                data.Shown.Truth[i]
                                (windows settings (Rows.values i where))
                                (Rows.values i presence)
                    ]
                    [ for i in several -> Panel.ofGrey (Rows.values i drawn) "" ]
                    curvePanels settings history until
                ]
            |> Figure.panelSize 230.0 210.0
            |> Figure.rowLabels [ "scenes"; "drawn"; "" ]
            |> allStepKeys settings

        TrainingCurves.animation 4.0 frame history

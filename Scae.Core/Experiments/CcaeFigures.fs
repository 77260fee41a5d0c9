namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// The pictures of the paper's constellations.
[<RequireQualifiedAccess>]
module CcaeFigures =
    let private colour (k: int) : Colour = Palette.category k

    // --- a scene

    /// A scene as pictures need it: its present points with their true and their predicted owners. Predicted owners are renamed
    /// to the true owners that suit them best; Names has the new name of each capsule.
    type private SceneView = { X: float[]; Y: float[]; Truth: int[]; Predicted: int[]; Names: int[] }

    let private view (names: int) (reading: CcaeReading) (scene: int) : SceneView =
        let n = reading.Scenes.Points.shape[1]

        let there, xs, ys =
            PatternScenes.present
                (ReadOnlySpan(Rows.values scene reading.Scenes.Points))
                (ReadOnlySpan(Rows.values scene reading.Scenes.Presence))

        let truth = there |> Array.map (fun i -> reading.Scenes.Owners[scene * n + i])
        let owners = there |> Array.map (fun i -> reading.Owners[scene * n + i])

        let relabelling =
            if there.Length = 0 then
                Array.init names id
            else
                Recovery.bestRelabelling names truth owners

        {
            X = xs
            Y = ys
            Truth = truth
            Predicted = owners |> Array.map (fun owner -> relabelling[owner])
            Names = relabelling
        }

    let private scenePanel (config: PatternScenesConfig) (title: string) : Panel =
        let panel = Panel.create title |> Panel.frame Frame.Box |> Panel.equalAspect

        match config.Normalised with
        | SceneScale.Raw -> panel
        | SceneScale.Fixed
        | SceneScale.Chunk -> panel |> Panel.xLimits -1.05 1.05 |> Panel.yLimits -1.05 1.05

    // Votes of less presence than this aren't drawn.
    [<Literal>]
    let private Visible = 0.05

    /// Votes as discs whose radius is their deviation and whose opacity is their presence.
    let private votes (reading: CcaeReading) (names: int[]) (scene: int) : Panel -> Panel =
        let ofScene (x: Tensor) = Rows.values scene x |> Array.map float

        let places, scales, presence =
            ofScene reading.Votes.Places, ofScene reading.Votes.Scales, ofScene reading.Votes.Presence

        let votes = presence.Length / reading.Capsules
        let around = Array.init 24 (fun i -> 2.0 * Math.PI * float i / 24.0)

        let visible = [ 0 .. presence.Length - 1 ] |> List.filter (fun i -> presence[i] >= Visible)

        Panel.each visible (fun i ->
            let own = Colour.withOpacity (min 1.0 presence[i]) (colour names[i / votes])
            let x, y = places[2 * i], places[2 * i + 1]
            let circle (centre: float) (f: float -> float) = around |> Array.map (fun t -> centre + scales[i] * f t)

            Panel.polygon own (0.3 * min 1.0 presence[i]) (circle x cos) (circle y sin)
            >> Panel.points "" Marker.Plus 6.0 own [| x |] [| y |])

    /// The corners of the squares around the votes of a scene that are drawn.
    let private cornersOfVotes (reading: CcaeReading) (scene: int) : (float * float) list =
        let places = Rows.values scene reading.Votes.Places |> Array.map float
        let scales = Rows.values scene reading.Votes.Scales |> Array.map float
        let presence = Rows.values scene reading.Votes.Presence |> Array.map float

        [
            for i in 0 .. presence.Length - 1 do
                if presence[i] >= Visible then
                    for side in [ -1.0; 1.0 ] do
                        places[2 * i] + side * scales[i], places[2 * i + 1] + side * scales[i]
        ]

    // A close-up shows at least this share of the panel.
    [<Literal>]
    let private LeastShare = 0.2

    /// Narrows a panel with fixed limits to the square that has all points and votes, with a margin. What is beyond the limits
    /// isn't shown then either.
    let private closeUp (x: float[]) (y: float[]) (votes: (float * float) list) (panel: Panel) : Panel =
        match panel.X.Limits with
        | Limits.Fixed(low, high) when x.Length > 0 ->
            let within (values: float seq) =
                values
                |> Seq.filter Double.IsFinite
                |> Seq.map (fun value -> Math.Clamp(value, low, high))
                |> Array.ofSeq

            let xs, ys = within (Seq.append x (Seq.map fst votes)), within (Seq.append y (Seq.map snd votes))
            let extent (values: float[]) = Array.max values - Array.min values
            let side = 1.3 * max (extent xs) (extent ys) |> max (LeastShare * (high - low)) |> min (high - low)

            let around (values: float[]) =
                let middle = (Array.max values + Array.min values) / 2.0
                let start = Math.Clamp(middle - side / 2.0, low, high - side)
                start, start + side

            panel |> (around xs ||> Panel.xLimits) |> (around ys ||> Panel.yLimits)
        | _ -> panel

    /// Truth, predicted owners and votes of a scene.
    let private column (config: PatternScenesConfig) (reading: CcaeReading) (scene: int) : Panel list =
        let names = max reading.Capsules config.Patterns.Length

        let { X = x; Y = y; Truth = truth; Predicted = predicted; Names = relabelling } =
            view names reading scene

        [
            scenePanel config $"scene {scene + 1}" |> ConstellationsFigures.labelled x y truth truth
            scenePanel config (ConstellationsFigures.pointsRight predicted truth)
            |> ConstellationsFigures.labelled x y predicted truth
            scenePanel config ""
            |> Panel.points "" Marker.Circle 5.0 Colour.lightGrey x y
            |> votes reading relabelling scene
            |> closeUp x y (cornersOfVotes reading scene)
        ]

    let private name (config: PatternScenesConfig) (id: int) : string =
        let pattern = config.Patterns[id]

        let shape =
            [
                PatternScenes.square, "square"
                PatternScenes.triangle, "triangle"
                PatternScenes.pentagon, "pentagon"
                PatternScenes.corner, "corner"
            ]
            |> List.tryFind (fun (points, _) -> points = pattern)
            |> Option.map snd
            |> Option.defaultValue "pattern"

        match config.Patterns |> Array.take id |> Array.filter ((=) pattern) |> Array.length with
        | 0 -> shape
        | earlier -> $"{shape} {earlier + 1}"

    let private scenes (config: PatternScenesConfig) (shown: CcaeReading) : Figure =
        let columns = [ for scene in 0 .. shown.Scenes.Points.shape[0] - 1 -> column config shown scene ]

        Figure.create "scenes" "Scenes that training has not seen" (List.transpose columns)
        |> Figure.panelSize 220.0 220.0
        |> Figure.rowLabels [ "truth"; "predicted"; "votes" ]
        |> Figure.note
            "Predicted colours under the best relabelling of each scene; × marks a wrong point. Votes: discs of one deviation and a + in the middle, as solid as they are present; grey: the points. Each scene's votes are enlarged by a factor of their own."
        |> Figure.keys
            (Swatch.Point Marker.Circle)
            [ for id in 0 .. config.Patterns.Length - 1 -> name config id, colour id ]

    // --- curves

    let private metricPanel title y (curves: (string * string) list) : History -> History -> Panel =
        TrainingCurves.curves
            title
            y
            [
                for i, (label, name) in List.indexed curves -> label, Palette.category i, TrainingCurves.metric name
            ]

    let private sharePanel title y curves (whole: History) (until: History) : Panel =
        metricPanel title y curves whole until |> Panel.yWithin 0.0 1.0

    let private curvePanels (whole: History) (until: History) : Panel list =
        [
            TrainingCurves.loss "Loss, training"
            metricPanel "log p(points), validation" "nats a scene" [ "", "likelihood" ]
            sharePanel
                "Points, validation"
                "accuracy"
                [
                    "best matching", "point_accuracy"
                    "1 pattern", "point_accuracy_of_1"
                    "scenes right", "scenes_right"
                ]
            sharePanel
                "Presence of patterns, validation"
                "accuracy"
                [ "all", "presence_accuracy"; "worst", "least_presence_accuracy" ]
        ]
        |> List.map (fun panel -> panel whole until)

    let private curves (history: History) : Figure =
        Figure.create "training-curves" "Training" (curvePanels history history |> List.chunkBySize 2)
        |> Figure.panelSize 380.0 300.0

    // --- accuracy over noise

    /// Published point accuracies at noise 0, 0.1 and 0.25. They were measured on the predictions of the released program that
    /// the authors of GCM published, and with their own code. RANSAC and GCM are given the patterns.
    let private rivals: (string * float[]) list =
        [
            "SCAE, its authors' program", [| 0.914; 0.769; 0.611 |]
            "GCM-DS, given the patterns", [| 0.939; 0.897; 0.797 |]
            "RANSAC, given the patterns", [| 1.000; 0.986; 0.943 |]
            "everything in one capsule", [| 0.610; 0.609; 0.607 |]
        ]

    let private overNoise (config: PatternScenesConfig) (noises: float list) (accuracies: float list) : Figure =
        let x = Array.ofList CcaeScenes.noises
        // The rivals' figures are of the published scenes.
        let published = CcaeScenes.config CcaeScenes.paper
        let areBeside = (config.Patterns, config.Drop) = (published.Patterns, published.Drop)

        Panel.create "Points given to the right owner"
        |> Panel.axes "deviation of points, in pattern units" "accuracy"
        |> Panel.yLimits (accuracies |> List.fold (fun low accuracy -> min low (accuracy - 0.03)) 0.55) 1.01
        |> Panel.each (List.indexed (if areBeside then rivals else [])) (fun (i, (label, accuracies)) ->
            let own = Palette.category (i + 1)

            Panel.line "" (Colour.withOpacity 0.5 own) x accuracies
            >> Panel.points label Marker.Square 7.0 own x accuracies)
        |> Panel.line "" (colour 0) (Array.ofList noises) (Array.ofList accuracies)
        |> Panel.points "this model" Marker.Circle 10.0 (colour 0) (Array.ofList noises) (Array.ofList accuracies)
        |> Figure.single "accuracy-over-noise"
        |> Figure.panelSize 560.0 400.0
        |> Figure.note (
            "This model: one training, test scenes with other noise."
            + if areBeside then
                  " Squares: rivals, one model for each noise."
              else
                  ""
        )

    let private byCount (config: PatternScenesConfig) (reading: CcaeReading) : Figure =
        let counts, accuracies = CcaeMeasures.byCount config reading |> List.unzip

        Panel.create "Points given to the right owner, test scenes"
        |> Panel.axes "patterns in the scene" "accuracy"
        |> Panel.yLimits 0.0 1.05
        |> Panel.bars (colour 0) (counts |> List.map string) (Array.ofList accuracies)
        |> Figure.single "accuracy-by-count"

    /// Curves, scenes, and accuracy over noise and by the number of patterns, for a model that reads scenes.
    let all
        (data: CcaeData)
        (read: CcaeTestScenes -> CcaeReading)
        (test: CcaeReading)
        (history: History)
        : Figure list =
        let accuracies =
            [ for _, noisy in data.Noisy -> CcaeMeasures.pointAccuracy data.Config (read noisy.Value) ]

        [
            curves history
            scenes data.Config (read data.Shown)
            overNoise data.Config (List.map fst data.Noisy) accuracies
            byCount data.Config test
        ]

    // --- the animation

    /// What the animation shows of a moment.
    let snapshot (shown: CcaeReading) : (string * Tensor) list =
        let tensor (values: 'value[]) (convert: 'value -> float32) sizes =
            Tensor.``of`` (Array.map convert values, Array.ofList sizes)

        let count = shown.Scenes.Points.shape[0]

        [
            "owners", tensor shown.Owners float32 [ count; shown.Owners.Length / count ]
            "presence", tensor shown.Presence float32 [ count; shown.Capsules ]
            "votes", shown.Votes.Places.clone ()
            "scales", shown.Votes.Scales.clone ()
            "votePresence", shown.Votes.Presence.clone ()
        ]

    let private ofSnapshot (data: CcaeData) (snapshot: Snapshot) : CcaeReading =
        let values = Map.ofList snapshot.Values
        let numbers name = values[name].toArray<float32>()

        {
            Scenes = data.Shown.Scenes
            Owners = numbers "owners" |> Array.map int
            Presence = numbers "presence" |> Array.map float
            LogLikelihood = [||]
            Votes =
                {
                    Places = values["votes"]
                    Scales = values["scales"]
                    Presence = values["votePresence"]
                }
        }

    /// One frame for each snapshot: predicted owners and votes of some scenes, and the growing curves below.
    let animation (data: CcaeData) (history: History) : Animation option =
        let frame (snapshot: Snapshot) (until: History) =
            let shown = ofSnapshot data snapshot

            let columns =
                [ for scene in 0 .. min 4 data.Shown.Scenes.Points.shape[0] - 1 -> column data.Config shown scene ]

            Figure.create
                "training"
                $"Step {snapshot.Step}"
                ((columns |> List.map List.tail |> List.transpose) @ [ curvePanels history until ])
            |> Figure.panelSize 230.0 210.0

        TrainingCurves.animation 4.0 frame history

module Scae.Tests.Experiments.CcaeExperimentTests

open System
open Expecto
open Scae.Cli.Plots
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Figures
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Training

let private preset (name: string) =
    CcaeExperiment.experiment.Specification.Presets |> List.find (fun preset -> preset.Name = name)

let private small = [ "validation-size", "60"; "test-size", "80" ]

let private configured (name: string) (overrides: (string * string) list) =
    CcaeExperiment.experiment.Configure (preset name) (small @ overrides)

let private task (name: string) (overrides: (string * string) list) : Task =
    configured name overrides |> Trained.accepted

let private session (task: Task) (seed: int64) : Session =
    task.Open Resources.none (Keys.ofSeed seed) |> Trained.accepted

let private refusal (name: string) (overrides: (string * string) list) : string =
    match configured name overrides with
    | Error message -> message
    | Ok _ -> failtest "accepted"

let private checkpoint (name: string) (task: Task) (state: TrainingState) : byte[] =
    Checkpoint.last
        {
            Experiment = "ccae"
            Preset = name
            Seed = 5L
            Settings = task.Settings
            Version = "test"
            Data = None
        }
        state

/// Shapes as small as they can be, where values aren't looked at.
let private narrow (name: string) =
    let network =
        [
            "width", "8"
            "layers", "1"
            "heads", "2"
            "set-outputs", "4"
            "capsule-hidden", "6"
            "capsule-code", "3"
        ]

    ("batch-size", "8") :: (if name = "quick" || name = "paper" then network else [])

/// How many colours each panel shows that it doesn't show without its marks.
let private shown (figure: Figure) : int list =
    let drawn (figure: Figure) =
        use stream = new IO.MemoryStream()
        FigureRenderer.RenderPng(figure, stream, 1.0)
        SkiaSharp.SKBitmap.Decode(stream.ToArray())

    let colours (bitmap: SkiaSharp.SKBitmap) (area: ScottPlot.PixelRect) =
        set
            [
                for y in int area.Top + 2 .. int area.Bottom - 3 do
                    for x in int area.Left + 2 .. int area.Right - 3 -> uint32 (bitmap.GetPixel(x, y))
            ]

    let bare =
        { figure with
            Figure.Panels = [ for row in figure.Panels -> [ for panel in row -> { panel with Panel.Marks = [] } ] ]
        }

    let areas = (FigurePicture figure).Areas
    use whole = drawn figure
    use bare = drawn bare

    [
        for i, row in List.indexed figure.Panels do
            for j, _ in List.indexed row do
                let area = areas[i][j]
                (Set.difference (colours whole area) (colours bare area)).Count
    ]

/// Trains, and says what is measured and drawn.
let private trained (task: Task) (steps: int) =
    let session = session task 1L
    let state = Trained.start task session |> Trained.until steps

    let history =
        {
            Evaluations = state.Evaluations
            Snapshots = [ { Step = 0; Values = session.Learner.Snapshot() } ]
        }

    Map.ofList (Trained.metrics session Test), (session.Inspect()).Figures history, session.Animation history

let private config: PatternScenesConfig = PatternScenes.paper

/// The reading of a model that knows the truth, but numbers the patterns otherwise.
let private perfect (scenes: PatternScenes) : CcaeReading =
    let count = scenes.Points.shape[0]
    let capsules = [| 1; 2; 0 |]

    {
        Scenes = scenes
        Owners = scenes.Owners |> Array.map (fun id -> capsules[id])
        Presence =
            Array.init (3 * count) (fun i ->
                if scenes.Present[3 * (i / 3) + Array.IndexOf(capsules, i % 3)] then
                    0.9
                else
                    0.1)
        LogLikelihood = Array.create count 2.0
        Votes =
            {
                Places = Tensor.zeros [| count; 3; 4; 2 |]
                Scales = Tensor.ones [| count; 3; 4 |]
                Presence = Tensor.ones [| count; 3; 4 |]
            }
    }

let private measured (reading: CcaeReading) : Map<string, float> = CcaeMeasures.ofReading config reading |> Map.ofList

[<Tests>]
let tests =
    testList
        "Experiments.CcaeExperiment"
        [
            testCase "best finds templates and owners without labels, and draws what it finds"
            <| fun () ->
                let task = task "best" [ "batch-size", "64" ]
                let metrics, figures, animation = trained task task.Plan.Steps
                metrics["point_accuracy"] |> shouldBeAtLeast 0.97
                metrics["least_presence_accuracy"] |> shouldBeAtLeast 0.97
                metrics["procrustes_distance"] |> shouldBeLessThan 0.02
                metrics["point_accuracy_at_0"] |> shouldEqual metrics["point_accuracy"]
                metrics["point_accuracy_at_0.25"] |> shouldBeIn (0.7, metrics["point_accuracy"])

                figures
                |> List.map _.Name
                |> shouldEqual [ "training-curves"; "scenes"; "accuracy-over-noise"; "accuracy-by-count" ]

                for figure in figures do
                    shown figure |> List.min |> shouldBeGreaterThan 0

                // Votes are drawn close to the points, all of which stay in the panel.
                match figures[1].Panels with
                | [ whole; _; closer ] ->
                    for whole, closer in List.zip whole closer do
                        match whole.X.Limits, closer.X.Limits, closer.Y.Limits with
                        | Limits.Fixed(low, high), Limits.Fixed(left, right), Limits.Fixed(bottom, top) ->
                            right - left |> shouldBeIn (0.1 * (high - low), high - low)
                            (top - bottom) - (right - left) |> shouldBeIn (-1e-9, 1e-9)

                            for mark in closer.Marks do
                                match mark with
                                | Mark.Scatter points ->
                                    for x, y in Array.zip points.X points.Y do
                                        x |> shouldBeIn (left, right)
                                        y |> shouldBeIn (bottom, top)
                                | _ -> ()
                        | other -> failtest $"%A{other}"
                | rows -> failtest $"{rows.Length} rows"

                match animation with
                | Some animation ->
                    animation.Frames |> shouldHaveLength 1
                    (shown animation.Frames[0])[0] |> shouldBeGreaterThan 0
                | None -> failtest "no animation"

            testCase "told knows the patterns from the first step on"
            <| fun () ->
                let metrics, _, _ = trained (task "told" [ "epochs", "1"; "steps-per-epoch", "20" ]) 20
                metrics["procrustes_distance"] |> shouldBeLessThan 1e-3
                metrics["point_accuracy"] |> shouldBeAtLeast 0.97

            testCase "the quick preset learns, and is measured and drawn"
            <| fun () ->
                let task = task "quick" [ "epochs", "2" ]
                let before = Trained.metrics (session task 1L) Test |> Map.ofList
                let metrics, figures, animation = trained task task.Plan.Steps
                metrics["likelihood"] |> shouldBeGreaterThan (before["likelihood"] + 5.0)
                metrics["point_accuracy_of_1"] |> shouldBeIn (0.8, 1.0)
                animation.IsSome |> shouldEqual true

                for figure in figures do
                    shown figure |> List.min |> shouldBeGreaterThan 0

                for name in [ "predicted_segmentation_accuracy"; "adjusted_rand"; "presence_accuracy" ] do
                    metrics[name] |> shouldBeIn (0.0, 1.0)

            for name in [ "quick"; "paper"; "best"; "told" ] do
                testCase $"a resumed run ends with the bytes of an uninterrupted one ({name})"
                <| fun () ->
                    let task = task name (narrow name @ [ "epochs", "2"; "steps-per-epoch", "6" ])
                    let start () = Trained.start task (session task 5L)
                    let file = Safetensors.parse (checkpoint name task (Trained.until 8 (start ())))
                    let learner = (session task 5L).Learner
                    let resumed = Checkpoint.restore (Trained.accepted file) task.Plan learner |> Trained.accepted
                    resumed.Step |> shouldEqual 8

                    checkpoint name task (Trained.until 12 resumed)
                    |> shouldEqual (checkpoint name task (Trained.until 12 (start ())))

            for preset in CcaeExperiment.experiment.Specification.Presets do
                testCase $"gradients are those of the loss ({preset.Name})"
                <| fun () ->
                    (task preset.Name (narrow preset.Name)).CheckGradient 4 Resources.none (Keys.ofSeed 0L)
                    |> Gradients.shouldBeOfTheLoss 1e-4 Gradients.isOfKeys

            testCase "paper is the released configuration: 300,000 steps of RMSProp at a constant rate"
            <| fun () ->
                let settings, plan = CcaeSettings.resolve CcaeSettings.paper |> Trained.accepted
                settings.Model |> shouldEqual Ccae.paper
                (settings.Noise, settings.EvaluationNoise) |> shouldEqual (2.0, true)
                settings.Scenes.Normalised |> shouldEqual SceneScale.Chunk
                (task "paper" []).Plan |> shouldEqual plan
                (plan.Steps, plan.BatchSize) |> shouldEqual (300_000, 32)

                match plan.Rule with
                | { Optimizer = RmsProp rule; LearningRate = rate } ->
                    Schedule.at rate 299_999 |> shouldEqual 1e-4
                    (rule.Decay, rule.Momentum, rule.Start) |> shouldEqual (0.9, 0.9, 1.0)
                    // 0.01 / B².
                    rule.Epsilon |> shouldBeNear 1e-15 (0.01 / (32.0 * 32.0))
                    rule.EpsilonInsideRoot |> shouldEqual true
                | other -> failtest $"%A{other}"

            testCase "steps share chunks of 100, which depend on the key and their number alone"
            <| fun () ->
                let config = { config with Normalised = SceneScale.Chunk }

                let fill (source: SceneSource) step =
                    let points, presence = Tensor.zeros [| 4; 11; 2 |], Tensor.zeros [| 4; 11 |]
                    source.Fill(step, points, presence)
                    points.toArray<float32>(), presence.toArray<float32>()

                let forth, back = SceneSource(config, Key.OfSeed 1L), SceneSource(config, Key.OfSeed 1L)
                let steps = [| for step in 0..199 -> fill forth step |]

                for step in [ 150; 3; 99; 100 ] do
                    fill back step |> shouldEqual steps[step]

                for chunk in 0..1 do
                    let points = steps[100 * chunk .. 100 * chunk + 99] |> Array.collect fst
                    let whole = PatternScenes.sample config PatternScenes.ChunkSize ((Key.OfSeed 1L).Fold(int64 chunk))
                    points |> shouldEqual (Array.truncate points.Length (whole.Points.toArray<float32>()))

                fst steps[0] |> shouldDiffer (fst steps[100])

            testCase "capsules beyond the number of patterns are measured too"
            <| fun () ->
                let metrics = Trained.metrics (session (task "best" [ "objects", "4" ]) 1L) Test |> Map.ofList
                // A distance from 0, where shapes agree, to 1.
                metrics["procrustes_distance"] |> shouldBeIn (1e-6, 1.0)
                let square, triangle = Template.published[0], Template.published[2]
                let learned = [ square; triangle; square; triangle ]
                let matched, distances = LearnedTemplates.matching [ square; triangle; square ] learned
                Array.sort matched |> shouldEqual [| -1; 0; 1; 2 |]
                distances |> Array.filter (fun distance -> distance < 1e-6) |> shouldHaveLength 3

            testCase
                "what there is none of is no number: scenes of one pattern, patterns of as many points as a template"
            <| fun () ->
                let given =
                    [ "patterns", "square,triangle"; "objects", "2"; "votes", "5"; "drop", "0" ]
                    @ [ "epochs", "1"; "steps-per-epoch", "5" ]

                let metrics = Trained.metrics (session (task "best" given) 1L) Test |> Map.ofList
                Double.IsNaN metrics["point_accuracy_of_1"] |> shouldEqual true
                // Seven points may be five and two: no template is as large as a pattern.
                Double.IsNaN metrics["procrustes_distance"] |> shouldEqual true
                Double.IsNaN metrics["point_accuracy_of_2"] |> shouldEqual false

                let template points = Template.create "" points
                let two, three = template [ 0.0, 0.0; 1.0, 0.0 ], template [ 0.0, 0.0; 1.0, 0.0; 0.0, 2.0 ]
                let matched, distances = LearnedTemplates.matching [ two; three ] [ three; three ]
                Array.sort matched |> shouldEqual [| -1; 1 |]
                distances |> Array.filter Double.IsNaN |> shouldHaveLength 1

            testCase "what doesn't fit is refused in one line"
            <| fun () ->
                for name, overrides, message in
                    [
                        "quick", [ "objects", "2" ], "--objects 2: must be at least 3, one for each of the patterns"
                        "quick", [ "heads", "40" ], "--heads 40: must be at most the width, 32"
                        "best", [ "objects", "2" ], "--objects 2: must be at least 3, one for each of the patterns"
                        "told",
                        [ "objects", "4" ],
                        "--objects 4: must be 3 where the patterns are told, one for each of them"
                        "best",
                        [ "patterns", "square,pentagon" ],
                        "--votes 4: must be at least 5, the points of the largest pattern"
                        "best",
                        [ "patterns", "pentagon,corner,square"; "votes", "5" ],
                        "--patterns: 14 points; must be at most 13 for the exact search"
                        "best",
                        [ "patterns", "square,circle" ],
                        "--patterns square,circle: must be some of square, triangle, pentagon, corner, separated by commas"
                        "paper", [ "drop", "1.5" ], "--drop 1.5: must be a number from 0 to 1"
                    ] do
                    refusal name overrides |> shouldEqual message

            testCase "perfect knowledge is measured as such, whatever capsules are called"
            <| fun () ->
                let metrics = measured (perfect (PatternScenes.sample config 200 (Key.OfSeed 7L)))

                for name in
                    [
                        "point_accuracy"
                        "scenes_right"
                        "segmentation_accuracy"
                        "adjusted_rand"
                        "predicted_segmentation_accuracy"
                        "predicted_adjusted_rand"
                        "presence_accuracy"
                        "least_presence_accuracy"
                        "point_accuracy_of_1"
                        "point_accuracy_of_3"
                    ] do
                    metrics[name] |> shouldBeNear 1e-12 1.0

                metrics["variation"] |> shouldBeNear 1e-12 0.0
                metrics["likelihood"] |> shouldEqual 2.0

            testCase "nothing tells squares apart; a pattern that is never seen is missed"
            <| fun () ->
                let reading = perfect (PatternScenes.sample config 400 (Key.OfSeed 8L))
                // Capsules 0 and 1 are the squares'; in every second scene they change places.
                let other capsule = if capsule = 2 then 2 else 1 - capsule
                let isOdd size i = i / size % 2 = 1

                let exchanged =
                    measured
                        { reading with
                            Owners =
                                reading.Owners |> Array.mapi (fun i owner -> if isOdd 11 i then other owner else owner)
                            Presence =
                                Array.init reading.Presence.Length (fun i ->
                                    reading.Presence[if isOdd 3 i then 3 * (i / 3) + other (i % 3) else i])
                        }

                exchanged["point_accuracy"] |> shouldEqual 1.0
                exchanged["presence_accuracy"] |> shouldEqual 1.0

                let blind =
                    measured
                        { reading with
                            Presence = reading.Presence |> Array.mapi (fun i p -> if i % 3 = 2 then 0.0 else p)
                        }

                blind["point_accuracy"] |> shouldEqual 1.0
                blind["least_presence_accuracy"] |> shouldBeIn (0.4, 0.6)
                blind["predicted_segmentation_accuracy"] |> shouldBeLessThan 0.95

            testCase "one pattern that is said to be there, or not to be, makes its slots wrong"
            <| fun () ->
                let scenes = PatternScenes.sample config 200 (Key.OfSeed 8L)
                let reading = perfect scenes
                let patterns scene = Array.sub scenes.Present (3 * scene) 3

                let counted =
                    [ 0..199 ]
                    |> List.filter (fun scene -> Array.contains true (patterns scene))
                    |> List.length
                    |> float
                // The triangle is pattern 1, which capsule 2 stands for.
                let only = [ 0..199 ] |> List.find (fun scene -> patterns scene = [| true; false; false |])
                let both = [ 0..199 ] |> List.find (fun scene -> patterns scene = [| true; true; false |])
                let ofScene scene i = i / 11 = scene

                for scene, presence in [ only, 0.9; both, 0.1 ] do
                    let wrong =
                        measured
                            { reading with
                                Presence =
                                    reading.Presence
                                    |> Array.mapi (fun i p -> if i = 3 * scene + 2 then presence else p)
                                // Whom absent slots go to where absence is known tells nothing.
                                Owners =
                                    reading.Owners
                                    |> Array.mapi (fun i owner -> if scene = only && ofScene scene i then 1 else owner)
                            }

                    wrong["point_accuracy"] |> shouldEqual 1.0
                    // Four slots of the square, three of the triangle and four that are absent; the triangle is taken for
                    // present, or for absent.
                    let all of' = (counted - 1.0 + of') / counted
                    wrong["predicted_segmentation_accuracy"] |> shouldBeNear 1e-12 (all (8.0 / 11.0))
                    wrong["predicted_adjusted_rand"] |> shouldBeNear 1e-12 (all 0.56)

                    wrong["predicted_variation"]
                    |> shouldBeNear 1e-12 ((3.0 * log (7.0 / 3.0) + 4.0 * log (7.0 / 4.0)) / 11.0 / counted)

                    wrong["presence_accuracy"] |> shouldBeNear 1e-12 (599.0 / 600.0)
                    wrong["least_presence_accuracy"] |> shouldBeNear 1e-12 (199.0 / 200.0)

            testCase "figures over noise have the names of what they measure"
            <| fun () ->
                let scenes = PatternScenes.sample config 200 (Key.OfSeed 8L)
                let reading = perfect scenes

                let some =
                    { reading with
                        Owners =
                            reading.Owners
                            |> Array.mapi (fun i owner -> if i / 11 % 3 = 0 && owner = 1 then 2 else owner)
                    }

                let measured = CcaeMeasures.ofOwners config 3 scenes some.Owners |> Map.ofList
                let noisy: CcaeTestScenes = { Scenes = scenes; Noise = Key.OfSeed 1L }
                let noisy = [ 0.0, lazy noisy; 0.25, lazy noisy ]

                CcaeMeasures.overNoise config (fun _ -> some) noisy
                |> shouldEqual
                    [
                        for noise in [ "0"; "0.25" ] do
                            for name in [ "point_accuracy"; "scenes_right" ] -> $"{name}_at_{noise}", measured[name]
                    ]

                [ "point_accuracy"; "scenes_right"; "reference_point_accuracy" ]
                |> List.map (fun name -> measured[name])
                |> List.distinct
                |> shouldHaveLength 3

            testCase "scenes without points are no NaN"
            <| fun () ->
                // Scenes of one pattern, two and three, of which there are none here, have no accuracy.
                let finite (metrics: (string * float) seq) =
                    for name, value in metrics do
                        if name.Contains("point_accuracy_of_", StringComparison.Ordinal) then
                            Double.IsNaN value |> shouldEqual true
                        elif not (Double.IsFinite value) then
                            failtest $"{name}: {value}"

                PatternScenes.sample { config with Drop = 1.0 } 5 (Key.OfSeed 9L)
                |> perfect
                |> measured
                |> Map.toSeq
                |> finite

                for name in [ "best"; "quick" ] do
                    let task = task name (narrow name @ [ "drop", "1"; "epochs", "1"; "steps-per-epoch", "3" ])
                    let metrics, figures, _ = trained task 3
                    metrics |> Map.toSeq |> finite
                    figures |> shouldHaveLength 4

            testCase "baselines that are told the patterns find them; one capsule has 0.61"
            <| fun () ->
                let session = session (task "quick" [ "test-size", "400" ]) 3L

                let accuracy name =
                    Session.baseline session name Test |> Trained.accepted |> Map.ofList |> Map.find "point_accuracy"

                accuracy "exhaustive" |> shouldBeAtLeast 0.999
                accuracy "ransac" |> shouldBeIn (0.97, 1.0)
                // 0.617 of 400 scenes, and 0.66.
                accuracy "one-capsule" |> shouldBeNear 0.025 0.617
                accuracy "k-means" |> shouldBeIn (accuracy "one-capsule" + 0.01, 0.75)

            testCase "a baseline that can't take so many points says so"
            <| fun () ->
                let many = List.replicate 9 "square" |> String.concat ","
                let session = session (task "paper" [ "patterns", many; "objects", "9"; "test-size", "10" ]) 3L

                for name, most in [ "ransac", 30; "exhaustive", 13 ] do
                    match Session.baseline session name Test with
                    | Ok _ -> failtest $"{name} took 36 points"
                    | Error line ->
                        line |> shouldEqual $"--baseline {name}: scenes of 36 points; must be at most {most}"
        ]

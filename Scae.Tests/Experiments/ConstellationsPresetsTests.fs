module Scae.Tests.Experiments.ConstellationsPresetsTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Figures
open Scae.Core.Training
open Scae.Tests.Training

let private resources: Resources = Resources.none

let private experiment =
    Experiments.all |> List.find (fun e -> e.Specification.Experiment = "constellations")

/// A preset shrunk until it takes a second: those of the settings that it has.
let private task (name: string) (overrides: (string * string) list) : Task =
    let small =
        [
            "epochs", "2"
            "steps-per-epoch", "3"
            "batch-size", "4"
            "width", "16"
            "hidden", "16"
            "pairs", "8"
            "restarts", "2"
            "validation-size", "12"
            "test-size", "20"
            "robustness-size", "4"
            "snapshot-every", "2"
        ]

    let configured =
        Experiments.preset (Some name) experiment
        |> Result.bind (fun preset ->
            let known = experiment.Settings preset |> List.map _.Name |> Set.ofList
            experiment.Configure preset ((small |> List.filter (fun (name, _) -> known.Contains name)) @ overrides))

    match configured with
    | Ok task -> task
    | Error message -> failwith message

let private session (task: Task) : Session =
    match task.Open resources (Keys.ofSeed 3) with
    | Ok session -> session
    | Error message -> failwith message

let private identity (task: Task) (preset: string) : RunIdentity =
    {
        Experiment = "constellations"
        Preset = preset
        Seed = 3
        Settings = task.Settings
        Version = "test"
        Data = None
    }

[<Tests>]
let tests =
    testList
        "Experiments.ConstellationsPresets"
        [
            for preset in [ "routing"; "five"; "beyond"; "distractors"; "five-beyond"; "variable"; "learned"; "dreams" ] do
                testCase $"a preset trains, measures finite shares, and resumes to the byte ({preset})"
                <| fun () ->
                    let task = task preset []
                    let session' = session task
                    let state = Trained.start task session' |> Trained.until 6
                    let metrics = Trained.metrics session' Test

                    for name, value in metrics do
                        Double.IsFinite value |> shouldEqual true

                        if name.EndsWith "recovery" || name.EndsWith "accuracy" then
                            value |> shouldBeIn (0.0, 1.0)

                    let measured = Map.ofList metrics
                    measured["raw_recovery"] |> shouldBeAtMost (measured["recovery"])
                    let interrupted = Trained.start task (session task) |> Trained.until 4

                    let file =
                        match Safetensors.parse (Checkpoint.last (identity task preset) interrupted) with
                        | Ok file -> file
                        | Error message -> failwith message

                    match Checkpoint.restore file task.Plan (session task).Learner with
                    | Error message -> failtest message
                    | Ok resumed ->
                        Checkpoint.last (identity task preset) (Trained.until 6 resumed)
                        |> shouldEqual (Checkpoint.last (identity task preset) state)

            testCase "learned templates that are the true ones, in another order, are measured as such"
            <| fun () ->
                let task = task "learned" [ "restarts", "2"; "validation-size", "60"; "test-size", "60" ]
                let session = session task
                let points = session.Learner.Tensors |> List.map snd |> List.exactlyOne
                let sizes = Template.published |> List.map _.Points.Length

                // Each learned template gets the points of a true one of its size, the last before the first, and no measure minds
                // that they are moved and turned by a quarter.
                let given (bent: float) =
                    let folder (free: Template list) size =
                        let template = free |> List.find (fun template -> template.Points.Length = size)
                        template, List.except [ template ] free

                    let order = List.mapFold folder (List.rev Template.published) sizes |> fst

                    let points =
                        [|
                            for template in order do
                                yield! template.Points
                        |]

                    // Of the last template one point is moved, if asked for.
                    let last = points.Length - List.last sizes

                    [|
                        for i, struct (x, y) in Array.indexed points do
                            5.0 - y
                            7.0 + x + (if i = last then bent else 0.0)
                    |]

                let measured (bent: float) =
                    let good = given bent |> Array.map float32
                    let values = points.Elements<float32>()
                    // The second restart has what tells nothing.
                    good.AsSpan().CopyTo values
                    let bad = values.Slice good.Length

                    for i in 0 .. bad.Length - 1 do
                        bad[i] <- float32 (sin (float (i * i)))

                    Trained.metrics session Test |> Map.ofList

                let found = measured 0.0
                found["recovery"] |> shouldEqual 1.0
                found["raw_recovery"] |> shouldEqual 1.0
                found["starts_that_succeed"] |> shouldEqual 0.5
                found["procrustes_distance"] |> shouldBeIn (0.0, 1e-3)
                found["largest_procrustes_distance"] |> shouldBeIn (0.0, 1e-3)
                found["residual"] |> shouldBeIn (0.0, 1e-6)

                let bent = measured 1.0
                bent["residual"] |> shouldBeGreaterThan 1e-3
                bent["starts_that_succeed"] |> shouldEqual 0.0
                bent["largest_procrustes_distance"] |> shouldBeGreaterThan 0.05

                bent["largest_procrustes_distance"]
                |> shouldBeNear 1e-3 (float sizes.Length * bent["procrustes_distance"])

            for preset, names in
                [
                    ("routing", "training-curves examples confusion routing attention robustness")
                    ("distractors", "training-curves examples confusion routing attention robustness")
                    ("variable", "training-curves examples by-count")
                    ("learned", "evolution distance")
                ] do
                testCase $"a preset has its pictures ({preset}, {names})"
                <| fun () ->
                    let task = task preset []
                    let session = session task
                    let state = Trained.start task session
                    let snapshots = ResizeArray()

                    Trained.run state (fun () -> false) (function
                        | Snapped snapshot -> snapshots.Add snapshot
                        | _ -> ())
                    |> shouldEqual Finished

                    let history = { Evaluations = state.Evaluations; Snapshots = List.ofSeq snapshots }

                    (session.Inspect()).Figures history |> List.map _.Name |> String.concat " " |> shouldEqual names
                    (session.Animation history).IsSome |> shouldEqual true

            for preset in [ "routing"; "beyond"; "distractors"; "variable" ] do
                testCase $"the exact baseline is right about scenes without noise ({preset})"
                <| fun () ->
                    let session = session (task preset [])

                    match Session.baseline session "exact" Test with
                    | Ok metrics -> (Map.ofList metrics)["raw_recovery"] |> shouldBeGreaterThan 0.99
                    | Error message -> failtest message

            testCase "heads that don't divide the width are refused in one line"
            <| fun () ->
                for preset in [ "routing"; "variable" ] do
                    let configured =
                        Experiments.preset (Some preset) experiment
                        |> Result.bind (fun preset -> experiment.Configure preset [ "heads", "5" ])

                    match configured with
                    | Ok _ -> failtest "five heads divide no 64"
                    | Error message -> message |> shouldEqual "--heads 5: must divide the width, which is 64"

            testCase "the learned templates' residual is that of the scenes that are measured"
            <| fun () ->
                // As many of either, so that it isn't their number that tells them apart.
                let session = session (task "learned" [ "validation-size", "20" ])
                let residual split = (Map.ofList (Trained.metrics session split))["residual"]
                residual Test |> shouldBeGreaterThan 0.0
                residual Test |> shouldDiffer (residual Validation)
        ]

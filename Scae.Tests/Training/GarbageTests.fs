/// What a training leaves to the garbage collector, evaluations included.
module Scae.Tests.Training.GarbageTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Core.Experiments
open Scae.Core.Training

// Few scenes, so that the tests are quick; what an evaluation leaves grows with them. Sequences are scenes of 15 to 20 frames.
let private scenes (name: string) (preset: string) : int =
    match name, preset with
    | _, "flying" -> 20
    | ("neural-em" | "tvae"), _ -> 80
    | _ -> 200

/// How many scenes a preset evaluates after each epoch.
let private measured (experiment: Experiment) (preset: Preset) : int =
    experiment.Settings preset
    |> List.find (fun setting -> setting.Name = "validation-size")
    |> fun setting -> int setting.Default

/// Bytes that a step and an evaluation of some scenes leave, once both have run before; they collect no generation 2.
let private garbage (task: Task) : int64 * int64 =
    let session = Experiment.openSeed task Resources.none 0L |> Trained.accepted
    let state = Trained.start task session
    let trainer = Trainer state

    let steps count =
        let before = GC.GetTotalAllocatedBytes true

        for _ in 1..count do
            trainer.Fill()
            trainer.Forward() |> ignore
            trainer.Reverse()
            trainer.Update()

        (GC.GetTotalAllocatedBytes true - before) / int64 count

    let evaluation () =
        let before = GC.GetTotalAllocatedBytes true
        TrainingState.evaluate trainer.TermNames state |> ignore
        GC.GetTotalAllocatedBytes true - before

    steps 2 |> ignore
    evaluation () |> ignore
    // What the tests before left is collected now, not in the midst.
    GC.Collect()
    let collections = GC.CollectionCount 2
    // The count is of the whole process: whatever other threads leave meanwhile comes on top, so the least of several holds.
    let found = List.min [ for _ in 1..3 -> steps 2 ], List.min [ for _ in 1..2 -> evaluation () ]
    GC.CollectionCount 2 |> shouldEqual collections
    found

/// Bytes a step of a preset, with its share of the epoch's evaluation as the preset has it.
let private perStep (name: string) (presetName: string) (overrides: (string * string) list) : int64 =
    let experiment = Experiments.find name |> Trained.accepted
    let preset = Experiments.preset (Some presetName) experiment |> Trained.accepted

    let scenes = scenes name presetName

    let task =
        experiment.Configure preset (("validation-size", string scenes) :: ("test-size", "10") :: overrides)
        |> Trained.accepted

    let step, evaluation = garbage task
    let published = Experiment.configure experiment preset [] |> Trained.accepted

    let share =
        int64 (measured experiment preset) * evaluation / int64 scenes / int64 published.Plan.StepsPerEpoch

    step + share

let private strokes = [ "digits", "strokes"; "probe-size", "10" ]

[<Tests>]
let tests =
    testSequenced
    <| testList
        "Training.Garbage"
        [
            for name, preset, overrides in
                [
                    "constellations", "published", []
                    "constellations", "quick", []
                    "constellations", "routing", []
                    "constellations", "dreams", []
                    "constellations", "five", []
                    "constellations", "variable", []
                    "constellations", "learned", []
                    "neural-em", "published", []
                    "neural-em", "paper", [ "batch-size", "16" ]
                    "neural-em", "shapes", [ "batch-size", "16" ]
                    "neural-em", "flying", [ "batch-size", "2" ]
                    "air", "published", strokes
                    "air", "paper", strokes
                    "air", "small-scenes", strokes
                    "tvae", "lpartial-mnist", [ "draws", "1"; "digits", "strokes"; "batch-size", "2" ]
                    "tvae", "lpartial-dsprites", [ "draws", "1"; "sprites", "drawn"; "batch-size", "2" ]
                ] do
                testCase $"a step leaves at most 8 KB, its share of the evaluation included ({name}, {preset})"
                <| fun () -> perStep name preset overrides |> shouldBeAtMost 8192L
        ]

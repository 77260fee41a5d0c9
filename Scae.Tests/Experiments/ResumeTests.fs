/// Trainings that are interrupted in the midst of an epoch, of experiments that have no such test of their own.
module Scae.Tests.Experiments.ResumeTests

open Expecto
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tests.Claims
open Scae.Tests.Data
open Scae.Tests.Training

/// Six steps in two epochs, with sizes with which they take a moment.
let private small =
    [
        "epochs", "2"
        "steps-per-epoch", "3"
        "batch-size", "4"
        "validation-size", "4"
        "test-size", "4"
        "hidden", "8"
    ]

let private ofDigits =
    [ "digits", "strokes"; "probe-size", "4"; "features", "8"; "decoder-hidden", "6"; "what", "5" ]

/// A training set and images drawn in each step, disturbances, sequences; and AIR as published, and with scenes laid on
/// scenes, which count from the third step.
let private cases =
    [
        "neural-em", "published", [ "train-size", "10" ]
        "neural-em", "paper", [ "decoder-units", "8"; "measured-starts", "2" ]
        "neural-em",
        "flying-quick",
        [
            "encoder-units", "8"
            "decoder-units", "8"
            "trained-frames", "3"
            "frames", "5"
            "scored-from", "3"
        ]
        "air", "published", ofDigits @ [ "train-size", "10" ]
        "air",
        "small-scenes",
        ofDigits
        @ [
            "glimpse-hidden", "7"
            "finder", "2"
            "context", "5"
            "counter", "2"
            "recombined", "3"
            "anneal-steps", "2"
        ]
    ]

[<Tests>]
let tests =
    testList
        "Experiments.Resume"
        [
            for name, preset, overrides in cases do
                testCase $"a resumed run ends with the bytes of an uninterrupted one ({name}, {preset})"
                <| fun () ->
                    let experiment = Experiments.find name |> Trained.accepted

                    let task =
                        Experiments.preset (Some preset) experiment
                        |> Result.bind (fun preset -> experiment.Configure preset (small @ overrides))
                        |> Trained.accepted

                    let session () = task.Open TestDigits.resources (Keys.ofSeed 5L) |> Trained.accepted

                    let checkpoint (state: TrainingState) =
                        Checkpoint.last
                            {
                                Experiment = name
                                Preset = preset
                                Seed = 5L
                                Settings = task.Settings
                                Version = "test"
                                Data = None
                            }
                            state

                    let straight = Trained.start task (session ())
                    let halfway = checkpoint (Trained.until 4 straight)
                    let file = Safetensors.parse halfway |> Trained.accepted
                    let resumed = Checkpoint.restore file task.Plan (session ()).Learner |> Trained.accepted
                    resumed.Step |> shouldEqual 4
                    let ended = checkpoint (Trained.until 6 resumed)
                    ended |> shouldEqual (checkpoint (Trained.until 6 straight))
        ]

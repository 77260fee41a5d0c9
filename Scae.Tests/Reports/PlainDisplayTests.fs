module Scae.Tests.Reports.PlainDisplayTests

open System
open System.IO
open Expecto
open Scae.Cli.Reports
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tests.Claims

/// What is shown of a training that does nothing.
let private shown (preset: string) : string list =
    let experiment = ScaeExperiment.experiment
    let preset = experiment.Specification.Presets |> List.find (fun known -> known.Name = preset)

    let plan =
        match experiment.Configure preset [] with
        | Ok task -> task.Plan
        | Error message -> failtest message

    let learner: Learner =
        {
            Tensors = []
            Fill = ignore
            Loss = fun () -> failwith "there is no step"
            Validate = fun () -> []
            Snapshot = fun () -> []
        }

    use output = new StringWriter(NewLine = "\n")
    let display: IProgressDisplay = PlainDisplay output

    display.Show(
        experiment.Specification,
        preset,
        0L,
        plan,
        TrainingState.start plan learner,
        Func<_, _>(fun (_: Action<Progress>) -> Finished)
    )
    |> shouldEqual Finished

    (string output).TrimEnd().Split('\n') |> List.ofArray

[<Tests>]
let tests =
    testList
        "Reports.PlainDisplay"
        [
            testCase "a training begins with what it is"
            <| fun () -> shown "views" |> shouldEqual [ "scae, preset views, seed 0: 15000 steps of 256" ]

            testCase "whoever waits for the first step is told for what"
            <| fun () ->
                shown "neighbours"
                |> shouldEqual
                    [
                        "scae, preset neighbours, seed 0: 15000 steps of 256"
                        "first each digit's neighbours are found, up to a minute"
                    ]
        ]

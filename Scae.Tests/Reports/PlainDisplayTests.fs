module Scae.Tests.Reports.PlainDisplayTests

open System
open System.IO
open Expecto
open Scae.Cli.Reports
open Scae.Cli.Runs
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tests.Claims

/// The lines that are shown of a training that reports the given progress and computes nothing.
let private shownOf (told: Progress list) (preset: string) : string list =
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
        Func<_, _>(fun (tell: Action<Progress>) ->
            List.iter tell.Invoke told
            Finished)
    )
    |> shouldEqual Finished

    let summary = Summary("", "", 0L, 0, Spent(), 0.0, [], [])
    display.Finish("drawing", Func<_>(fun () -> summary)) |> shouldEqual summary
    (string output).TrimEnd().Split('\n') |> List.ofArray

let private shown = shownOf []

/// Two steps and an evaluation.
let private evaluatedAt (step: int) : Progress list =
    let evaluation: Evaluation =
        {
            Epoch = step / 100
            Step = step
            TrainLoss = 5.09e-6
            TrainTerms = []
            Metrics = []
        }

    [ Stepped(step - 1, 0.0); Stepped(step, 0.0); Evaluated(evaluation, false) ]

[<Tests>]
let tests =
    testList
        "Reports.PlainDisplay"
        [
            testCase "a training begins with what it is"
            <| fun () -> shown "views" |> shouldEqual [ "scae, preset views, seed 0: 15000 steps of 256"; "drawing" ]

            testCase "a line says what is being prepared before the first step"
            <| fun () ->
                shown "neighbours"
                |> shouldEqual
                    [
                        "scae, preset neighbours, seed 0: 15000 steps of 256"
                        "first each digit's neighbours are found, up to a minute"
                        "drawing"
                    ]

            testCase "time left is told until the last step, and small losses have digits"
            <| fun () ->
                match shownOf (evaluatedAt 200 @ evaluatedAt 15000) "views" with
                | [ _; early; last; _ ] ->
                    early |> shouldContainText " left"
                    last |> shouldLackText "left"
                    last |> shouldContainText "train loss 5.09e-06"
                | other -> failtest $"%A{other}"
        ]

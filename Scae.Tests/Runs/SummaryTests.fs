/// When a training first reached a target, and how often that takes how long.
module Scae.Tests.Runs.SummaryTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Cli.Runs
open Scae.Core.Experiments
open Scae.Core.Training

let private target =
    {
        Preset = "paper"
        Metric = "best_count_accuracy"
        Seeds = 3
        AtLeast = Some 0.98
        AtMost = None
        Note = ""
    }

let private evaluations (accuracies: float list) : Evaluation list =
    [
        for i, accuracy in List.indexed accuracies ->
            {
                Epoch = i + 1
                Step = 100 * (i + 1)
                TrainLoss = 1.0
                TrainTerms = []
                Metrics = [ "other", 0.99; "count_accuracy", accuracy ]
            }
    ]

let private after (accuracies: float list) : TargetCheck =
    TargetCheck(target, 0.5, Nullable(), Nullable()).FirstReached(evaluations accuracies, [| 1.5; 3.0; 4.5 |])

let private summary (accuracies: float list) : Summary =
    let metrics = [ "best_count_accuracy", List.max accuracies ]
    Summary("air", "paper", 0L, 300, Spent(), 1.0, ResizeArray metrics, ResizeArray [ after accuracies ])

[<Tests>]
let tests =
    testList
        "Runs.Summary"
        [
            testCase "the best epoch's target is first reached when validation first does"
            <| fun () ->
                (after [ 0.9; 0.98; 0.97 ]).ReachedAfter |> shouldEqual (Nullable 3.0)
                (after [ 0.9; nan; 0.9799 ]).ReachedAfter |> shouldEqual (Nullable())
                (after []).ReachedAfter |> shouldEqual (Nullable())

            testCase "a target holds between its bounds, and for no NaN"
            <| fun () ->
                let holds low high measured =
                    TargetCheck({ target with AtLeast = low; AtMost = high }, measured, Nullable(), Nullable()).Holds

                [ 1.9; 2.0; 2.5; nan ]
                |> List.map (holds None (Some 2.0))
                |> shouldEqual [ true; true; false; false ]

                [ 0.97; 0.98; 1.0; nan ]
                |> List.map (holds (Some 0.98) None)
                |> shouldEqual [ false; true; true; false ]

                [ 0.83; 0.84; 0.89; 0.95 ]
                |> List.map (holds (Some 0.84) (Some 0.89))
                |> shouldEqual [ false; true; true; false ]

            testCase "the median is of the seeds that ever reached it"
            <| fun () ->
                let rate =
                    SuccessRate.Of(
                        after [ 0.9 ],
                        [| summary [ 0.99; 0.5 ]; summary [ 0.9; 0.95 ]; summary [ 0.1; 0.98 ] |]
                    )

                rate.Reached |> shouldEqual 2
                rate.Share |> shouldBeNear 1e-12 (2.0 / 3.0)
                List.ofSeq rate.After |> shouldEqual [ 1.5; 3.0 ]
                rate.Line |> shouldContainText "2 of 3 seeds; first on validation after 2 s (median of 2)"
                SuccessRate.Of(after [ 0.9 ], [| summary [ 0.9 ] |]).Line |> shouldEndWith "0 of 1 seed"

            testCase "when a target was reached survives the file"
            <| fun () ->
                let json = (summary [ 0.9; 0.98 ]).ToJson()
                json |> shouldContainText "\"reached_after_seconds\": 3"

                let identity =
                    {
                        Experiment = "air"
                        Preset = "paper"
                        Seed = 0L
                        Settings = []
                        Version = "test"
                        Data = None
                    }

                Summary.Parse(json, identity, AirExperiment.experiment.Specification).Targets
                |> Seq.map _.ReachedAfter
                |> List.ofSeq
                |> shouldEqual [ Nullable 3.0 ]
        ]

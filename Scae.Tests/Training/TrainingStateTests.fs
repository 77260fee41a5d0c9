/// Which epoch is kept as the best.
module Scae.Tests.Training.TrainingStateTests

open System
open System.Collections.Generic
open Expecto
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims

let private plan (larger: bool) (epochs: int) : Plan =
    {
        Epochs = epochs
        StepsPerEpoch = 1
        BatchSize = 1
        Rule =
            {
                Optimizer = Momentum 0.0
                LearningRate = Schedule.constant 0.25
                Clip = ValueNone
            }
        Groups = []
        Average = ValueNone
        SnapshotEvery = 0
        EndMatters = false
        KeepsScenes = true
        SceneBytes = 0.0
        Preparation = ValueNone
        BestBy = { Metric = "chosen by"; Larger = larger }
    }

/// A training of one step an epoch, whose parameter begins at 1 and is halved in each step.
let private started (larger: bool) (epochs: int) (validate: unit -> Metrics) : TrainingState =
    let p = (Tensor.ones [| 1 |]).reverseDiff()

    TrainingState.start
        (plan larger epochs)
        {
            Tensors = [ "p", p ]
            Fill = ignore
            Loss = fun () -> Loss.ofTotal ((p * p).sum())
            Validate = validate
            Snapshot = fun () -> []
        }

/// Trains an epoch for each of the given evaluations. Returns whether each was the best so far, and the best epoch.
let private trained (larger: bool) (values: float list) : bool list * BestEpoch option =
    let told = Queue values

    let state =
        // Another metric comes first, and falls from epoch to epoch.
        started larger values.Length (fun () -> [ "another", float told.Count; "chosen by", told.Dequeue() ])

    let isBest = ResizeArray()

    Trained.run state (fun () -> false) (function
        | Evaluated(_, best) -> isBest.Add best
        | _ -> ())
    |> shouldEqual Finished

    List.ofSeq isBest, state.Best

let private shouldKeep (epoch: int) (value: float) (best: BestEpoch option) =
    match best with
    | Some best ->
        (best.Epoch, best.Value) |> shouldEqual (epoch, value)
        let _, kept = List.exactlyOne best.Tensors
        float (kept.toArray<float32>()[0]) |> shouldBeNear 1e-6 (0.5 ** float epoch)
    | None -> failtest "no epoch is the best"

[<Tests>]
let tests =
    testList
        "Training.TrainingState"
        [
            testCase "an experiment that chooses epochs by what its validation lacks is told so"
            <| fun () ->
                let state = started false 1 (fun () -> [ "loss", 1.0; "error", 2.0 ])

                messageOf<InvalidOperationException>(fun () -> Trained.run state (fun () -> false) ignore |> ignore)
                |> shouldEqual "chosen by: epochs are chosen by it, but validation has only loss, error"

            testCase "the smallest value is the best where smaller is better, whatever NaN stands between"
            <| fun () ->
                let isBest, best = trained false [ 3.0; nan; 1.0; 2.0 ]
                isBest |> shouldEqual [ true; false; true; false ]
                best |> shouldKeep 3 1.0

            testCase "the largest value is the best where larger is better"
            <| fun () ->
                let isBest, best = trained true [ 3.0; nan; 1.0; 2.0 ]
                isBest |> shouldEqual [ true; false; false; false ]
                best |> shouldKeep 1 3.0

            for larger in [ false; true ] do
                testCase $"NaN is never the best, nor does it stay when a number comes (larger is better: {larger})"
                <| fun () ->
                    let isBest, best = trained larger [ nan; 1.0 ]
                    isBest |> shouldEqual [ false; true ]
                    best |> shouldKeep 2 1.0
                    trained larger [ nan; nan ] |> shouldEqual ([ false; false ], None)

                testCase $"of equal values the first is the best (larger is better: {larger})"
                <| fun () ->
                    let isBest, best = trained larger [ 1.0; 1.0 ]
                    isBest |> shouldEqual [ true; false ]
                    best |> shouldKeep 1 1.0
        ]

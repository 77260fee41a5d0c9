module Scae.Tests.Losses.ViewAgreementTests

open System
open Expecto
open Scae.Core.Losses
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Gradients

/// Logits [2n, K] of two views of n images that name the given capsules.
let private naming (strength: float) (capsules: int) (first: int[]) (second: int[]) : Tensor =
    strength * (Tensor.``of`` (Array.append first second)).onehot(capsules, Dtype.Float64)

let private power (p: float) : Tensor = Tensor.full ([| 1 |], p, Dtype.Float64)

/// The labels that views, of logits [2n, K], make for each other: a view's gradient is its presence less them, over 2n.
let private labelsOf (p: float) (logits: Tensor) : Tensor =
    let logits = logits.reverseDiff ()
    (ViewAgreement.assignment 3.0 (power p) logits).reverse()
    let ofOthers = logits.noDiff().sigmoid() - logits.derivative * float logits.shape[0]
    ofOthers

let private even = [| 0; 1; 2; 3; 0; 1; 2; 3 |]

[<Tests>]
let tests =
    testList
        "Losses.ViewAgreement"
        [
            testCase "views that name the same of K equally frequent capsules share ln K, and others share nothing"
            <| fun () ->
                let shared first second = (ViewAgreement.information (naming 50.0 4 first second)).toScalar()
                shared even even |> shouldBeNear 1e-4 (log 4.0)
                shared [| 0; 0; 1; 1 |] [| 0; 1; 0; 1 |] |> shouldBeNear 1e-4 0.0
                shared (Array.create 8 2) (Array.create 8 2) |> shouldBeNear 1e-4 0.0
                shared even [| 0; 0; 0; 0; 1; 1; 1; 1 |] |> shouldBeLessThan (log 4.0)

            testCase "an assignment costs least where both views name one capsule, and more where one is everybody's"
            <| fun () ->
                let cost first second =
                    (ViewAgreement.assignment 3.0 (power 0.0) (naming 20.0 4 first second - 10.0)).toScalar()

                cost even even |> shouldBeLessThan 0.5
                cost even [| 1; 2; 3; 0; 1; 2; 3; 0 |] |> shouldBeGreaterThan 5.0
                cost (Array.create 8 2) (Array.create 8 2) |> shouldBeGreaterThan 5.0

            testCase "labels are balanced: rows sum to 1 and columns to n/K"
            <| fun () ->
                let n, k = 60, 3
                // The first capsule is everybody's favourite.
                let favour = Tensor.``of`` [| 3.0; 0.0; 0.0 |]

                for p in [ 0.0; 1.5 ] do
                    let labels = labelsOf p (Values.real 5 [ 2 * n; k ] + favour)

                    for row in labels.sum(1).toArray<float>() do
                        row |> shouldBeNear 1e-9 1.0

                    for view in [ labels.slice (0, 0, n); labels.slice (0, n, 2 * n) ] do
                        for column in view.sum(0).toArray<float>() do
                            column |> shouldBeNear 4.0 (float n / float k)

            testCase "settled labels are presence of the other view to a power, where capsules are equally frequent"
            <| fun () ->
                // Each row is the one before, turned by a capsule; views differ in how sure they are.
                let turned (x: float[]) =
                    [| for row in 0..2 -> [| for k in 0..2 -> x[(k + row) % 3] |] |] |> Array.concat

                let first, second = [| 2.0; -1.0; -3.0 |], [| 0.5; 0.0; -40.0 |]
                let logits = Tensor.``of`` (Array.append (turned first) (turned second), [| 6; 3 |])
                let powers = Array.map (fun l -> (1.0 / (1.0 + exp -l)) ** 1.5 + 1e-9)
                let shares (x: float[]) = x |> Array.map (fun a -> a / Array.sum x)
                let expected = Array.append (turned (shares (powers second))) (turned (shares (powers first)))
                labelsOf 1.5 logits |> Values.shouldBeWithin 1e-9 expected

            testCase "the information's gradient is that of its differences"
            <| fun () ->
                let logits = (Values.real 4 [ 8; 3 ]).reverseDiff()

                [ "logits", logits ] |> shouldHaveTrueGradients 1e-6 (fun () -> ViewAgreement.information logits)

            testCase "views that say nothing, or the same of everything, leave finite gradients"
            <| fun () ->
                for form in [ ViewForm.Information; ViewForm.Assignment ] do
                    for p in [ 0.0; 1.5 ] do
                        for logit in [ 0.0; -1e3; 1e3 ] do
                            let logits = (Tensor.zeros ([| 6; 3 |], Dtype.Float64) + logit).reverseDiff()
                            let cost = ViewAgreement.cost form 3.0 (power p) logits
                            cost.reverse ()
                            Double.IsFinite(cost.toScalar ()) |> shouldEqual true
                            Double.IsFinite((logits.derivative.norm ()).toScalar()) |> shouldEqual true

            testCase "an odd number of rows is refused"
            <| fun () ->
                for form in [ ViewForm.Information; ViewForm.Assignment ] do
                    Expect.throwsT<ArgumentException>
                        (fun () -> ViewAgreement.cost form 3.0 (power 0.0) (Values.real 1 [ 5; 3 ]) |> ignore)
                        "odd"
        ]

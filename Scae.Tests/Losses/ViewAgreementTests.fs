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

/// Balanced labels of presence to a power, or of logits where it is 0.
let private ofPower (p: float) : ViewLabels =
    {
        Sharpness = 3.0
        Together = false
        Power = Tensor.full ([| 1 |], p, Dtype.Float64)
        Balance = Tensor.ones ([| 1 |], Dtype.Float64)
        Slack = Tensor.zeros ([| 1 |], Dtype.Float64)
    }

/// The labels that views, of logits [2n, K], make for each other: a view's gradient is its presence less them, over 2n.
let private labelsOf (labels: ViewLabels) (logits: Tensor) : Tensor =
    let logits = logits.reverseDiff ()
    (ViewAgreement.assignment labels logits).reverse()
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
                    (ViewAgreement.assignment (ofPower 0.0) (naming 20.0 4 first second - 10.0)).toScalar()

                cost even even |> shouldBeLessThan 0.5
                cost even [| 1; 2; 3; 0; 1; 2; 3; 0 |] |> shouldBeGreaterThan 5.0
                cost (Array.create 8 2) (Array.create 8 2) |> shouldBeGreaterThan 5.0

            testCase "labels are balanced: rows sum to 1 and columns to n/K"
            <| fun () ->
                let n, k = 60, 3
                // The first capsule is everybody's favourite.
                let favour = Tensor.``of`` [| 3.0; 0.0; 0.0 |]

                for p in [ 0.0; 1.5 ] do
                    let labels = labelsOf (ofPower p) (Values.real 5 [ 2 * n; k ] + favour)

                    for row in labels.sum(1).toArray<float>() do
                        row |> shouldBeNear 1e-9 1.0

                    for view in [ labels.slice (0, 0, n); labels.slice (0, n, 2 * n) ] do
                        for column in view.sum(0).toArray<float>() do
                            column |> shouldBeNear 4.0 (float n / float k)

            testCase "labels are numbers at any sharpness, even where one row has far more of everything than others"
            <| fun () ->
                let n, k = 128, 10

                for common in [ 1.0; 4.0 ] do
                    let logits = Values.real 5 [ 2 * n; k ] + common * Values.real 6 [ 2 * n; 1 ]

                    let labels =
                        { ofPower 0.0 with
                            Sharpness = 100.0
                            Power = Tensor.zeros [| 1 |]
                            Balance = Tensor.ones [| 1 |]
                            Slack = Tensor.zeros [| 1 |]
                        }

                    for row in (labelsOf labels (logits.cast Dtype.Float32)).sum(1).toArray<float32>() do
                        float row |> shouldBeNear 1e-3 1.0

            testCase "labels are balanced over both views together where that is asked for"
            <| fun () ->
                let n, k = 60, 2
                // The first view names the first capsule more often than it shall, and the second the second.
                let lean = Tensor.``of``([| for row in 1 .. 2 * n -> if row <= n then 2.0 else -2.0 |]).unsqueeze 1
                let logits = Values.real 6 [ 2 * n; k ] + lean * Tensor.``of`` [| 1.0; -1.0 |]

                for p in [ 0.0; 1.5 ] do
                    let share (labels: ViewLabels) (first: int) =
                        (labelsOf labels logits).slice(0, first, first + n).mean(0).toArray<float>()[0]

                    let apart, together = ofPower p, { ofPower p with Together = true }
                    // Each view is told what the other says.
                    share apart 0 |> shouldBeNear 0.1 0.5
                    share together 0 |> shouldBeLessThan 0.3
                    share together n |> shouldBeGreaterThan 0.7
                    0.5 * (share together 0 + share together n) |> shouldBeNear 0.05 0.5

            testCase "labels that needn't be balanced are each view's own presence to the power"
            <| fun () ->
                let logits = Values.real 7 [ 8; 3 ] + Tensor.``of`` [| 3.0; 0.0; 0.0 |]
                let powers = (1.5 * logits.sigmoid().log()).exp() + 1e-9
                let shares = powers / powers.sum (1, true)
                let expected = Tensor.cat ([| shares.slice (0, 4, 8); shares.slice (0, 0, 4) |], 0)

                for together in [ false; true ] do
                    let labels =
                        { ofPower 1.5 with
                            Together = together
                            Balance = Tensor.zeros ([| 1 |], Dtype.Float64)
                        }

                    labelsOf labels logits |> Values.shouldBeWithin 1e-9 (expected.toArray<float>())

            testCase "with slack shares are as they are within it, and at its bounds elsewhere"
            <| fun () ->
                let n, k = 60, 3
                let slack (s: float) = { ofPower 1.5 with Slack = Tensor.full ([| 1 |], s, Dtype.Float64) }
                let free = { ofPower 1.5 with Balance = Tensor.zeros ([| 1 |], Dtype.Float64) }

                let shares (labels: ViewLabels) (logits: Tensor) =
                    (labelsOf labels logits).slice(0, 0, n).mean(0).toArray<float>() |> Array.map ((*) (float k))

                // Everybody's favourite, and one that nobody is fond of.
                let uneven = Values.real 5 [ 2 * n; k ] + Tensor.``of`` [| 2.0; 0.0; -2.0 |]
                let most, least = Array.max (shares free uneven), Array.min (shares free uneven)
                most |> shouldBeGreaterThan 1.7
                least |> shouldBeLessThan 0.5

                for s in [ 0.1; 0.3 ] do
                    let bounded = shares (slack s) uneven
                    Array.max bounded |> shouldBeNear 0.05 (1.0 + s)
                    Array.min bounded |> shouldBeNear 0.05 (1.0 - s)

                let even = Values.real 5 [ 2 * n; k ]
                shares free even |> Array.iter (shouldBeNear 0.3 1.0)

                shares free even
                |> Array.map (fun share -> abs (share - 1.0))
                |> Array.max
                |> shouldBeGreaterThan 0.0

                labelsOf (slack 0.3) even |> Values.shouldBeWithin 1e-9 ((labelsOf free even).toArray<float>())

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
                labelsOf (ofPower 1.5) logits |> Values.shouldBeWithin 1e-9 expected

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
                            let cost = ViewAgreement.cost form (ofPower p) logits
                            cost.reverse ()
                            Double.IsFinite(cost.toScalar ()) |> shouldEqual true
                            Double.IsFinite((logits.derivative.norm ()).toScalar()) |> shouldEqual true

            testCase "an odd number of rows is refused"
            <| fun () ->
                for form in [ ViewForm.Information; ViewForm.Assignment ] do
                    Expect.throwsT<ArgumentException>
                        (fun () -> ViewAgreement.cost form (ofPower 0.0) (Values.real 1 [ 5; 3 ]) |> ignore)
                        "odd"
        ]

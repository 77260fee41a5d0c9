module Scae.Tests.Metrics.LinearProbeTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Metrics
open Scae.Tensors

/// Points around one centre a class.
let private blobs (seed: int64) (spread: float) =
    let random = (Key.OfSeed seed).Stream()
    let centres = [| [| 3.0; 0.0 |]; [| -3.0; 1.0 |]; [| 0.0; -4.0 |] |]
    let labels = Array.init 300 (fun i -> i % 3)

    labels
    |> Array.map (fun label -> centres[label] |> Array.map (fun c -> c + spread * (random.NextDouble() - 0.5))),
    labels

[<Tests>]
let tests =
    testList
        "Metrics.LinearProbe"
        [
            testCase "classes that lie apart are read without error, also on new examples"
            <| fun () ->
                let weights = blobs 1L 2.0 ||> LinearProbe.fit 3 1e-3
                blobs 2L 2.0 ||> LinearProbe.accuracy weights |> shouldEqual 1.0

            testCase "labels without relation to the features are read at chance"
            <| fun () ->
                let features, labels = blobs 3L 2.0
                let random = (Key.OfSeed 4L).Stream()
                let shuffled = labels |> Array.map (fun _ -> random.NextInt 3)
                let weights = LinearProbe.fit 3 1e-3 features shuffled
                let others = labels |> Array.map (fun _ -> random.NextInt 3)
                LinearProbe.accuracy weights features others |> shouldBeLessThan 0.5

            testCase "the weights are those of least squares"
            <| fun () ->
                // y = 1 for x = 1, 0 for x = 0: class 1 is x itself and class 0 is 1 − x.
                let weights = LinearProbe.fit 2 0.0 [| [| 0.0 |]; [| 1.0 |] |] [| 0; 1 |]
                weights[0, 1] |> shouldBeNear 1e-6 1.0
                weights[1, 1] |> shouldBeNear 1e-6 0.0
                weights[0, 0] |> shouldBeNear 1e-6 -1.0
                weights[1, 0] |> shouldBeNear 1e-6 1.0

            testCase "the penalty of weights counts once for each example"
            <| fun () ->
                // Both sums of squares are 2; the penalty adds 1 for each of the two.
                let weights = LinearProbe.fit 2 1.0 [| [| -1.0 |]; [| 1.0 |] |] [| 0; 1 |]
                weights[0, 1] |> shouldBeNear 1e-12 0.25
                weights[1, 1] |> shouldBeNear 1e-12 0.25
                weights[0, 0] |> shouldBeNear 1e-12 -0.25
                weights[1, 0] |> shouldBeNear 1e-12 0.25

            testCase "without examples there is an error or NaN"
            <| fun () ->
                (fun () -> LinearProbe.fit 2 0.0 [||] [||] |> ignore) |> shouldRaise<ArgumentException>
                LinearProbe.accuracy (Array2D.zeroCreate 2 2) [||] [||] |> Double.IsNaN |> shouldEqual true
        ]

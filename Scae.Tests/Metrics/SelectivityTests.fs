module Scae.Tests.Metrics.SelectivityTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Metrics

[<Tests>]
let tests =
    testList
        "Metrics.Selectivity"
        [
            testCase "d′ is the difference of means in deviations, with unbiased variances"
            <| fun () ->
                // Means 3 and 0, variances 2 and 2.
                let activations = [| 2.0; 4.0; -1.0; 1.0 |]
                Selectivity.dPrime activations [| 7uy; 7uy; 1uy; 2uy |] 7uy |> shouldBeNear 1e-12 (3.0 / sqrt 2.0)

            testCase "of several classes the largest number wins, and without any there is −1"
            <| fun () ->
                let labels = [| 0uy; 0uy; 1uy; 1uy; 2uy; 2uy |]
                let first = [| 5.0; 5.1; 5.0; 5.1; 0.0; 0.1 |]
                let second = [| 1.0; -1.0; 1.0; -1.0; 1.0; -1.0 |]
                Selectivity.map (Array.map2 (fun a b -> [| a; b |]) first second) labels |> shouldEqual [| 1; -1 |]

            testCase "a class counts from a d′ of 0.85 on"
            <| fun () ->
                // All variances are 2, and the rest's mean is 0: d′ is the class's mean over √2.
                for mean, preferred in [ 1.21, 7; 1.19, -1 ] do
                    let activations = [| [| mean - 1.0 |]; [| mean + 1.0 |]; [| -1.0 |]; [| 1.0 |] |]
                    Selectivity.map activations [| 7uy; 7uy; 1uy; 1uy |] |> shouldEqual [| preferred |]

            testCase "units that never vary and classes with one image have none"
            <| fun () ->
                Selectivity.map [| [| 1.0 |]; [| 1.0 |]; [| 1.0 |]; [| 1.0 |] |] [| 0uy; 0uy; 1uy; 1uy |]
                |> shouldEqual [| -1 |]

                // Sums of these are rounded.
                for value in [ 0.1; 0.3; 0.7 ] do
                    for count in [ 7; 10; 100 ] do
                        let labels = Array.init count (fun i -> byte (i % 3))
                        Selectivity.map (Array.replicate count [| value |]) labels |> shouldEqual [| -1 |]

                Double.IsNaN(Selectivity.dPrime [| 1.0; 2.0; 3.0 |] [| 0uy; 1uy; 1uy |] 0uy) |> shouldEqual true
                Selectivity.map [||] [||] |> shouldBeEmpty
        ]

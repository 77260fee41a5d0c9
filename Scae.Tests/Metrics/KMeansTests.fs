module Scae.Tests.Metrics.KMeansTests

open System
open Expecto
open Scae.Core.Metrics
open Scae.Tensors
open Scae.Tests.Claims

[<Tests>]
let tests =
    testList
        "Metrics.KMeans"
        [
            testCase "of several starts the best is kept: more never have a larger inertia, and often a smaller one"
            <| fun () ->
                // One cloud without clusters has many divisions that no round improves.
                let numbers = Array.zeroCreate<float> 600
                (Key.OfSeed 1L).FillNormal(Span numbers)
                let points = Array.chunkBySize 3 numbers

                let improved =
                    [ 1L .. 20L ]
                    |> List.filter (fun seed ->
                        let inertias =
                            [ 1; 2; 5; 10 ]
                            |> List.map (fun starts ->
                                let config: KMeansConfig = { Clusters = 8; Starts = starts; MostRounds = 100 }
                                (KMeans.fit config (Key.OfSeed seed) points).Inertia)

                        for fewer, more in List.pairwise inertias do
                            more |> shouldBeAtMost fewer

                        List.last inertias < List.head inertias)

                improved.Length |> shouldBeAtLeast 10
        ]

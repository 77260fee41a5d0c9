module Scae.Tests.Models.DivisionSearchTests

open System
open Scae.Tests.Claims
open Scae.Tests.Threads
open Expecto
open Scae.Tests.Turns
open Scae.Core.Data
open Scae.Core.Models
open Scae.Tensors

let private templates = Template.published

let private config: DivisionSearchConfig =
    {
        Templates = templates
        Starts = 4
        Refine = true
        Solved = 1e-6
        Distractors = 0
    }

let private batch (seed: int) = Constellations.sample Constellations.published 1 (Key.OfSeed(int64 seed))

let private load (points: Tensor) =
    let scene = Partitions.create templates
    Partitions.load (ReadOnlySpan(points.toArray<float32>())) scene
    scene

let private random (seed: int) (count: int) =
    let stream = (Key.OfSeed(int64 seed)).Stream()
    Array.init count (fun _ -> stream.NextFloat())

let private sizes (sets: int[]) = sets |> Array.map (fun set -> Numerics.BitOperations.PopCount(uint set))

/// For each of three templates its points as bits, from labels.
let private setsOf (labels: int[]) =
    Array.init 3 (fun k -> labels |> Array.indexed |> Array.sumBy (fun (i, label) -> if label = k then 1 <<< i else 0))

[<Tests>]
let tests =
    testList
        "Models.DivisionSearch"
        [
            testPropertyWithConfig
                (samples 50)
                "every template gets as many points as it has, and each point has one template"
            <| fun (seed: int) ->
                let sets = DivisionSearch.divide [| 4; 4; 3 |] (ReadOnlySpan(random seed 33))
                sizes sets = [| 4; 4; 3 |] && Array.fold (|||) 0 sets = (1 <<< 11) - 1

            testPropertyWithConfig (samples 50) "certain scores are followed"
            <| fun (seed: int) ->
                let labels = (batch seed).Labels
                let scores = Array.init 33 (fun i -> if labels[i / 3] = i % 3 then 0.0f else -5.0f)
                DivisionSearch.divide [| 4; 4; 3 |] (ReadOnlySpan scores) |> Partitions.labels [| 0..2 |] 11 = labels

            testPropertyWithConfig (samples 50) "exchanges keep sizes and never raise the cost"
            <| fun (seed: int) ->
                let scene = load (batch seed).Points
                let sets = DivisionSearch.divide [| 4; 4; 3 |] (ReadOnlySpan(random seed 33))
                let before = Partitions.cost scene sets
                let after = DivisionSearch.exchange 1e-6 scene sets

                after <= before && abs (after - Partitions.cost scene sets) < 1e-9 && sizes sets = [| 4; 4; 3 |]

            testPropertyWithConfig (samples 30) "where exchanges end, no single exchange helps"
            <| fun (seed: int) ->
                let scene = load (batch seed).Points
                let sets = DivisionSearch.divide [| 4; 4; 3 |] (ReadOnlySpan(random seed 33))
                let cost = DivisionSearch.exchange 1e-6 scene sets
                let labels = Partitions.labels [| 0..2 |] 11 sets

                cost <= 1e-6
                || List.forall
                    (fun (i, j) ->
                        let other = Array.copy labels
                        other[i] <- labels[j]
                        other[j] <- labels[i]
                        Partitions.cost scene (setsOf other) > cost - 1e-8)
                    (List.allPairs [ 0..10 ] [ 0..10 ])

            testPropertyWithConfig
                (samples 30)
                "a scene whose square and triangle with extra were confused is put right"
            <| fun (seed: int) ->
                let scenes = batch seed
                let scene = load scenes.Points
                let truth = setsOf scenes.Labels
                let sets = [| truth[1]; truth[0]; truth[2] |]
                DivisionSearch.exchange 1e-6 scene sets <= 1e-6

            testCase "more starts find cheaper divisions"
            <| fun () ->
                let total starts =
                    Seq.sum
                        [
                            for seed in 0..49 do
                                let scene = load (batch seed).Points
                                let config = { config with Starts = starts }
                                let scores, noise = random seed 33, random (seed + 1000) (33 * (starts - 1))

                                let room = DivisionSearch.roomFor [| 4; 4; 3 |]
                                DivisionSearch.bestIn config room scene (ReadOnlySpan scores) (ReadOnlySpan noise)
                        ]

                total 8 |> shouldBeLessThan (total 1)

            testAlone "results don't depend on the number of threads"
            <| fun () ->
                let scenes = Constellations.sample Constellations.published 37 (Key.OfSeed 4L)

                let points = ReadOnlyMemory(scenes.Points.toArray<float32>())
                let scores, noise = random 1 (37 * 33), random 2 (37 * 33 * 3)

                shouldBeSameOnAnyThreads (fun () ->
                    let found = Array.zeroCreate 37

                    DivisionSearch.forEach
                        config
                        points
                        (ReadOnlyMemory scores)
                        (ReadOnlyMemory noise)
                        (fun _ i _ cost -> found[i] <- cost)

                    found)
        ]

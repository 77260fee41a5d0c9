module Scae.Tests.Data.PatternScenesTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims

let private paper = PatternScenes.paper

let private sample config count seed = PatternScenes.sample config count (Key.OfSeed seed)

let private segmented (config: PatternScenesConfig) (scenes: PatternScenes) (predicted: int[]) : SegmentedScenes =
    {
        Owners = config.Patterns.Length
        Points = PatternScenes.pointCount config
        Truth = scenes.Owners
        Present = scenes.Presence.toArray<float32>() |> Array.map (fun p -> p > 0.5f)
        Predicted = predicted
    }

[<Tests>]
let tests =
    testList
        "Data.PatternScenes"
        [
            testCase "coordinates, presence and empty scenes have the published statistics"
            <| fun () ->
                let scenes = sample { paper with Normalised = SceneScale.Chunk } 12_800 1L
                let points = scenes.Points.toArray<float32>() |> Array.map float
                let mean = Array.average points
                // 12·E(1/s) + 2.5·(2/π)·(mean coordinate of patterns) = 8.80 lies here between the limits of chunks.
                mean |> shouldBeNear 0.01 0.0386
                sqrt (points |> Array.averageBy (fun x -> (x - mean) ** 2.0)) |> shouldBeNear 0.01 0.31
                (scenes.Presence.mean ()).toScalar() |> shouldBeNear 0.01 0.5
                Array.max points |> shouldBeNear 1e-6 1.0
                Array.min points |> shouldBeNear 1e-6 -1.0

                let empty =
                    [| 0..12_799 |]
                    |> Array.averageBy (fun i ->
                        if PatternScenes.patternCount paper i scenes = 0 then
                            1.0
                        else
                            0.0)

                empty |> shouldBeNear 0.012 0.125

            testCase "few scenes have the size that many have"
            <| fun () ->
                for scale in [ SceneScale.Chunk; SceneScale.Fixed; SceneScale.Raw ] do
                    let few, many =
                        sample { paper with Normalised = scale } 32 3L, sample { paper with Normalised = scale } 6400 3L

                    let first (values: 'value[]) (few: 'value[]) = Array.truncate few.Length values |> shouldEqual few
                    first (many.Points.toArray<float32>()) (few.Points.toArray<float32>())
                    first (many.Presence.toArray<float32>()) (few.Presence.toArray<float32>())
                    first many.Owners few.Owners
                    first many.Present few.Present

            testCase "chunks reach from −11.4 to 27.5, which the fixed normalisation takes to ±1"
            <| fun () ->
                let raw = { paper with Normalised = SceneScale.Raw }

                let limits =
                    [| 1L .. 20L |]
                    |> Array.map (fun seed ->
                        let points = (sample raw PatternScenes.ChunkSize seed).Points
                        (points.min ()).toScalar(), (points.max ()).toScalar())

                limits |> Array.averageBy fst |> shouldBeNear 0.15 -11.4
                limits |> Array.averageBy snd |> shouldBeNear 0.2 27.5
                let fixed', drawn = (sample paper 10 5L).Points, (sample raw 10 5L).Points
                let expected = (drawn + 11.4) * (2.0 / 38.9) - 1.0
                ((fixed' - expected).abs().max()).toScalar() |> shouldBeLessThan 1e-5

            testCase "every scene has two squares of different ids and a triangle, similar to their patterns"
            <| fun () ->
                let scenes = sample paper 200 2L
                let points = scenes.Points.toArray<float32>() |> Array.map float

                for scene in 0..199 do
                    for id in 0..2 do
                        let members = [| 0..10 |] |> Array.filter (fun i -> scenes.Owners[scene * 11 + i] = id)

                        members.Length |> shouldEqual (if id = 1 then 3 else 4)

                        let shape =
                            [ for i in members -> points[2 * (scene * 11 + i)], points[2 * (scene * 11 + i) + 1] ]

                        let pattern = [ for struct (x, y) in paper.Patterns[id] -> x, y ]

                        SimilarityFit.distance (Template.create "" shape) (Template.create "" pattern)
                        |> shouldBeLessThan 1e-5

            testCase "a pattern is there with all of its points or none"
            <| fun () ->
                let scenes = sample paper 100 3L
                let presence = scenes.Presence.toArray<float32>()

                for i in 0 .. presence.Length - 1 do
                    (presence[i] = 1.0f) |> shouldEqual scenes.Present[i / 11 * 3 + scenes.Owners[i]]

            testCase "scenes of one key with and without noise differ by it alone"
            <| fun () ->
                let raw = { paper with Normalised = SceneScale.Raw }
                let still, noisy = sample raw 2000 4L, sample { raw with Noise = 0.1 } 2000 4L
                noisy.Owners |> shouldEqual still.Owners
                noisy.Present |> shouldEqual still.Present
                let difference = noisy.Points - still.Points
                let deviation = sqrt ((difference * difference).mean().toScalar())
                // σ·√E(s²) with s ~ U(1, 4): E(s²) = 7.
                deviation |> shouldBeNear 0.02 (0.1 * sqrt 7.0)

            testCase "drop 0 keeps everything, drop 1 nothing; pentagon and L can be drawn"
            <| fun () ->
                let patterns = [| PatternScenes.pentagon; PatternScenes.corner |]
                let all = sample { paper with Patterns = patterns; Drop = 0.0 } 5 5L
                (all.Presence.sum ()).toScalar() |> shouldEqual 50.0
                ((sample { paper with Drop = 1.0 } 5 5L).Presence.sum()).toScalar() |> shouldEqual 0.0

            testCase "everything in one capsule reaches 0.62 of points"
            <| fun () ->
                let scenes = sample paper 5000 6L
                let score = Segmentation.score (segmented paper scenes (PatternSearch.oneCapsule scenes))
                score.PointAccuracy |> shouldBeNear 0.01 0.617
                score.Accuracy |> shouldBeNear 0.01 0.775
                score.AdjustedRand |> shouldBeNear 0.015 0.647
                score.Variation |> shouldBeNear 0.01 0.356

            testCase "exact geometry divides scenes without noise without error, and loses little to noise"
            <| fun () ->
                let search noise draws =
                    let config = { paper with Noise = noise }
                    let scenes = sample config 150 7L

                    let found =
                        PatternSearch.solve { Scenes = config; Noise = noise; Draws = draws } (Key.OfSeed 1L) scenes

                    (Segmentation.score (segmented config scenes found)).PointAccuracy

                search 0.0 0 |> shouldEqual 1.0
                search 0.1 0 |> shouldBeGreaterThan 0.97
                search 0.0 2000 |> shouldBeGreaterThan 0.97

            testCase "k-means divides scenes better than one capsule, and worse than geometry"
            <| fun () ->
                let scenes = sample paper 400 8L
                let found = PatternSearch.kMeans paper (Key.OfSeed 1L) scenes
                let score = Segmentation.score (segmented paper scenes found)
                score.PointAccuracy |> shouldBeIn (0.62, 0.95)
        ]

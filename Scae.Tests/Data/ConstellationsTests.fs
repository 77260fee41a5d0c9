module Scae.Tests.Data.ConstellationsTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Tensors

let private sample (seed: int) (count: int) =
    Constellations.sample Constellations.published count (Key.OfSeed(int64 seed))

[<Tests>]
let tests =
    testList
        "Data.Constellations"
        [
            testCase "a template is centred on its mean"
            <| fun () ->
                for template in Template.published do
                    template.Points |> Array.sumBy (fun struct (x, _) -> x) |> shouldBeNear 1e-12 0.0
                    template.Points |> Array.sumBy (fun struct (_, y) -> y) |> shouldBeNear 1e-12 0.0

            testCase "a template without points is refused"
            <| fun () -> (fun () -> Template.create "nothing" [] |> ignore) |> shouldRaise<ArgumentException>

            testPropertyWithConfig (samples 50) "every scene has four, four and three points"
            <| fun (seed: int) ->
                let scenes = sample seed 3

                [ 0..2 ]
                |> List.forall (fun i ->
                    Array.sub scenes.Labels (11 * i) 11 |> Array.countBy id |> Array.sort = [| 0, 4; 1, 4; 2, 3 |])

            testPropertyWithConfig (samples 50) "poses lie in the published ranges"
            <| fun (seed: int) ->
                let poses = (sample seed 8).Poses.toArray<float32>() |> Array.chunkBySize 4

                poses
                |> Array.forall (fun pose ->
                    let scale = exp pose[0]

                    scale >= 0.4999f
                    && scale <= 1.5001f
                    && pose[1] >= 0.0f
                    && pose[1] <= 2.0f * MathF.PI
                    && abs pose[2] <= 3.0f
                    && abs pose[3] <= 3.0f)

            testCase "scales, angles and translations are uniform"
            <| fun () ->
                let poses = (sample 4 20000).Poses.toArray<float32>() |> Array.chunkBySize 4

                let check (low: float) (high: float) (value: float32[] -> float32) =
                    let values = poses |> Array.map (value >> float) |> Array.sort
                    let n = float values.Length

                    // Kolmogorov–Smirnov at a level of about 1e-6: 2.7 / √n.
                    let distance =
                        values
                        |> Array.mapi (fun i v -> abs ((v - low) / (high - low) - (float i + 0.5) / n))
                        |> Array.max

                    distance |> shouldBeLessThan (2.7 / sqrt n)

                check 0.5 1.5 (fun pose -> exp pose[0])
                check 0.0 (2.0 * Math.PI) (fun pose -> pose[1])
                check -3.0 3.0 (fun pose -> pose[2])
                check -3.0 3.0 (fun pose -> pose[3])

            testCase "every place in the order is equally likely for every template"
            <| fun () ->
                let scenes = sample 9 22000
                let counts = Array2D.zeroCreate 11 3
                scenes.Labels |> Array.iteri (fun i k -> counts[i % 11, k] <- counts[i % 11, k] + 1)

                for place in 0..10 do
                    for k in 0..2 do
                        let expected = 22000.0 * [| 4.0; 4.0; 3.0 |][k] / 11.0
                        float counts[place, k] |> shouldBeNear (6.0 * sqrt expected) expected

            testCase "the same key gives the same scenes and another key others"
            <| fun () ->
                let points (seed: int) = (sample seed 5).Points.toArray<float32>()
                points 1 |> shouldEqual (points 1)
                points 1 |> shouldDiffer (points 2)

            testCase "filling a batch again leaves nothing of the last one"
            <| fun () ->
                let batch = sample 1 6
                Constellations.fill Constellations.published (Key.OfSeed 2L) batch
                let fresh = sample 2 6
                batch.Points.toArray<float32>() |> shouldEqual (fresh.Points.toArray<float32>())
                batch.Labels |> shouldEqual fresh.Labels

            testCase "crowding moves templates together or apart and leaves their scales and angles alone"
            <| fun () ->
                let poses crowding =
                    let config = { Constellations.published with Crowding = crowding }
                    (Constellations.sample config 500 (Key.OfSeed 3L)).Poses.toArray<float32>() |> Array.chunkBySize 12

                let plain, crowded = poses 1.0, poses 4.0

                let factors =
                    (plain, crowded)
                    ||> Array.map2 (fun plain crowded ->
                        for k in 0..2 do
                            crowded[4 * k .. 4 * k + 1] |> shouldEqual plain[4 * k .. 4 * k + 1]

                        // All translations of a scene by one factor.
                        let factor = float crowded[2] / float plain[2]

                        for k in 0..2 do
                            for axis in 2..3 do
                                float crowded[4 * k + axis] |> shouldBeNear 1e-4 (factor * float plain[4 * k + axis])

                        factor)

                Array.min factors |> shouldBeIn (0.25, 0.3)
                Array.max factors |> shouldBeIn (3.3, 4.001)

            testCase "distractors are added to the same scenes, anywhere in the order, labelled as no template"
            <| fun () ->
                let config = { Constellations.published with Distractors = 2 }
                let scenes = Constellations.sample config 200 (Key.OfSeed 5L)
                let plain = sample 5 200
                scenes.Points.shape |> shouldEqual [| 200; 13; 2 |]
                scenes.Poses.toArray<float32>() |> shouldEqual (plain.Poses.toArray<float32>())

                let templatePoints (scenes: Constellations) scene =
                    let n = scenes.Points.shape[1]
                    let points = scenes.Points.toArray<float32>()

                    [
                        for i in scene * n .. scene * n + n - 1 do
                            if scenes.Labels[i] < 3 then
                                points[2 * i], points[2 * i + 1]
                    ]
                    |> List.sort

                for scene in 0..199 do
                    templatePoints scenes scene |> shouldEqual (templatePoints plain scene)
                    Array.sub scenes.Labels (13 * scene) 13 |> Array.filter ((=) 3) |> shouldHaveLength 2

                [ 0..12 ]
                |> List.forall (fun place -> [ 0..199 ] |> List.exists (fun i -> scenes.Labels[13 * i + place] = 3))
                |> shouldEqual true

            testCase "other template sets are one argument away"
            <| fun () ->
                let config =
                    { Constellations.published with
                        Templates =
                            [ Template.square; Template.square; Template.triangle; Template.create "dot" [ 0.0, 0.0 ] ]
                    }

                (Constellations.sample config 2 (Key.OfSeed 1L)).Points.shape |> shouldEqual [| 2; 12; 2 |]
        ]

module Scae.Tests.Models.ExactConstellationsTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Models
open Scae.Tensors

let private templates = Template.published

let private scenes (seed: int) (count: int) =
    Constellations.sample Constellations.published count (Key.OfSeed(int64 seed))

let private load (points: float32[]) =
    let scene = Partitions.create templates
    Partitions.load (ReadOnlySpan points) scene
    scene

/// For each of three templates its points as bits, from labels.
let private setsOf (labels: int[]) =
    Array.init 3 (fun k -> labels |> Array.indexed |> Array.sumBy (fun (i, label) -> if label = k then 1 <<< i else 0))

[<Tests>]
let tests =
    testList
        "Models.ExactConstellations"
        [
            testCase "correspondences that differ by a rotational symmetry are tried once"
            <| fun () ->
                let counts = templates |> List.map (fun t -> (SimilarityFit.prepare t).Orders.Length / t.Points.Length)

                counts |> shouldEqual [ 6; 24; 2 ]

            testPropertyWithConfig (samples 50) "a fit finds the pose that drew the points"
            <| fun (seed: int) ->
                let batch = scenes seed 1
                let scene = load (batch.Points.toArray<float32>())
                let sets = setsOf batch.Labels
                let truth = batch.Poses.toArray<float32>()

                [ 0..2 ]
                |> List.forall (fun k ->
                    let struct (residual, re, im, tx, ty) = Partitions.pose scene k sets[k]

                    // A few float32 units of coordinates up to 5, squared.
                    residual < 1e-8
                    && abs (0.5 * log (re * re + im * im) - float truth[4 * k]) < 1e-4
                    && abs (tx - float truth[4 * k + 2]) < 1e-5
                    && abs (ty - float truth[4 * k + 3]) < 1e-5)

            testPropertyWithConfig (samples 50) "no pose near the fitted one leaves a smaller residual"
            <| fun (seed: int) ->
                let stream = (Key.OfSeed(int64 seed)).Stream()
                let points = Array.init 22 (fun _ -> stream.NextFloat(-3.0f, 3.0f))
                let scene = load points
                let template = SimilarityFit.prepare Template.triangleWithExtra
                let members = [| 1; 4; 7; 10 |]

                let struct (residual, re, im, tx, ty) =
                    SimilarityFit.fit template scene.Xs scene.Ys (ReadOnlySpan members)

                // The obvious twin: every order, at the found pose and at poses beside it.
                let squares (re: float) (im: float) (tx: float) (ty: float) =
                    Array.chunkBySize 4 template.Orders
                    |> Array.map (fun order ->
                        Array.sum
                            [|
                                for i in 0..3 ->
                                    let x = re * template.X[i] - im * template.Y[i] + tx - scene.Xs[members[order[i]]]
                                    let y = re * template.Y[i] + im * template.X[i] + ty - scene.Ys[members[order[i]]]
                                    x * x + y * y
                            |])
                    |> Array.min

                abs (squares re im tx ty - residual) < 1e-9
                && [
                    for d in [ -0.01; 0.01 ] do
                        squares (re + d) im tx ty
                        squares re (im + d) tx ty
                        squares re im (tx + d) ty
                        squares re im tx (ty + d)
                   ]
                   |> List.forall (fun other -> other > residual)

            testCase "the true division costs nothing and a wrong one costs"
            <| fun () ->
                let batch = scenes 3 1
                let scene = load (batch.Points.toArray<float32>())
                let truth = setsOf batch.Labels
                Partitions.cost scene truth |> shouldBeLessThan 1e-9
                Partitions.cost scene [| truth[1]; truth[0]; truth[2] |] |> shouldBeGreaterThan 1e-3
                Partitions.labels [| 0..2 |] 11 truth |> shouldEqual batch.Labels

            testCase "noise-free scenes are solved to at least 99.9 % raw"
            <| fun () ->
                let batch = scenes 17 1000
                let metrics = ConstellationsMeasures.exact templates batch |> Map.ofList
                metrics["raw_recovery"] |> shouldBeAtLeast 0.999
                metrics["chamfer"] |> shouldBeLessThan 1e-3

            testCase "branch and bound finds what trying every division finds"
            <| fun () ->
                // Random points that no template fits, so that bounds seldom cut.
                let stream = (Key.OfSeed 5L).Stream()
                let search = ExactSearch.Of templates

                for _ in 1..3 do
                    let scene = load (Array.init 22 (fun _ -> stream.NextFloat(-3.0f, 3.0f)))
                    let found = Partitions.cost scene (search.Find scene)
                    let all = (1 <<< 11) - 1

                    let size (set: int) = Numerics.BitOperations.PopCount(uint set)

                    let every =
                        [
                            for a in 0..all do
                                if size a = 4 then
                                    for b in 0..all do
                                        if b &&& a = 0 && size b = 4 then
                                            Partitions.cost scene [| a; b; all &&& ~~~(a ||| b) |]
                        ]

                    every.Length |> shouldEqual 11550
                    found |> shouldBeNear 1e-12 (List.min every)

            testCase "a scene with NaN is answered, not refused"
            <| fun () ->
                let points = (scenes 1 1).Points
                points.Elements<float32>()[3] <- nanf
                let poses, _ = ExactConstellations.solve templates points
                poses.shape |> shouldEqual [| 1; 3; 4 |]

            testCase "a scene with a point too few is refused in one line"
            <| fun () ->
                let act () = ExactConstellations.solve templates (Tensor.zeros [| 1; 10; 2 |]) |> ignore

                messageOf<ArgumentException> act
                |> shouldStartWith "partitions: 10 points; the templates have 11, and each point must belong to one"

            testCase "five templates, whose sets are too many for tables, are divided too"
            <| fun () ->
                let config = { Constellations.published with Templates = Template.five }

                let batch = Constellations.sample config 3 (Key.OfSeed 2L)
                let metrics = ConstellationsMeasures.exact Template.five batch |> Map.ofList
                metrics["raw_recovery"] |> shouldBeAtLeast 0.999

            testCase "noise lowers what even the exact baseline recognises"
            <| fun () ->
                let scenes = scenes 3 50
                let hardships = ConstellationsMeasures.hardships Constellations.published 50 (Key.OfSeed 1L) scenes

                let curves =
                    ExactConstellations.solveAny templates
                    |> ConstellationsMeasures.robustness templates hardships
                    |> Map.ofList

                let noise, scale = curves["noise"] |> List.map snd, curves["scale"] |> List.map snd
                curves["missing"] |> List.item 1 |> snd |> shouldBeAtLeast 0.999
                List.head noise |> shouldBeGreaterThan (List.last noise)
                scale |> List.min |> shouldBeAtLeast 0.999
                curves["distractors"] |> List.map snd |> List.min |> shouldBeAtLeast 0.98

                ConstellationsMeasures.robustnessMetrics [ "noise", [ 0.05, 0.5 ] ]
                |> shouldEqual [ "noise_0.05_raw_recovery", 0.5 ]
        ]

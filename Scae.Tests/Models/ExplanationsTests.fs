module Scae.Tests.Models.ExplanationsTests

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

[<Tests>]
let tests =
    testList
        "Models.Explanations"
        [
            testCase
                "three templates may be present in seven ways, told apart by their points but for the square and its like"
            <| fun () ->
                Explanations.subsets templates
                |> List.map (fun explanation -> Template.pointCount explanation.Templates)
                |> List.sort
                |> shouldEqual [ 3; 4; 4; 7; 7; 8; 11 ]

            testCase "what is left of a square without a corner is one shape, of a triangle with extra four"
            <| fun () ->
                // Mirror images aren't similar: turning doesn't make one the other.
                Explanations.remnants 1 Template.square |> List.length |> shouldEqual 1
                Explanations.remnants 1 Template.triangleWithExtra |> List.length |> shouldEqual 4
                Explanations.remnants 1 Template.triangle |> List.length |> shouldEqual 1
                Explanations.remnants 2 Template.triangle |> shouldBeEmpty

            testCase "reductions lose as many points as are missing"
            <| fun () ->
                for missing in 0..3 do
                    let reductions = Explanations.reductions templates missing
                    reductions |> shouldHaveSome

                    for explanation in reductions do
                        Template.pointCount explanation.Templates |> shouldEqual (11 - missing)

                Explanations.reductions templates 6 |> shouldBeEmpty

            testCase "columns are those of the explanation's capsules"
            <| fun () ->
                let explanation =
                    Explanations.subsets templates |> List.find (fun explanation -> explanation.Capsules = [| 0; 2 |])

                let columns = Array.zeroCreate<float32> 4

                Explanations.writeColumns
                    3
                    explanation
                    (ReadOnlySpan [| 0.0f; 1.0f; 2.0f; 3.0f; 4.0f; 5.0f |])
                    (Span columns)

                columns |> shouldEqual [| 0.0f; 2.0f; 3.0f; 5.0f |]

            testCase "a scene without one point is solved exactly, and whole templates are drawn onto it"
            <| fun () ->
                let scenes = ConstellationsMeasures.without 100 1 (scenes 1 100)
                let poses = ExactConstellations.solveRemnants templates scenes.Points
                let metrics = ConstellationsMeasures.ofPoses templates scenes poses |> Map.ofList
                metrics["raw_recovery"] |> shouldBeGreaterThan 0.999
                // The poses also say where the absent point was, unless a triangle lost it: then there are two places.
                let drawn = ConstellationCapsules.decode templates poses
                let truth = ConstellationCapsules.decode templates scenes.Poses

                (drawn.chamfer truth).toArray<float32>()
                |> Array.filter (fun distance -> distance < 1e-3f)
                |> Array.length
                |> shouldBeGreaterThan 70

            testPropertyWithConfig (samples 20) "with no point missing the baseline for remnants is the baseline"
            <| fun (seed: int) ->
                let points = (scenes seed 3).Points
                let poses = (fst (ExactConstellations.solve templates points)).toArray<float32>()
                (ExactConstellations.solveRemnants templates points).toArray<float32>() = poses

            testCase "too few points are refused in one line"
            <| fun () ->
                (fun () -> ExactConstellations.solveRemnants templates (Tensor.zeros [| 1; 5; 2 |]) |> ignore)
                |> shouldRaise<ArgumentException>

            testCase "the cheapest explanation is taken, and none is tried after one that costs nothing"
            <| fun () ->
                let one = scenes 3 1
                let explanations = Explanations.reductions templates 0 @ Explanations.reductions templates 0
                let rooms = explanations |> List.map (fun e -> Partitions.create e.Templates) |> Array.ofList
                let search = ExactSearch.Of templates
                let tried = ref 0

                let struct (best, sets, cost) =
                    Explanations.cheapest
                        1e-6
                        [| 1; 0 |]
                        2
                        rooms
                        (ReadOnlyMemory(one.Points.toArray<float32>()))
                        (Func<_, _, _>(fun _ scene ->
                            tried.Value <- tried.Value + 1
                            search.Find scene))

                best |> shouldEqual 1
                tried.Value |> shouldEqual 1
                cost |> shouldBeLessThan 1e-6
                Partitions.labels [| 0..2 |] 11 sets |> shouldEqual one.Labels

            testCase "the baseline tells which templates are there"
            <| fun () ->
                let scenes = VariableConstellations.sample Constellations.published 60 (Key.OfSeed 4L)

                let metrics =
                    ExactConstellations.explain templates scenes.Points scenes.Mask
                    |> VariableConstellationsMeasures.ofExplained 3 scenes
                    |> Map.ofList

                metrics["presence_accuracy"] |> shouldBeGreaterThan 0.99
                metrics["raw_recovery"] |> shouldBeGreaterThan 0.99
        ]

module Scae.Tests.Models.DistractorsTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Models
open Scae.Tensors

let private templates = Template.published

let private among (distractors: int) (count: int) (seed: int) =
    let config = { Constellations.published with Distractors = distractors }
    Constellations.sample config count (Key.OfSeed(int64 seed))

[<Tests>]
let tests =
    testList
        "Models.Distractors"
        [
            for distractors in [ 1; 3 ] do
                testCase $"without noise the exact search leaves over what belongs to nothing ({distractors})"
                <| fun () ->
                    let scenes = among distractors 20 3
                    let poses = ExactConstellations.solveAny templates scenes.Points
                    let metrics = ConstellationsMeasures.ofPoses templates scenes poses |> Map.ofList
                    metrics["raw_recovery"] |> shouldBeAtLeast 0.99

            testCase "with no point too many the search among distractors is the search without"
            <| fun () ->
                let scenes = among 0 5 4
                let plain, _ = ExactConstellations.solve templates scenes.Points

                (ExactConstellations.solveAmong templates scenes.Points).toArray<float32>()
                |> shouldEqual (plain.toArray<float32>())

            testCase "poses of the truth leave exactly the distractors over"
            <| fun () ->
                let scenes = among 2 50 5
                let metrics = ConstellationsMeasures.ofPoses templates scenes scenes.Poses |> Map.ofList
                metrics["raw_recovery"] |> shouldBeAtLeast 0.999

            testCase "poses that lie elsewhere are told from the truth"
            <| fun () ->
                let scenes = among 2 50 5
                let metrics = ConstellationsMeasures.ofPoses templates scenes (scenes.Poses * 0.5) |> Map.ofList
                metrics["raw_recovery"] |> shouldBeLessThan 0.9

            testCase "a set that belongs to nothing costs nothing, and the others what they cost"
            <| fun () ->
                let scenes = among 2 1 6
                let scene = Partitions.withDistractors 2 templates
                Partitions.load (ReadOnlySpan(scenes.Points.toArray<float32>())) scene

                let sets =
                    Array.init 4 (fun k ->
                        scenes.Labels
                        |> Array.indexed
                        |> Array.sumBy (fun (i, label) -> if label = k then 1 <<< i else 0))

                Partitions.cost scene sets |> shouldBeLessThan 1e-8
                Partitions.residual scene 3 0b11 |> shouldEqual 0.0
                Partitions.cost scene [| sets[1]; sets[0]; sets[2]; sets[3] |] |> shouldBeGreaterThan 1e-3

            testCase "scores put a point aside only when every template has its points"
            <| fun () ->
                let scores = [| -1.0f; -2.0f; -300.0f; -4.0f |]
                let into = Array.zeroCreate<float32> 6
                Distractors.writeScores 2 (ReadOnlySpan scores) (Span into)
                into |> shouldEqual [| -1.0f; -2.0f; -400.0f; -300.0f; -4.0f; -400.0f |]

            testCase "fewer points than the templates have are refused in one line"
            <| fun () ->
                messageOf<ArgumentException>(fun () ->
                    ExactConstellations.solveAmong templates (Tensor.zeros [| 1; 10; 2 |]) |> ignore)
                |> shouldStartWith "10 points; the templates have 11"
        ]

module Scae.Tests.Data.VariableConstellationsTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Tensors

let private config = Constellations.published

[<Tests>]
let tests =
    testList
        "Data.VariableConstellations"
        [
            testPropertyWithConfig
                (samples 30)
                "points come first, padding is zero, and labels are those of templates in the scene"
            <| fun (seed: int) ->
                let batch = VariableConstellations.sample config 20 (Key.OfSeed(int64 seed))
                let points, mask = batch.Points.toArray<float32>(), batch.Mask.toArray<float32>()

                List.forall
                    (fun scene ->
                        let count = VariableConstellations.pointCount scene batch

                        let sizes =
                            [
                                for k in 0..2 do
                                    if batch.Presence[3 * scene + k] then
                                        config.Templates[k].Points.Length
                            ]

                        List.sum sizes = count
                        && List.forall
                            (fun i ->
                                let row = 11 * scene + i
                                let label = batch.Labels[row]

                                if i < count then
                                    mask[row] = 1.0f && batch.Presence[3 * scene + label]
                                else
                                    mask[row] = 0.0f
                                    && label = -1
                                    && points[2 * row] = 0.0f
                                    && points[2 * row + 1] = 0.0f)
                            [ 0..10 ])
                    [ 0..19 ]

            testCase "each number of templates is as probable as any other"
            <| fun () ->
                let batch = VariableConstellations.sample config 9000 (Key.OfSeed 5L)

                let counts =
                    batch.Presence
                    |> Array.chunkBySize 3
                    |> Array.countBy (Array.filter id >> Array.length)
                    |> Map.ofArray

                for count in 1..3 do
                    float counts[count] |> shouldBeNear 200.0 3000.0

            testCase "all templates at least makes whole scenes"
            <| fun () ->
                let batch = VariableConstellations.allocate config 5
                VariableConstellations.fillFrom config 3 (Key.OfSeed 1L) batch
                batch.Labels |> shouldEqual batch.Whole.Labels
                batch.Points.toArray<float32>() |> shouldEqual (batch.Whole.Points.toArray<float32>())

            testCase "a key decides the whole batch, whatever it held before"
            <| fun () ->
                let first = VariableConstellations.sample config 7 (Key.OfSeed 2L)
                let second = VariableConstellations.sample config 7 (Key.OfSeed 3L)
                VariableConstellations.fill config (Key.OfSeed 2L) second
                second.Labels |> shouldEqual first.Labels
                second.Presence |> shouldEqual first.Presence
                second.Points.toArray<float32>() |> shouldEqual (first.Points.toArray<float32>())
                second.Mask.toArray<float32>() |> shouldEqual (first.Mask.toArray<float32>())

            testCase "distractors are refused"
            <| fun () ->
                messageOf<ArgumentException>(fun () ->
                    VariableConstellations.sample { config with Distractors = 1 } 2 (Key.OfSeed 1L) |> ignore)
                |> shouldStartWith "1 distractors; scenes whose templates vary have none"
        ]

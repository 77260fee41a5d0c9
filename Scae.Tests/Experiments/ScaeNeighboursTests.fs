module Scae.Tests.Experiments.ScaeNeighboursTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Tensors
open Scae.Tests.Claims

let private wandered (neighbours: int[][]) (steps: int) (seed: int64) (from: int) (count: int) : int[] =
    let rows = Array.create count from
    ScaeNeighbours.wander neighbours steps (Key.OfSeed seed) (Span rows)
    rows

/// A chain: each has the one before and the one after.
let private chain: int[][] = [| [| 1 |]; [| 0; 2 |]; [| 1 |]; [||] |]

[<Tests>]
let tests =
    testList
        "Experiments.ScaeNeighbours"
        [
            testCase "digits stand for each other, and most for one of their class"
            <| fun () ->
                let digits = StrokeDigits.sample 300 (Key.OfSeed 1L)
                let neighbours = ScaeNeighbours.ofDigits 5 digits

                let pairs =
                    [
                        for i in 0 .. neighbours.Length - 1 do
                            neighbours[i].Length |> shouldBeAtMost 5
                            neighbours[i] |> Array.contains i |> shouldEqual false

                            for other in neighbours[i] do
                                neighbours[other] |> Array.contains i |> shouldEqual true
                                digits.Labels[i] = digits.Labels[other]
                    ]

                let share = float (pairs |> List.filter id |> List.length) / float pairs.Length
                share |> shouldBeAtLeast 0.95

            testCase "a step goes to each neighbour as often as nowhere, and no farther"
            <| fun () ->
                let after1 = wandered chain 1 3L 1 3000 |> Array.countBy id |> Map.ofArray
                after1.Keys |> Seq.sort |> List.ofSeq |> shouldEqual [ 0; 1; 2 ]

                for KeyValue(_, count) in after1 do
                    float count |> shouldBeNear 150.0 1000.0

                wandered chain 1 3L 0 500 |> Array.contains 2 |> shouldEqual false
                wandered chain 2 3L 0 500 |> Array.contains 2 |> shouldEqual true

            testCase "who has no neighbour stays, and the key alone decides"
            <| fun () ->
                wandered chain 5 3L 3 10 |> shouldEqual (Array.create 10 3)
                wandered chain 2 4L 1 50 |> shouldEqual (wandered chain 2 4L 1 50)
                wandered chain 2 4L 1 50 = wandered chain 2 5L 1 50 |> shouldEqual false
        ]

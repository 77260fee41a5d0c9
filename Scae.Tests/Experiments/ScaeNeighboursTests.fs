module Scae.Tests.Experiments.ScaeNeighboursTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Tensors
open Scae.Tests.Claims

let private wandered (walk: Walk) (neighbours: int[][]) (seed: int64) (from: int) (count: int) : int[] =
    let rows = Array.create count from
    ScaeNeighbours.wander neighbours walk (Key.OfSeed seed) (Span rows)
    rows

/// Two neighbours of each, so many steps.
let private two (steps: int) : Walk = { Neighbours = 2; Steps = steps }

/// A ring of five: to the next first, then to the one before.
let private ring: int[][] = Array.init 5 (fun i -> [| (i + 1) % 5; (i + 4) % 5 |])

[<Tests>]
let tests =
    testList
        "Experiments.ScaeNeighbours"
        [
            for secondLook in [ false; true ] do
                testCase
                    $"other digits stand for each, nearly all of its class, and fewer for fewer digits: {secondLook}"
                <| fun () ->
                    let digits = StrokeDigits.sample 300 (Key.OfSeed 1L)
                    let neighbours = ScaeNeighbours.ofDigits 5 secondLook digits

                    let pairs =
                        [
                            for i in 0 .. neighbours.Length - 1 do
                                neighbours[i] |> Array.distinct |> Array.length |> shouldEqual 5
                                neighbours[i] |> Array.contains i |> shouldEqual false

                                for other in neighbours[i] do
                                    digits.Labels[i] = digits.Labels[other]
                        ]

                    let share = float (pairs |> List.filter id |> List.length) / float pairs.Length
                    share |> shouldBeAtLeast 0.95

                    let few = ScaeNeighbours.ofDigits 5 secondLook (Digits.first 6 digits)

                    for i in 0..5 do
                        Array.sort few[i] |> shouldEqual ([| 0..5 |] |> Array.filter ((<>) i))

                    messageOf<ArgumentException>(fun () ->
                        ScaeNeighbours.ofDigits 6 secondLook (Digits.first 6 digits) |> ignore)
                    |> shouldStartWith "nearest neighbours: 6 of 5 points"

            testCase "a step goes to each neighbour as often as nowhere, and no farther"
            <| fun () ->
                let after1 = wandered (two 1) ring 3L 1 3000 |> Array.countBy id |> Map.ofArray
                after1.Keys |> Seq.sort |> List.ofSeq |> shouldEqual [ 0; 1; 2 ]

                for KeyValue(_, count) in after1 do
                    float count |> shouldBeNear 150.0 1000.0

                wandered (two 1) ring 3L 0 500 |> Array.contains 2 |> shouldEqual false
                wandered (two 2) ring 3L 0 500 |> Array.contains 2 |> shouldEqual true

            testCase "only the nearest count, and the key alone decides"
            <| fun () ->
                wandered { Neighbours = 1; Steps = 1 } ring 3L 0 200
                |> Array.distinct
                |> Array.sort
                |> shouldEqual [| 0; 1 |]

                wandered (two 2) ring 4L 1 50 |> shouldEqual (wandered (two 2) ring 4L 1 50)
                wandered (two 2) ring 4L 1 50 = wandered (two 2) ring 5L 1 50 |> shouldEqual false
        ]

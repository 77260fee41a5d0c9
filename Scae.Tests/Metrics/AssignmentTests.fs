module Scae.Tests.Metrics.AssignmentTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Scae.Tests.Claims
open Scae.Core.Metrics
open Scae.Tensors

/// The least total cost over all assignments, by trying each.
let private bruteForce (cost: float[,]) =
    let rows, columns = Array2D.length1 cost, Array2D.length2 cost

    let cost =
        if rows <= columns then
            cost
        else
            Array2D.init columns rows (fun j i -> cost[i, j])

    Orders.arrangements (min rows columns) [ 0 .. max rows columns - 1 ]
    |> List.map (List.mapi (fun i j -> cost[i, j]) >> List.sum)
    |> List.min

type Costs =
    /// Matrices up to 7 × 7 (and 5 × 9) of numbers, whole and small half of the time, so that there are ties.
    static member Matrix() : Arbitrary<float[,]> =
        gen {
            let! rows, columns = Gen.oneof [ Gen.zip (Gen.choose (0, 7)) (Gen.choose (0, 7)); Gen.constant (4, 9) ]
            let! item = Gen.elements [ Gen.choose (-3, 3); Gen.choose (-1000000, 1000000) ]
            let! values = Gen.arrayOfLength (rows * columns) item
            return Array2D.init rows columns (fun i j -> float values[i * columns + j] / 7.0)
        }
        |> Arb.fromGen

[<Tests>]
let tests =
    testList
        "Metrics.Assignment"
        [
            testPropertyWithConfig
                { samples 60 with arbitrary = [ typeof<Costs> ] }
                "the assignment is as cheap as the cheapest of all"
            <| fun (cost: float[,]) ->
                let columns = Assignment.hungarian cost
                let taken = columns |> Array.filter (fun j -> j >= 0)

                columns.Length = Array2D.length1 cost
                && Array.distinct taken = taken
                && taken.Length = min (Array2D.length1 cost) (Array2D.length2 cost)
                && taken |> Array.forall (fun j -> j < Array2D.length2 cost)
                && abs (Assignment.totalCost cost columns - bruteForce cost) < 1e-6

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Costs> ] }
                "a constant on a row or a column changes nothing in a square"
            <| fun (cost: float[,]) ->
                let n = min (Array2D.length1 cost) (Array2D.length2 cost)
                let cost = cost[.. n - 1, .. n - 1]
                let shifted = cost |> Array2D.mapi (fun i j c -> c + float (3 * i) - float (5 * j))
                let total = Assignment.totalCost cost (Assignment.hungarian cost)
                abs (Assignment.totalCost cost (Assignment.hungarian shifted) - total) < 1e-6

            testCase "a greedy choice isn't good enough"
            <| fun () -> Assignment.hungarian (array2D [ [ 1.0; 2.0 ]; [ 2.0; 100.0 ] ]) |> shouldEqual [| 1; 0 |]

            testCase "too many rows leave some without a column"
            <| fun () ->
                Assignment.hungarian (array2D [ [ 3.0 ]; [ 1.0 ]; [ 2.0 ] ]) |> shouldEqual [| -1; 0; -1 |]

                Assignment.hungarian (Array2D.zeroCreate 2 0) |> shouldEqual [| -1; -1 |]
                Assignment.hungarian (Array2D.zeroCreate 0 3) |> shouldBeEmpty

            testCase "a cost that is no number is refused by place"
            <| fun () ->
                for bad in [ nan; infinity; -infinity ] do
                    try
                        Assignment.hungarian (array2D [ [ 1.0; 2.0 ]; [ 3.0; bad ] ]) |> ignore
                        failtest "nothing was refused"
                    with :? ArgumentException as error ->
                        error.Message |> shouldStartWith $"hungarian: cost[1, 1] is {bad}; every cost must be finite"

            // The dual variables certify what no brute force could: here the best is known by construction.
            testCase "a hidden best assignment of 200 is found"
            <| fun () ->
                let key = Key.OfSeed 31L
                let n = 200
                let hidden = Array.zeroCreate<int> n
                key.Named("hidden").FillPermutation hidden
                let noise = Array.zeroCreate<float>(n * n)
                let u = Array.zeroCreate<float> n
                let v = Array.zeroCreate<float> n
                key.Named("noise").FillUniform(noise, 0.1, 1.0)
                key.Named("rows").FillUniform(u, -10.0, 10.0)
                key.Named("columns").FillUniform(v, -10.0, 10.0)

                Array2D.init n n (fun i j -> u[i] + v[j] + (if hidden[i] = j then 0.0 else noise[i * n + j]))
                |> Assignment.hungarian
                |> shouldEqual hidden
        ]

module Scae.Tests.Metrics.AssignmentTests

open System
open NUnit.Framework
open FsCheck
open FsCheck.FSharp
open FsCheck.NUnit
open FsUnit
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

[<Property(Arbitrary = [| typeof<Costs> |], MaxTest = 60)>]
let ``the assignment is as cheap as the cheapest of all`` (cost: float[,]) =
    let columns = Assignment.hungarian cost
    let taken = columns |> Array.filter (fun j -> j >= 0)

    columns.Length = Array2D.length1 cost
    && Array.distinct taken = taken
    && taken.Length = min (Array2D.length1 cost) (Array2D.length2 cost)
    && taken |> Array.forall (fun j -> j < Array2D.length2 cost)
    && abs (Assignment.totalCost cost columns - bruteForce cost) < 1e-6

[<Property(Arbitrary = [| typeof<Costs> |])>]
let ``a constant on a row or a column changes nothing in a square`` (cost: float[,]) =
    let n = min (Array2D.length1 cost) (Array2D.length2 cost)
    let cost = cost[.. n - 1, .. n - 1]
    let shifted = cost |> Array2D.mapi (fun i j c -> c + float (3 * i) - float (5 * j))
    let total = Assignment.totalCost cost (Assignment.hungarian cost)
    abs (Assignment.totalCost cost (Assignment.hungarian shifted) - total) < 1e-6

[<Test>]
let ``a greedy choice isn't good enough`` () =
    Assignment.hungarian (array2D [ [ 1.0; 2.0 ]; [ 2.0; 100.0 ] ]) |> should equal [| 1; 0 |]

[<Test>]
let ``too many rows leave some without a column`` () =
    Assignment.hungarian (array2D [ [ 3.0 ]; [ 1.0 ]; [ 2.0 ] ]) |> should equal [| -1; 0; -1 |]

    Assignment.hungarian (Array2D.zeroCreate 2 0) |> should equal [| -1; -1 |]
    Assignment.hungarian (Array2D.zeroCreate 0 3) |> should be Empty

[<Test>]
let ``a cost that is no number is refused by place`` () =
    for bad in [ nan; infinity; -infinity ] do
        try
            Assignment.hungarian (array2D [ [ 1.0; 2.0 ]; [ 3.0; bad ] ]) |> ignore
            Assert.Fail "nothing was refused"
        with :? ArgumentException as error ->
            error.Message |> should startWith $"hungarian: cost[1, 1] is {bad}; every cost must be finite"

// The dual variables certify what no brute force could: here the best is known by construction.
[<Test>]
let ``a hidden best assignment of 200 is found`` () =
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
    |> should equal hidden

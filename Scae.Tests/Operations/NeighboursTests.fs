module Scae.Tests.Operations.NeighboursTests

open Scae.Tests.Claims
open Scae.Tests.Threads
open Expecto
open Scae.Tests.Turns
open FsCheck
open Scae.Tensors
open Scae.Tests.Values

/// The definition, place by place.
let private twin (offsets: struct (int * int)[]) (x: Tensor) : float[] =
    let b, s, n, d = x.shape[0], x.shape[1], x.shape[2], x.shape[3]
    let values = read x
    let wrap at size = ((at % size) + size) % size

    [|
        for i in 0 .. b - 1 do
            for t in 0 .. s - 1 do
                for m in 0 .. n - 1 do
                    for c in 0 .. d - 1 do
                        offsets
                        |> Array.sumBy (fun (struct (down, right)) ->
                            values[((i * s + wrap (t + down) s) * n + m) * d + wrap (c + right) d])
    |]

let private offsets: struct (int * int)[][] =
    [|
        [||]
        [| struct (0, 0) |]
        [| struct (1, 0); struct (0, -1) |]
        [| struct (-2, 3); struct (0, 0); struct (0, 0); struct (7, -9) |]
    |]

/// x with frames and entries rolled: y[t, c] = x[t − down, c − right].
let private rolled (down: int) (right: int) (x: Tensor) = x.neighbourSum [| struct (-down, -right) |]

[<Tests>]
let tests =
    testList
        "Operations.Neighbours"
        [
            testPropertyWithConfig (samples 100) "sums are those of the definition, whatever the sizes"
            <| fun (b: byte) (s: byte) (n: byte) (d: byte) (which: byte) ->
                let shape = [ int b % 3; 1 + int s % 7; 1 + int n % 4; 1 + int d % 20 ]
                let offsets = offsets[int which % offsets.Length]
                let x = real (int which) shape
                x.neighbourSum offsets |> shouldBeWithin 1e-12 (twin offsets x)

            testCase "a sequence that rolls has sums that roll, by any shift"
            <| fun () ->
                let x = real 3 [ 2; 5; 3; 7 ]
                let offsets = offsets[3]

                for down in -5 .. 5 do
                    for right in -7 .. 7 do
                        (rolled down right x).neighbourSum offsets
                        |> shouldAgree 1e-12 (rolled down right (x.neighbourSum offsets))

            testCase "sequences and capsules don't mix"
            <| fun () ->
                let x = Tensor.zeros ([| 2; 4; 3; 5 |], Dtype.Float64)
                x.Elements<float>()[(0 * 4 + 1) * 15 + 1 * 5 + 2] <- 1.0

                let all =
                    [|
                        for i in 0..3 do
                            for j in 0..4 do
                                struct (i, j)
                    |]

                let y = x.neighbourSum all
                read (y.select (0, 1)) |> Array.forall ((=) 0.0) |> shouldEqual true
                read ((y.select (0, 0)).select(1, 0)) |> Array.forall ((=) 0.0) |> shouldEqual true
                read ((y.select (0, 0)).select(1, 1)) |> Array.forall ((=) 1.0) |> shouldEqual true

            testCase "NaN goes to its neighbours alone"
            <| fun () ->
                let x = Tensor.zeros ([| 1; 3; 1; 3 |], Dtype.Float64)
                x.Elements<float>()[4] <- nan
                let y = read (x.neighbourSum [| struct (0, 0); struct (0, 1) |])
                y |> Array.map System.Double.IsNaN |> shouldEqual (Array.init 9 (fun i -> i = 3 || i = 4))

            testAlone "the bits don't depend on the number of threads"
            <| fun () ->
                let x = (real 5 [ 8; 18; 18; 18 ]).cast(Dtype.Float32)
                shouldBeSameOnAnyThreads (fun () -> (x.neighbourSum offsets[3]).toArray<float32>())

            testCase "offsets wrap however large they are"
            <| fun () ->
                let x = real 1 [ 1; 5; 2; 3 ]
                let far = struct (System.Int32.MaxValue, System.Int32.MinValue)
                // 2³¹ − 1 is 2 more than a multiple of 5, and −2³¹ is 1 more than one of 3.
                x.neighbourSum [| far |] |> shouldAgree 0.0 (x.neighbourSum [| struct (2, 1) |])

            testCase "other shapes are refused"
            <| fun () ->
                (fun () -> (real 1 [ 2; 3; 4 ]).neighbourSum [||])
                |> shouldSay "neighbourSum: [2, 3, 4]; needs [b, S, N, D]"

                (fun () -> (ints [ 1 ] [ 1; 1; 1; 1 ]).neighbourSum [||])
                |> shouldSay "neighbourSum: Int32 tensors hold indices, not numbers; cast to Float32 or Float64 first"
        ]

module Scae.Tests.UpdatesTests

open System
open Expecto
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tensors
open Scae.Tests.Values

let private tensor dtype (xs: float[]) = Tensor.``of``(xs).cast(dtype)

let private tolerance dtype = if dtype = Dtype.Float64 then 1e-14 else 2e-6

let private shouldBeClose dtype (expected: float[]) (actual: Tensor) =
    let found = read actual
    found.Length |> shouldEqual expected.Length

    for i in 0 .. expected.Length - 1 do
        abs (found[i] - expected[i]) |> shouldBeLessThan (tolerance dtype * (1.0 + abs expected[i]))

let private lengths = [ 0; 1; 7; 8; 9; 15; 16; 17; 33 ]

[<Tests>]
let tests =
    testList
        "Updates"
        [
            for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                testCase $"Adam follows Kingma and Ba's algorithm at every length around a vector ({dtype})"
                <| fun () ->
                    for n in lengths do
                        let p, m, v = values 1 n, Array.zeroCreate<float> n, Array.zeroCreate<float> n

                        let parameter, mean, square =
                            tensor dtype p, Tensor.zeros ([| n |], dtype), Tensor.zeros ([| n |], dtype)

                        for t in 1..3 do
                            let g = values (10 + t) n
                            Updates.Adam(parameter, tensor dtype g, mean, square, 0.1, 0.9, 0.999, 1e-8, t, 0.5)

                            for i in 0 .. n - 1 do
                                let gi = 0.5 * g[i]
                                m[i] <- 0.9 * m[i] + 0.1 * gi
                                v[i] <- 0.999 * v[i] + 0.001 * gi * gi
                                let mHat, vHat = m[i] / (1.0 - 0.9 ** t), v[i] / (1.0 - 0.999 ** t)
                                p[i] <- p[i] - 0.1 * mHat / (sqrt vHat + 1e-8)

                        parameter |> shouldBeClose dtype p
                        mean |> shouldBeClose dtype m
                        square |> shouldBeClose dtype v

                testCase $"an average goes a share of the way, at every length around a vector ({dtype})"
                <| fun () ->
                    for n in lengths do
                        let a, p = values 1 n, values 2 n
                        let expected = Array.map2 (fun a p -> a + 0.25 * (p - a)) a p
                        let average, parameter = tensor dtype a, tensor dtype p
                        Updates.Average(average, parameter, 0.25)
                        average |> shouldBeClose dtype expected
                        parameter |> shouldBeClose dtype p

            testAlone "a large parameter has the same bits on any number of threads, and as its parts alone"
            <| fun () ->
                let n = 200_003
                let series seed = Tensor.``of`` (values seed n |> Array.map float32)

                let updated (parts: (int * int) list) () =
                    let zeros () = Tensor.zeros [| n |]
                    let p, g, m, v, u = series 1, series 2, zeros (), zeros (), zeros ()

                    for first, last in parts do
                        let part (x: Tensor) = x.slice (0, first, last)
                        Updates.Adam(part p, part g, part m, part v, 0.1, 0.9, 0.999, 1e-8, 1L)
                        Updates.RmsProp(part p, part g, part v, 0.1, 0.9, 1e-8)
                        Updates.SgdMomentum(part p, part g, part u, 0.1, 0.9)

                    [ for x in [ p; m; v; u ] -> x.toArray<float32>() ]

                shouldBeSameOnAnyThreads (updated [ 0, n ])

                updated [ for first in 0..1000 .. n - 1 -> first, min n (first + 1000) ] ()
                |> shouldEqual (updated [ 0, n ] ())

            for dtype, inside in [ (Dtype.Float32, true); (Dtype.Float64, false); (Dtype.Float64, true) ] do
                testCase
                    $"RMSProp follows its formula with and without momentum, epsilon in or outside the root ({dtype}, {inside})"
                <| fun () ->
                    for n in lengths do
                        for momentum in [ 0.0; 0.9 ] do
                            let p, v, u = values 2 n, Array.zeroCreate<float> n, Array.zeroCreate<float> n

                            let parameter, square, velocity =
                                tensor dtype p, Tensor.zeros ([| n |], dtype), Tensor.zeros ([| n |], dtype)

                            for t in 1..3 do
                                let g = values (20 + t) n
                                let kept = if momentum = 0.0 then null else velocity

                                Updates.RmsProp(
                                    parameter,
                                    tensor dtype g,
                                    square,
                                    0.01,
                                    0.9,
                                    1e-3,
                                    2.0,
                                    kept,
                                    momentum,
                                    inside
                                )

                                for i in 0 .. n - 1 do
                                    let gi = 2.0 * g[i]
                                    v[i] <- 0.9 * v[i] + 0.1 * gi * gi
                                    let root = if inside then sqrt (v[i] + 1e-3) else sqrt v[i] + 1e-3
                                    u[i] <- momentum * u[i] + 0.01 * gi / root
                                    p[i] <- p[i] - u[i]

                            parameter |> shouldBeClose dtype p

            for dtype, nesterov in [ (Dtype.Float32, false); (Dtype.Float64, false); (Dtype.Float64, true) ] do
                testCase $"gradient descent gathers momentum as PyTorch does ({dtype}, {nesterov})"
                <| fun () ->
                    for n in lengths do
                        let p, u = values 3 n, Array.zeroCreate<float> n
                        let parameter, velocity = tensor dtype p, Tensor.zeros ([| n |], dtype)

                        for t in 1..3 do
                            let g = values (30 + t) n
                            Updates.SgdMomentum(parameter, tensor dtype g, velocity, 0.1, 0.9, 1.0, nesterov)

                            for i in 0 .. n - 1 do
                                u[i] <- 0.9 * u[i] + g[i]
                                p[i] <- p[i] - 0.1 * (if nesterov then g[i] + 0.9 * u[i] else u[i])

                        parameter |> shouldBeClose dtype p

            testCase "the global norm is that of all gradients together"
            <| fun () ->
                let a, b = values 4 33, values 5 17
                let expected = sqrt (Array.sumBy (fun x -> x * x) (Array.append a b))

                Updates.GlobalNorm [| tensor Dtype.Float64 a; tensor Dtype.Float64 b |]
                |> shouldBeNear 1e-12 expected

                Updates.GlobalNorm [| tensor Dtype.Float32 a; tensor Dtype.Float32 b |]
                |> shouldBeNear 1e-5 expected

                Updates.GlobalNorm [||] |> shouldEqual 0.0

            testCase "an update with a gradient of another shape says what would have fitted"
            <| fun () ->
                let p = Tensor.zeros [| 2; 3 |]

                (fun () ->
                    Updates.SgdMomentum(p, Tensor.zeros [| 3; 2 |], p, 0.1, 0.9)
                    p)
                |> shouldSay
                    "SgdMomentum: parameter [2, 3] Float32 with [3, 2] Float32; gradient and state must have the parameter's shape and dtype, Float32 or Float64"

            testCase "an update allocates nothing"
            <| fun () ->
                let p, g, m, v =
                    Tensor.ones [| 100 |], Tensor.ones [| 100 |], Tensor.zeros [| 100 |], Tensor.zeros [| 100 |]

                let gradients = [| g |]

                let step t =
                    let scale = min 1.0 (1.0 / Updates.GlobalNorm gradients)
                    Updates.Adam(p, g, m, v, 0.1, 0.9, 0.999, 1e-8, t, scale)

                step 1L
                let before = GC.GetAllocatedBytesForCurrentThread()
                step 2L
                GC.GetAllocatedBytesForCurrentThread() - before |> shouldEqual 0L
        ]

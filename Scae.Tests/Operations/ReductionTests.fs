module Scae.Tests.Operations.ReductionTests

open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values

/// The lines along an axis of [outer, n, inner], in the order of the result.
let private lines (axis: int) (x: Tensor) =
    let shape, all = x.shape, read x
    let n = shape[axis]
    let inner = Array.fold (*) 1 shape[axis + 1 ..]
    let outer = Array.fold (*) 1 shape[.. axis - 1]

    [|
        for o in 0 .. outer - 1 do
            for i in 0 .. inner - 1 -> Array.init n (fun k -> all[(o * n + k) * inner + i])
    |]

let private mean (xs: float[]) = Array.sum xs / float xs.Length

let private variance (xs: float[]) = Array.sumBy (fun x -> (x - mean xs) ** 2.0) xs / float (xs.Length - 1)

let private indexOf best (xs: float[]) = float (Array.findIndex ((=) (best xs)) xs)

let private reductions: (string * (int -> Tensor -> Tensor) * (float[] -> float)) list =
    [
        "sum", (fun axis x -> x.sum axis), Array.sum
        "mean", (fun axis x -> x.mean axis), mean
        "var", (fun axis x -> x.var axis), variance
        "std", (fun axis x -> x.std axis), variance >> sqrt
        "norm", (fun axis x -> x.norm axis), Array.sumBy (fun x -> x * x) >> sqrt
        "max", (fun axis x -> x.max axis), Array.max
        "min", (fun axis x -> x.min axis), Array.min
        "argmax", (fun axis x -> x.argmax axis), indexOf Array.max
        "logsumexp", (fun axis x -> x.logsumexp axis), Array.sumBy exp >> log
    ]

let private names = reductions |> List.map (fun (name, _, _) -> name)

let private along: (string * (int -> Tensor -> Tensor) * (float[] -> float[])) list =
    let softmax xs = let total = Array.sumBy exp xs in xs |> Array.map (fun x -> exp x / total)

    [
        "softmax", (fun axis x -> x.softmax axis), softmax
        "logsoftmax", (fun axis x -> x.logsoftmax axis), softmax >> Array.map log
        "cumsum", (fun axis x -> x.cumsum axis), Array.scan (+) 0.0 >> Array.tail
        "cumprod", (fun axis x -> x.cumprod axis), Array.scan (*) 1.0 >> Array.tail
        "repeat", (fun axis x -> x.repeat (axis, 2)), (fun xs -> Array.append xs xs)
        "cat", (fun axis x -> Tensor.cat ([ x; x + 1.0 ], axis)), (fun xs -> Array.append xs (Array.map ((+) 1.0) xs))
        "indexSelect", (fun axis x -> x.indexSelect (axis, [| 1; 0; 1 |])), (fun xs -> [| xs[1]; xs[0]; xs[1] |])
    ]

let private alongNames = along |> List.map (fun (name, _, _) -> name)

[<Tests>]
let tests =
    testList
        "Operations.Reduction"
        [
            for name in names do
                testCase $"a reduction along an axis agrees with a loop over each line ({name})"
                <| fun () ->
                    let _, f, twin = reductions |> List.find (fun (n, _, _) -> n = name)

                    for shape in
                        [ [ 5 ]; [ 2; 17 ]; [ 17; 2 ]; [ 3; 4; 5 ]; [ 2; 33; 3 ]; [ 2; 0; 3 ]; [ 1; 4 ]; [ 4; 1; 3 ] ] do
                        let x = real 1 shape

                        for axis in 0 .. shape.Length - 1 do
                            // The variance of one value is not a number, and nothing has no maximum.
                            if shape[axis] > 1 || shape[axis] = 1 && name <> "var" && name <> "std" then
                                f axis x |> shouldBeWithin 1e-12 (lines axis x |> Array.map twin)
                                f (axis - shape.Length) x |> shouldHaveShape (List.removeAt axis shape)

            for rows, columns in [ (10000, 2); (1000003, 3) ] do
                testCase $"a sum over many rows loses no digits ({rows}, {columns})"
                <| fun () ->
                    let x = Tensor.full ([| rows; columns |], 0.1, Dtype.Float32)
                    let mean = x.mean(0).toArray<float32>()
                    mean |> Array.iter (fun value -> float value / float 0.1f |> shouldBeNear 2e-6 1.0)

            testCase "a sum over more rows than are added in order agrees with a loop"
            <| fun () ->
                for rows in [ 127; 128; 129; 255; 257; 1000 ] do
                    let x = real 2 [ 2; rows; 3 ]
                    x.sum 1 |> shouldBeWithin 1e-11 (lines 1 x |> Array.map Array.sum)

            for name in alongNames do
                testCase $"an operation along an axis agrees with a loop over each line ({name})"
                <| fun () ->
                    let _, f, twin = along |> List.find (fun (n, _, _) -> n = name)

                    for shape in [ [ 5 ]; [ 2; 17 ]; [ 17; 2 ]; [ 3; 4; 5 ]; [ 2; 33; 3 ] ] do
                        let x = real 1 shape

                        for axis in 0 .. shape.Length - 1 do
                            let y = f axis x
                            let expected = lines axis x |> Array.map twin

                            lines axis y
                            |> Array.concat
                            |> Tensor.``of``
                            |> shouldBeWithin 1e-12 (Array.concat expected)

            testCase "few terms have the bits of the same terms and zeros"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    for n in 1..6 do
                        let x = tensorOf dtype n [| 200; n |] * 1e3
                        let padded = Tensor.cat ([| x; Tensor.zeros ([| 200; 40 |], dtype) |], 1)
                        read (x.sum 1) |> shouldEqual (read (padded.sum 1))

                    let zeros = Tensor.zeros ([| 3; 2 |], dtype)
                    read ((-zeros).sum 1) |> Array.forall (fun sum -> 1.0 / sum > 0.0) |> shouldEqual true

            testCase "sums over several axes and of nothing"
            <| fun () ->
                let x = real 1 [ 2; 3; 4 ]
                x.sum [| 0; 2 |] |> shouldAgree 1e-14 (x.sum(2).sum 0)
                x.sum ([| 0; 2 |], true) |> shouldHaveShape [ 1; 3; 1 ]
                (real 1 [ 0; 3 ]).sum 0 |> shouldBe [ 0.0; 0.0; 0.0 ]
                (real 1 [ 0 ]).mean() |> shouldBe [ nan ]

            testCase "the variance of one value is not a number"
            <| fun () -> (ofList [ 3.0 ] [ 1 ]).var() |> shouldBe [ nan ]

            testCase "maxima take the first of equals and let NaN win"
            <| fun () ->
                let x = (ofList [ 1.0; 3.0; 3.0; 0.0 ] [ 4 ]).reverseDiff()
                x.max().reverse()
                x.derivative |> shouldBe [ 0.0; 1.0; 0.0; 0.0 ]
                x.argmax 0 |> shouldBe [ 1.0 ]
                (ofList [ 1.0; nan; 3.0 ] [ 3 ]).max() |> shouldBe [ nan ]

            testCase "softmax is stable for rows a thousand apart, forward and backward"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    let x = (ofList [ 1000.0; 1001.0; -200.0; -201.0 ] [ 2; 2 ]).cast(dtype).reverseDiff()
                    let p = 1.0 / (1.0 + exp 1.0)
                    let y = x.softmax 1
                    y |> shouldBeWithin 1e-6 [| p; 1.0 - p; 1.0 - p; p |]
                    (y.select (1, 0)).sum().reverse()
                    let s = p * (1.0 - p)
                    x.derivative |> shouldBeWithin 1e-6 [| s; -s; s; -s |]

            testCase "logsoftmax is exact on far rows"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    let x = (ofList [ 20000.0; 20001.0; 0.0; -20000.0 ] [ 2; 2 ]).cast(dtype)
                    let p = log (1.0 + exp 1.0)
                    x.logsoftmax 1 |> shouldBeWithin 1e-6 [| -p; 1.0 - p; 0.0; -20000.0 |]

            testCase "logsumexp of minus infinities is minus infinity without a gradient"
            <| fun () ->
                let x = (ofList [ -infinity; -infinity; 0.0; -infinity ] [ 2; 2 ]).reverseDiff()
                let y = x.logsumexp 1
                y |> shouldBe [ -infinity; 0.0 ]
                y.reverse (Tensor.ones ([| 2 |], Dtype.Float64))
                x.derivative |> shouldBe [ 0.0; 0.0; 1.0; 0.0 ]

            testCase "the gradient of logsumexp is a softmax however far the row is"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    for far in [ 2e4; 2e7; -3e7; 1e13; -1e20 ] do
                        let x = (ofList [ far; far; -infinity; 0.0; 0.0; 0.0 ] [ 2; 3 ]).cast(dtype).reverseDiff()
                        (x.logsumexp 1).reverse((ofList [ 1.0; 3.0 ] [ 2 ]).cast dtype)
                        x.derivative |> shouldBeWithin 1e-6 [| 0.5; 0.5; 0.0; 1.0; 1.0; 1.0 |]

            testCase "the gradient of logsumexp is e to the x − y in ordinary rows"
            <| fun () ->
                for dtype, reach in [ Dtype.Float32, 4e3; Dtype.Float64, 4e11 ] do
                    let x = (tensorOf dtype 1 [| 50; 7 |] * reach).reverseDiff()
                    let y = x.logsumexp (1, true)
                    y.reverse (y.onesLike ())
                    x.derivative |> shouldAgree 0.0 ((x.primal - y.primal).exp())

            testCase "the gradient of gather adds up where positions are repeated"
            <| fun () ->
                let x = (ofList [ 1.0; 2.0; 3.0 ] [ 1; 3 ]).reverseDiff()
                let y = x.gather (1, ints [ 2; 2; 0; 2 ] [ 1; 4 ])
                y |> shouldBe [ 3.0; 3.0; 1.0; 3.0 ]
                y.reverse (ofList [ 1.0; 10.0; 100.0; 1000.0 ] [ 1; 4 ])
                x.derivative |> shouldBe [ 100.0; 0.0; 1011.0 ]

            testCase "gather reads a shorter index's part of the other axes"
            <| fun () ->
                let x = ofList [ 0.0 .. 5.0 ] [ 2; 3 ]
                x.gather (1, ints [ 2; 0 ] [ 1; 2 ]) |> shouldBe [ 2.0; 0.0 ]
                x.gather (0, ints [ 1; 0 ] [ 1; 2 ]) |> shouldBe [ 3.0; 1.0 ]

            testCase "onehot, pad and stack make what they say"
            <| fun () ->
                (ints [ 2; 0 ] [ 2 ]).onehot 3 |> shouldBe [ 0.0; 0.0; 1.0; 1.0; 0.0; 0.0 ]
                Tensor.onehot (3, 1) |> shouldBe [ 0.0; 1.0; 0.0 ]
                let x = ofList [ 1.0; 2.0; 3.0; 4.0 ] [ 2; 2 ]
                x.pad (0, 1) |> shouldBe [ 0.0; 1.0; 2.0; 0.0; 0.0; 3.0; 4.0; 0.0 ]
                Tensor.stack ([ x; x * 2.0 ], 2) |> shouldBe [ 1.0; 2.0; 2.0; 4.0; 3.0; 6.0; 4.0; 8.0 ]
                Tensor.cat ([ ints [ 1 ] [ 1 ]; ints [ 2; 3 ] [ 2 ] ]) |> shouldBe [ 1.0; 2.0; 3.0 ]

            testCase "the gradient of cumprod is right where elements are zero"
            <| fun () ->
                let x = (ofList [ 2.0; 0.0; 3.0; 0.0; 5.0 ] [ 5 ]).reverseDiff()
                x.cumprod(0).sum().reverse()
                // y = a, ab, abc, abcd, abcde
                x.derivative |> shouldBe [ 1.0; 2.0 + 6.0; 0.0; 0.0; 0.0 ]
        ]

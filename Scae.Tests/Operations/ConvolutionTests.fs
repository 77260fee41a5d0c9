/// Convolution with many channels, whose path differs from that of few, and its gradients against loops.
module Scae.Tests.Operations.ConvolutionTests

open Expecto
open Scae.Tests.Turns
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tests.Values
open Scae.Tests.Differentiation

/// Windows cut out one by one and multiplied as a matrix: the twin of conv2d, made of pads, slices and a product.
let private twin stride padding (xs: Tensor list) =
    let x, f, bias = xs[0], xs[1], xs[2]
    let padded = x.pad [| 0; 0; padding; padding |]
    let o, c, kh, kw = f.size 0, f.size 1, f.size 2, f.size 3
    let rows, columns = (padded.size 2 - kh) / stride + 1, (padded.size 3 - kw) / stride + 1

    let seen =
        [
            for i in 0 .. kh - 1 do
                for j in 0 .. kw - 1 ->
                    (padded
                        .slice(2, i, i + (rows - 1) * stride + 1, stride)
                        .slice(3, j, j + (columns - 1) * stride + 1, stride))
                        .contiguous()
                        .view(x.size 0, c, 1, rows * columns)
        ]

    let patches = Tensor.cat(seen, 2).contiguous().view(x.size 0, c * kh * kw, rows * columns)
    (f.contiguous().view(o, c * kh * kw).matmul(patches) + bias.view (1, o, 1)).view(x.size 0, o, rows, columns)

/// (b, c, h, w, o, kh, kw, stride, padding): around the width of a vector and of a panel, and with every rest.
let private cases =
    [
        3, 16, 7, 7, 32, 3, 3, 1, 0
        2, 17, 9, 7, 5, 3, 3, 2, 0
        9, 33, 5, 5, 40, 3, 3, 1, 0
        1, 64, 4, 19, 31, 2, 3, 1, 0
        2, 16, 6, 5, 3, 3, 2, 2, 1
        20, 16, 3, 3, 16, 3, 3, 1, 0
        2, 8, 5, 6, 9, 3, 3, 1, 2
        3, 1, 9, 8, 8, 7, 7, 1, 3
        2, 3, 6, 7, 5, 2, 5, 1, 0
        2, 4, 5, 9, 3, 5, 3, 1, 1
        1, 24, 3, 3, 33, 1, 1, 3, 0
        0, 16, 3, 3, 2, 3, 3, 1, 0
        2, 16, 3, 3, 0, 3, 3, 1, 0
    ]

let private drawn dtype (b, c, h, w, o, kh, kw) =
    let of' seed shape = tensorOf dtype seed (Array.ofList shape)
    [ of' 1 [ b; c; h; w ]; of' 2 [ o; c; kh; kw ] * 0.1; of' 3 [ o ] ]

let private gradients f (xs: Tensor list) = f xs :: GradientCheck.reverse f xs

[<Tests>]
let tests =
    testList
        "Operations.Convolution"
        [
            testCase "conv2d agrees with windows cut out one by one, values and gradients"
            <| fun () ->
                for b, c, h, w, o, kh, kw, stride, padding in cases do
                    let inputs = drawn Dtype.Float64 (b, c, h, w, o, kh, kw)
                    let fused (xs: Tensor list) = xs[0].conv2d(xs[1], stride, padding, xs[2])
                    fused inputs |> shouldAgree 1e-11 (twin stride padding inputs)

                    for a, e in
                        List.zip
                            (GradientCheck.reverse fused inputs)
                            (GradientCheck.reverse (twin stride padding) inputs) do
                        a |> shouldAgree 1e-10 e

            testCase "an activation is applied to the sums"
            <| fun () ->
                let inputs = drawn Dtype.Float64 (3, 16, 7, 6, 20, 3, 3)

                for activation, f in
                    [
                        Activation.Relu, (fun (z: Tensor) -> z.relu ())
                        Activation.Sigmoid, _.sigmoid()
                        Activation.Tanh, _.tanh()
                    ] do
                    let fused (xs: Tensor list) = xs[0].conv2d(xs[1], 2, 0, xs[2], activation)
                    let plain (xs: Tensor list) = f (xs[0].conv2d(xs[1], 2) + xs[2].view(1, 20, 1, 1))

                    for a, e in List.zip (gradients fused inputs) (gradients plain inputs) do
                        a |> shouldAgree 1e-11 e

            testCase "an image that is used twice gets both gradients"
            <| fun () ->
                let inputs = drawn Dtype.Float64 (2, 16, 6, 6, 8, 3, 3)

                for padding in [ 0; 1 ] do
                    let fused (xs: Tensor list) =
                        xs[0].conv2d(xs[1], 1, padding, xs[2]) * 2.0 + xs[0].conv2d(xs[1], 1, padding)

                    let plain (xs: Tensor list) = twin 1 padding xs * 2.0 + twin 1 padding [ xs[0]; xs[1]; xs[2] * 0.0 ]

                    for a, e in List.zip (gradients fused inputs) (gradients plain inputs) do
                        a |> shouldAgree 1e-10 e

            testAlone "the number of threads changes no bit of values and gradients"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    for channels, stride in [ 1, 1; 1, 2; 32, 2 ] do
                        let inputs = drawn dtype (19, channels, 9, 9, 40, 3, 3)
                        let f (xs: Tensor list) = xs[0].conv2d(xs[1], stride, 0, xs[2], Activation.Relu)
                        shouldBeSameOnAnyThreads (fun () -> gradients f inputs |> List.map read)

            testCase "float32 comes near float64"
            <| fun () ->
                for b, c, h, w, o, kh, kw, stride, padding in cases do
                    let f (xs: Tensor list) = xs[0].conv2d(xs[1], stride, padding, xs[2], Activation.Relu)
                    let wide = drawn Dtype.Float64 (b, c, h, w, o, kh, kw)
                    let narrow = wide |> List.map _.cast(Dtype.Float32)

                    for near, exact in List.zip (gradients f narrow) (gradients f wide) do
                        near.cast (Dtype.Float64) |> shouldAgree 1e-3 exact

            testCase "a replay gives the bits of an eager run, with many channels too"
            <| fun () ->
                let inputs = drawn Dtype.Float32 (5, 32, 9, 9, 40, 3, 3) |> List.map _.reverseDiff()

                let loss () =
                    (let y = inputs[0].conv2d(inputs[1], 2, 0, inputs[2], Activation.Relu) in (y * y).sum())

                let recording = Recording.Of(fun () -> Seq.singleton (loss ()))
                recording.Forward()
                recording.Reverse()
                let replayed = inputs |> List.map (fun x -> read x.derivative)
                loss().reverse()
                inputs |> List.map (fun x -> read x.derivative) |> shouldEqual replayed

            testCase "NaN in an image reaches what sees it and nothing else"
            <| fun () ->
                let x = real 1 [ 1; 16; 5; 5 ]
                x.Elements<float>()[0] <- nan
                let y = x.conv2d (real 2 [ 3; 16; 3; 3 ])
                read y |> Array.filter System.Double.IsNaN |> Array.length |> shouldEqual 3

            testCase "what isn't finite in an image reaches the places of filters that see it and nothing else"
            <| fun () ->
                for channels in [ 1; 16 ] do
                    for corner in [ nan; infinity ] do
                        // The first pixel of the second row: in memory it follows the end of the first, over which no window reaches.
                        let x, filters = real 1 [ 1; channels; 5; 5 ], (real 2 [ 3; channels; 3; 3 ]).reverseDiff()
                        x.Elements<float>()[5] <- corner
                        let y = x.conv2d filters
                        read y |> Array.filter (System.Double.IsFinite >> not) |> Array.length |> shouldEqual 6
                        y.sum().reverse()

                        read filters.derivative
                        |> Array.filter (System.Double.IsFinite >> not)
                        |> Array.length
                        |> shouldEqual 6

            testCase "errors name what doesn't fit"
            <| fun () ->
                shouldSay "conv2d: bias [3] with filters [2, 4, 3, 3]; needs [o] and [o, c, kh, kw]" (fun () ->
                    (real 1 [ 1; 4; 5; 5 ]).conv2d(real 2 [ 2; 4; 3; 3 ], bias = real 3 [ 3 ]))

            testCase "sizes whose buffers no array holds are refused before anything is computed"
            <| fun () ->
                let images channels side = Tensor.zeros [| 1; channels; side; side |]

                for x, filters, stride, padding in
                    [
                        // 2³² elements with the padding, which 32 bits take for none.
                        images 16 8, Tensor.zeros [| 1; 16; 3; 3 |], 8188, 8188
                        // 768 numbers at each of 2,033² places.
                        images 3 2048, Tensor.zeros [| 2; 3; 16; 16 |], 1, 0
                        images 1 4, Tensor.zeros [| 1; 1; 3; 3 |], 1, System.Int32.MaxValue
                    ] do
                    messageOf<ShapeError>(fun () -> x.conv2d (filters, stride, padding) |> ignore)
                    |> shouldStartWith "conv2d: "

                messageOf<ShapeError>(fun () ->
                    (Tensor.zeros [| 1; 1; 3; 1 |])
                        .convTranspose2d(Tensor.zeros [| 1; 1; 5; 1 |], System.Int32.MaxValue)
                    |> ignore)
                |> shouldStartWith "convTranspose2d: "

            testCase "images without channels show nothing"
            <| fun () ->
                // What a thread computed before must not be seen.
                (real 1 [ 1; 2; 8; 8 ]).conv2d(real 2 [ 2; 2; 3; 3 ]) |> ignore

                (Tensor.zeros ([| 1; 0; 8; 8 |], Dtype.Float64)).conv2d(Tensor.zeros ([| 2; 0; 3; 3 |], Dtype.Float64))
                |> shouldAgree 0.0 (Tensor.zeros ([| 1; 2; 6; 6 |], Dtype.Float64))

            testCase "kernels may have more places than a job has parts"
            <| fun () ->
                let x, filters = real 1 [ 8; 8; 190; 190 ], real 2 [ 1; 8; 190; 190 ]
                (x.conv2d filters).view(-1) |> shouldAgree 1e-6 ((x * filters).view(8, -1).sum(1))
        ]

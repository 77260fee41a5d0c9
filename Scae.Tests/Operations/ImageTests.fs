module Scae.Tests.Operations.ImageTests

open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values
open Scae.Tests.Differentiation

let private poses (rows: float list list) = ofList (List.concat rows) [ rows.Length; 3 ]

/// Bilinear interpolation by hand, one place at a time.
let private sample (image: float[]) h w (x: float) (y: float) =
    let px, py = (x + 1.0) / 2.0 * float (w - 1), (y + 1.0) / 2.0 * float (h - 1)

    Seq.sum (
        seq {
            for r in 0 .. h - 1 do
                for c in 0 .. w - 1 ->
                    image[r * w + c] * max 0.0 (1.0 - abs (py - float r)) * max 0.0 (1.0 - abs (px - float c))
        }
    )

/// Cross-correlation in seven loops.
let private correlate (x: Tensor) (f: Tensor) stride padding =
    let xs, fs, s, t = read x, read f, x.shape, f.shape
    let rows, columns = (s[2] + 2 * padding - t[2]) / stride + 1, (s[3] + 2 * padding - t[3]) / stride + 1

    let pixel b c y x =
        if y < 0 || x < 0 || y >= s[2] || x >= s[3] then
            0.0
        else
            xs[((b * s[1] + c) * s[2] + y) * s[3] + x]

    [|
        for b in 0 .. s[0] - 1 do
            for o in 0 .. t[0] - 1 do
                for r in 0 .. rows - 1 do
                    for q in 0 .. columns - 1 ->
                        Seq.sum (
                            seq {
                                for c in 0 .. t[1] - 1 do
                                    for i in 0 .. t[2] - 1 do
                                        for j in 0 .. t[3] - 1 ->
                                            fs[((o * t[1] + c) * t[2] + i) * t[3] + j]
                                            * pixel b c (r * stride - padding + i) (q * stride - padding + j)
                            }
                        )
    |]

[<Tests>]
let tests =
    testList
        "Operations.Image"
        [
            for inverse in [ false; true ] do
                testCase $"the spatial transform is sampling on an affine grid, values and gradients ({inverse})"
                <| fun () ->
                    let pose = poses [ [ 0.7; 0.1; -0.3 ]; [ 1.6; -0.9; 0.45 ]; [ 0.31; 0.8; 0.77 ] ]

                    for h, w, height, width in [ 5, 4, 7, 9; 17, 16, 3, 3; 1, 1, 4, 5; 3, 6, 1, 1 ] do
                        let fused (xs: Tensor list) = xs[0].spatialTransform(xs[1], height, width, inverse)
                        let twin (xs: Tensor list) = xs[0].gridSample(xs[1].affineGrid(height, width, inverse))
                        let inputs = [ real 1 [ 3; 2; h; w ]; pose ]
                        fused inputs |> shouldAgree 1e-12 (twin inputs)

                        for a, b in List.zip (GradientCheck.reverse fused inputs) (GradientCheck.reverse twin inputs) do
                            a |> shouldAgree 1e-11 b

            testCase "gridSample weighs the four neighbours, those outside as zero"
            <| fun () ->
                let image, grid = real 1 [ 1; 1; 4; 5 ], real 2 [ 1; 6; 7; 2 ] * 0.8
                let places = read grid |> Array.chunkBySize 2

                image.gridSample grid
                |> shouldBeWithin 1e-12 (places |> Array.map (fun p -> sample (read image) 4 5 p[0] p[1]))

            testCase "the affine grid has aligned corners, and one pixel alone in the middle"
            <| fun () ->
                (poses [ [ 0.5; 0.25; -0.25 ] ]).affineGrid(1, 3)
                |> shouldBe [ -0.25; -0.25; 0.25; -0.25; 0.75; -0.25 ]

                (poses [ [ 1.0; 0.0; 0.0 ] ]).affineGrid(1, 1) |> shouldBe [ 0.0; 0.0 ]

                (ofList [ 1.0; 2.0; 3.0; 4.0; 5.0; 6.0; 7.0; 8.0; 9.0 ] [ 1; 1; 3; 3 ])
                    .spatialTransform(poses [ [ 1.0; 0.0; 0.0 ] ], 1, 1)
                |> shouldBe [ 5.0 ]

                (poses [ [ 0.5; 0.25; 0.0 ] ]).affineGrid(2, 2, true).select(3, 0)
                |> shouldBe [ -2.5; 1.5; -2.5; 1.5 ]

            testCase "the identity pose is the identity in both directions"
            <| fun () ->
                let x = real 1 [ 2; 3; 5; 6 ]
                let pose = poses [ [ 1.0; 0.0; 0.0 ]; [ 1.0; 0.0; 0.0 ] ]
                x.spatialTransform (pose, 5, 6) |> shouldAgree 1e-12 x
                x.spatialTransform (pose, 5, 6, true) |> shouldAgree 1e-12 x

            testCase "rendering a patch and cutting it out again returns it"
            <| fun () ->
                // A 9 × 9 patch at half size on a 33 × 33 canvas falls on whole pixels twice as fine as its own.
                let patch = real 1 [ 1; 1; 9; 9 ]
                let pose = poses [ [ 0.5; 0.25; -0.25 ] ]
                let canvas = patch.spatialTransform (pose, 33, 33, true)
                canvas.spatialTransform (pose, 9, 9) |> shouldAgree 1e-12 patch

            testCase "far and undefined poses give zeros and NaN, not errors"
            <| fun () ->
                let x = real 1 [ 1; 1; 3; 3 ]

                x.spatialTransform (poses [ [ 1e-300; 0.3; 0.3 ] ], 2, 2, true)
                |> read
                |> Array.sumBy abs
                |> shouldEqual 0.0

                x.spatialTransform (poses [ [ 1.0; 1e300; 0.0 ] ], 2, 2) |> shouldBe [ 0.0; 0.0; 0.0; 0.0 ]
                x.spatialTransform (poses [ [ nan; 0.0; 0.0 ] ], 2, 2) |> shouldBe [ nan; nan; nan; nan ]

            testCase "conv2d agrees with seven loops"
            <| fun () ->
                for stride, padding in [ 1, 0; 2, 0; 1, 2; 2, 1; 3, 1 ] do
                    let x, f = real 1 [ 2; 3; 7; 6 ], real 2 [ 4; 3; 3; 2 ]
                    x.conv2d (f, stride, padding) |> shouldBeWithin 1e-12 (correlate x f stride padding)

            testCase "convTranspose2d is the transpose of conv2d"
            <| fun () ->
                for stride, padding in [ 1, 0; 2, 0; 1, 1; 2, 1 ] do
                    let x, f = real 1 [ 2; 3; 7; 7 ], real 2 [ 4; 3; 3; 3 ]
                    let y = x.conv2d (f, stride, padding)
                    let z = real 3 (List.ofArray y.shape)
                    let back = z.convTranspose2d (f, stride, padding)
                    back |> shouldHaveShape [ 2; 3; 7; 7 ]
                    (y * z).sum() |> shouldAgree 1e-12 ((x * back).sum())

        ]

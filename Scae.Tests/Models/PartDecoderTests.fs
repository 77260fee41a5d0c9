module Scae.Tests.Models.PartDecoderTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims

/// A single sheet put on a canvas.
let private place (canvas: int) (pose: float list) (sheet: Tensor) =
    PartDecoder.place canvas (Values.ofList pose [ 1; 1; 6 ]) sheet

let private sheet = Values.real 1 [ 1; 1; 11; 11 ]

let private config: ScaeConfig =
    { ScaeConfig.paper with Canvas = 40; Parts = 3; Features = 2; Colour = 0 }

let private parts (poses: Tensor) (presence: float) : Parts =
    let b, m = poses.shape[0], poses.shape[1]

    {
        Poses = poses
        Features = Tensor.zeros ([| b; m; 2 |], Dtype.Float64)
        Presence = Tensor.full ([| b; m |], presence, Dtype.Float64)
    }

let private anywhere = Pose.ofRaw PoseKind.Affine (Values.real 4 [ 2; 3; 6 ])

let private decoder (config: ScaeConfig) = PartDecoder.init config Dtype.Float64 (Key.OfSeed 1L)

[<Tests>]
let tests =
    testList
        "Models.PartDecoder"
        [
            testCase "the identity on a canvas of the template's size is the template"
            <| fun () -> place 11 [ 1.0; 0.0; 0.0; 0.0; 1.0; 0.0 ] sheet |> Values.shouldAgree 1e-12 sheet

            testCase "a shift by a canvas pixel moves it by one, to the right and down"
            <| fun () ->
                let moved = place 11 [ 1.0; 0.0; 0.2; 0.0; 1.0; 0.2 ] sheet
                let inner (x: Tensor) first last = (x.slice (2, first, last)).slice(3, first, last)
                inner moved 1 11 |> Values.shouldAgree 1e-10 (inner sheet 0 10)

            testCase "a linear ramp is resampled exactly inside"
            <| fun () ->
                let ramp = Tensor.linspace(-1.0, 1.0, 11, Dtype.Float64).view(1, 1, 1, 11).expand(1, 1, 11, 11)
                let canvas = 41
                // Scale ½, shifted by 0.1: x of the template is 2(x − 0.1).
                let drawn = (place canvas [ 0.5; 0.0; 0.1; 0.0; 0.5; 0.0 ] ramp).toArray<float>()

                for column in 0 .. canvas - 1 do
                    let x = -1.0 + 2.0 * float column / 40.0
                    let inside = 2.0 * (x - 0.1)

                    if abs inside < 0.99 then
                        drawn[20 * canvas + column] |> shouldBeNear 1e-12 inside

            testCase "samples a template pixel outside are 0, and blend to it in between"
            <| fun () ->
                let ones = Tensor.ones ([| 1; 1; 11; 11 |], Dtype.Float64)
                // On an 11 × 11 canvas a shift of 0.2 is a pixel; the left column then samples at −1.
                let row shift = (place 11 [ 1.0; 0.0; shift; 0.0; 1.0; 0.0 ] ones).toArray<float>()[55]
                row 0.2 |> shouldBeNear 1e-12 0.0
                row 0.1 |> shouldBeNear 1e-12 0.5
                row -0.2 |> shouldBeNear 1e-12 1.0

            testCase "a perfect drawing has −1470.30 nats on 40 × 40 pixels, −720.45 on 28 × 28"
            <| fun () ->
                for side, expected in [ 40, -1470.30; 28, -720.45 ] do
                    let config = { config with Canvas = side }
                    // No part is there, and the background is the image.
                    let model = { decoder config with Background = Values.ofList [ 0.3 ] [ 1 ] }
                    let image = Tensor.full ([| 2; 1; side; side |], 1.0 / (1.0 + exp -0.3), Dtype.Float64)

                    for found in (PartDecoder.logLikelihood config model (parts anywhere 0.0) image).toArray<float>() do
                        found |> shouldBeNear 0.005 expected

            testCase "without any part the background's Gaussian is left"
            <| fun () ->
                let model = { decoder config with Background = Values.ofList [ 0.0 ] [ 1 ] }
                let image = Tensor.full ([| 2; 1; 40; 40 |], 0.9, Dtype.Float64)
                let expected = -1600.0 * (0.5 * log (2.0 * Math.PI) + 0.5 * 0.16)

                for found in (PartDecoder.logLikelihood config model (parts anywhere 0.0) image).toArray<float>() do
                    found |> shouldBeNear 1e-6 expected

            testCase "mixing weights sum to one, and the mean weighs what is drawn by them"
            <| fun () ->
                for mixing in [ PixelMixing.Alpha; PixelMixing.Coupled ] do
                    let config = { config with Mixing = mixing }
                    let drawing = PartDecoder.draw config (decoder config) (parts anywhere 0.7)
                    let sums = (drawing.Mixing.exp ()).sum 1
                    sums |> Values.shouldAgree 1e-12 (sums.onesLike ())
                    let components (x: Tensor) = Values.read x |> Array.chunkBySize (40 * 40) |> Array.chunkBySize 4
                    let values, mixing = components drawing.Values, components drawing.Mixing

                    let expected =
                        [|
                            for image in 0..1 do
                                for pixel in 0 .. 40 * 40 - 1 ->
                                    Array.map2
                                        (fun (values: float[]) (mixing: float[]) -> exp mixing[pixel] * values[pixel])
                                        values[image]
                                        mixing[image]
                                    |> Array.sum
                        |]

                    let mean = PartDecoder.mean drawing
                    mean |> Values.shouldHaveShape [ 2; 40; 40 ]
                    mean |> Values.shouldBeWithin 1e-12 expected

            testCase "the likelihood is that of what is drawn, with its gradients"
            <| fun () ->
                for mixing, values, hidden in
                    [
                        PixelMixing.Alpha, PixelValues.Sigmoid, 4
                        PixelMixing.Alpha, PixelValues.Sigmoid, 0
                        PixelMixing.Coupled, PixelValues.Clipped, 4
                    ] do
                    let config = { config with Canvas = 20; Mixing = mixing; Values = values; Colour = hidden }
                    let images = Values.real 7 [ 2; 1; 20; 20 ]

                    let given (parameters: PartDecoder * Tensor) =
                        let model, features = parameters
                        model, { parts anywhere 0.7 with Features = features }

                    let fused parameters =
                        let model, parts = given parameters
                        PartDecoder.logLikelihood config model parts images

                    let composed parameters =
                        let model, parts = given parameters
                        let drawing = PartDecoder.draw config model parts
                        let pixels = drawing.Mixing + images.gaussianLogLikelihood (drawing.Values, 1.0)
                        (pixels.logsumexp 1).sum [| 1; 2 |]

                    let run (likelihood: PartDecoder * Tensor -> Tensor) =
                        let model = decoder config |> Parameters.trainable
                        let features = (Values.real 8 [ 2; 3; 2 ]).reverseDiff()
                        let found = likelihood (model, features)
                        (found * Values.ofList [ 1.0; -0.7 ] [ 2 ]).sum().reverse()
                        found, ("features", features) :: Parameters.named model |> List.map (snd >> _.derivative)

                    let fused, composed = run fused, run composed
                    fst fused |> Values.shouldAgree 1e-10 (fst composed)
                    List.iter2 (Values.shouldAgree 1e-10) (snd composed) (snd fused)

            testCase "templates start as rows of an orthogonal matrix, stretched to [0, 1] together"
            <| fun () ->
                let templates = (decoder ScaeConfig.paper).Templates
                templates |> Values.shouldHaveShape [ 40; 11; 11 ]
                (templates.min ()).toScalar() |> shouldBeNear 1e-12 0.0
                (templates.max ()).toScalar() |> shouldBeNear 1e-12 1.0
                let values = PartDecoder.values ScaeConfig.paper (decoder ScaeConfig.paper)
                (values.min ()).toScalar() |> shouldBeNear 1e-9 0.5
                (values.max ()).toScalar() |> shouldBeNear 1e-3 0.731
                // Undoing the stretch: rows are orthogonal up to a common shift and scale.
                let rows = templates.view (40, 121)
                let centred = rows - rows.mean ()
                let gram = (centred.matmul (centred.transpose ())).toArray<float>()
                let diagonal = [| for i in 0..39 -> gram[41 * i] |]

                let other =
                    [|
                        for i in 0..39 do
                            for j in 0..39 do
                                if i <> j then
                                    abs gram[40 * i + j]
                    |]

                Array.max other |> shouldBeLessThan (0.2 * Array.average diagonal)
        ]

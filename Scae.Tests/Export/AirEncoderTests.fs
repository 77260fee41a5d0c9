/// Inference of attend-infer-repeat in ONNX Runtime.
module Scae.Tests.Export.AirEncoderTests

open Expecto
open Scae.Tests.Turns
open Scae.Cli.Export
open Scae.Core.Experiments
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Export.Onnx

let private small: AirConfig =
    { Air.published with
        Canvas = 13
        Steps = 3
        What = 4
        Patch = 8
        Hidden = 11
        Features = 9
        GlimpseHidden = 10
        DecoderHidden = 6
    }

let private recurrent: AirConfig =
    { small with
        Encoding = AirEncoding.Recurrent
        Overview = 7
        Finder = 3
        Evidence = true
        Presence = AirPresence.Discrete
        WhereDrawn = true
        LogScale = -0.8
        Sigma = 0.4
    }

let private variants: (string * AirConfig) list =
    [
        "one look", small
        "one look, where it is drawn", { small with WhereDrawn = true; Steps = 1 }
        "a look a step, as in the paper", recurrent
        "a wider glimpse, transposed convolutions, a union",
        { recurrent with
            Context = 5
            Decoding = AirDecoding.Convolutional
            Composition = AirComposition.Union
            Presence = AirPresence.Expected
        }
        "a look at the whole scene", { recurrent with Counter = 2 }
        "a look at the whole scene, relaxed", { recurrent with Counter = 2; Presence = AirPresence.Relaxed }
        "a look at the whole scene, an even canvas, in one look", { small with Counter = 3; Canvas = 14 }
        "the light taken away before", { recurrent with Restorer = 3 }
        "the light taken away before, an even canvas", { small with Restorer = 2; Canvas = 14 }
        "relaxed presence over the whole scene",
        { recurrent with
            Overview = 0
            Finder = 0
            Evidence = false
            Presence = AirPresence.Relaxed
        }
    ]

[<Tests>]
let tests =
    inTurn
        "Export.AirEncoder"
        [
            for name, config in variants do
                testCase $"what is inferred from scenes is the same in ONNX Runtime: {name}"
                <| fun () ->
                    let model = Air.init config Dtype.Float32 (Key.OfSeed 4L) |> jittered
                    let settings = { AirSettings.published with Model = config }
                    let graph = bytes (AirScenesEncoder.Graph(settings, weights model []))
                    let side = config.Canvas

                    for images in
                        [
                            (random [ 1; side; side ] "one").sigmoid()
                            (random [ 3; side; side ] "three").sigmoid()
                            // A black scene beside a white one.
                            Tensor.cat ([| Tensor.zeros [| 1; side; side |]; Tensor.ones [| 1; side; side |] |], 0)
                        ] do
                        let inference = images.flatten 1 |> AirReading.batch settings |> AirEncoder.infer config model
                        let found = outputs graph "images" images
                        found["presence"] |> shouldBeThe (AirObjective.cumulativePresence inference)
                        found["where"] |> shouldBeThe inference.Where
                        found["what"] |> shouldBeThe inference.WhatMean
        ]

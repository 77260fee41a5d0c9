/// SCAE's encoders of parts and objects in ONNX Runtime.
module Scae.Tests.Export.ScaeEncoderTests

open Expecto
open Scae.Tests.Turns
open Scae.Cli.Export
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Export.Onnx

let private small: ScaeConfig =
    { ScaeConfig.paper with
        Canvas = 28
        Channels = 6
        Parts = 5
        Objects = 4
        Features = 3
        TemplateSide = 4
        Colour = 7
        SetWidth = 8
        SetLayers = 2
        SetHeads = 2
        SetOutputs = 6
        CapsuleHidden = 9
        CapsuleCode = 5
    }

let private variants: (string * ScaeConfig) list =
    [
        "as in the paper", small
        "the program's pooling and one head", { small with Pooling = PartPooling.Coded; SetHeads = 1 }
        "presence in proportion, without layer norm", { small with Mask = SetMask.Log; LayerNorm = false }
        "no mask, clipped values, no colours",
        { small with Mask = SetMask.None; Values = PixelValues.Clipped; Colour = 0 }
        "coupled, clipped colours, heads that don't divide the width",
        { small with
            Values = PixelValues.Clipped
            Mixing = PixelMixing.Coupled
            SetHeads = 3
        }
    ]

[<Tests>]
let tests =
    inTurn
        "Export.ScaeEncoder"
        [
            for name, config in variants do
                testCase $"parts and objects are the same in ONNX Runtime: {name}"
                <| fun () ->
                    let model = Scae.init config Dtype.Float32 (Key.OfSeed 2L) |> jittered
                    let graph = bytes (ObjectsEncoder.Graph(config, weights model []))

                    for images in
                        [
                            random [ 1; 1; 28; 28 ] "one"
                            random [ 3; 1; 28; 28 ] "three"
                            // A black image beside a white one.
                            Tensor.cat ([| Tensor.zeros [| 1; 1; 28; 28 |]; Tensor.ones [| 1; 1; 28; 28 |] |], 0)
                        ] do
                        let batch = { Scae.allocate config images.shape[0] with Images = images }
                        let { Parts = parts; Objects = objects } = Scae.infer config model batch
                        let found = outputs graph "images" images
                        found["poses"] |> shouldBeThe parts.Poses
                        found["features"] |> shouldBeThe parts.Features
                        found["presence"] |> shouldBeThe parts.Presence
                        found["objects"] |> shouldBeThe objects.Prior
                        found["explained"] |> shouldBeThe objects.Mass
                        found["responsibilities"] |> shouldBeThe objects.Posterior
        ]

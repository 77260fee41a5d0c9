/// Neural expectation maximization in ONNX Runtime.
module Scae.Tests.Export.NeuralEMEncoderTests

open Expecto
open Scae.Tests.Turns
open Scae.Cli.Export
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Export.Onnx

let private small: NeuralEMConfig =
    { NeuralEM.published with Core.Pixels = 49; Core.Hidden = 5; Iterations = 3 }

let private variants: (string * NeuralEMConfig) list =
    [
        "the small program", small
        "the paper's cell from random starts, hidden layers, a floor",
        { small with
            Core.MStep = MStep.Sigmoid
            SymmetryBreaking = SymmetryBreaking.Spread
            Core.DecoderLayers = 2
            Core.DecoderUnits = 6
            Core.Floor = 1e-3
        }
        "a gated cell and a learned background",
        { small with
            Core.MStep = MStep.Gated
            SymmetryBreaking = SymmetryBreaking.Random
            Background = BackgroundSlot.Learned
        }
        "gradient steps on grey images with a black background",
        { small with
            Core.MStep = MStep.Gradient
            Likelihood = Likelihood.Gaussian
            Core.DecoderLayers = 1
            Core.DecoderUnits = 6
            Background = BackgroundSlot.Zero
            Iterations = 1
            SymmetryBreaking = SymmetryBreaking.Random
        }
        "gradient steps on bits", { small with Core.MStep = MStep.Gradient; Iterations = 5 }
        "grey images with a floor", { small with Likelihood = Likelihood.Gaussian; Core.Floor = 0.01 }
    ]

[<Tests>]
let tests =
    inTurn
        "Export.NeuralEMEncoder"
        [
            for name, config in variants do
                testCase $"the last iteration is the same in ONNX Runtime: {name}"
                <| fun () ->
                    let model = NeuralEM.init config Dtype.Float32 (Key.OfSeed 8L) |> jittered
                    let graph = bytes (NeuralEMEncoder.Graph(config, weights model []))
                    let slots = NeuralEM.slots config

                    let lit (images: Tensor) =
                        if config.Likelihood = Likelihood.Gaussian then
                            images.sigmoid ()
                        else
                            images.gt 0.0

                    for images in
                        [
                            lit (random [ 1; 7; 7 ] "one")
                            lit (random [ 3; 7; 7 ] "three")
                            // A black image beside a white one.
                            Tensor.cat ([| Tensor.zeros [| 1; 7; 7 |]; Tensor.ones [| 1; 7; 7 |] |], 0)
                        ] do
                        let count = images.shape[0]

                        let start =
                            match config.SymmetryBreaking with
                            | SymmetryBreaking.Learned -> random [ count; config.Slots; config.Hidden ] "start" * 0.1
                            | _ -> (random [ count; slots; 7; 7 ] "start").softmax 1

                        let flat = images.flatten 1

                        let last =
                            NeuralEM.unroll
                                config
                                model
                                {
                                    Input = flat.unsqueeze 1
                                    Target = flat
                                    Noise =
                                        if config.SymmetryBreaking = SymmetryBreaking.Learned then
                                            start
                                        else
                                            start.flatten 2
                                    StateNoise = None
                                }
                            |> List.last

                        let found = outputsOf graph [ "images", images; "start", start ]
                        let pictures (x: Tensor) = x.view (count, slots, 7, 7)
                        found["responsibilities"] |> shouldBeThe (pictures last.Responsibilities)
                        found["means"] |> shouldBeThe (pictures last.Means)
                        found["states"] |> shouldBeThe last.State

                        // A sum over pixels and slots.
                        found["likelihood"] |> shouldBeRelativelyThe (NeuralEM.expectedLogLikelihood config flat last)
        ]

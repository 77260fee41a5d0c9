module Scae.Tests.Layers.SetTransformerTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims

let private config: SetTransformerConfig =
    {
        Inputs = 2
        Width = 8
        Layers = 2
        Heads = 2
        Outputs = 6
        Seeds = 3
        LayerNorm = true
        Mask = SetMask.Hard
    }

let private model (config: SetTransformerConfig) = SetTransformer.init config Dtype.Float64 (Key.OfSeed 1L)

let private binary = Values.ofList [ 1.0; 0.0; 1.0; 1.0; 0.0; 1.0; 1.0; 1.0; 1.0; 1.0 ] [ 2; 5 ]

let private masks = [ SetMask.Hard; SetMask.Log ]

[<Tests>]
let tests =
    testList
        "Layers.SetTransformer"
        [
            testCase "the order of points doesn't matter, whatever their presence"
            <| fun () ->
                for mask in SetMask.None :: masks do
                    let config = { config with Mask = mask }
                    let x, presence = Values.real 2 [ 2; 5; 2 ], (Values.real 3 [ 2; 5 ]).sigmoid()
                    let order = [| 3; 0; 4; 1; 2 |]
                    let out = SetTransformer.forward config (model config) x presence

                    SetTransformer.forward
                        config
                        (model config)
                        (x.indexSelect (1, order))
                        (presence.indexSelect (1, order))
                    |> Values.shouldAgree 1e-12 out

            testCase "coordinates of absent points have no influence"
            <| fun () ->
                for mask in masks do
                    let config = { config with Mask = mask }
                    let x = Values.real 2 [ 2; 5; 2 ]
                    let moved = x + (1.0 - binary).unsqueeze 2 * 3.0

                    SetTransformer.forward config (model config) moved binary
                    |> Values.shouldAgree 1e-12 (SetTransformer.forward config (model config) x binary)

            testCase "points that are there or not are pooled as with a mask, values and gradients, at every replay"
            <| fun () ->
                let presences = [ binary; Tensor.zeros ([| 2; 5 |], Dtype.Float64); binary.onesLike (); 1.0 - binary ]

                for mask in SetMask.None :: masks do
                    for layers, norm in [ 2, true; 1, false; 0, true ] do
                        let config = { config with Mask = mask; Layers = layers; LayerNorm = norm }
                        let x, presence = Values.real 2 [ 2; 5; 2 ], binary.clone ()
                        let weights = Values.real 6 [ 2; 3; 16 ]

                        let recorded pool =
                            let model = Parameters.trainable (model config)

                            model,
                            Recording.Of(fun () ->
                                let seen, layer: Tensor * Linear = pool config model x presence
                                let told = Linear.forward layer seen
                                seq { (seen * weights).sum() + (told * told).sum() })

                        let masked, maskedStep = recorded SetTransformer.pool
                        let present, presentStep = recorded SetTransformer.poolPresent

                        for values in presences do
                            (Values.read values).CopyTo(presence.Elements<float>())

                            for step in [ maskedStep; presentStep ] do
                                step.Forward()
                                step.Reverse()

                            presentStep.Outputs[0] |> Values.shouldAgree 1e-10 maskedStep.Outputs[0]

                            for (_, expected), (_, found) in
                                List.zip (Parameters.named masked) (Parameters.named present) do
                                found.derivative |> Values.shouldAgree 1e-10 expected.derivative

            testCase "an empty set gives numbers, not NaN, and finite gradients"
            <| fun () ->
                for mask in masks do
                    let config = { config with Mask = mask }

                    for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                        let model = SetTransformer.init config dtype (Key.OfSeed 1L) |> Parameters.trainable

                        let x = (Values.real 2 [ 2; 5; 2 ]).cast dtype
                        let out = SetTransformer.forward config model x (Tensor.zeros ([| 2; 5 |], dtype))
                        (out.sum ()).reverse()

                        for value in Values.read out do
                            Double.IsFinite value |> shouldEqual true

                        for _, parameter in Parameters.named model do
                            Double.IsFinite((parameter.derivative.norm ()).toScalar()) |> shouldEqual true

            testCase "the hard mask attends to the largest of soft presences alone"
            <| fun () ->
                let layer = MaskedAttention.init 1 4 4 4 Dtype.Float64 (Key.OfSeed 2L)
                let h, q = Values.real 4 [ 1; 3; 4 ], Values.real 5 [ 2; 4 ]
                let presence = Values.ofList [ 0.2; 0.7; 0.5 ] [ 1; 3 ]
                let alone = h.slice (1, 1, 2)

                MaskedAttention.attend SetMask.Hard 1 layer q h presence
                |> Values.shouldAgree
                    1e-12
                    (MaskedAttention.attend SetMask.None 1 layer q alone (Tensor.ones ([| 1; 1 |], Dtype.Float64)))

            testCase "the logarithmic mask weighs points like copies of them"
            <| fun () ->
                let layer = MaskedAttention.init 2 4 4 4 Dtype.Float64 (Key.OfSeed 2L)
                let h, q = Values.real 4 [ 1; 2; 4 ], Values.real 5 [ 3; 4 ]
                let twice = Tensor.cat ([| h; h.slice (1, 1, 2) |], 1)
                let half = Values.ofList [ 0.5; 1.0 ] [ 1; 2 ]

                MaskedAttention.attend SetMask.Log 2 layer q h half
                |> Values.shouldAgree
                    1e-12
                    (MaskedAttention.attend SetMask.None 2 layer q twice (Tensor.ones ([| 1; 3 |], Dtype.Float64)))

            testCase "without blocks the output is the seeds' attention to the projected points"
            <| fun () ->
                for heads in [ 1; 2; 4 ] do
                    for mask in SetMask.None :: masks do
                        let config = { config with Heads = heads; Mask = mask; Layers = 0 }
                        let jitter (name: string) (x: Tensor) = x + Values.real name.Length (List.ofArray x.shape) * 0.1
                        let model = Parameters.mapi jitter (model config)
                        let x, presence = Values.real 2 [ 2; 5; 2 ], (Values.real 3 [ 2; 5 ]).sigmoid()
                        let h = Linear.forward model.Projection (Linear.forward model.Embedding x)

                        SetTransformer.forward config model x presence
                        |> Values.shouldAgree
                            1e-12
                            (MaskedAttention.attend mask heads model.Pooling model.Seeds h presence)

            testCase "heads needn't divide the width: each has as many columns, rounded up"
            <| fun () ->
                let layer = MaskedAttention.init 3 8 5 6 Dtype.Float64 (Key.OfSeed 2L)
                layer.Query.Weight.shape |> shouldEqual [| 8; 9 |]
                layer.Output.Weight.shape |> shouldEqual [| 9; 6 |]
        ]

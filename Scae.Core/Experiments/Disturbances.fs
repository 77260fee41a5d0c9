namespace Scae.Core.Experiments

open System.Numerics.Tensors
open Scae.Tensors

/// What disturbs the training of neural expectation maximization.
[<RequireQualifiedAccess>]
module Disturbances =
    /// Copies images [.., D] to an input, as often as it has room for each, with some pixels flipped.
    let flip (probability: float) (key: Key) (images: Tensor) (input: Tensor) : unit =
        let pixels = images.shape[images.dim - 1]
        let copies = input.nelement / images.nelement
        let images = images.Elements<float32>()
        let input = input.Elements<float32>()
        key.FillBernoulli(input, probability)

        for i in 0 .. input.Length / pixels - 1 do
            let copy = input.Slice(i * pixels, pixels)
            // A flipped pixel is |x − 1|.
            TensorPrimitives.Subtract(images.Slice(i / copies * pixels, pixels), copy, copy)
            TensorPrimitives.Abs(copy, copy)

    /// Noise on the states, where there is any.
    let fillStates (deviation: float) (key: Key) (noise: Tensor option) : unit =
        noise
        |> Option.iter (fun noise -> key.FillNormal(noise.Elements<float32>(), 0.0f, float32 deviation))

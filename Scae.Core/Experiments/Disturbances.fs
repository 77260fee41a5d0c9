namespace Scae.Core.Experiments

open System.Numerics.Tensors
open Scae.Tensors

/// The noise on inputs and states in the training of neural expectation maximization.
[<RequireQualifiedAccess>]
module Disturbances =
    /// Copies images [.., D] to an input, each as often as there is room for, and flips each pixel, x to 1 − x, with a probability.
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

    /// Fills the noise on the states, if the batch has any.
    let fillStates (deviation: float) (key: Key) (noise: Tensor option) : unit =
        noise
        |> Option.iter (fun noise -> key.FillNormal(noise.Elements<float32>(), 0.0f, float32 deviation))

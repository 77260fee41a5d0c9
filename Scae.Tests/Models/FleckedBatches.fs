/// Batches of models of slots, for tests that need no scenes: pixels on or off by chance.
module Scae.Tests.Models.FleckedBatches

open Scae.Tensors

/// Three pixels in ten are on, in targets and independently in inputs; states, if there are any, get normal noise.
let fleck (key: Key) (target: Tensor) (input: Tensor) (states: Tensor option) (deviation: float) : unit =
    (key.Named "target").FillBernoulli(target.Elements<float32>(), 0.3)
    (key.Named "input").FillBernoulli(input.Elements<float32>(), 0.3)

    states
    |> Option.iter (fun noise -> (key.Named "states").FillNormal(noise.Elements<float32>(), 0.0f, float32 deviation))

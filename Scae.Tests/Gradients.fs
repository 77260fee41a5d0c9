module Scae.Tests.Gradients

open Expecto
open Scae.Core.Layers
open Scae.Core.Training
open Scae.Tensors

/// Every parameter's gradient is within a relative error of central differences of the loss.
let shouldHaveTrueGradients (tolerance: float) (loss: unit -> Tensor) (parameters: (string * Tensor) list) : unit =
    for comparison in GradientCheck.run (Key.OfSeed 1L) parameters loss do
        if not (comparison.RelativeError <= tolerance) then
            failtest $"{comparison.Parameter}: {comparison.RelativeError}; must be at most {tolerance}"

/// The same batch for differences: numbers as doubles, indices and flags as they are.
let inDoubles (batch: 'batch) : 'batch =
    batch
    |> Parameters.map (fun tensor ->
        if tensor.dtype = Dtype.Float32 then
            tensor.cast Dtype.Float64
        else
            tensor)

module Scae.Tests.Gradients

open Expecto
open Scae.Core.Layers
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims

/// Every parameter's gradient is within a relative error of central differences of the loss.
let shouldHaveTrueGradients (tolerance: float) (loss: unit -> Tensor) (parameters: (string * Tensor) list) : unit =
    let comparisons =
        GradientCheck.sampled GradientCheck.EntriesPerParameter (Key.OfSeed 1L) parameters loss

    comparisons |> shouldHaveSome

    for comparison in comparisons do
        if not (comparison.RelativeError <= tolerance) then
            failtest $"{comparison.Parameter}: {comparison.RelativeError}; must be at most {tolerance}"

/// A model's gradients, as the check found them, are those of the loss; some parameters have none but rounding.
let shouldBeOfTheLoss
    (tolerance: float)
    (isExempt: string -> bool)
    (found: Result<GradientComparison list, string>)
    : unit =
    match found with
    | Error message -> failtest message
    | Ok comparisons ->
        comparisons |> shouldHaveSome

        for comparison in comparisons do
            if not (comparison.RelativeError <= tolerance) && not (isExempt comparison.Parameter) then
                failtest $"{comparison.Parameter}: {comparison.RelativeError}; must be at most {tolerance}"

/// Softmax doesn't see what all scores have in common: keys' biases have a gradient of 0, and differences have nothing but
/// rounding.
let isOfKeys (parameter: string) : bool = parameter.EndsWith "key.bias"

/// The same batch for differences: numbers as doubles, indices and flags as they are.
let inDoubles (batch: 'batch) : 'batch =
    batch
    |> Parameters.map (fun tensor ->
        if tensor.dtype = Dtype.Float32 then
            tensor.cast Dtype.Float64
        else
            tensor)

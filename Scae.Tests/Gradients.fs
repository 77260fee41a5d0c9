module Scae.Tests.Gradients

open Expecto
open Scae.Core.Training
open Scae.Tensors

/// Every parameter's gradient is within a relative error of central differences of the loss.
let shouldHaveTrueGradients (tolerance: float) (loss: unit -> Tensor) (parameters: (string * Tensor) list) : unit =
    for comparison in GradientCheck.run (Key.OfSeed 1L) parameters loss do
        if not (comparison.RelativeError <= tolerance) then
            failtest $"{comparison.Parameter}: {comparison.RelativeError}; must be at most {tolerance}"

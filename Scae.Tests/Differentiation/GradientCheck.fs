/// Reverse mode against central differences in Float64, for any function of tensors.
[<RequireQualifiedAccess>]
module Scae.Tests.Differentiation.GradientCheck

open Scae.Tensors
open Scae.Tests.Values

/// Weights of the output's elements, so that no element's gradient can hide behind another's.
let private weights (y: Tensor) =
    Tensor.``of``(values 901 y.nelement |> Array.map (fun w -> w + 2.5), y.shape).cast(y.dtype)

/// The gradients of Σ w ∘ f(inputs) with respect to each input, in reverse mode.
let reverse (f: Tensor list -> Tensor) (inputs: Tensor list) =
    let leaves = inputs |> List.map _.reverseDiff()
    let y = f leaves
    y.reverse (weights y)
    leaves |> List.map _.derivative

/// The same by central differences, element by element.
let differences (f: Tensor list -> Tensor) (inputs: Tensor list) =
    let step = 1e-5
    let y = f inputs
    let w = read (weights y)
    let loss () = Array.fold2 (fun sum a b -> sum + a * b) 0.0 w (read (f inputs))

    inputs
    |> List.map (fun x ->
        let slope i =
            let x0 = x.Elements<float>()[i]
            x.Elements<float>()[i] <- x0 + step
            let above = loss ()
            x.Elements<float>()[i] <- x0 - step
            let below = loss ()
            x.Elements<float>()[i] <- x0
            (above - below) / (2.0 * step)

        Array.init x.nelement slope)

let private norm (xs: float[]) = sqrt (Array.sumBy (fun x -> x * x) xs)

/// ‖a − n‖ / max(floor, ‖a‖ + ‖n‖) over all inputs together; NaN counts as infinitely wrong.
let error floor (analytic: float[] list) (numeric: float[] list) =
    let a, n = Array.concat analytic, Array.concat numeric
    let e = norm (Array.map2 (-) a n) / max floor (norm a + norm n)
    if System.Double.IsNaN e then infinity else e

/// The relative error of a function's gradient at the given dense Float64 inputs.
let relativeError (f: Tensor list -> Tensor) (inputs: Tensor list) =
    error 1e-8 (reverse f inputs |> List.map read) (differences f inputs)

namespace Scae.Core.Layers

open Scae.Tensors

/// How weights are drawn. Each draw is a pure function of its key.
[<RequireQualifiedAccess>]
module Initialization =
    let private draw (dtype: Dtype) (shape: int list) (fill: float[] -> unit) : Tensor =
        let elements = Array.zeroCreate (List.fold (*) 1 shape)
        fill elements
        (Tensor.``of`` (elements, Array.ofList shape)).cast dtype

    /// Normal with the given standard deviation.
    let normal (deviation: float) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        draw dtype shape (fun elements ->
            key.FillNormal(System.Span elements)

            for i in 0 .. elements.Length - 1 do
                elements[i] <- deviation * elements[i])

    /// Uniform in ±bound.
    let uniform (bound: float) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        draw dtype shape (fun elements -> key.FillUniform(System.Span elements, -bound, bound))

    /// Normal with deviation gain·√(2 / fanIn) (He et al. 2015, eq. 10).
    let he (gain: float) (fanIn: int) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        normal (gain * sqrt (2.0 / float fanIn)) dtype shape key

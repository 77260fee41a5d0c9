namespace Scae.Core

open Scae.Tensors

/// The operations of Tensor as curried functions that end in the tensor, so that they pipe: DiffSharp's entry point
/// with DiffSharp's names. Shapes, formulas and errors are documented at the methods of Tensor.
[<RequireQualifiedAccess>]
module dsharp =
    /// A float32 tensor from its elements in row-major order.
    let tensor (shape: int list) (elements: float seq) : Tensor =
        Tensor.``of`` (elements |> Seq.map float32 |> Array.ofSeq, Array.ofList shape)

    /// A float64 tensor from its elements in row-major order.
    let tensor64 (shape: int list) (elements: float seq) : Tensor =
        Tensor.``of`` (Array.ofSeq elements, Array.ofList shape)

    /// An Int32 tensor of indices.
    let indices (shape: int list) (elements: int seq) : Tensor =
        Tensor.``of`` (Array.ofSeq elements, Array.ofList shape)

    /// A float32 scalar.
    let scalar (value: float) : Tensor = Tensor.scalar value

    /// Zeros.
    let zeros (shape: int list) : Tensor = Tensor.zeros (Array.ofList shape)

    /// Ones.
    let ones (shape: int list) : Tensor = Tensor.ones (Array.ofList shape)

    /// One value everywhere.
    let full (shape: int list) (value: float) : Tensor = Tensor.full (Array.ofList shape, value)

    /// The identity matrix.
    let eye (n: int) : Tensor = Tensor.eye n

    /// 0, 1, … before stop.
    let arange (stop: float) : Tensor = Tensor.arange stop

    /// Evenly spaced values, both ends included.
    let linspace (start: float) (stop: float) (steps: int) : Tensor = Tensor.linspace (start, stop, steps)

    /// Zeros like another tensor.
    let zerosLike (x: Tensor) : Tensor = x.zerosLike ()

    /// Ones like another tensor.
    let onesLike (x: Tensor) : Tensor = x.onesLike ()

    /// The other floating dtype.
    let cast (dtype: Dtype) (x: Tensor) : Tensor = x.cast dtype

    /// The same elements under another shape; one size may be −1.
    let view (shape: int list) (x: Tensor) : Tensor = x.view (Array.ofList shape)

    /// Several axes as one.
    let flatten (startDim: int) (endDim: int) (x: Tensor) : Tensor = x.flatten (startDim, endDim)

    /// An axis of size one before the given one.
    let unsqueeze (axis: int) (x: Tensor) : Tensor = x.unsqueeze axis

    /// Without an axis of size one.
    let squeeze (axis: int) (x: Tensor) : Tensor = x.squeeze axis

    /// Axes of size one repeated.
    let expand (shape: int list) (x: Tensor) : Tensor = x.expand (Array.ofList shape)

    /// The axes in another order.
    let permute (order: int list) (x: Tensor) : Tensor = x.permute (Array.ofList order)

    /// Two axes exchanged.
    let transpose (axis0: int) (axis1: int) (x: Tensor) : Tensor = x.transpose (axis0, axis1)

    /// Positions start to stop − 1 along an axis.
    let slice (axis: int) (start: int) (stop: int) (x: Tensor) : Tensor = x.slice (axis, start, stop)

    /// One position along an axis, which disappears.
    let select (axis: int) (index: int) (x: Tensor) : Tensor = x.select (axis, index)

    /// Parts of the given sizes along an axis.
    let split (sizes: int list) (axis: int) (x: Tensor) : Tensor array = x.split (Array.ofList sizes, axis)

    /// The matrix product a·b.
    let matmul (a: Tensor) (b: Tensor) : Tensor = a.matmul b

    /// x·W + b.
    let linear (weight: Tensor) (bias: Tensor) (x: Tensor) : Tensor = x.linear (weight, bias)

    /// |x|.
    let abs (x: Tensor) : Tensor = x.abs ()

    /// eˣ.
    let exp (x: Tensor) : Tensor = x.exp ()

    /// The natural logarithm.
    let log (x: Tensor) : Tensor = x.log ()

    /// √x.
    let sqrt (x: Tensor) : Tensor = x.sqrt ()

    /// sin x.
    let sin (x: Tensor) : Tensor = x.sin ()

    /// cos x.
    let cos (x: Tensor) : Tensor = x.cos ()

    /// tanh x.
    let tanh (x: Tensor) : Tensor = x.tanh ()

    /// 1 / (1 + e⁻ˣ).
    let sigmoid (x: Tensor) : Tensor = x.sigmoid ()

    /// max(x, 0).
    let relu (x: Tensor) : Tensor = x.relu ()

    /// log(1 + eˣ).
    let softplus (x: Tensor) : Tensor = x.softplus ()

    /// x limited to [low, high].
    let clamp (low: float) (high: float) (x: Tensor) : Tensor = x.clamp (low, high)

    /// The sum of all elements.
    let sum (x: Tensor) : Tensor = x.sum ()

    /// The sum along an axis.
    let sumAlong (axis: int) (x: Tensor) : Tensor = x.sum axis

    /// The mean of all elements.
    let mean (x: Tensor) : Tensor = x.mean ()

    /// The mean along an axis.
    let meanAlong (axis: int) (x: Tensor) : Tensor = x.mean axis

    /// The largest along an axis.
    let maxAlong (axis: int) (x: Tensor) : Tensor = x.max axis

    /// The smallest along an axis.
    let minAlong (axis: int) (x: Tensor) : Tensor = x.min axis

    /// The position of the largest along an axis, Int32.
    let argmax (axis: int) (x: Tensor) : Tensor = x.argmax axis

    /// The position of the smallest along an axis, Int32.
    let argmin (axis: int) (x: Tensor) : Tensor = x.argmin axis

    /// Softmax along an axis.
    let softmax (axis: int) (x: Tensor) : Tensor = x.softmax axis

    /// Log-softmax along an axis.
    let logsoftmax (axis: int) (x: Tensor) : Tensor = x.logsoftmax axis

    /// log Σ eˣ along an axis.
    let logsumexp (axis: int) (x: Tensor) : Tensor = x.logsumexp axis

    /// The value through which no gradient passes.
    let noDiff (x: Tensor) : Tensor = x.noDiff ()

    /// f x and the gradient of the scalar f at x.
    let fgrad (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        let input = x.reverseDiff ()
        let value = f input
        value.reverse ()
        value.primal, input.derivative

    /// The gradient of the scalar f at x, in the shape of x.
    let grad (f: Tensor -> Tensor) (x: Tensor) : Tensor = fgrad f x |> snd

    /// f x and the product of the transposed Jacobian of f at x with v, which has the shape of f x.
    let fjacobianTv (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) : Tensor * Tensor =
        let input = x.reverseDiff ()
        let value = f input
        value.reverse v
        value.primal, input.derivative

    /// The product of the transposed Jacobian of f at x with v.
    let jacobianTv (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) : Tensor = fjacobianTv f x v |> snd

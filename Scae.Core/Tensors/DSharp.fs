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

    /// Tensors one behind the other along an axis.
    let cat (axis: int) (tensors: Tensor seq) : Tensor = Tensor.cat (tensors, axis)

    /// Tensors side by side along a new axis.
    let stack (axis: int) (tensors: Tensor seq) : Tensor = Tensor.stack (tensors, axis)

    /// The tensors along an axis, which disappears.
    let unstack (axis: int) (x: Tensor) : Tensor array = x.unstack axis

    /// The tensor several times along an axis.
    let repeat (axis: int) (times: int) (x: Tensor) : Tensor = x.repeat (axis, times)

    /// The elements at an Int32 index along an axis, as in DiffSharp and PyTorch.
    let gather (axis: int) (index: Tensor) (x: Tensor) : Tensor = x.gather (axis, index)

    /// Adds the elements at an Int32 index along an axis of zeros of the given shape.
    let scatterAdd (axis: int) (index: Tensor) (shape: int list) (x: Tensor) : Tensor =
        x.scatterAdd (axis, index, Array.ofList shape)

    /// a where the condition isn't 0, else b.
    let where (condition: Tensor) (a: Tensor) (b: Tensor) : Tensor = condition.where (a, b)

    /// Running sums along an axis.
    let cumsum (axis: int) (x: Tensor) : Tensor = x.cumsum axis

    /// Running products along an axis.
    let cumprod (axis: int) (x: Tensor) : Tensor = x.cumprod axis

    /// x to the power of a number.
    let pow (exponent: float) (x: Tensor) : Tensor = x.pow exponent

    /// x limited from below at a small number, then its logarithm.
    let safelog (x: Tensor) : Tensor = x.safelog ()

    /// The variance, divided by n − 1.
    let var (x: Tensor) : Tensor = x.var ()

    /// The standard deviation, from the variance divided by n − 1.
    let std (x: Tensor) : Tensor = x.std ()

    /// The Euclidean norm of all elements.
    let norm (x: Tensor) : Tensor = x.norm ()

    /// The largest element.
    let max (x: Tensor) : Tensor = x.max ()

    /// The smallest element.
    let min (x: Tensor) : Tensor = x.min ()

    /// Uniform in [0, 1), float32, a function of the key.
    let rand (shape: int list) (key: Key) : Tensor =
        let result = zeros shape
        key.FillUniform(result.Elements<float32>())
        result

    /// Standard normal, float32, a function of the key.
    let randn (shape: int list) (key: Key) : Tensor =
        let result = zeros shape
        key.FillNormal(result.Elements<float32>())
        result

    /// 1 with probability p, else 0, float32, a function of the key.
    let bernoulli (p: float) (shape: int list) (key: Key) : Tensor =
        let result = zeros shape
        key.FillBernoulli(result.Elements<float32>(), p)
        result

    /// Whole numbers from low to high − 1, Int32, a function of the key.
    let randint (low: int) (high: int) (shape: int list) (key: Key) : Tensor =
        let elements = Array.zeroCreate (List.fold (*) 1 shape)
        key.FillIntegers(System.Span elements, low, high)
        Tensor.``of`` (elements, Array.ofList shape)

    /// The mean squared difference from a target.
    let mseLoss (target: Tensor) (x: Tensor) : Tensor = x.mseLoss target

    /// The mean binary cross-entropy of probabilities x and targets in [0, 1].
    let bceLoss (target: Tensor) (x: Tensor) : Tensor = x.bceLoss target

    /// The mean cross-entropy of scores x [b, classes] and Int32 classes [b].
    let crossEntropyLoss (target: Tensor) (x: Tensor) : Tensor = x.crossEntropyLoss target

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

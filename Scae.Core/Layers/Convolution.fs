namespace Scae.Core.Layers

open Scae.Tensors

/// A convolution: filters [out, in, size, size] and bias [out].
type Convolution = { Filters: Tensor; Bias: Tensor }

/// Convolutions of images [b, in, h, w].
[<RequireQualifiedAccess>]
module Convolution =
    /// Filters truncated normal with deviation 1/√(in·size²), biases 0.
    let init (size: int) (inputs: int) (outputs: int) (dtype: Dtype) (key: Key) : Convolution =
        let fanIn = float (inputs * size * size)

        {
            Filters = Initialization.truncated (1.0 / sqrt fanIn) dtype [ outputs; inputs; size; size ] key
            Bias = Tensor.zeros ([| outputs |], dtype)
        }

    /// Filters normal with He's deviation √(2/(in·size²)), biases 0.
    let he (size: int) (inputs: int) (outputs: int) (dtype: Dtype) (key: Key) : Convolution =
        {
            Filters = Initialization.he 1.0 (inputs * size * size) dtype [ outputs; inputs; size; size ] key
            Bias = Tensor.zeros ([| outputs |], dtype)
        }

    /// The side of the output for an image with the given side, without padding.
    let side (size: int) (stride: int) (side: int) : int = (side - size) / stride + 1

    /// relu of the convolution, with `padding` zeros around each image: [b, in, h, w] → [b, out, h′, w′]. Raises
    /// ShapeError when channels differ or the filter is larger than the image.
    let rectifiedWithin (padding: int) (stride: int) (layer: Convolution) (x: Tensor) : Tensor =
        x.conv2d (layer.Filters, stride, padding, layer.Bias, Activation.Relu)

    /// The same without padding.
    let rectified (stride: int) (layer: Convolution) (x: Tensor) : Tensor = rectifiedWithin 0 stride layer x

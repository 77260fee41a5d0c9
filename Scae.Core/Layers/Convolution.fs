namespace Scae.Core.Layers

open Scae.Tensors

/// A convolution: filters [out, in, size, size] and bias [out].
type Convolution = { Filters: Tensor; Bias: Tensor }

/// Convolutions of images [b, in, h, w] without padding.
[<RequireQualifiedAccess>]
module Convolution =
    /// Filters truncated normal with deviation 1/√(in·size²), biases 0.
    let init (size: int) (inputs: int) (outputs: int) (dtype: Dtype) (key: Key) : Convolution =
        let fanIn = float (inputs * size * size)

        {
            Filters = Initialization.truncated (1.0 / sqrt fanIn) dtype [ outputs; inputs; size; size ] key
            Bias = Tensor.zeros ([| outputs |], dtype)
        }

    /// The side of the output for an image with the given side.
    let side (size: int) (stride: int) (side: int) : int = (side - size) / stride + 1

    /// relu of the convolution: [b, in, h, w] → [b, out, h′, w′]. Raises ShapeError when channels differ or the filter is
    /// larger than the image.
    let rectified (stride: int) (layer: Convolution) (x: Tensor) : Tensor =
        x.conv2d (layer.Filters, stride, 0, layer.Bias, Activation.Relu)

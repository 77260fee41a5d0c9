namespace Scae.Core.Layers

open Scae.Tensors

/// A linear layer: weight [in, out] and bias [out].
type Linear = { Weight: Tensor; Bias: Tensor }

/// y = x·W + b over the last axis.
[<RequireQualifiedAccess>]
module Linear =
    /// Weights normal with deviation gain·√(2 / inputs), biases 0.
    let init (gain: float) (inputs: int) (outputs: int) (dtype: Dtype) (key: Key) : Linear =
        {
            Weight = Initialization.he gain inputs dtype [ inputs; outputs ] key
            Bias = Tensor.zeros ([| outputs |], dtype)
        }

    /// Weights truncated normal with deviation 1/√inputs, biases 0: what TensorFlow's Sonnet draws.
    let truncated (inputs: int) (outputs: int) (dtype: Dtype) (key: Key) : Linear =
        {
            Weight = Initialization.truncated (1.0 / sqrt (float inputs)) dtype [ inputs; outputs ] key
            Bias = Tensor.zeros ([| outputs |], dtype)
        }

    /// x [.., in] → [.., out]. Raises ShapeError when sizes differ.
    let forward (layer: Linear) (x: Tensor) : Tensor = x.linear (layer.Weight, layer.Bias)

    /// activation(x·W + b) in one operation.
    let activated (activation: Activation) (layer: Linear) (x: Tensor) : Tensor =
        x.linear (layer.Weight, layer.Bias, activation)

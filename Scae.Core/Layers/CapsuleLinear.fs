namespace Scae.Core.Layers

open Scae.Tensors

/// A linear layer with separate weights for each of K capsules: weight [K, in, out] and bias [K, out], or none.
type CapsuleLinear = { Weight: Tensor; Bias: Tensor option }

/// y_k = x_k·W_k + b_k: nothing is shared between capsules.
[<RequireQualifiedAccess>]
module CapsuleLinear =
    /// Weights truncated normal with deviation 1/√inputs, biases 0 or none.
    let init (biased: bool) (capsules: int) (inputs: int) (outputs: int) (dtype: Dtype) (key: Key) : CapsuleLinear =
        {
            Weight = Initialization.truncated (1.0 / sqrt (float inputs)) dtype [ capsules; inputs; outputs ] key
            Bias =
                if biased then
                    Some(Tensor.zeros ([| capsules; outputs |], dtype))
                else
                    None
        }

    /// x [b, K, in] → [b, K, out]. Raises ShapeError when sizes differ.
    let forward (layer: CapsuleLinear) (x: Tensor) : Tensor = x.linearEach (layer.Weight, Option.toObj layer.Bias)

    /// activation(x_k·W_k + b_k) in one operation.
    let activated (activation: Activation) (layer: CapsuleLinear) (x: Tensor) : Tensor =
        x.linearEach (layer.Weight, Option.toObj layer.Bias, activation)

    /// Two layers merged into one: `layer` applied to the output of `first`, with weights [K, first's inputs, out].
    let after (first: Linear) (layer: CapsuleLinear) : CapsuleLinear =
        let said = ((first.Bias.unsqueeze 0).matmul layer.Weight).squeeze 1

        {
            Weight = first.Weight.matmul layer.Weight
            Bias = Some(layer.Bias |> Option.fold (+) said)
        }

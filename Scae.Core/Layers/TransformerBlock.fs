namespace Scae.Core

open Scae.Tensors

/// Gain [d] and bias [d] of a layer norm.
type LayerNorm = { Gain: Tensor; Bias: Tensor }

/// Normalisation of each vector to mean 0 and variance 1 (Ba et al. 2016).
[<RequireQualifiedAccess>]
module LayerNorm =
    /// Gain 1, bias 0.
    let init (width: int) (dtype: Dtype) : LayerNorm =
        {
            Gain = Tensor.ones ([| width |], dtype)
            Bias = Tensor.zeros ([| width |], dtype)
        }

    /// x [.., d] → [.., d].
    let forward (layer: LayerNorm) (x: Tensor) : Tensor = x.layerNorm (layer.Gain, layer.Bias)

/// Attention and a feed-forward layer, each with a layer norm before it.
type TransformerBlock =
    {
        AttentionNorm: LayerNorm
        Attention: Attention
        HiddenNorm: LayerNorm
        Hidden: Linear
        Back: Linear
    }

/// The block of a set transformer with the norms inside the residuals (Xiong et al. 2020), which needs no warm-up.
[<RequireQualifiedAccess>]
module TransformerBlock =
    /// Weights normal with deviation gain·√(2 / inputs).
    let init (gain: float) (width: int) (hidden: int) (dtype: Dtype) (key: Key) : TransformerBlock =
        {
            AttentionNorm = LayerNorm.init width dtype
            Attention = Attention.init gain width dtype (key.Named "attention")
            HiddenNorm = LayerNorm.init width dtype
            Hidden = Linear.init gain width hidden dtype (key.Named "hidden")
            Back = Linear.init gain hidden width dtype (key.Named "back")
        }

    /// h ← h + attention(norm h); h ← h + relu(norm h·W_f1 + b_f1)·W_f2 + b_f2: [b, n, d] → [b, n, d], equivariant to the
    /// order of the set.
    let forward (heads: int) (block: TransformerBlock) (h: Tensor) : Tensor =
        let normed = LayerNorm.forward block.AttentionNorm h
        let h = h + fst (Attention.attend heads block.Attention normed normed)

        h
        + (LayerNorm.forward block.HiddenNorm h
           |> Linear.activated Activation.Relu block.Hidden
           |> Linear.forward block.Back)

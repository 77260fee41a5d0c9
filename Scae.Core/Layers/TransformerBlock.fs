namespace Scae.Core.Layers

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

    /// The same, or x itself where there is no layer.
    let forwardIf (layer: LayerNorm option) (x: Tensor) : Tensor =
        match layer with
        | Some layer -> forward layer x
        | None -> x

/// Attention and a feed-forward layer, each with a layer norm before it, or none.
type TransformerBlock =
    {
        AttentionNorm: LayerNorm option
        Attention: Attention
        HiddenNorm: LayerNorm option
        Hidden: Linear
        Back: Linear
    }

/// The block of a set transformer with the norms inside the residuals (Xiong et al. 2020), which needs no warm-up.
[<RequireQualifiedAccess>]
module TransformerBlock =
    /// Weights normal with deviation gain·√(2 / inputs); `norm` tells whether there are layer norms.
    let init (norm: bool) (gain: float) (width: int) (hidden: int) (dtype: Dtype) (key: Key) : TransformerBlock =
        let layerNorm () = if norm then Some(LayerNorm.init width dtype) else None

        {
            AttentionNorm = layerNorm ()
            Attention = Attention.init gain width dtype (key.Named "attention")
            HiddenNorm = layerNorm ()
            Hidden = Linear.init gain width hidden dtype (key.Named "hidden")
            Back = Linear.init gain hidden width dtype (key.Named "back")
        }

    /// h ← h + attention(norm h); h ← h + relu(norm h·W_f1 + b_f1)·W_f2 + b_f2: [b, n, d] → [b, n, d]. It is
    /// equivariant to the order of the set.
    let forward (heads: int) (block: TransformerBlock) (h: Tensor) : Tensor =
        let normed = LayerNorm.forwardIf block.AttentionNorm h
        let h = h + fst (Attention.attend heads block.Attention normed normed)

        h
        + (LayerNorm.forwardIf block.HiddenNorm h
           |> Linear.activated Activation.Relu block.Hidden
           |> Linear.forward block.Back)

    /// The weights with which each item of the set [b, n, d] attends to each other item, [b, heads, n, n]; rows sum to 1.
    let attention (heads: int) (block: TransformerBlock) (h: Tensor) : Tensor =
        let normed = LayerNorm.forwardIf block.AttentionNorm h
        snd (Attention.attend heads block.Attention normed normed)

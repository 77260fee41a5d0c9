namespace Scae.Core.Layers

open Scae.Tensors

/// The four matrices [d, d] of an attention without biases: W_q, W_k, W_v, W_o.
type Attention = { Query: Tensor; Key: Tensor; Value: Tensor; Output: Tensor }

/// Dot-product attention over sets (Lee et al. 2019, Set Transformer).
[<RequireQualifiedAccess>]
module Attention =
    /// Weights normal with deviation gain·√(2 / width).
    let init (gain: float) (width: int) (dtype: Dtype) (key: Key) : Attention =
        let draw (name: string) = Initialization.he gain width dtype [ width; width ] (key.Named name)

        {
            Query = draw "query"
            Key = draw "key"
            Value = draw "value"
            Output = draw "output"
        }

    // With one head, softmax((x·W_q)(h·W_k)ᵀ/√d)·(h·W_v)·W_o is bracketed so that few products run over the set: the
    // scores as (x·(W_q·W_kᵀ))·hᵀ, and the values as (weights·h)·(W_v·W_o). Per point this saves two of four d × d
    // products when x is the set itself, and all of them when x is a handful of seeds. The function and its gradient
    // are the same.
    let private bracketed (layer: Attention) (x: Tensor) (h: Tensor) : Tensor * Tensor =
        let scale = 1.0 / sqrt (float h.shape[h.dim - 1])
        let queries = x.matmul (layer.Query.matmul (layer.Key.transpose ()))
        let struct (mixed, weights) = Tensor.attentionWithWeights (queries, h, h, 1, scale)
        mixed.matmul (layer.Value.matmul layer.Output), weights

    /// What each query sees of the set: queries x [b, n, d] or [n, d], set h [b, m, d], heads → [b, n, d] and the
    /// weights [b, heads, n, m], whose rows sum to 1.
    let attend (heads: int) (layer: Attention) (x: Tensor) (h: Tensor) : Tensor * Tensor =
        if heads = 1 then
            bracketed layer x h
        else
            let struct (mixed, weights) =
                Tensor.attentionWithWeights (x.matmul layer.Query, h.matmul layer.Key, h.matmul layer.Value, heads)

            mixed.matmul layer.Output, weights

    /// h + attention of the set to itself: [b, n, d] → [b, n, d].
    let selfResidual (heads: int) (layer: Attention) (h: Tensor) : Tensor = h + fst (attend heads layer h h)

/// Seeds [k, d] and the attention with which they look at a set.
type Pooling = { Seeds: Tensor; Attention: Attention }

/// Pooling by attention (Lee et al. 2019, eq. 11, without the residual and the feed-forward).
[<RequireQualifiedAccess>]
module Pooling =
    /// k seeds; weights normal with deviation gain·√(2 / width).
    let init (gain: float) (seeds: int) (width: int) (dtype: Dtype) (key: Key) : Pooling =
        {
            Seeds = Initialization.he gain width dtype [ seeds; width ] (key.Named "seeds")
            Attention = Attention.init gain width dtype (key.Named "attention")
        }

    /// A set [b, m, d] → one vector a seed [b, k, d], whatever the order of the set, and the weights [b, heads, k, m].
    let forward (heads: int) (layer: Pooling) (h: Tensor) : Tensor * Tensor =
        Attention.attend heads layer.Attention layer.Seeds h

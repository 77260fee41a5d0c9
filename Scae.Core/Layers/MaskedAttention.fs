namespace Scae.Core.Layers

open Scae.Tensors

/// How the presence d of a point counts where a set is attended to.
[<RequireQualifiedAccess>]
type SetMask =
    /// (1 − d)·10³² is taken from the score before scaling, as in the released program of Kosiorek et al. 2019. Presences
    /// of 0 and 1 are a mask; presences between make attention choose the largest d alone.
    | Hard
    /// ln d is added to the scaled score, so that weights are proportional to d.
    | Log
    /// Presence doesn't count.
    | None

/// Attention with biases and separate widths of queries and sets: each head has its share of the three projections' columns.
type MaskedAttention = { Query: Linear; Key: Linear; Value: Linear; Output: Linear }

/// Attention to sets whose points are present to a degree.
[<RequireQualifiedAccess>]
module MaskedAttention =
    /// Queries [.., width], sets [.., keys] → [.., outputs]; heads of ⌈width / heads⌉ numbers each.
    let init (heads: int) (width: int) (keys: int) (outputs: int) (dtype: Dtype) (key: Key) : MaskedAttention =
        let inner = heads * ((width + heads - 1) / heads)
        let linear (name: string) inputs outputs = Linear.truncated inputs outputs dtype (key.Named name)

        {
            Query = linear "query" width inner
            Key = linear "key" keys inner
            Value = linear "value" keys inner
            Output = linear "output" inner outputs
        }

    let private masked (mask: SetMask) (width: int) (presence: Tensor) (scores: Tensor) : Tensor =
        let root = sqrt (float width)
        let perKey (x: Tensor) = x.view (x.shape[0], 1, 1, x.shape[1])

        match mask with
        | SetMask.Hard -> (scores - perKey ((1.0 - presence) * 1e32)) / root
        | SetMask.Log -> scores / root + perKey (Logarithm.safe presence)
        | SetMask.None -> scores / root

    /// What each query sees of the set: queries x [b, n, q] or [n, q], set h [b, m, k], presence [b, m] in [0, 1] →
    /// [b, n, outputs]. A set without a present point is attended to evenly, never NaN.
    let attend
        (mask: SetMask)
        (heads: int)
        (layer: MaskedAttention)
        (x: Tensor)
        (h: Tensor)
        (presence: Tensor)
        : Tensor =
        let split (t: Tensor) =
            t.unflatten(t.dim - 1, [| heads; t.shape[t.dim - 1] / heads |]).transpose(-3, -2)

        let q, k, v =
            split (Linear.forward layer.Query x),
            split (Linear.forward layer.Key h),
            split (Linear.forward layer.Value h)

        let weights = (q.matmul (k.transpose ()) |> masked mask q.shape[q.dim - 1] presence).softmax -1
        Linear.forward layer.Output (weights.matmul(v).transpose(1, 2).flatten 2)

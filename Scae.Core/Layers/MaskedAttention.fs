namespace Scae.Core.Layers

open Scae.Tensors

/// How the presence d of a point counts where a set is attended to.
[<RequireQualifiedAccess>]
type SetMask =
    /// (1 − d)·10³² is taken from the score before scaling, as in the released program of Kosiorek et al. 2019. Presences
    /// of 0 and 1 are a mask; presences between make attention choose the largest d alone.
    | Hard
    /// ln d is added to the scaled score, so that weights are proportional to d; below 10⁻¹⁶ a point is absent.
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

    /// What queries q [b, n, d] or [n, d] see of values v [b, m, e] with keys k [b, m, d], presence [b, m] in [0, 1] →
    /// [b, n, e]: averages with weights softmax(q·k / √(d / heads)), masked. Where presence counts, a set whose points are all
    /// absent is attended to evenly, never NaN.
    let see (mask: SetMask) (heads: int) (q: Tensor) (k: Tensor) (v: Tensor) (presence: Tensor) : Tensor =
        match mask with
        | SetMask.Hard -> Tensor.maskedAttention (q, k, v, presence, PresenceMask.Hard, heads)
        | SetMask.Log -> Tensor.maskedAttention (q, k, v, presence, PresenceMask.Log, heads)
        | SetMask.None -> Tensor.attention (q, k, v, heads)

    /// What each query is told of the set: queries x [b, n, q] or [n, q], set h [b, m, k], presence [b, m] in [0, 1] →
    /// [b, n, outputs].
    let attend
        (mask: SetMask)
        (heads: int)
        (layer: MaskedAttention)
        (x: Tensor)
        (h: Tensor)
        (presence: Tensor)
        : Tensor =
        let q, k, v = Linear.forward layer.Query x, Linear.forward layer.Key h, Linear.forward layer.Value h
        see mask heads q k v presence |> Linear.forward layer.Output

    /// What each of the packed rows h (see Tensor.pack) is told by those of its set, [b·n, width] → [b·n, outputs].
    let amongPresent (heads: int) (layer: MaskedAttention) (h: Tensor) : Tensor =
        let q, k, v = Linear.forward layer.Query h, Linear.forward layer.Key h, Linear.forward layer.Value h
        Tensor.attention (q, k, v, heads) |> Linear.forward layer.Output

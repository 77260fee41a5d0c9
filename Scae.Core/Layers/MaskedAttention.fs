namespace Scae.Core.Layers

open Scae.Tensors

/// How the presence d of a point counts when a set is attended to.
[<RequireQualifiedAccess>]
type SetMask =
    /// (1 − d)·10³² is subtracted from the score before scaling, as in the released program of Kosiorek et al. 2019.
    /// Presences of 0 and 1 work as a mask; with presences in between, attention chooses only the largest d.
    | Hard
    /// ln d is added to the scaled score, so that weights are proportional to d. Below 10⁻¹⁶ a point counts as absent.
    | Log
    /// Presence has no effect.
    | None

/// Attention with biases, in which queries and sets may have different widths. Each head has its share of the columns
/// of the three projections.
type MaskedAttention = { Query: Linear; Key: Linear; Value: Linear; Output: Linear }

/// Attention to sets whose points are present to a degree.
[<RequireQualifiedAccess>]
module MaskedAttention =
    /// For queries [.., width] and sets [.., keys] → [.., outputs]; each head has ⌈width / heads⌉ numbers.
    let init (heads: int) (width: int) (keys: int) (outputs: int) (dtype: Dtype) (key: Key) : MaskedAttention =
        let inner = heads * ((width + heads - 1) / heads)
        let linear (name: string) inputs outputs = Linear.truncated inputs outputs dtype (key.Named name)

        {
            Query = linear "query" width inner
            Key = linear "key" keys inner
            Value = linear "value" keys inner
            Output = linear "output" inner outputs
        }

    /// Attention of queries q [b, n, d] or [n, d] to values v [b, m, e] with keys k [b, m, d] and presence [b, m] in
    /// [0, 1] → [b, n, e]: averages with weights softmax(q·k / √(d / heads)), masked. With a mask, a set whose points
    /// are all absent is attended to evenly; the result is never NaN.
    let see (mask: SetMask) (heads: int) (q: Tensor) (k: Tensor) (v: Tensor) (presence: Tensor) : Tensor =
        match mask with
        | SetMask.Hard -> Tensor.maskedAttention (q, k, v, presence, PresenceMask.Hard, heads)
        | SetMask.Log -> Tensor.maskedAttention (q, k, v, presence, PresenceMask.Log, heads)
        | SetMask.None -> Tensor.attention (q, k, v, heads)

    /// The layer's output for each query: queries x [b, n, q] or [n, q], set h [b, m, k], presence [b, m] in [0, 1] →
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

    /// The layer's output for each of the packed rows h (see Tensor.pack), which attend to the rows of their own set:
    /// [b·n, width] → [b·n, outputs].
    let amongPresent (heads: int) (layer: MaskedAttention) (h: Tensor) : Tensor =
        let q, k, v = Linear.forward layer.Query h, Linear.forward layer.Key h, Linear.forward layer.Value h
        Tensor.attention (q, k, v, heads) |> Linear.forward layer.Output

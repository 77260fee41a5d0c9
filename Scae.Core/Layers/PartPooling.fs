namespace Scae.Core.Layers

open Scae.Tensors

/// With which of the attention maps a part's numbers are pooled.
[<RequireQualifiedAccess>]
type PartPooling =
    /// Each part's with its own: what the paper means.
    | Own
    /// Channel i of part ⌊i / n⌋ with map i mod M, as the released program does by a reshape where a transpose was meant.
    | Coded

/// Numbers of M parts from maps over places.
[<RequireQualifiedAccess>]
module PartPooling =
    /// Channels x [b, places, n·M + M], a part's n numbers side by side, then M attention logits → [b, M, n]: averages over
    /// places, weighed by the softmax of logits over places.
    let pool (pooling: PartPooling) (parts: int) (x: Tensor) : Tensor =
        let b, places, channels = x.shape[0], x.shape[1], x.shape[2]
        let n = channels / parts - 1
        let values, logits = x.slice (2, 0, n * parts), x.slice (2, n * parts, channels)
        let weights = logits.softmax 1

        match pooling with
        | PartPooling.Own -> (values.unflatten (2, [| parts; n |]) * weights.view (b, places, parts, 1)).sum 1
        | PartPooling.Coded ->
            (values.unflatten (2, [| n; parts |]) * weights.view (b, places, 1, parts)).sum(1).view(b, parts, n)

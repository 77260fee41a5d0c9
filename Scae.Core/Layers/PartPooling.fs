namespace Scae.Core.Layers

open Scae.Tensors

/// With which of the attention maps a part's numbers are pooled.
[<RequireQualifiedAccess>]
type PartPooling =
    /// Each part's with its own: what the paper means.
    | Own
    /// Channel i of part ⌊i / n⌋ with map i mod M, as the released program does by a reshape where a transpose was meant.
    | Coded

/// Numbers of M parts from what is seen at places.
[<RequireQualifiedAccess>]
module PartPooling =
    /// Channels x [b, c, places] and a head [c, n·M + M], at each place a part's n numbers side by side, then M attention
    /// logits → [b, M, n]: averages over places, weighed by the softmax of logits over places. An average of what a linear
    /// layer says is what it says of the average, so the head sees M averages instead of all places: at the published sizes
    /// an eighth of the work. The logits' biases are the same at all places, of which the softmax takes no notice.
    let pool (pooling: PartPooling) (parts: int) (head: Linear) (x: Tensor) : Tensor =
        let channels = head.Weight.shape[1]
        let n = channels / parts - 1
        let toLogits = head.Weight.slice (1, n * parts, channels)
        let weight, bias = head.Weight.slice (1, 0, n * parts), head.Bias.slice (0, 0, n * parts)
        let averages = (toLogits.transpose().matmul(x).softmax 2).matmul(x.transpose (1, 2))

        match pooling with
        | PartPooling.Own ->
            averages.linearEach (weight.unflatten(1, [| parts; n |]).permute(1, 0, 2), bias.view (parts, n))
        | PartPooling.Coded ->
            let weights = weight.unflatten(1, [| n; parts |]).permute(2, 0, 1)
            let said = averages.linearEach (weights, bias.view(n, parts).transpose())
            said.transpose(1, 2).contiguous().view(x.shape[0], parts, n)

namespace Scae.Core.Layers

open Scae.Tensors

/// Which attention map pools which of a part's numbers.
[<RequireQualifiedAccess>]
type PartPooling =
    /// Each part has a map of its own: what the paper means.
    | Own
    /// Channel i of part ⌊i / n⌋ is pooled with map i mod M, as in the released program, which has a reshape where a
    /// transpose was meant.
    | Coded

/// The numbers of M parts, pooled from features at places.
[<RequireQualifiedAccess>]
module PartPooling =
    /// Channels x [b, c, places] and a head [c, n·M + M] → [b, M, n]. At each place the head gives n numbers for each
    /// part, side by side, and then M attention logits. The result is averages over places, weighed by the softmax of
    /// the logits over places. The average of a linear layer's outputs is its output for the average, so the head is
    /// applied to M averages instead of all places: at the published sizes an eighth of the work. The biases of the
    /// logits are the same at all places, so they don't change the softmax.
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

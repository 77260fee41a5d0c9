namespace Scae.Core.Experiments

open System
open Scae.Tensors

/// The likeliest of several starts of each of b scenes that run through a model together: by quality [b], what tensors
/// [b, …] hold of it. All are overwritten by each start; the first has run.
[<Sealed>]
type internal Likeliest(quality: Tensor, tensors: Tensor[]) =
    let best = quality.toArray<float32>()
    let kept = tensors |> Array.map _.toArray<float32>()

    /// What tensor number i holds of the likeliest starts so far.
    member _.Item(i: int) : float32[] = kept[i]

    /// Takes over those scenes that have become likelier in the start that has just run.
    member _.Improve() : unit =
        let found = quality.Elements<float32>()

        for scene in 0 .. best.Length - 1 do
            if found[scene] > best[scene] then
                best[scene] <- found[scene]

                for i in 0 .. kept.Length - 1 do
                    let size = kept[i].Length / best.Length
                    let own = tensors[i].Elements<float32>().Slice(scene * size, size)
                    own.CopyTo(Span(kept[i], scene * size, size))

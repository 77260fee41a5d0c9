namespace Scae.Core.Experiments

open System
open Scae.Tensors

/// The likeliest of several starts for each of b scenes that run through a model together. Each start overwrites `quality`
/// [b], by which starts are compared, and `tensors` [b, …], of which the likeliest start's rows are kept. Create this after
/// the first start has run.
[<Sealed>]
type internal Likeliest(quality: Tensor, tensors: Tensor[]) =
    let best = quality.toArray<float32>()
    let kept = tensors |> Array.map _.toArray<float32>()

    let improve () =
        let found = quality.Elements<float32>()

        for scene in 0 .. best.Length - 1 do
            // What isn't a number loses against anything.
            if found[scene] > best[scene] || Single.IsNaN best[scene] then
                best[scene] <- found[scene]

                for i in 0 .. kept.Length - 1 do
                    let size = kept[i].Length / best.Length
                    let own = tensors[i].Elements<float32>().Slice(scene * size, size)
                    own.CopyTo(Span(kept[i], scene * size, size))

    /// The rows of tensor number i that belong to the likeliest starts so far.
    member _.Item(i: int) : float32[] = kept[i]

    /// Runs starts number 1 to `count`, and keeps the rows of the scenes for which one is likelier than those before.
    member _.Try(count: int, run: int64 -> unit) : unit =
        for number in 1L .. int64 count do
            run number
            improve ()

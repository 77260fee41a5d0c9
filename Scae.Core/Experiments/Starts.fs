namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Training

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

/// What a recorded run over some scenes gives. Quality is the expected log-likelihood [b], by which starts are compared if there
/// are several. A swap also needs ForSwaps of the likeliest start, [b, …] each.
type internal Started<'found> = { Found: 'found; Quality: Tensor option; ForSwaps: Tensor[] }

/// How scenes are started that run through a model together, more than once if there are several starts.
type internal Starts<'batch> =
    {
        /// How many scenes run together. Each such part has a key for its starts.
        AtOnce: int
        /// Further starts after the first.
        Again: int
        /// Swaps after these.
        Swaps: int
        /// What differs from start to start, [b, …]: the tensor that Start and Swap fill.
        Noise: 'batch -> Tensor
        Start: Key -> 'batch -> unit
        /// A start made of the likeliest so far; number i + 1 of its tensors is number i of ForSwaps.
        Swap: Likeliest -> Key -> 'batch -> unit
    }

/// Runs scenes from several starts, of which the likeliest counts.
[<RequireQualifiedAccess>]
module internal Starts =
    /// Tries further starts of a part of the scenes, then swaps of the likeliest, and runs the likeliest of each scene again.
    let private settle (starts: Starts<'batch>) (key: Key) (quality: Tensor) (part: Part<'batch, Started<'found>>) =
        let noise = starts.Noise part.Batch
        let likeliest = Likeliest(quality, Array.append [| noise |] part.Output.ForSwaps)

        let run (start: Key -> 'batch -> unit) (key: Key) (number: int64) =
            start (key.Fold number) part.Batch
            part.Run()

        likeliest.Try(starts.Again, run starts.Start (key.Named "again"))
        likeliest.Try(starts.Swaps, run (starts.Swap likeliest) (key.Named "swap"))
        likeliest[0].CopyTo(noise.Elements<float32>())
        part.Run()

    /// Goes through a number of scenes, part by part: `load` puts those of a part into its batch, `visitFirst` sees the result of
    /// the first start, and `visit` that of the likeliest.
    let over
        (starts: Starts<'batch>)
        (inference: Inference<'batch, Started<'found>>)
        (count: int)
        (key: Key)
        (load: Part<'batch, Started<'found>> -> unit)
        (visitFirst: Part<'batch, Started<'found>> -> unit)
        (visit: Part<'batch, Started<'found>> -> unit)
        : unit =
        inference.Over(
            count,
            fun part ->
                let key = key.Fold(int64 (part.First / starts.AtOnce))
                load part
                starts.Start key part.Batch
                part.Run()
                visitFirst part
                part.Output.Quality |> Option.iter (fun quality -> settle starts key quality part)
                visit part
        )

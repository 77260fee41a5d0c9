namespace Scae.Core.Training

open System
open Scae.Tensors
open Scae.Core.Layers

/// Rows of tensors [n, …], float32.
[<RequireQualifiedAccess>]
module Rows =
    /// Copies rows from `first` on into a batch, as many as the batch has.
    let load (source: Tensor) (first: int) (batch: Tensor) : unit =
        let size = batch.nelement / max 1 batch.shape[0]
        source.Elements<float32>().Slice(first * size, batch.nelement).CopyTo(batch.Elements<float32>())

    /// Copies a batch over the rows from `first` on.
    let store (target: Tensor) (first: int) (batch: Tensor) : unit =
        let size = batch.nelement / max 1 batch.shape[0]
        batch.CopyTo(target.Elements<float32>().Slice(first * size, batch.nelement))

    /// The first `count` rows, or all if there are fewer.
    let first (count: int) (x: Tensor) : Tensor = x.slice (0, 0, min count x.shape[0])

    /// The numbers of one row, not copied; the tensor must be dense.
    let span (i: int) (x: Tensor) : ReadOnlySpan<float32> =
        let size = x.nelement / x.shape[0]
        Span.op_Implicit (x.Elements<float32>().Slice(i * size, size))

    /// All numbers.
    let numbers (x: Tensor) : float[] = x.toArray<float32>() |> Array.map float

    /// The numbers of one row, copied.
    let values (i: int) (x: Tensor) : float32[] = (x.select (0, i)).contiguous().toArray<float32>()

/// Some of the rows that inference goes through: their inputs, and what `Run` infers from them.
[<Sealed>]
type Part<'batch, 'output> internal (batch: 'batch, output: 'output, recording: Recording) =
    /// The number of the batch's first row.
    member val First = 0 with get, set

    /// The inputs, which the caller writes.
    member _.Batch: 'batch = batch

    /// What was inferred from them by the last run; the next one overwrites it.
    member _.Output: 'output = output

    /// Infers from the present inputs.
    member _.Run() : unit = recording.Forward()

/// Inference over any number of rows, with a limited number at a time. It is recorded once for each number of rows
/// and then replayed, so it allocates nothing and follows parameters that are updated in place. `allocate` makes room
/// for the inputs of some rows. `infer` computes a tensor, or a record or tuple of tensors, from them, and must not read
/// values (see Recording). ArgumentException is raised if what it computes has no tensors.
[<Sealed>]
type Inference<'batch, 'output>(most: int, allocate: int -> 'batch, infer: 'batch -> 'output) =
    let recorded =
        Memo.once (fun (count: int) ->
            let batch = allocate count
            let output = ref Unchecked.defaultof<'output>

            let recording =
                Recording.Of(fun () ->
                    output.Value <- infer batch

                    match Parameters.named output.Value with
                    | [] -> invalidArg (nameof infer) "inference: the output has no tensors, so it can't be recorded"
                    | tensors -> tensors |> Seq.map snd)

            Part(batch, output.Value, recording))

    /// Goes through `count` rows from the first to the last. `visit` writes the inputs of a part, runs it, and reads
    /// the results.
    member _.Over(count: int, visit: Part<'batch, 'output> -> unit) : unit =
        for first in 0..most .. count - 1 do
            let part = recorded (min most (count - first))
            part.First <- first
            visit part

    /// The results for all `count` rows, in new tensors [count, …]; `load` writes the inputs of a part. Outputs must
    /// be float32 and have one row for each input row. Raises ArgumentException without rows.
    member inference.Gather(count: int, load: Part<'batch, 'output> -> unit) : 'output =
        let gathered = ref ValueNone

        inference.Over(
            count,
            fun part ->
                load part
                part.Run()

                if part.First = 0 then
                    let room (x: Tensor) = Tensor.zeros (Array.append [| count |] (Array.tail x.shape))
                    gathered.Value <- ValueSome(Parameters.map room part.Output)

                (Parameters.named gathered.Value.Value, Parameters.named part.Output)
                ||> List.iter2 (fun (_, target) (_, found) -> Rows.store target part.First found)
        )

        match gathered.Value with
        | ValueSome output -> output
        | ValueNone -> invalidArg (nameof count) "inference: there are no rows"

/// Inference over the rows of a tensor.
[<RequireQualifiedAccess>]
module Inference =
    /// A function [n, …] → [n, …] of rows, without gradient, that infers at most `most` rows at a time. It is
    /// recorded once for each shape of rows.
    let ofRows (most: int) (infer: Tensor -> Tensor) : Tensor -> Tensor =
        let recorded =
            Memo.once (fun (row: int list) ->
                Inference(most, (fun count -> Tensor.zeros (Array.ofList (count :: row))), infer))

        fun x ->
            let inference = recorded (List.tail (List.ofArray x.shape))
            inference.Gather(x.shape[0], fun part -> Rows.load x part.First part.Batch)

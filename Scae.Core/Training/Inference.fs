namespace Scae.Core.Training

open System
open System.Collections.Generic
open Scae.Tensors
open Scae.Core.Layers

/// Rows of tensors [n, …], float32.
[<RequireQualifiedAccess>]
module Rows =
    /// Copies the rows from `first` on into a batch, as many as it has.
    let load (source: Tensor) (first: int) (batch: Tensor) : unit =
        let size = batch.nelement / max 1 batch.shape[0]
        source.Elements<float32>().Slice(first * size, batch.nelement).CopyTo(batch.Elements<float32>())

    /// Copies a batch over the rows from `first` on.
    let store (target: Tensor) (first: int) (batch: Tensor) : unit =
        let size = batch.nelement / max 1 batch.shape[0]
        batch.CopyTo(target.Elements<float32>().Slice(first * size, batch.nelement))

    /// The first rows, as many as there are at most.
    let first (count: int) (x: Tensor) : Tensor = x.slice (0, 0, min count x.shape[0])

    /// The numbers of one row, where they lie: for a dense tensor.
    let span (i: int) (x: Tensor) : ReadOnlySpan<float32> =
        let size = x.nelement / x.shape[0]
        Span.op_Implicit (x.Elements<float32>().Slice(i * size, size))

    /// The numbers of one row, copied.
    let values (i: int) (x: Tensor) : float32[] = (x.select (0, i)).contiguous().toArray<float32>()

/// Some of the rows that inference goes through: their inputs, and what `Run` infers from them.
[<Sealed>]
type Part<'batch, 'output> internal (batch: 'batch, output: 'output, recording: Recording) =
    /// The row with which the batch begins.
    member val First = 0 with get, set

    /// The inputs, to be written.
    member _.Batch: 'batch = batch

    /// What was inferred from them by the last run; the next one overwrites it.
    member _.Output: 'output = output

    /// Infers anew.
    member _.Run() : unit = recording.Forward()

/// Inference over any number of rows, a bounded number at a time. It is recorded once for each number of rows and replayed
/// from then on, so that it allocates nothing and follows parameters that are updated in place. `allocate` makes room for
/// the inputs of some rows, `infer` computes a record of tensors from them; it reads no values (see Recording).
[<Sealed>]
type Inference<'batch, 'output>(most: int, allocate: int -> 'batch, infer: 'batch -> 'output) =
    let parts = Dictionary<int, Part<'batch, 'output>>()

    let record (count: int) =
        let batch = allocate count
        let output = ref Unchecked.defaultof<'output>

        let recording =
            Recording.Of(fun () ->
                output.Value <- infer batch
                Parameters.named output.Value |> Seq.map snd)

        Part(batch, output.Value, recording)

    let recorded (count: int) =
        match parts.TryGetValue count with
        | true, known -> known
        | _ ->
            let fresh = record count
            parts[count] <- fresh
            fresh

    /// Goes through `count` rows, from the first to the last: `visit` writes a part's inputs, runs it, and reads what was
    /// inferred.
    member _.Over(count: int, visit: Part<'batch, 'output> -> unit) : unit =
        for first in 0..most .. count - 1 do
            let part = recorded (min most (count - first))
            part.First <- first
            visit part

/// Inference over the rows of a tensor.
[<RequireQualifiedAccess>]
module Inference =
    let private shaped (rows: int) (shape: int[]) = Tensor.zeros (Array.append [| rows |] (Array.tail shape))

    /// A function [n, …] → [n, …] of rows without gradient, at most so many at a time; for each shape of rows it is recorded
    /// once.
    let ofRows (most: int) (infer: Tensor -> Tensor) : Tensor -> Tensor =
        let known = Dictionary<string, Inference<Tensor, Tensor>>()

        let recorded (shape: int[]) =
            let name = shape |> Array.tail |> Array.map string |> String.concat "×"

            match known.TryGetValue name with
            | true, inference -> inference
            | _ ->
                let inference = Inference(most, (fun count -> shaped count shape), infer)
                known[name] <- inference
                inference

        fun x ->
            let count = x.shape[0]
            let result = ref ValueNone

            (recorded x.shape)
                .Over(
                    count,
                    fun part ->
                        Rows.load x part.First part.Batch
                        part.Run()

                        if part.First = 0 then
                            result.Value <- ValueSome(shaped count part.Output.shape)

                        Rows.store result.Value.Value part.First part.Output
                )

            match result.Value with
            | ValueSome rows -> rows
            | ValueNone -> invalidArg (nameof x) "inference: there are no rows"

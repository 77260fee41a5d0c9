namespace Scae.Core.Training

open System
open Scae.Tensors

/// The order in which a training goes through n rows. Each pass has all of them in another order, which depends only
/// on the key and the number of the pass. The present pass is kept in memory, and shuffled in place when the next one
/// begins. Raises ArgumentException without rows.
[<Sealed>]
type Passes(count: int, key: Key) =
    do
        if count < 1 then
            invalidArg (nameof count) $"passes through {count} rows: there must be at least one"

    let order = Array.zeroCreate<int> count
    let key = key.Named "order"
    let mutable present = -1L

    /// How many rows there are.
    member _.Count: int = count

    /// Writes the rows of a step, as many as there is room for; steps are counted from 0.
    member _.Choose(step: int, rows: Span<int>) : unit =
        let first = int64 step * int64 rows.Length

        for i in 0 .. rows.Length - 1 do
            let at = first + int64 i
            let pass = at / int64 count

            if pass <> present then
                (key.Fold pass).FillPermutation(Span order)
                present <- pass

            rows[i] <- order[int (at % int64 count)]

/// Where the rows of a training set lie.
type private Source =
    | Floats of Tensor
    | Bytes of byte[]

/// A training set that is made once: float32 rows [n, …], or rows of bytes, which stay bytes in memory.
[<Sealed>]
type TrainingSet private (source: Source, count: int, size: int, key: Key) =
    let passes = Passes(count, key)
    let mutable chosen: int[] = [||]

    /// A set of float32 rows [n, …]. Raises ShapeError without rows.
    static member Of(set: Tensor, key: Key) : TrainingSet =
        if set.nelement = 0 || set.shape.Length = 0 then
            raise (ShapeError $"training set: %A{set.shape}; must be rows [n, …] of at least one number")

        TrainingSet(Floats set, set.shape[0], set.nelement / set.shape[0], key)

    /// A set of rows of bytes, each `size` long; a byte b becomes b / 255. Raises ArgumentException unless the bytes are one or more
    /// whole rows.
    static member Of(bytes: byte[], size: int, key: Key) : TrainingSet =
        if size < 1 || bytes.Length = 0 || bytes.Length % size <> 0 then
            invalidArg
                (nameof size)
                $"training set: {bytes.Length} bytes in rows of {size}; must be one or more whole rows"

        TrainingSet(Bytes bytes, bytes.Length / size, size, key)

    /// Copies the rows of a step into a batch [b, …]; steps are counted from 0. Raises ShapeError if the batch's rows are of
    /// another size.
    member _.Fill(step: int, batch: Tensor) : unit =
        if batch.shape.Length = 0 || int64 batch.nelement <> int64 batch.shape[0] * int64 size then
            raise (
                ShapeError
                    $"training set: rows of {size} numbers into a batch %A{batch.shape}; sizes of rows must agree"
            )

        if chosen.Length <> batch.shape[0] then
            chosen <- Array.zeroCreate batch.shape[0]

        passes.Choose(step, Span chosen)

        for i in 0 .. chosen.Length - 1 do
            let into = batch.Elements<float32>().Slice(i * size, size)
            let first = chosen[i] * size

            match source with
            | Floats set -> set.Elements<float32>().Slice(first, size).CopyTo into
            | Bytes bytes ->
                for j in 0 .. size - 1 do
                    into[j] <- float32 bytes[first + j] / 255.0f

namespace Scae.Core.Data

open System
open Scae.Tensors

/// Sequences of sprites in which one factor moves (Keller & Welling 2021, §5).
[<RequireQualifiedAccess>]
module SpriteSequences =
    /// S, frames a sequence.
    [<Literal>]
    let Steps = 15

    // Shape never moves.
    [<Literal>]
    let private FirstMoving = 1

    /// The images of a sequence that begins with a given one. A factor, drawn from scale, orientation, column and
    /// row, increases by one value per frame, and from its last value goes on to its first. Scale, with five values,
    /// goes round three times.
    let images (first: int) (random: KeyStream) : int[] =
        let moving = FirstMoving + random.NextInt(Sprites.sizes.Length - FirstMoving)
        let size = Sprites.sizes[moving]
        // How far apart two images are if their moving factor differs by one.
        let stride = Array.fold (*) 1 Sprites.sizes[moving + 1 ..]
        let value = first / stride % size
        Array.init Steps (fun t -> first + ((value + t) % size - value) * stride)

    /// Draws a sequence of each chosen image into frames [b·S, 4096], and returns the images; a pure function of the key.
    /// Sequence i draws from key.Fold i, so it doesn't depend on the others.
    let fill (sprites: Sprites) (chosen: ReadOnlySpan<int>) (key: Key) (into: Tensor) : int[][] =
        let frames = into.Elements<float32>()
        let sequences = Array.zeroCreate<int[]> chosen.Length
        let random = key.Stream()

        for i in 0 .. chosen.Length - 1 do
            random.Restart(key.Fold(int64 i))
            sequences[i] <- images chosen[i] random

            for t in 0 .. Steps - 1 do
                let from = ReadOnlySpan(sprites.Pixels, sequences[i][t] * Sprites.Pixels, Sprites.Pixels)
                let frame = frames.Slice((i * Steps + t) * Sprites.Pixels, Sprites.Pixels)
                Numerics.Tensors.TensorPrimitives.ConvertTruncating<byte, float32>(from, frame)

        sequences

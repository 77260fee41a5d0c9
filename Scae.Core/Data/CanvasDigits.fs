namespace Scae.Core.Data

open System
open Scae.Tensors

/// Digits drawn on square canvases, as bytes.
type CanvasDigits =
    {
        /// Width and height of a canvas.
        Side: int
        /// n canvases of side² bytes, row by row; 0 is background.
        Pixels: byte[]
        /// The class of each, 0 to 9.
        Labels: byte[]
    }

/// Digits padded with background and shifted (the released program of Kosiorek et al. 2019).
[<RequireQualifiedAccess>]
module CanvasDigits =
    /// How many there are.
    let count (canvases: CanvasDigits) : int = canvases.Labels.Length

    /// Where an image begins along an axis of a canvas that is `room` pixels longer: ⌈(room − y) / 2⌉ for y uniform
    /// in −room, …, room. Offset 0 is half as probable as each of 1, …, room.
    let private offset (room: int) (random: KeyStream) : int =
        let y = random.NextInt(-room, room + 1)
        (room - y + 1) / 2

    let private refuse (side: int) =
        if side < Digits.Side then
            invalidArg (nameof side) $"canvas of {side} pixels; must have at least {Digits.Side}"

    /// Draws the top and left of a digit anywhere on a canvas. Raises ArgumentException for a canvas that is smaller
    /// than a digit.
    let place (side: int) (random: KeyStream) : struct (int * int) =
        refuse side
        let room = side - Digits.Side
        let top = offset room random
        struct (top, offset room random)

    /// Writes the classes of given digits into one-hot rows [b, classes].
    let label (digits: Digits) (indices: ReadOnlySpan<int>) (classes: Tensor) : unit =
        let hot = classes.Elements<float32>()
        hot.Clear()

        for i in 0 .. indices.Length - 1 do
            hot[i * classes.shape[1] + int digits.Labels[indices[i]]] <- 1.0f

    /// Whether an array can hold n canvases.
    let internal canHold (n: int) (side: int) : bool = int64 n * int64 side * int64 side <= int64 Array.MaxLength

    /// Room for n canvases. Raises ArgumentException where an array can't hold them.
    let internal room (n: int) (side: int) : byte[] =
        let bytes = int64 n * int64 side * int64 side

        if bytes > int64 Array.MaxLength then
            invalidArg
                (nameof side)
                $"{n} canvases of {side} × {side} pixels are {bytes} bytes; must be at most {Array.MaxLength}"

        Array.zeroCreate (int bytes)

    /// Every digit once, at a place of its own; a pure function of the key. Raises ArgumentException for a canvas that is
    /// smaller than a digit.
    let shifted (side: int) (digits: Digits) (key: Key) : CanvasDigits =
        refuse side
        let n = Digits.count digits
        let pixels = room n side
        let random = key.Stream()

        for i in 0 .. n - 1 do
            let struct (top, left) = place side random

            for row in 0 .. Digits.Side - 1 do
                ReadOnlySpan(digits.Pixels, i * Digits.Pixels + row * Digits.Side, Digits.Side)
                    .CopyTo(Span(pixels, (i * side + top + row) * side + left, Digits.Side))

        { Side = side; Pixels = pixels; Labels = Array.copy digits.Labels }

    let private drawOne (digits: Digits) (index: int) (side: int) (random: KeyStream) (into: Span<float32>) : unit =
        let struct (top, left) = place side random
        into.Clear()

        for row in 0 .. Digits.Side - 1 do
            let from = index * Digits.Pixels + row * Digits.Side
            let target = (top + row) * side + left

            for column in 0 .. Digits.Side - 1 do
                into[target + column] <- float32 digits.Pixels[from + column] / 255.0f

    /// Draws given digits, each at a random place of its own, into images [b, 1, side, side] of float32 in [0, 1],
    /// and their classes into one-hot rows [b, classes]; a pure function of the key. Raises ArgumentException as
    /// `place` does.
    let fill (digits: Digits) (indices: ReadOnlySpan<int>) (key: Key) (images: Tensor) (classes: Tensor) : unit =
        let side = images.shape[3]
        refuse side
        let pixels = images.Elements<float32>()
        let random = key.Stream()
        label digits indices classes

        for i in 0 .. indices.Length - 1 do
            drawOne digits indices[i] side random (pixels.Slice(i * side * side, side * side))

    /// Copies canvases from number `first` on into images [b, 1, side, side], as many as there are; images beyond
    /// them are left as they are.
    let load (canvases: CanvasDigits) (first: int) (images: Tensor) : unit =
        let size = canvases.Side * canvases.Side
        let into = images.Elements<float32>()
        let count = min images.shape[0] (count canvases - first)

        for i in 0 .. count * size - 1 do
            into[i] <- float32 canvases.Pixels[first * size + i] / 255.0f

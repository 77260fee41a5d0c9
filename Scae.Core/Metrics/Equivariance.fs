namespace Scae.Core.Metrics

open System
open System.Buffers
open Scae.Tensors

/// How far a sequence of capsules is from rolling by one entry per frame (Keller & Welling 2021, §6).
[<RequireQualifiedAccess>]
module Equivariance =
    /// Divides each capsule by its Euclidean length; a capsule of zeros stays as it is.
    let private normalize (entries: int) (t: ReadOnlySpan<float32>) (unit: Span<float>) : unit =
        for first in 0..entries .. t.Length - 1 do
            let mutable square = 0.0

            for i in first .. first + entries - 1 do
                square <- square + float t[i] * float t[i]

            let scale = if square = 0.0 then 0.0 else 1.0 / sqrt square

            for i in first .. first + entries - 1 do
                unit[i] <- float t[i] * scale

    /// E_eq = Σ_{t0<t1} Σ_n ‖roll(T̂[t0, n], t1 − t0) − T̂[t1, n]‖₁ of one sequence T [S, N, D], where T̂ has
    /// capsules of length 1 and a roll moves entry c to c + shift. It is a sum, not a mean, and 0 for a single frame.
    /// It is also 0 for capsules whose entries are all equal, so it says nothing without a measure of what moves, and
    /// without its value before training. Raises ArgumentException unless t is made of whole frames of whole capsules.
    let error (frames: int) (entries: int) (t: ReadOnlySpan<float32>) : float =
        if frames < 1 || entries < 1 || t.Length % (frames * entries) <> 0 then
            invalidArg
                (nameof t)
                $"equivariance: {t.Length} numbers; must be whole frames, {frames} of them, of capsules of {entries}"

        let room = ArrayPool<float>.Shared.Rent t.Length

        try
            let unit = Span(room, 0, t.Length)
            normalize entries t unit
            let block = t.Length / frames
            let mutable total = 0.0

            for t1 in 1 .. frames - 1 do
                for t0 in 0 .. t1 - 1 do
                    let shift = (t1 - t0) % entries

                    for first in 0..entries .. block - 1 do
                        let before, after = t0 * block + first, t1 * block + first

                        for c in 0 .. entries - 1 do
                            let moved = if c >= shift then c - shift else c - shift + entries
                            total <- total + abs (unit[before + moved] - unit[after + c])

            total
        finally
            ArrayPool<float>.Shared.Return room

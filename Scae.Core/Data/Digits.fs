namespace Scae.Core.Data

open System

/// Images of single digits with their classes.
type Digits =
    {
        /// n images of 28 × 28 bytes, row by row; 0 is background.
        Pixels: byte[]
        /// The class of each: 0 to 9 for digits, up to 255 for other images.
        Labels: byte[]
    }

/// Images of single digits.
[<RequireQualifiedAccess>]
module Digits =
    /// Width and height of an image.
    [<Literal>]
    let Side = 28

    /// Bytes an image.
    [<Literal>]
    let Pixels = 784

    /// How many images there are.
    let count (digits: Digits) : int = digits.Labels.Length

    /// The first `at` images, and the others.
    let split (at: int) (digits: Digits) : struct (Digits * Digits) =
        let pixels, otherPixels = Array.splitAt (at * Pixels) digits.Pixels
        let labels, otherLabels = Array.splitAt at digits.Labels
        struct ({ Pixels = pixels; Labels = labels }, { Pixels = otherPixels; Labels = otherLabels })

    /// The first `most` images, or all if there are fewer.
    let first (most: int) (digits: Digits) : Digits =
        let struct (first, _) = split (min most (count digits)) digits
        first

    /// The value between an image's pixels at column x and row y: bilinear between the four neighbours, 0 outside.
    let bilinear (source: ReadOnlySpan<byte>) (x: float) (y: float) : float =
        let left, top = int (floor x), int (floor y)
        let fx, fy = x - float left, y - float top

        if uint left < uint (Side - 1) && uint top < uint (Side - 1) then
            let at = top * Side + left

            (1.0 - fx) * (1.0 - fy) * float source[at]
            + fx * (1.0 - fy) * float source[at + 1]
            + (1.0 - fx) * fy * float source[at + Side]
            + fx * fy * float source[at + Side + 1]
        else
            let mutable sum = 0.0

            for dy in 0..1 do
                for dx in 0..1 do
                    let column, row = left + dx, top + dy

                    if uint column < uint Side && uint row < uint Side then
                        let weight = (if dx = 0 then 1.0 - fx else fx) * (if dy = 0 then 1.0 - fy else fy)
                        sum <- sum + weight * float source[row * Side + column]

            sum

/// Digits to train with, and others that no training has seen.
type DigitSets = { Train: Digits; Test: Digits }

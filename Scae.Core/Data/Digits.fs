namespace Scae.Core.Data

/// Images of single digits with their classes.
type Digits =
    {
        /// n images of 28 × 28 bytes, row by row; 0 is background.
        Pixels: byte[]
        /// The class of each: 0 to 9 of digits, up to 255 of other images.
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

    /// The first images, so many, and the others.
    let split (at: int) (digits: Digits) : struct (Digits * Digits) =
        let pixels, otherPixels = Array.splitAt (at * Pixels) digits.Pixels
        let labels, otherLabels = Array.splitAt at digits.Labels
        struct ({ Pixels = pixels; Labels = labels }, { Pixels = otherPixels; Labels = otherLabels })

    /// The first images, so many or as many as there are.
    let first (most: int) (digits: Digits) : Digits =
        let struct (first, _) = split (min most (count digits)) digits
        first

/// Digits to train with, and others that no training has seen.
type DigitSets = { Train: Digits; Test: Digits }

namespace Scae.Core.Data

open System
open Scae.Tensors

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

    /// The images of given rows.
    let choose (rows: int[]) (digits: Digits) : Digits =
        {
            Pixels = rows |> Array.collect (fun i -> Array.sub digits.Pixels (i * Pixels) Pixels)
            Labels = rows |> Array.map (fun i -> digits.Labels[i])
        }

    /// So many images chosen by chance, and the others, both in their order. Which they are depends on the numbers alone and on
    /// no seed, so that no run measures with what another one has learned from. Not the last of MNIST: they are easier.
    let heldOut (held: int) (digits: Digits) : struct (Digits * Digits) =
        let rows = Array.init (count digits) id
        (Key.OfSeed(0L).Named "held out").FillPermutation(Span rows)
        let chosen, others = Array.splitAt held rows
        struct (choose (Array.sort chosen) digits, choose (Array.sort others) digits)

/// Digits to train with, and others that no training has seen.
type DigitSets = { Train: Digits; Test: Digits }

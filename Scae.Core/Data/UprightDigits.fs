namespace Scae.Core.Data

open System
open Scae.Tensors

/// How a digit leans, and where its ink lies.
[<Struct>]
type private Stance =
    {
        /// The centre of its ink.
        X: float
        Y: float
        /// Columns by which ink moves to the right from a row to the next.
        Slant: float
    }

/// Digits as they are compared with each other: upright, their ink in the middle, coarse, and of one length. What lies near
/// by Euclidean distance is then much alike.
[<RequireQualifiedAccess>]
module UprightDigits =
    // Pixels along a side of what is averaged into one number.
    [<Literal>]
    let private Coarse = 2

    // Numbers along a side.
    [<Literal>]
    let private Side = 14

    [<Literal>]
    let private Centre = 13.5

    /// Numbers that describe a digit.
    [<Literal>]
    let Numbers = 196

    /// The least-squares line through the ink, of columns by rows: slant = μ₁₁ / μ₀₂.
    let private stance (pixels: ReadOnlySpan<byte>) : Stance =
        let mutable ink = 0.0
        let mutable x = 0.0
        let mutable y = 0.0
        let mutable xy = 0.0
        let mutable yy = 0.0

        for i in 0 .. pixels.Length - 1 do
            let weight = float pixels[i]
            let column, row = float (i % Digits.Side), float (i / Digits.Side)
            ink <- ink + weight
            x <- x + weight * column
            y <- y + weight * row
            xy <- xy + weight * column * row
            yy <- yy + weight * row * row

        if ink = 0.0 then
            { X = Centre; Y = Centre; Slant = 0.0 }
        else
            let x, y = x / ink, y / ink
            let spread = yy / ink - y * y

            {
                X = x
                Y = y
                // Ink of a single row leans nowhere.
                Slant = if spread < 1e-9 then 0.0 else (xy / ink - x * y) / spread
            }

    let private row (pixels: ReadOnlySpan<byte>) : float[] =
        let stance = stance pixels
        let numbers = Array.zeroCreate Numbers

        for i in 0 .. Digits.Pixels - 1 do
            let down = float (i / Digits.Side) - Centre
            let right = float (i % Digits.Side) - Centre
            let ink = Digits.bilinear pixels (stance.X + right + stance.Slant * down) (stance.Y + down)
            let at = i / Digits.Side / Coarse * Side + i % Digits.Side / Coarse
            numbers[at] <- numbers[at] + ink

        let length = sqrt (Array.sumBy (fun x -> x * x) numbers)

        if length = 0.0 then
            numbers
        else
            numbers |> Array.map (fun x -> x / length)

    // Digits that one part of the work describes.
    [<Literal>]
    let private AtOnce = 256

    /// A row of `Numbers` for every digit, of length 1, or 0 for a digit without ink.
    let rows (digits: Digits) : float[][] =
        let rows = Array.zeroCreate (Digits.count digits)

        let part number =
            for i in number * AtOnce .. min rows.Length ((number + 1) * AtOnce) - 1 do
                rows[i] <- row (ReadOnlySpan(digits.Pixels, i * Digits.Pixels, Digits.Pixels))

        Parallelism.Run((rows.Length + AtOnce - 1) / AtOnce, part)
        rows

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
        /// By how many columns ink moves to the right from one row to the next.
        Slant: float
    }

/// Digits made comparable: sheared upright, with the centre of their ink in the middle (`images`). For a quick first
/// comparison, `row` adds up blocks of 2 × 2 pixels and scales the result to length 1.
[<RequireQualifiedAccess>]
module UprightDigits =
    // Pixels along a side of the block that becomes one number.
    [<Literal>]
    let private Coarse = 2

    // Numbers along a side.
    [<Literal>]
    let private Side = 14

    [<Literal>]
    let private Centre = 13.5

    /// How many numbers describe a digit.
    [<Literal>]
    let Numbers = 196

    /// The least-squares line through the ink, columns as a function of rows: slant = μ₁₁ / μ₀₂.
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
                // Ink in a single row has no slant.
                Slant = if spread < 1e-9 then 0.0 else (xy / ink - x * y) / spread
            }

    let private image (pixels: ReadOnlySpan<byte>) : float32[] =
        let stance = stance pixels
        let image = Array.zeroCreate<float32> Digits.Pixels

        for i in 0 .. image.Length - 1 do
            let down = float (i / Digits.Side) - Centre
            let right = float (i % Digits.Side) - Centre
            let ink = Digits.bilinear pixels (stance.X + right + stance.Slant * down) (stance.Y + down)
            image[i] <- float32 (ink / 255.0)

        image

    // How many digits one part of the work describes.
    [<Literal>]
    let private AtOnce = 256

    /// The digits, sheared upright and with their ink in the middle, each as 28 × 28 numbers in [0, 1], row by row.
    let images (digits: Digits) : float32[][] =
        let images = Array.zeroCreate (Digits.count digits)

        let part number =
            for i in number * AtOnce .. min images.Length ((number + 1) * AtOnce) - 1 do
                images[i] <- image (ReadOnlySpan(digits.Pixels, i * Digits.Pixels, Digits.Pixels))

        Parallelism.Run((images.Length + AtOnce - 1) / AtOnce, part)
        images

    /// A vector of `Numbers` numbers for one of the `images`: of length 1, or zeros for an image without ink.
    let row (image: float32[]) : float[] =
        let numbers = Array.zeroCreate Numbers

        for i in 0 .. image.Length - 1 do
            let at = i / Digits.Side / Coarse * Side + i % Digits.Side / Coarse
            numbers[at] <- numbers[at] + float image[i]

        let length = sqrt (Array.sumBy (fun x -> x * x) numbers)

        if length = 0.0 then
            numbers
        else
            numbers |> Array.map (fun x -> x / length)

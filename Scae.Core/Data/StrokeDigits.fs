namespace Scae.Core.Data

open System
open Scae.Tensors

/// Digits drawn from polylines, for machines without MNIST: as large, as thick and as tilted as handwritten ones.
[<RequireQualifiedAccess>]
module StrokeDigits =
    /// The corners of each digit in a square of side 1, y pointing down.
    let private glyphs: (float * float)[][] =
        [|
            [|
                for i in 0..12 -> 0.5 + 0.27 * sin (float i * Math.PI / 6.0), 0.5 - 0.4 * cos (float i * Math.PI / 6.0)
            |]
            [| 0.38, 0.24; 0.52, 0.1; 0.52, 0.9 |]
            [| 0.25, 0.28; 0.35, 0.13; 0.55, 0.1; 0.72, 0.2; 0.72, 0.38; 0.25, 0.9; 0.77, 0.9 |]
            [|
                0.27, 0.15
                0.5, 0.1
                0.7, 0.2
                0.7, 0.38
                0.45, 0.48
                0.72, 0.6
                0.72, 0.8
                0.5, 0.9
                0.25, 0.83
            |]
            [| 0.62, 0.9; 0.62, 0.1; 0.22, 0.62; 0.8, 0.62 |]
            [| 0.72, 0.1; 0.33, 0.1; 0.28, 0.45; 0.55, 0.42; 0.74, 0.55; 0.72, 0.78; 0.5, 0.9; 0.25, 0.82 |]
            [|
                0.68, 0.12
                0.42, 0.25
                0.28, 0.55
                0.3, 0.8
                0.5, 0.9
                0.7, 0.8
                0.7, 0.6
                0.5, 0.5
                0.3, 0.62
            |]
            [| 0.22, 0.1; 0.77, 0.1; 0.45, 0.9 |]
            [|
                0.5, 0.1
                0.7, 0.2
                0.68, 0.36
                0.5, 0.47
                0.3, 0.62
                0.3, 0.8
                0.5, 0.9
                0.7, 0.8
                0.7, 0.62
                0.5, 0.47
                0.32, 0.36
                0.3, 0.2
                0.5, 0.1
            |]
            [|
                0.7, 0.35
                0.5, 0.48
                0.3, 0.38
                0.3, 0.2
                0.5, 0.1
                0.7, 0.2
                0.7, 0.35
                0.66, 0.65
                0.55, 0.9
            |]
        |]

    // The side of the square in pixels, as MNIST's digits fill 20 of 28.
    [<Literal>]
    let private Extent = 22.0

    /// The distance of (x, y) from the segment (x0, y0)–(x1, y1).
    let private distance (x: float) (y: float) (struct (x0, y0)) (struct (x1, y1)) : float =
        let dx, dy = x1 - x0, y1 - y0
        let length = dx * dx + dy * dy

        let along =
            if length = 0.0 then
                0.0
            else
                Math.Clamp(((x - x0) * dx + (y - y0) * dy) / length, 0.0, 1.0)

        let ex, ey = x - (x0 + along * dx), y - (y0 + along * dy)
        sqrt (ex * ex + ey * ey)

    /// Pixels along an axis that are within reach of places from a to b.
    let private within (reach: float) (a: float) (b: float) : struct (int * int) =
        struct (max 0 (int (floor (min a b - reach))), min (Digits.Side - 1) (int (ceil (max a b + reach))))

    /// Draws a digit into 784 bytes. The stream jitters its corners, width, height, slant, rotation, place and
    /// thickness. `nearest` is room for each pixel's distance from the nearest segment.
    let private draw (random: KeyStream) (digit: int) (nearest: float[]) (into: Span<byte>) : unit =
        let between low high = low + (high - low) * random.NextDouble()
        let width, height = between 0.75 1.1, between 0.85 1.1
        let slant, angle = between -0.1 0.3, between -0.15 0.15
        let cx, cy = between 13.0 15.0, between 13.0 15.0
        let radius = between 0.8 1.7
        let c, s = cos angle, sin angle

        let corners =
            glyphs[digit]
            |> Array.map (fun (u, v) ->
                let y = Extent * height * (v - 0.5 + between -0.03 0.03)
                let x = Extent * width * (u - 0.5 + between -0.03 0.03) - slant * y
                struct (cx + c * x - s * y, cy + s * x + c * y))

        // Pixels that are farther away get no ink from a segment.
        let reach = radius + 0.5
        Array.Fill(nearest, infinity)

        for i in 0 .. corners.Length - 2 do
            let struct (x0, y0), struct (x1, y1) = corners[i], corners[i + 1]
            let struct (left, right) = within reach x0 x1
            let struct (top, bottom) = within reach y0 y1

            for row in top..bottom do
                for column in left..right do
                    let at = row * Digits.Side + column
                    nearest[at] <- min nearest[at] (distance (float column) (float row) corners[i] corners[i + 1])

        for at in 0 .. nearest.Length - 1 do
            into[at] <- byte (255.0 * Math.Clamp(reach - nearest[at], 0.0, 1.0))

    // How many digits one part of the work draws.
    [<Literal>]
    let private AtOnce = 256

    /// Digits whose classes follow each other in turn; a pure function of the key.
    let sample (count: int) (key: Key) : Digits =
        let pixels = Array.zeroCreate<byte>(count * Digits.Pixels)

        let part number =
            let nearest = Array.zeroCreate Digits.Pixels

            for i in number * AtOnce .. min count ((number + 1) * AtOnce) - 1 do
                draw ((key.Fold(int64 i)).Stream()) (i % 10) nearest (Span(pixels, i * Digits.Pixels, Digits.Pixels))

        Parallelism.Run((count + AtOnce - 1) / AtOnce, part)
        { Pixels = pixels; Labels = Array.init count (fun i -> byte (i % 10)) }

    /// 10,000 digits to train with and 2,000 others, which are always the same, like MNIST's.
    let sets () : DigitSets =
        let key = (Key.OfSeed 0L).Named "stroke digits"

        {
            Train = sample 10_000 (key.Named "train")
            Test = sample 2_000 (key.Named "test")
        }

namespace Scae.Core.Data

open System
open System.Buffers
open Scae.Tensors

/// How digits are rotated, sheared and scaled.
type Viewpoints =
    {
        /// Rotation in degrees, uniform in ±this.
        Rotation: float
        /// Shear, uniform in ±this.
        Shear: float
        /// Scale of each axis, uniform in lowest..highest.
        Scale: struct (float * float)
    }

/// What is placed on the canvas.
[<RequireQualifiedAccess>]
type private Placement =
    /// The ink: anywhere that it fits.
    | Ink
    /// The digit's image, before it is mapped: anywhere that it fits.
    | Image

/// How one digit is seen.
[<Struct>]
type private View =
    {
        Digit: int
        /// The map (a, b, c, d) from offsets within the digit's image to offsets on the canvas, both from the digit's
        /// centre.
        Map: struct (float * float * float * float)
        /// Where its centre lies on the canvas.
        X: float
        Y: float
        /// The pixels that may show ink.
        Left: int
        Right: int
        Top: int
        Bottom: int
    }

/// Digits under affine maps, as published for affNIST (Tieleman 2013): rotated, sheared, scaled along both axes, and
/// moved anywhere as long as no part of the digit leaves the canvas by more than a fraction of a pixel.
[<RequireQualifiedAccess>]
module AffineDigits =
    /// Published: ±20°, ±0.2, 0.8 to 1.2.
    let published: Viewpoints = { Rotation = 20.0; Shear = 0.2; Scale = struct (0.8, 1.2) }

    [<Literal>]
    let private Centre = 13.5

    /// Draws rotation · shear · scale as (a, b, c, d), which maps offsets from the digit's centre to those on the canvas.
    let private matrix (views: Viewpoints) (random: KeyStream) : struct (float * float * float * float) =
        let between low high = low + (high - low) * random.NextDouble()
        let angle = between -views.Rotation views.Rotation * Math.PI / 180.0
        let shear = between -views.Shear views.Shear
        let struct (low, high) = views.Scale
        let sx = between low high
        let sy = between low high
        let c, s = cos angle, sin angle
        struct (c * sx, (c * shear - s) * sy, s * sx, (s * shear + c) * sy)

    /// The extent of a mapped digit's ink around its centre: least and largest x, least and largest y.
    let private extent
        (source: ReadOnlySpan<byte>)
        (struct (a: float, b: float, c: float, d: float))
        : struct (float * float * float * float) =
        let mutable x0 = infinity
        let mutable x1 = -infinity
        let mutable y0 = infinity
        let mutable y1 = -infinity

        for i in 0 .. source.Length - 1 do
            if source[i] > 0uy then
                let u, v = float (i % Digits.Side) - Centre, float (i / Digits.Side) - Centre
                let x, y = a * u + b * v, c * u + d * v
                x0 <- min x0 x
                x1 <- max x1 x
                y0 <- min y0 y
                y1 <- max y1 y

        if x0 > x1 then
            struct (0.0, 0.0, 0.0, 0.0)
        else
            struct (x0, x1, y0, y1)

    /// Draws the place of a digit's centre on an axis of the canvas, where its ink reaches from low to high around
    /// the centre: anywhere that the ink fits, or in the middle if it doesn't.
    let private place (side: int) (low: float) (high: float) (random: KeyStream) : float =
        let share = random.NextDouble()
        let first, last = -low, float (side - 1) - high

        if first > last then
            (first + last) / 2.0
        else
            first + share * (last - first)

    /// The first and last pixel along an axis of the canvas that may show ink, if this lies from low to high and a
    /// pixel sees as far as `reach`.
    let private shown (side: int) (low: float) (high: float) (reach: float) : struct (int * int) =
        struct (max 0 (int (floor (low - reach))), min (side - 1) (int (ceil (high + reach))))

    /// Draws how a digit is seen under a map; `placed` says what must fit on the canvas.
    let private view (side: int) (digits: Digits) (digit: int) map (placed: Placement) (random: KeyStream) : View =
        let source = ReadOnlySpan(digits.Pixels, digit * Digits.Pixels, Digits.Pixels)
        let struct (x0, x1, y0, y1) = extent source map

        let struct (x, y) =
            match placed with
            | Placement.Ink ->
                let x = place side x0 x1 random
                struct (x, place side y0 y1 random)
            | Placement.Image ->
                let struct (top, left) = CanvasDigits.place side random
                struct (float left + Centre, float top + Centre)

        let struct (a, b, c, d) = map
        let struct (left, right) = shown side (x + x0) (x + x1) (abs a + abs b)
        let struct (top, bottom) = shown side (y + y0) (y + y1) (abs c + abs d)

        {
            Digit = digit
            Map = map
            X = x
            Y = y
            Left = left
            Right = right
            Top = top
            Bottom = bottom
        }

    /// The value that a pixel of the canvas shows.
    let private shade (source: ReadOnlySpan<byte>) (view: inref<View>) (row: int) (column: int) : float =
        let struct (a, b, c, d) = view.Map
        let determinant = a * d - b * c
        let x, y = float column - view.X, float row - view.Y
        Digits.bilinear source ((d * x - b * y) / determinant + Centre) ((a * y - c * x) / determinant + Centre)

    /// Every digit once, from a viewpoint of its own, on canvases of the given side; a pure function of the key. Ink
    /// that doesn't fit on a canvas is cut off.
    let sample (views: Viewpoints) (side: int) (digits: Digits) (key: Key) : CanvasDigits =
        let n, size = Digits.count digits, side * side
        let pixels = CanvasDigits.room n side
        let random = key.Stream()

        for i in 0 .. n - 1 do
            let map = matrix views random
            let view = view side digits i map Placement.Ink random
            let source = ReadOnlySpan(digits.Pixels, i * Digits.Pixels, Digits.Pixels)

            for row in view.Top .. view.Bottom do
                for column in view.Left .. view.Right do
                    pixels[i * size + row * side + column] <- byte (shade source &view row column + 0.5)

        { Side = side; Pixels = pixels; Labels = Array.copy digits.Labels }

    let private draw (digits: Digits) (view: inref<View>) (side: int) (into: Span<float32>) : unit =
        let source = ReadOnlySpan(digits.Pixels, view.Digit * Digits.Pixels, Digits.Pixels)
        into.Clear()

        for row in view.Top .. view.Bottom do
            for column in view.Left .. view.Right do
                into[row * side + column] <- float32 (shade source &view row column / 255.0)

    // How many images one part of the work draws.
    [<Literal>]
    let private AtOnce = 32

    /// Draws given digits, each from a viewpoint of its own, into images [b, 1, side, side] of float32 in [0, 1], and
    /// their classes into one-hot rows [b, classes]; a pure function of the key. With `anywhere` digits are placed
    /// wherever their ink fits, otherwise as CanvasDigits.fill does. Ink that doesn't fit on a canvas is cut off.
    /// Raises ArgumentException as CanvasDigits.place does.
    let fill
        (views: Viewpoints)
        (anywhere: bool)
        (digits: Digits)
        (indices: ReadOnlySpan<int>)
        (key: Key)
        (images: Tensor)
        (classes: Tensor)
        : unit =
        let side, count = images.shape[3], indices.Length
        let places = (key.Named "places").Stream()
        let maps = (key.Named "views").Stream()
        let placement = if anywhere then Placement.Ink else Placement.Image
        CanvasDigits.label digits indices classes
        // Views are drawn in the digits' order first, so that they don't depend on which threads draw the images.
        let seen = ArrayPool<View>.Shared.Rent count

        try
            for i in 0 .. count - 1 do
                seen[i] <- view side digits indices[i] (matrix views maps) placement places

            let part number =
                let pixels = images.Elements<float32>()

                for i in number * AtOnce .. min count ((number + 1) * AtOnce) - 1 do
                    draw digits &seen[i] side (pixels.Slice(i * side * side, side * side))

            Parallelism.Run((count + AtOnce - 1) / AtOnce, part)
        finally
            ArrayPool<View>.Shared.Return seen

namespace Scae.Core.Data

open System
open Scae.Tensors

/// How far digits are seen from viewpoints that training doesn't show.
type Viewpoints =
    {
        /// Rotation in degrees, uniform in ±this.
        Rotation: float
        /// Shear, uniform in ±this.
        Shear: float
        /// Scale of each axis, uniform in lowest..highest.
        Scale: struct (float * float)
    }

/// Digits under affine maps, as published for affNIST (Tieleman 2013): rotated, sheared, scaled along both axes, and moved
/// anywhere as long as no part of the digit leaves the canvas.
[<RequireQualifiedAccess>]
module AffineDigits =
    /// Published: ±20°, ±0.2, 0.8 to 1.2.
    let published: Viewpoints = { Rotation = 20.0; Shear = 0.2; Scale = struct (0.8, 1.2) }

    [<Literal>]
    let private Centre = 13.5

    /// Rotation · shear · scale, (a, b, c, d), which takes offsets from the digit's centre to those on the canvas.
    let private matrix (views: Viewpoints) (random: KeyStream) : struct (float * float * float * float) =
        let between low high = low + (high - low) * random.NextDouble()
        let angle = between -views.Rotation views.Rotation * Math.PI / 180.0
        let shear = between -views.Shear views.Shear
        let struct (low, high) = views.Scale
        let sx = between low high
        let sy = between low high
        let c, s = cos angle, sin angle
        struct (c * sx, (c * shear - s) * sy, s * sx, (s * shear + c) * sy)

    /// Where the ink of a mapped digit lies around its centre: least and largest x, least and largest y.
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

    /// Bilinear between the four neighbours, 0 outside.
    let private bilinear (source: ReadOnlySpan<byte>) (x: float) (y: float) : float =
        let left, top = int (floor x), int (floor y)
        let fx, fy = x - float left, y - float top
        let mutable sum = 0.0

        for dy in 0..1 do
            for dx in 0..1 do
                let column, row = left + dx, top + dy

                if uint column < uint Digits.Side && uint row < uint Digits.Side then
                    let weight = (if dx = 0 then 1.0 - fx else fx) * (if dy = 0 then 1.0 - fy else fy)
                    sum <- sum + weight * float source[row * Digits.Side + column]

        sum

    /// Where the centre of a digit that reaches from low to high around it lies on an axis of the canvas: anywhere that it
    /// fits, in the middle where it doesn't.
    let private place (side: int) (low: float) (high: float) (random: KeyStream) : float =
        let share = random.NextDouble()
        let first, last = -low, float (side - 1) - high

        if first > last then
            (first + last) / 2.0
        else
            first + share * (last - first)

    /// Where the centre of a digit lies whose ink is anywhere that it fits on the canvas under a map.
    let private placeInk (side: int) (source: ReadOnlySpan<byte>) map (random: KeyStream) : struct (float * float) =
        let struct (x0, x1, y0, y1) = extent source map
        let tx = place side x0 x1 random
        struct (tx, place side y0 y1 random)

    /// Reads a digit at a place of the canvas, under a map about its centre (tx, ty).
    let private read
        (source: ReadOnlySpan<byte>)
        (struct (a: float, b: float, c: float, d: float))
        (x: float)
        (y: float)
        : float =
        let determinant = a * d - b * c
        bilinear source ((d * x - b * y) / determinant + Centre) ((a * y - c * x) / determinant + Centre)

    let private draw
        (views: Viewpoints)
        (side: int)
        (source: ReadOnlySpan<byte>)
        (random: KeyStream)
        (into: Span<byte>)
        : unit =
        let map = matrix views random
        let struct (tx, ty) = placeInk side source map random

        for row in 0 .. side - 1 do
            for column in 0 .. side - 1 do
                into[row * side + column] <- byte (read source map (float column - tx) (float row - ty) + 0.5)

    /// Every digit once from a viewpoint of its own, on canvases of the given side; a pure function of the key. What doesn't
    /// fit on a canvas is cut off.
    let sample (views: Viewpoints) (side: int) (digits: Digits) (key: Key) : CanvasDigits =
        let n, size = Digits.count digits, side * side
        let pixels = Array.zeroCreate<byte>(n * size)
        let random = key.Stream()

        for i in 0 .. n - 1 do
            let source = ReadOnlySpan(digits.Pixels, i * Digits.Pixels, Digits.Pixels)
            draw views side source random (Span(pixels, i * size, size))

        { Side = side; Pixels = pixels; Labels = Array.copy digits.Labels }

    /// Draws given digits from a viewpoint of their own into images [b, 1, side, side] of float32 in [0, 1], and their classes
    /// into one-hot rows [b, 10]; a pure function of the key. They are moved anywhere that their ink fits, or else as
    /// CanvasDigits.fill does. What doesn't fit on a canvas is cut off. Raises ArgumentException as CanvasDigits.place does.
    let fill
        (views: Viewpoints)
        (anywhere: bool)
        (digits: Digits)
        (indices: ReadOnlySpan<int>)
        (key: Key)
        (images: Tensor)
        (classes: Tensor)
        : unit =
        let side = images.shape[3]
        let places = (key.Named "places").Stream()
        let maps = (key.Named "views").Stream()
        let pixels = images.Elements<float32>()
        CanvasDigits.label digits indices classes

        for i in 0 .. indices.Length - 1 do
            let map = matrix views maps
            let source = ReadOnlySpan(digits.Pixels, indices[i] * Digits.Pixels, Digits.Pixels)

            let struct (tx, ty) =
                if anywhere then
                    placeInk side source map places
                else
                    let struct (top, left) = CanvasDigits.place side places
                    struct (float left + Centre, float top + Centre)

            let into = pixels.Slice(i * side * side, side * side)

            for row in 0 .. side - 1 do
                for column in 0 .. side - 1 do
                    into[row * side + column] <- float32 (read source map (float column - tx) (float row - ty) / 255.0)

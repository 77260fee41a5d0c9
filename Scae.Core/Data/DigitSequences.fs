namespace Scae.Core.Data

open System
open System.Buffers
open System.Numerics.Tensors
open Scae.Tensors

/// What changes in a sequence of a digit.
[<RequireQualifiedAccess>]
type DigitMotion =
    /// Nothing: single grey digits as they are.
    | Still
    /// One of rotation, magnification and colour, chosen at random, goes once through all of its values; the others
    /// stay at a random value.
    | Single
    /// Rotation and colour together.
    | RotationColour
    /// Perspective and colour together.
    | PerspectiveColour

/// How a digit is seen in a frame: the angle of rotation or perspective in degrees, the magnification, and the hue
/// setting in degrees.
[<Struct>]
type DigitView = { Angle: float; Scale: float; Hue: float; InPerspective: bool }

/// Sequences of digits that transform, made anew each time (Keller & Welling 2021, §5; what the paper leaves open follows
/// the authors' data).
[<RequireQualifiedAccess>]
module DigitSequences =
    /// S, the frames of a sequence: each value once. Still sequences have one frame.
    [<Literal>]
    let Steps = 18

    /// Angles of rotation and perspective, and hue settings, of which 180 is red.
    let degrees: float[] = Array.init Steps (fun i -> 20.0 * float i)

    /// Magnifications; after the last comes the first.
    let scales: float[] =
        [|
            0.60
            0.64
            0.68
            0.72
            0.76
            0.79
            0.83
            0.87
            0.91
            0.95
            0.99
            1.03
            1.07
            1.11
            1.14
            1.18
            1.22
            1.26
        |]

    /// Frames a sequence.
    let frames (motion: DigitMotion) : int =
        match motion with
        | DigitMotion.Still -> 1
        | _ -> Steps

    /// Colour channels.
    let channels (motion: DigitMotion) : int =
        match motion with
        | DigitMotion.Still -> 1
        | _ -> 3

    let private still: DigitView = { Angle = 0.0; Scale = 1.0; Hue = 180.0; InPerspective = false }

    /// The views of a sequence: its values in cyclic order from a uniform start. All motions but Still draw the same
    /// words from one stream.
    let views (motion: DigitMotion) (random: KeyStream) : DigitView[] =
        match motion with
        | DigitMotion.Still -> [| still |]
        | _ ->
            let moving = random.NextInt 3
            let angle, scale, hue = random.NextInt Steps, random.NextInt Steps, random.NextInt Steps

            Array.init Steps (fun t ->
                let at start moves = if moves then (start + t) % Steps else start

                match motion with
                | DigitMotion.Single ->
                    {
                        Angle = degrees[at angle (moving = 0)]
                        Scale = scales[at scale (moving = 1)]
                        Hue = degrees[at hue (moving = 2)]
                        InPerspective = false
                    }
                | _ ->
                    {
                        Angle = degrees[at angle true]
                        Scale = 1.0
                        Hue = degrees[at hue true]
                        InPerspective = (motion = DigitMotion.PerspectiveColour)
                    })

    /// Where a pixel of a digit goes in a view.
    let projection (view: DigitView) : Projection =
        if view.InPerspective then
            Warp.perspective Digits.Side view.Angle
        else
            Warp.similarity Digits.Side view.Angle view.Scale

    /// Draws the frames [S, 3·784] or, for Still, [1, 784] of a digit's 784 values, with one channel after the other;
    /// `grey` is room for a frame before it is coloured.
    let private draw
        (views: DigitView[])
        (digit: ReadOnlySpan<float32>)
        (grey: Span<float32>)
        (into: Span<float32>)
        : unit =
        let size = into.Length / views.Length

        for t in 0 .. views.Length - 1 do
            let view = views[t]
            let isSeenAsBefore = t > 0 && { view with Hue = views[t - 1].Hue } = views[t - 1]

            if not isSeenAsBefore then
                Warp.draw Digits.Side (Warp.inverse (projection view)) digit grey

            let frame = into.Slice(t * size, size)

            if size = Digits.Pixels then
                grey.CopyTo frame
            else
                let struct (r, g, b) = Warp.hue (view.Hue - 180.0)
                let plane i = Digits.Pixels * i
                TensorPrimitives.Multiply(grey, r, frame.Slice(plane 0, Digits.Pixels))
                TensorPrimitives.Multiply(grey, g, frame.Slice(plane 1, Digits.Pixels))
                TensorPrimitives.Multiply(grey, b, frame.Slice(plane 2, Digits.Pixels))

    /// Draws a sequence of each chosen digit into frames [b·S, C·784]; a pure function of the key. Sequence i draws from
    /// key.Fold i, so it doesn't depend on the others.
    let fill (motion: DigitMotion) (digits: Digits) (chosen: ReadOnlySpan<int>) (key: Key) (into: Tensor) : unit =
        let size = frames motion * channels motion * Digits.Pixels
        let images = into.Elements<float32>()
        let random = key.Stream()
        let room = ArrayPool<float32>.Shared.Rent(2 * Digits.Pixels)

        try
            let digit = Span(room, 0, Digits.Pixels)
            let grey = Span(room, Digits.Pixels, Digits.Pixels)

            for i in 0 .. chosen.Length - 1 do
                for pixel in 0 .. Digits.Pixels - 1 do
                    digit[pixel] <- float32 digits.Pixels[chosen[i] * Digits.Pixels + pixel] / 255.0f

                random.Restart(key.Fold(int64 i))
                draw (views motion random) (ReadOnlySpan(room, 0, Digits.Pixels)) grey (images.Slice(i * size, size))
        finally
            ArrayPool<float32>.Shared.Return room

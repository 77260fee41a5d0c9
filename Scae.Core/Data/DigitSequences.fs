namespace Scae.Core.Data

open System
open Scae.Tensors

/// What moves in a sequence of a digit.
[<RequireQualifiedAccess>]
type DigitMotion =
    /// Nothing: single grey digits as they are.
    | Still
    /// One of rotation, magnification and colour, by chance, once through all of its values; the others stay where they
    /// fall.
    | Single
    /// Rotation and colour together.
    | RotationColour
    /// Perspective and colour together.
    | PerspectiveColour

/// How a digit is seen in a frame: degrees of rotation or perspective, magnification, degrees of its hue setting.
[<Struct>]
type DigitView = { Angle: float; Scale: float; Hue: float; InPerspective: bool }

/// Sequences of digits that transform, made anew each time (Keller & Welling 2021, §5; what the paper leaves open follows
/// the authors' data).
[<RequireQualifiedAccess>]
module DigitSequences =
    /// S, frames a sequence, of all motions but Still: each value once.
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

    /// The views of a sequence: its values in cyclic order from a uniform start. One stream draws the same words for every
    /// motion but Still.
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

    /// Draws the frames [S, 3·784] or, for Still, [1, 784] of a digit's 784 bytes, one channel after the other.
    let draw (views: DigitView[]) (channels: int) (digit: ReadOnlySpan<byte>) (into: Span<float32>) : unit =
        let source = Array.zeroCreate<float32> Digits.Pixels
        let grey = Array.zeroCreate<float32> Digits.Pixels

        for i in 0 .. Digits.Pixels - 1 do
            source[i] <- float32 digit[i] / 255.0f

        for t in 0 .. views.Length - 1 do
            let view = views[t]
            let isSeenAsBefore = t > 0 && { view with Hue = views[t - 1].Hue } = views[t - 1]

            if not isSeenAsBefore then
                Warp.draw Digits.Side (Warp.inverse (projection view)) (ReadOnlySpan source) (Span grey)

            let frame = into.Slice(t * channels * Digits.Pixels, channels * Digits.Pixels)

            if channels = 1 then
                grey.CopyTo frame
            else
                let struct (r, g, b) = Warp.hue (view.Hue - 180.0)
                let plane i = Digits.Pixels * i
                Numerics.Tensors.TensorPrimitives.Multiply(ReadOnlySpan grey, r, frame.Slice(plane 0, Digits.Pixels))
                Numerics.Tensors.TensorPrimitives.Multiply(ReadOnlySpan grey, g, frame.Slice(plane 1, Digits.Pixels))
                Numerics.Tensors.TensorPrimitives.Multiply(ReadOnlySpan grey, b, frame.Slice(plane 2, Digits.Pixels))

    /// Draws a sequence of each chosen digit into frames [b·S, C·784]; a pure function of the key, of which sequence i has
    /// a part of its own.
    let fill (motion: DigitMotion) (digits: Digits) (chosen: ReadOnlySpan<int>) (key: Key) (into: Tensor) : unit =
        let channels = channels motion
        let size = frames motion * channels * Digits.Pixels
        let images = into.Elements<float32>()

        for i in 0 .. chosen.Length - 1 do
            let digit = ReadOnlySpan(digits.Pixels, chosen[i] * Digits.Pixels, Digits.Pixels)
            draw (views motion ((key.Fold(int64 i)).Stream())) channels digit (images.Slice(i * size, size))

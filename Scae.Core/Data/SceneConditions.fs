namespace Scae.Core.Data

open System
open Scae.Tensors
open Scae.Core.Configuration

/// The kinds of light that can fall into a scene.
[<RequireQualifiedAccess>]
type Background =
    | None
    /// Independent and normal in every pixel.
    | Noise
    /// A sine of random direction, period and phase.
    | Stripes
    /// Smooth interpolation between random values a dozen pixels apart.
    | Clouds
    /// Any of these, drawn for each scene.
    | Mixed

/// How scenes are lit.
type SceneConditions =
    {
        [<Setting("light that is added to scenes; mixed is any of the others, drawn for each scene")>]
        Background: Background
        [<Setting("deviation of noise, brightest value of stripes and clouds; of two numbers each scene's lies between",
                  Min = 0.0,
                  Max = 1.0)>]
        BackgroundStrength: float list
        // At 0 nothing would be visible.
        [<Setting("brightness of digits, 1 as they are; of two numbers each scene's lies between", Min = 0.01, Max = 1.0)>]
        Contrast: float list
    }

/// Scenes in bad light: x = clamp(contrast·ink + background, 0, 1).
[<RequireQualifiedAccess>]
module SceneConditions =
    /// Scenes as they are.
    let plain: SceneConditions =
        {
            Background = Background.None
            BackgroundStrength = [ 0.3 ]
            Contrast = [ 1.0 ]
        }

    // Stripes' periods in pixels: wider than a stroke, narrower than a digit.
    [<Literal>]
    let private ShortestPeriod = 6.0

    [<Literal>]
    let private LongestPeriod = 16.0

    /// Pixels between the random values of clouds.
    [<Literal>]
    let private CloudSpacing = 12

    let private addNoise (deviation: float) (key: Key) (noise: float32[]) (pixels: Span<float32>) : unit =
        key.FillNormal(Span noise, 0.0f, float32 deviation)

        for i in 0 .. pixels.Length - 1 do
            pixels[i] <- pixels[i] + noise[i]

    /// strength·(1 + sin(2π·(x·cos θ + y·sin θ)/period + phase))/2.
    let private addStripes (strength: float) (canvas: int) (random: KeyStream) (pixels: Span<float32>) : unit =
        let direction = Math.PI * random.NextDouble()
        let period = ShortestPeriod + (LongestPeriod - ShortestPeriod) * random.NextDouble()
        let phase = 2.0 * Math.PI * random.NextDouble()
        let perColumn = 2.0 * Math.PI * cos direction / period
        let perRow = 2.0 * Math.PI * sin direction / period

        for i in 0 .. pixels.Length - 1 do
            let angle = float (i % canvas) * perColumn + float (i / canvas) * perRow + phase
            pixels[i] <- pixels[i] + float32 (strength * 0.5 * (1.0 + sin angle))

    /// Where a pixel lies in the grid of random values: the value before it, and the weight of the next one, eased so
    /// that the slope is 0 at the values.
    let private inGrid (offset: float) (pixel: int) : struct (int * float) =
        let place = (float pixel + offset) / float CloudSpacing
        let before = int place
        let share = place - float before
        struct (before, share * share * (3.0 - 2.0 * share))

    let private addClouds (strength: float) (canvas: int) (random: KeyStream) (pixels: Span<float32>) : unit =
        let across = float CloudSpacing * random.NextDouble()
        let down = float CloudSpacing * random.NextDouble()
        let side = canvas / CloudSpacing + 3
        let values = Array.init (side * side) (fun _ -> strength * random.NextDouble())

        for i in 0 .. pixels.Length - 1 do
            let struct (column, right) = inGrid across (i % canvas)
            let struct (row, below) = inGrid down (i / canvas)
            let at = row * side + column
            let upper = values[at] + right * (values[at + 1] - values[at])
            let lower = values[at + side] + right * (values[at + side + 1] - values[at + side])
            pixels[i] <- pixels[i] + float32 (upper + below * (lower - upper))

    let private clamp (pixels: Span<float32>) : unit =
        for i in 0 .. pixels.Length - 1 do
            pixels[i] <- Math.Clamp(pixels[i], 0.0f, 1.0f)

    let private dim (contrast: float) (pixels: Span<float32>) : unit =
        if contrast <> 1.0 then
            for i in 0 .. pixels.Length - 1 do
                pixels[i] <- float32 contrast * pixels[i]

    let private lightOne (config: SceneConditions) (canvas: int) (key: Key) (room: float32[]) (pixels: Span<float32>) =
        let random = (key.Named "draws").Stream()
        dim (Extent.draw config.Contrast random) pixels

        let kind =
            match config.Background with
            | Background.Mixed ->
                [| Background.None; Background.Noise; Background.Stripes; Background.Clouds |][random.NextInt 4]
            | kind -> kind

        let strength = Extent.draw config.BackgroundStrength random

        if strength > 0.0 && kind <> Background.None then
            match kind with
            | Background.Noise -> addNoise strength (key.Named "noise") room pixels
            | Background.Stripes -> addStripes strength canvas random pixels
            | _ -> addClouds strength canvas random pixels

            clamp pixels

    /// Applies the light to scenes [b, canvas²] in place; a pure function of the key. Where light is added, pixels
    /// are cut off at 0 and 1, as in a camera: half of the noise on black is lost, and bright ink hides what falls on
    /// it. With no light, or light of strength 0, digits are only dimmed, and at contrast 1 the scene stays as it is.
    let light (config: SceneConditions) (canvas: int) (key: Key) (images: Tensor) : unit =
        if config.Background <> Background.None || config.Contrast <> [ 1.0 ] then
            let pixels = canvas * canvas
            let room = Array.zeroCreate<float32> pixels
            let all = images.Elements<float32>()

            for i in 0 .. images.shape[0] - 1 do
                lightOne config canvas (key.Fold(int64 i)) room (all.Slice(i * pixels, pixels))

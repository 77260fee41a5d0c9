namespace Scae.Core.Data

open System
open Scae.Tensors
open Scae.Core.Configuration

/// How large the digits of a scene are.
[<RequireQualifiedAccess>]
type DigitSizes =
    /// A side uniform in smallest..largest pixels: the published small program.
    | Uniform
    /// A side of ⌊28 / N(1.3, 0.1)⌋ pixels, at most 3 deviations from the mean: the public re-implementation.
    | Shrunk

/// Whether the digits of a scene may overlap.
[<RequireQualifiedAccess>]
type Overlap =
    /// They may; a pixel has the maximum of the digits there.
    | Allowed
    /// Scenes where the sum of digits exceeds 1 somewhere are drawn again: the paper's "non-overlapping" as its public
    /// re-implementation does it.
    | Avoided

/// How scenes are made.
type MultiMnistConfig =
    {
        [<Setting("width and height of a scene in pixels", Min = 16.0, Max = 256.0)>]
        Canvas: int
        // The number of digits is uniform in 0..Most.
        [<Setting("digits a scene at most", Min = 1.0, Max = 9.0)>]
        Most: int
        [<Setting("law of the digits' sizes; shrunk is 28 / N(1.3, 0.1) pixels")>]
        Sizes: DigitSizes
        [<Setting("least side of a digit under the uniform law", Min = 2.0)>]
        Smallest: int
        [<Setting("largest side of a digit under the uniform law", Min = 2.0)>]
        Largest: int
        // Drawn for each digit.
        [<Setting("digits are so many times as large as their law says; of two numbers each digit's lies between",
                  Min = 0.25,
                  Max = 4.0)>]
        Zoom: float list
        [<Setting("whether digits may lie on each other")>]
        Overlap: Overlap
    }

/// A digit of a scene: its class and the square that its 28 × 28 pixels fill.
[<Struct>]
type PlacedDigit = { Class: int; Left: int; Top: int; Side: int }

/// Scenes with the truth that training never sees.
type Scenes =
    {
        /// Float32 [b, canvas²], at least 0, and above 1 where digits overlap and add up.
        Images: Tensor
        /// For each scene its digits, in the order in which they were drawn.
        Truth: PlacedDigit[][]
    }

/// Scenes of several digits (Eslami et al. 2016, §4.1, and the published small program's variant).
[<RequireQualifiedAccess>]
module MultiMnist =
    // On a canvas that is too small digits always overlap, see findsRoom. The last try is then kept.
    [<Literal>]
    let private MostTries = 1000

    // The law of DigitSizes.Shrunk.
    [<Literal>]
    let private MeanShrinkage = 1.3

    [<Literal>]
    let private ShrinkageDeviation = 0.1

    /// The small program's scenes: 32 × 32, with up to two digits of 12 to 18 pixels, which may overlap.
    let published: MultiMnistConfig =
        {
            Canvas = 32
            Most = 2
            Sizes = DigitSizes.Uniform
            Smallest = 12
            Largest = 18
            Zoom = [ 1.0 ]
            Overlap = Overlap.Allowed
        }

    /// The largest side that a digit can have.
    let largestSide (config: MultiMnistConfig) : int =
        let zoom = List.max config.Zoom

        match config.Sizes with
        | DigitSizes.Uniform -> int (zoom * float config.Largest)
        | DigitSizes.Shrunk -> int (zoom * float Digits.Side / (MeanShrinkage - 3.0 * ShrinkageDeviation))

    /// Room for scenes.
    let allocate (config: MultiMnistConfig) (count: int) : Scenes =
        {
            Images = Tensor.zeros [| count; config.Canvas * config.Canvas |]
            Truth = Array.create count [||]
        }

    let private side (config: MultiMnistConfig) (random: KeyStream) : int =
        let zoom = Extent.draw config.Zoom random

        match config.Sizes with
        | DigitSizes.Uniform -> max 1 (int (zoom * float (random.NextInt(config.Smallest, config.Largest + 1))))
        | DigitSizes.Shrunk ->
            let normal = Math.Clamp(random.NextNormal(), -3.0, 3.0)
            int (zoom * float Digits.Side / (MeanShrinkage + ShrinkageDeviation * normal))

    /// Draws a digit by bilinear interpolation with aligned corners: the first and the last pixels of both grids
    /// coincide.
    let private blend
        (overlap: Overlap)
        (canvas: int)
        (source: ReadOnlySpan<byte>)
        (digit: PlacedDigit)
        (into: Span<float32>)
        : unit =
        let last = Digits.Side - 1

        let step =
            if digit.Side > 1 then
                float32 last / float32 (digit.Side - 1)
            else
                0.0f

        for i in 0 .. digit.Side - 1 do
            // Rounding could lead past the last pixel, where the blend's weight would be below 0.
            let y = min (float32 last) (float32 i * step)
            let top = min (int y) (last - 1)
            let fy = y - float32 top

            for j in 0 .. digit.Side - 1 do
                let x = min (float32 last) (float32 j * step)
                let left = min (int x) (last - 1)
                let fx = x - float32 left
                let at = top * Digits.Side + left

                let above = (1.0f - fx) * float32 source[at] + fx * float32 source[at + 1]

                let below = (1.0f - fx) * float32 source[at + Digits.Side] + fx * float32 source[at + Digits.Side + 1]

                let value = ((1.0f - fy) * above + fy * below) / 255.0f
                let pixel = (digit.Top + i) * canvas + digit.Left + j

                into[pixel] <-
                    match overlap with
                    | Overlap.Allowed -> max into[pixel] value
                    | Overlap.Avoided -> into[pixel] + value

    let private exceeds (limit: float32) (pixels: Span<float32>) =
        let mutable found = false

        for value in pixels do
            found <- found || value > limit

        found

    /// Draws as many digits as truth has room for at random places, and says whether they lie as they should: anywhere, or without
    /// overlap where it is avoided.
    let private tryScene
        (config: MultiMnistConfig)
        (digits: Digits)
        (random: KeyStream)
        (truth: PlacedDigit[])
        (into: Span<float32>)
        : bool =
        into.Clear()

        for i in 0 .. truth.Length - 1 do
            let side = side config random
            let top = random.NextInt(config.Canvas - side + 1)
            let left = random.NextInt(config.Canvas - side + 1)
            let chosen = random.NextInt(Digits.count digits)

            truth[i] <- { Class = int digits.Labels[chosen]; Left = left; Top = top; Side = side }

            let source = ReadOnlySpan(digits.Pixels, chosen * Digits.Pixels, Digits.Pixels)
            blend config.Overlap config.Canvas source truth[i] into

        // The slack keeps rounding alone from counting as overlap.
        config.Overlap = Overlap.Allowed || not (exceeds 1.0001f into)

    let private drawScene (config: MultiMnistConfig) (digits: Digits) (random: KeyStream) (into: Span<float32>) =
        let truth = Array.zeroCreate<PlacedDigit>(random.NextInt(config.Most + 1))
        let mutable tries = 1

        while not (tryScene config digits random truth into) && tries < MostTries do
            tries <- tries + 1

        truth

    /// Whether scenes of the most digits find room without overlap, where it is avoided: most of some that are tried.
    let findsRoom (config: MultiMnistConfig) (digits: Digits) : bool =
        let random = (Key.OfSeed 0L).Stream()
        let into = Array.zeroCreate<float32>(config.Canvas * config.Canvas)
        let truth = Array.zeroCreate<PlacedDigit> config.Most

        let finds () =
            Seq.init MostTries (fun _ -> tryScene config digits random truth (Span into)) |> Seq.contains true

        let tried = List.init 5 (fun _ -> finds ())
        2 * (tried |> List.filter id).Length > tried.Length

    /// Draws every scene of a batch anew, in place. A pure function of the key.
    let fill (config: MultiMnistConfig) (digits: Digits) (key: Key) (batch: Scenes) : unit =
        let pixels = config.Canvas * config.Canvas
        let images = batch.Images.Elements<float32>()
        let random = key.Stream()

        for i in 0 .. batch.Truth.Length - 1 do
            batch.Truth[i] <- drawScene config digits random (images.Slice(i * pixels, pixels))

    /// New scenes; a pure function of the key.
    let sample (config: MultiMnistConfig) (digits: Digits) (count: int) (key: Key) : Scenes =
        let batch = allocate config count
        fill config digits key batch
        batch

    /// The scenes from first to first + count − 1; fewer where there aren't as many.
    let range (first: int) (count: int) (scenes: Scenes) : Scenes =
        let count = min count (scenes.Truth.Length - first)

        {
            Images = (scenes.Images.slice (0, first, first + count)).clone()
            Truth = Array.sub scenes.Truth first count
        }

module Scae.Tests.Data.CanvasDigitsTests

open System
open Expecto
open Scae.Core.Data
open Scae.Tensors
open Scae.Tests.Claims

/// Digits that are a single full pixel each, at a place of its own.
let private dots (count: int) : Digits =
    let pixels = Array.zeroCreate<byte>(count * Digits.Pixels)

    for i in 0 .. count - 1 do
        pixels[i * Digits.Pixels + 13 * Digits.Side + 13] <- 255uy

    { Pixels = pixels; Labels = Array.init count (fun i -> byte (i % 10)) }

/// Where the only pixel of each canvas is: row and column.
let private places (canvases: CanvasDigits) =
    let size = canvases.Side * canvases.Side

    [|
        for i in 0 .. CanvasDigits.count canvases - 1 do
            let at = Array.FindIndex(canvases.Pixels, i * size, size, (fun b -> b > 0uy)) - i * size
            at / canvases.Side, at % canvases.Side
    |]

/// Two full pixels, of columns and rows that are given, in so many images.
let private pairs (count: int) (places: (int * int) list) : Digits =
    let image = Array.zeroCreate<byte> Digits.Pixels

    for column, row in places do
        image[row * Digits.Side + column] <- 255uy

    {
        Pixels = Array.concat (Array.replicate count image)
        Labels = Array.zeroCreate count
    }

/// The central moments of each canvas' ink: μ₂₀ of columns, μ₀₂ of rows, and μ₁₁ of both.
let private moments (canvases: CanvasDigits) : (float * float * float)[] =
    canvases.Pixels
    |> Array.chunkBySize (canvases.Side * canvases.Side)
    |> Array.map (fun pixels ->
        let mean (value: float -> float -> float) =
            let weighed i (ink: byte) =
                if ink = 0uy then
                    0.0
                else
                    float ink * value (float (i % canvases.Side)) (float (i / canvases.Side))

            Array.sum (Array.mapi weighed pixels) / Array.sumBy float pixels

        let x, y = mean (fun column _ -> column), mean (fun _ row -> row)

        mean (fun column _ -> (column - x) ** 2.0),
        mean (fun _ row -> (row - y) ** 2.0),
        mean (fun column row -> (column - x) * (row - y)))

/// That numbers are like draws uniform in ±reach, where each is measured within 2.5 % of the reach.
let private shouldBeUniform (reach: float) (found: float[]) =
    let largest = found |> Array.map abs |> Array.max
    largest |> shouldBeIn (0.85 * reach, 1.025 * reach)
    Array.average found |> shouldBeNear (0.1 * reach) 0.0
    sqrt (Array.averageBy (fun x -> x * x) found) |> shouldBeNear (0.05 * reach) (reach / sqrt 3.0)

[<Tests>]
let tests =
    testList
        "Data.CanvasDigits"
        [
            testCase "on 40 pixels offset 0 has probability 1/25 and each of 1 to 12 has 2/25"
            <| fun () ->
                let found = places (CanvasDigits.shifted 40 (dots 50_000) (Key.OfSeed 3L))

                for axis in [ fst; snd ] do
                    let counts = found |> Array.countBy (fun place -> axis place - 13) |> dict
                    counts.Count |> shouldEqual 13

                    for KeyValue(offset, count) in counts do
                        let expected = 50_000.0 / 25.0 * (if offset = 0 then 1.0 else 2.0)
                        // Five deviations of a binomial.
                        float count |> shouldBeNear (5.0 * sqrt expected) expected

            testCase "a canvas as large as the digit leaves it where it is"
            <| fun () ->
                let digits = StrokeDigits.sample 7 (Key.OfSeed 1L)
                (CanvasDigits.shifted 28 digits (Key.OfSeed 2L)).Pixels |> shouldEqual digits.Pixels

            testCase "the whole digit is on the canvas"
            <| fun () ->
                let digits = StrokeDigits.sample 50 (Key.OfSeed 1L)
                let canvases = CanvasDigits.shifted 40 digits (Key.OfSeed 2L)
                let ink (bytes: byte[]) = bytes |> Array.sumBy int64
                ink canvases.Pixels |> shouldEqual (ink digits.Pixels)
                canvases.Labels |> shouldEqual digits.Labels

            testCase "a batch is a function of its key, in [0, 1], and its classes are one-hot"
            <| fun () ->
                let digits = StrokeDigits.sample 20 (Key.OfSeed 1L)

                let draw seed =
                    let images, classes = Tensor.ones [| 3; 1; 32; 32 |], Tensor.ones [| 3; 10 |]
                    CanvasDigits.fill digits (ReadOnlySpan [| 4; 17; 9 |]) (Key.OfSeed seed) images classes
                    images, classes

                let images, classes = draw 5L
                (fst (draw 5L)).toArray<float32>() |> shouldEqual (images.toArray<float32>())
                (fst (draw 6L)).toArray<float32>() |> shouldDiffer (images.toArray<float32>())
                (images.max ()).toScalar() |> shouldBeAtMost 1.0
                (classes.argmax 1).toArray<int>() |> shouldEqual [| 4; 7; 9 |]
                (classes.sum ()).toScalar() |> shouldEqual 3.0

            testCase "stored canvases are loaded as they are"
            <| fun () ->
                let canvases = CanvasDigits.shifted 32 (StrokeDigits.sample 5 (Key.OfSeed 1L)) (Key.OfSeed 2L)
                let images = Tensor.full ([| 3; 1; 32; 32 |], -1.0)
                CanvasDigits.load canvases 3 images
                let values = images.toArray<float32>()
                values[2 * 1024 ..] |> Array.forall (fun v -> v = -1.0f) |> shouldEqual true

                values[.. 2 * 1024 - 1]
                |> Array.map (fun v -> byte (v * 255.0f + 0.5f))
                |> shouldEqual canvases.Pixels[3 * 1024 ..]

            testCase "a canvas smaller than a digit is refused"
            <| fun () ->
                messageOf<ArgumentException>(fun () -> CanvasDigits.shifted 27 (dots 1) (Key.OfSeed 0L) |> ignore)
                |> shouldStartWith "canvas of 27 pixels; must have at least 28"

            testCase "canvases that no array holds are refused before they are made"
            <| fun () ->
                messageOf<ArgumentException>(fun () -> CanvasDigits.room 58_000 193 |> ignore)
                |> shouldStartWith "58000 canvases of 193 × 193 pixels are 2160442000 bytes; must be at most 2147483591"

            testCase "affine digits: without rotation, shear and scale the ink is moved alone"
            <| fun () ->
                let digits = StrokeDigits.sample 30 (Key.OfSeed 1L)
                let still: Viewpoints = { Rotation = 0.0; Shear = 0.0; Scale = struct (1.0, 1.0) }
                let canvases = AffineDigits.sample still 40 digits (Key.OfSeed 4L)

                for i in 0..29 do
                    let ink (bytes: byte[]) size = Seq.sumBy int (Seq.take size (Seq.skip (i * size) bytes)) |> float
                    // Places between pixels round each of some 150 values.
                    ink canvases.Pixels 1600 |> shouldBeNear 150.0 (ink digits.Pixels 784)

            testCase "affine digits: all ink is on the canvas, and a digit of scale 1.2 has 1.44 times as much"
            <| fun () ->
                let digits = StrokeDigits.sample 200 (Key.OfSeed 1L)
                let total (bytes: byte[]) = bytes |> Array.sumBy float
                let large: Viewpoints = { Rotation = 0.0; Shear = 0.0; Scale = struct (1.2, 1.2) }
                let canvases = AffineDigits.sample large 40 digits (Key.OfSeed 4L)
                total canvases.Pixels / total digits.Pixels |> shouldBeNear 0.02 1.44
                let turned = AffineDigits.sample AffineDigits.published 40 digits (Key.OfSeed 4L)
                // The mean of a product of two scales from 0.8 to 1.2 is 1.
                total turned.Pixels / total digits.Pixels |> shouldBeNear 0.05 1.0

            testCase "affine digits: a rotation keeps distances"
            <| fun () ->
                // Spots 14 apart have moments that add up to 49; drawing between pixels adds a quarter each at most, and bytes round.
                AffineDigits.sample
                    { Rotation = 20.0; Shear = 0.0; Scale = struct (1.0, 1.0) }
                    40
                    (pairs 100 [ 6, 13; 20, 13 ])
                    (Key.OfSeed 4L)
                |> moments
                |> Array.iter (fun (ofColumns, ofRows, _) -> ofColumns + ofRows |> shouldBeIn (48.3, 49.8))

            testCase "affine digits: angles are uniform, in degrees"
            <| fun () ->
                let views: Viewpoints = { Rotation = 20.0; Shear = 0.0; Scale = struct (1.0, 1.0) }

                AffineDigits.sample views 40 (pairs 400 [ 6, 13; 20, 13 ]) (Key.OfSeed 4L)
                |> moments
                |> Array.map (fun (ofColumns, ofRows, ofBoth) ->
                    0.5 * atan2 (2.0 * ofBoth) (ofColumns - ofRows) * 180.0 / Math.PI)
                |> shouldBeUniform 20.0

            testCase "affine digits: shears are uniform, and move rows along themselves"
            <| fun () ->
                let views: Viewpoints = { Rotation = 0.0; Shear = 0.2; Scale = struct (1.0, 1.0) }

                let found = AffineDigits.sample views 40 (pairs 400 [ 13, 6; 13, 20 ]) (Key.OfSeed 4L) |> moments

                found |> Array.map (fun (_, ofRows, ofBoth) -> ofBoth / ofRows) |> shouldBeUniform 0.2

                // Pixels that lie between two rows are seen in both.
                for _, ofRows, _ in found do
                    ofRows |> shouldBeIn (48.8, 49.4)

            testCase "affine digits: an empty image stays empty"
            <| fun () ->
                let digits = { Pixels = Array.zeroCreate Digits.Pixels; Labels = [| 0uy |] }
                let canvases = AffineDigits.sample AffineDigits.published 40 digits (Key.OfSeed 4L)
                canvases.Pixels |> Array.forall ((=) 0uy) |> shouldEqual true
        ]

module Scae.Tests.Data.MultiMnistTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Tensors

let private strokes = lazy (StrokeDigits.sample 100 (Key.OfSeed 3L))

/// One white pixel square a digit, so that a scene's pixels tell where its digits are.
let private white: Digits = { Pixels = Array.create 784 255uy; Labels = [| 7uy |] }

let private pixels (scenes: Scenes) = scenes.Images.toArray<float32>()

/// The paper's scenes: 50 × 50, with up to two digits of about 21 pixels, which don't overlap.
let private paper: MultiMnistConfig =
    { MultiMnist.published with
        Canvas = 50
        Most = 2
        Sizes = DigitSizes.Shrunk
        Overlap = Overlap.Avoided
    }

[<Tests>]
let tests =
    testList
        "Data.MultiMnist"
        [
            testPropertyWithConfig (samples 30) "digits lie inside, sizes and pixels in range, counts up to most"
            <| fun (seed: int) ->
                [ MultiMnist.published; paper; { paper with Most = 3; Overlap = Overlap.Allowed } ]
                |> List.forall (fun config ->
                    let scenes = MultiMnist.sample config strokes.Value 20 (Key.OfSeed(int64 seed))
                    let largest = MultiMnist.largestSide config

                    pixels scenes |> Array.forall (fun v -> v >= 0.0f && v <= 1.0001f)
                    && scenes.Truth
                       |> Array.forall (fun truth ->
                           truth.Length <= config.Most
                           && truth
                              |> Array.forall (fun digit ->
                                  digit.Left >= 0
                                  && digit.Top >= 0
                                  && digit.Side <= largest
                                  && digit.Left + digit.Side <= config.Canvas
                                  && digit.Top + digit.Side <= config.Canvas)))

            testCase "a digit fills exactly its box"
            <| fun () ->
                let config = MultiMnist.published
                let scenes = MultiMnist.sample config white 200 (Key.OfSeed 1L)
                let values = pixels scenes

                scenes.Truth
                |> Array.iteri (fun i truth ->
                    for y in 0..31 do
                        for x in 0..31 do
                            let inside (d: PlacedDigit) =
                                x >= d.Left && x < d.Left + d.Side && y >= d.Top && y < d.Top + d.Side

                            let expected = if truth |> Array.exists inside then 1.0f else 0.0f
                            abs (values[i * 1024 + y * 32 + x] - expected) |> shouldBeLessThan 1e-5f)

            testCase "a digit of 28 pixels is the original"
            <| fun () ->
                let config = { MultiMnist.published with Canvas = 28; Most = 1; Smallest = 28; Largest = 28 }

                let one: Digits = { Pixels = strokes.Value.Pixels[..783]; Labels = [| 0uy |] }
                let scenes = MultiMnist.sample config one 10 (Key.OfSeed 2L)
                let values = pixels scenes

                scenes.Truth
                |> Array.iteri (fun i truth ->
                    for p in 0..783 do
                        let expected =
                            if truth.Length = 0 then
                                0.0f
                            else
                                float32 one.Pixels[p] / 255.0f

                        abs (values[i * 784 + p] - expected) |> shouldBeLessThan 1e-5f)

            testCase "counts and sizes are uniform"
            <| fun () ->
                let scenes = MultiMnist.sample MultiMnist.published strokes.Value 3000 (Key.OfSeed 4L)

                for count in 0..2 do
                    let n = scenes.Truth |> Array.filter (fun truth -> truth.Length = count) |> Array.length
                    // Six standard deviations of a binomial.
                    abs (n - 1000) |> shouldBeLessThan 155

                let sides = scenes.Truth |> Array.concat |> Array.countBy _.Side
                sides |> Array.map fst |> Array.sort |> shouldEqual [| 12..18 |]

                for _, n in sides do
                    abs (n - 3000 / 7) |> shouldBeLessThan 115

            testCase "a zoom multiplies a digit's side; of two numbers, each digit draws its own zoom between them"
            <| fun () ->
                let sides zoom config =
                    (MultiMnist.sample { config with Zoom = zoom } strokes.Value 300 (Key.OfSeed 4L)).Truth
                    |> Array.concat
                    |> Array.map _.Side

                let distinct = sides [ 0.5 ] MultiMnist.published |> Array.distinct |> Array.sort
                distinct |> shouldEqual [| 6..9 |]
                MultiMnist.largestSide { MultiMnist.published with Zoom = [ 0.5 ] } |> shouldEqual 9

                for zoom in [ [ 0.7 ]; [ 1.3 ]; [ 0.7; 1.3 ] ] do
                    let mean = sides zoom paper |> Array.averageBy float
                    // Of sides of 21.6 pixels in the mean, rounded down, with a deviation of at most 4; 300 of them.
                    mean |> shouldBeNear 1.0 (21.7 * List.average zoom - 0.5)

                    sides zoom paper |> Array.max |> shouldBeAtMost (MultiMnist.largestSide { paper with Zoom = zoom })

            testCase "avoided overlap means that the sum of digits never exceeds 1"
            <| fun () ->
                let boxesTouch (a: PlacedDigit) (b: PlacedDigit) =
                    a.Left < b.Left + b.Side
                    && b.Left < a.Left + a.Side
                    && a.Top < b.Top + b.Side
                    && b.Top < a.Top + a.Side

                let scenes = MultiMnist.sample paper white 300 (Key.OfSeed 5L)

                let pairs = scenes.Truth |> Array.filter (fun truth -> truth.Length = 2)
                pairs |> shouldHaveSome

                for truth in pairs do
                    boxesTouch truth[0] truth[1] |> shouldEqual false

                pixels scenes |> Array.max |> shouldBeAtMost 1.0001f

            testCase "the same key gives the same scenes, another key others"
            <| fun () ->
                let sample (seed: int64) = MultiMnist.sample paper strokes.Value 20 (Key.OfSeed seed) |> pixels

                sample 1L |> shouldEqual (sample 1L)
                sample 1L |> shouldDiffer (sample 2L)

            testCase "stroke digits are dark at the border, bright within, and differ by class"
            <| fun () ->
                let digits = StrokeDigits.sample 200 (Key.OfSeed 6L)
                digits.Labels |> Array.countBy id |> Array.forall (fun (_, n) -> n = 20) |> shouldEqual true

                for i in 0..199 do
                    let image = Array.sub digits.Pixels (i * 784) 784
                    Array.max image |> shouldEqual 255uy
                    image |> Array.sumBy int |> shouldBeGreaterThan (20 * 255)

                    for x in 0..27 do
                        image[x] |> shouldEqual 0uy
        ]

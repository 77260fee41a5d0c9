module Scae.Tests.Data.SceneConditionsTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Tensors

let private canvas = 40

let private grey (value: float) (count: int) = Tensor.full ([| count; canvas * canvas |], value)

let private conditions background strength : SceneConditions =
    { SceneConditions.plain with
        Background = background
        BackgroundStrength = [ strength ]
    }

let private lit (config: SceneConditions) (images: Tensor) (seed: int64) : float32[][] =
    let images = images.clone ()
    SceneConditions.light config canvas (Key.OfSeed seed) images
    images.toArray<float32>() |> Array.chunkBySize (canvas * canvas)

let private all = [ Background.Noise; Background.Stripes; Background.Clouds ]

/// A scene's pixels in their rows.
let private rows (scene: float32[]) = scene |> Array.map float |> Array.chunkBySize canvas

/// How far values are from obeying a(i − 1) + a(i + 1) = κ·a(i) along rows, with the best κ, beside their size.
let private fromSine (rows: float[][]) : float =
    let triples = rows |> Array.collect (Array.windowed 3)
    let size = triples |> Array.sumBy (fun t -> t[1] * t[1])
    let kappa = (triples |> Array.sumBy (fun t -> (t[0] + t[2]) * t[1])) / size
    (triples |> Array.sumBy (fun t -> (t[0] + t[2] - kappa * t[1]) ** 2.0)) / size

[<Tests>]
let tests =
    testList
        "Data.SceneConditions"
        [
            testCase "the same key gives the same light, another key and another scene another"
            <| fun () ->
                for background in Background.Mixed :: all do
                    let light = lit (conditions background 0.4) (grey 0.0 8)
                    light 1L |> shouldEqual (light 1L)
                    light 1L |> shouldDiffer (light 2L)
                    (light 1L |> Array.distinct |> Array.length) |> shouldBeGreaterThan 1

            testCase "a scene's light doesn't depend on how many there are"
            <| fun () ->
                for background in Background.Mixed :: all do
                    lit (conditions background 0.4) (grey 0.2 2) 3L
                    |> shouldEqual (lit (conditions background 0.4) (grey 0.2 9) 3L |> Array.truncate 2)

            testCase "light of strength 0, or none, changes no bit of a scene, not even of pixels above 1"
            <| fun () ->
                let images =
                    Tensor.``of`` (Array.init (canvas * canvas) (fun i -> float32 i / 1500.0f), 1, canvas * canvas)

                let untouched = [| images.toArray<float32>() |]

                for background in Background.Mixed :: all do
                    lit (conditions background 0.0) images 1L |> shouldEqual untouched

                lit (conditions Background.None 0.4) images 1L |> shouldEqual untouched

            testCase "noise has its deviation; on black half of it is cut off"
            <| fun () ->
                let moments (scenes: float32[][]) =
                    let values = scenes |> Array.concat |> Array.map float
                    let mean = Array.average values
                    mean, (values |> Array.averageBy (fun v -> v * v))

                // 64,000 pixels: the mean's standard error is 0.0004.
                let mean, square = moments (lit (conditions Background.Noise 0.1) (grey 0.5 40) 4L)
                mean |> shouldBeNear 0.002 0.5
                sqrt (square - mean * mean) |> shouldBeNear 0.002 0.1

                let mean, square = moments (lit (conditions Background.Noise 0.1) (grey 0.0 40) 5L)
                mean |> shouldBeNear 0.002 (0.1 / sqrt (2.0 * Math.PI))
                square |> shouldBeNear 0.0005 (0.01 / 2.0)

            testCase "stripes are a sine between 0 and their strength"
            <| fun () ->
                for scene in lit (conditions Background.Stripes 0.4) (grey 0.0 20) 6L do
                    let low, high = Array.min scene, Array.max scene
                    low |> shouldBeAtLeast 0.0f
                    high |> shouldBeAtMost 0.4001f
                    // A period has at least six pixels, so some come near both ends.
                    low |> shouldBeLessThan 0.05f
                    high |> shouldBeGreaterThan 0.35f
                    let centred = rows scene |> Array.map (Array.map (fun v -> v - 0.2))
                    fromSine centred |> shouldBeLessThan 1e-6
                    fromSine (Array.transpose centred) |> shouldBeLessThan 1e-6

            testCase "what isn't a sine is noticed"
            <| fun () ->
                for scene in lit (conditions Background.Clouds 0.4) (grey 0.0 5) 6L do
                    fromSine (rows scene |> Array.map (Array.map (fun v -> v - 0.2))) |> shouldBeGreaterThan 1e-6

            testCase "clouds lie between 0 and their strength and change slowly"
            <| fun () ->
                for scene in lit (conditions Background.Clouds 0.4) (grey 0.0 20) 7L do
                    Array.min scene |> shouldBeAtLeast 0.0f
                    Array.max scene |> shouldBeAtMost 0.4001f
                    Array.max scene - Array.min scene |> shouldBeGreaterThan 0.1f

                    for line in Array.append (rows scene) (Array.transpose (rows scene)) do
                        for a, b in Array.pairwise line do
                            // The easing's slope is at most 1½, over twelve pixels.
                            abs (a - b) |> shouldBeLessThan (0.4 * 1.5 / 12.0 + 1e-6)

            testCase "lit pixels stay within 0 and 1"
            <| fun () ->
                for background in all do
                    for value in [ 0.0; 0.9; 1.0 ] do
                        for scene in lit (conditions background 1.0) (grey value 3) 8L do
                            Array.min scene |> shouldBeAtLeast 0.0f
                            Array.max scene |> shouldBeAtMost 1.0f

            testCase "contrast multiplies, one for each scene, uniform between two numbers"
            <| fun () ->
                let dimmed contrast count = lit { SceneConditions.plain with Contrast = contrast } (grey 1.0 count) 9L

                for scene in dimmed [ 0.25 ] 3 do
                    scene |> Array.distinct |> shouldEqual [| 0.25f |]

                let drawn = dimmed [ 0.5; 1.0 ] 400 |> Array.map (Array.distinct >> Array.exactlyOne >> float)
                Array.min drawn |> shouldBeAtLeast 0.5
                Array.max drawn |> shouldBeAtMost 1.0
                // The standard error is 0.007.
                Array.average drawn |> shouldBeNear 0.03 0.75

            testCase "mixed light is a fourth each"
            <| fun () ->
                let scenes = lit (conditions Background.Mixed 0.4) (grey 0.0 400) 10L
                let isNone (scene: float32[]) = Array.forall ((=) 0.0f) scene
                // Of noise on black half the pixels stay black; of stripes and clouds next to none.
                let isNoise (scene: float32[]) =
                    let black = scene |> Array.filter ((=) 0.0f) |> Array.length
                    black > canvas * canvas / 4 && not (isNone scene)

                let isSine (scene: float32[]) =
                    not (isNone scene) && fromSine (rows scene |> Array.map (Array.map (fun v -> v - 0.2))) < 1e-6

                // Six standard deviations of a binomial are 52.
                for is in [ isNone; isNoise; isSine ] do
                    abs ((scenes |> Array.filter is |> Array.length) - 100) |> shouldBeLessThan 53

            testCase "an extent is a number, or two that ascend"
            <| fun () ->
                Extent.refusal [ 0.3 ] |> shouldEqual None
                Extent.refusal [ 0.3; 0.3 ] |> shouldEqual None

                for wrong in [ []; [ 0.4; 0.3 ]; [ 0.1; 0.2; 0.3 ] ] do
                    Extent.refusal wrong
                    |> shouldEqual (Some "must be one number, or two of which the second isn't the smaller")

                let stream = (Key.OfSeed 1L).Stream()
                let untouched = (Key.OfSeed 1L).Stream()
                Extent.draw [ 0.3 ] stream |> shouldEqual 0.3
                stream.NextBits() |> shouldEqual (untouched.NextBits())
        ]

module Scae.Tests.Data.DigitSequencesTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Tensors

let private digits = lazy (StrokeDigits.sample 20 (Key.OfSeed 1L))

let private moving = [ DigitMotion.Single; DigitMotion.RotationColour; DigitMotion.PerspectiveColour ]

let private views motion seed = DigitSequences.views motion ((Key.OfSeed seed).Stream())

let private filled motion (chosen: int[]) (seed: int64) =
    let into =
        Tensor.zeros [| chosen.Length * DigitSequences.frames motion; DigitSequences.channels motion * Digits.Pixels |]

    DigitSequences.fill motion digits.Value (ReadOnlySpan chosen) (Key.OfSeed seed) into
    into

/// Whether values are all of a set, in cyclic order from any start.
let private isCycle (set: float[]) (values: float[]) =
    let start = Array.findIndex ((=) values[0]) set
    values = Array.init set.Length (fun t -> set[(start + t) % set.Length])

let private isConstant (values: float[]) = Array.forall ((=) values[0]) values

[<Tests>]
let tests =
    testList
        "Data.DigitSequences"
        [
            testCase "one of rotation, magnification and colour goes through all of its values, and the others stay"
            <| fun () ->
                let moved = Array.zeroCreate<int> 3

                for seed in 0L .. 599L do
                    let views = views DigitMotion.Single seed

                    let attributes =
                        [
                            DigitSequences.degrees, views |> Array.map _.Angle
                            DigitSequences.scales, views |> Array.map _.Scale
                            DigitSequences.degrees, views |> Array.map _.Hue
                        ]

                    let cycling = attributes |> List.map (fun (set, values) -> isCycle set values)
                    cycling |> List.filter id |> shouldHaveLength 1
                    let which = List.findIndex id cycling
                    moved[which] <- moved[which] + 1

                    for i, (set, values) in List.indexed attributes do
                        if i <> which then
                            isConstant values |> shouldEqual true
                            set |> shouldContain values[0]

                // 200 each in expectation, deviation 11.5.
                for count in moved do
                    float count |> shouldBeIn (150.0, 250.0)

            for motion in [ DigitMotion.RotationColour; DigitMotion.PerspectiveColour ] do
                testCase $"angle and hue move together from starts of their own (%A{motion})"
                <| fun () ->
                    let starts =
                        [
                            for seed in 0L .. 99L do
                                let views = views motion seed
                                views |> Array.map _.Angle |> isCycle DigitSequences.degrees |> shouldEqual true
                                views |> Array.map _.Hue |> isCycle DigitSequences.degrees |> shouldEqual true
                                views |> Array.forall (fun view -> view.Scale = 1.0) |> shouldEqual true
                                views[0].Angle, views[0].Hue
                        ]

                    // 324 pairs: a hundred draws see about 86 of them.
                    List.distinct starts |> List.length |> shouldBeGreaterThan 60

            for motion in moving do
                testCase $"the brightest channel is the warped digit, the darkest is black (%A{motion})"
                <| fun () ->
                    let chosen = [| 3; 7 |]
                    let frames = filled motion chosen 2L

                    for b in 0..1 do
                        let views = DigitSequences.views motion (((Key.OfSeed 2L).Fold(int64 b)).Stream())

                        let source =
                            Array.sub digits.Value.Pixels (chosen[b] * 784) 784
                            |> Array.map (fun v -> float32 v / 255.0f)

                        for t in 0..17 do
                            let grey = Array.zeroCreate<float32> 784

                            Warp.draw
                                28
                                (Warp.inverse (DigitSequences.projection views[t]))
                                (ReadOnlySpan source)
                                (Span grey)

                            let planes =
                                (frames.select (0, b * 18 + t)).contiguous().toArray<float32>() |> Array.chunkBySize 784

                            for i in 0..783 do
                                let channels = [ planes[0][i]; planes[1][i]; planes[2][i] ]
                                List.max channels |> shouldEqual grey[i]
                                List.min channels |> shouldEqual 0.0f

            testCase "digits that don't move are the digits"
            <| fun () ->
                let frames = filled DigitMotion.Still [| 4; 0 |] 1L
                frames.shape |> shouldEqual [| 2; 784 |]

                (frames.select (0, 0)).contiguous().toArray<float32>()
                |> shouldEqual (Array.sub digits.Value.Pixels (4 * 784) 784 |> Array.map (fun v -> float32 v / 255.0f))

            testCase "sequences are a function of the key, and each has a part of its own"
            <| fun () ->
                let elements (x: Tensor) = x.toArray<float32>()
                let both = filled DigitMotion.Single [| 1; 2 |] 3L
                elements (filled DigitMotion.Single [| 1; 2 |] 3L) |> shouldEqual (elements both)
                elements (filled DigitMotion.Single [| 1; 2 |] 4L) |> shouldDiffer (elements both)

                elements (filled DigitMotion.Single [| 1 |] 3L)
                |> shouldEqual (elements ((both.slice (0, 0, 18)).contiguous()))

            testCase "an empty choice draws nothing"
            <| fun () -> (filled DigitMotion.Single [||] 1L).nelement |> shouldEqual 0
        ]

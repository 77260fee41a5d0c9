module Scae.Tests.Metrics.ImageDistortionTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads

let private images = lazy (UprightDigits.images (StrokeDigits.sample 24 (Key.OfSeed 3L)))

/// A pixel of an image moved so far, 0 outside.
let private moved (right: int) (down: int) (image: float32[]) : float32[] =
    Array.init Digits.Pixels (fun i ->
        let x, y = i % Digits.Side - right, i / Digits.Side - down

        if x < 0 || y < 0 || x >= Digits.Side || y >= Digits.Side then
            0f
        else
            image[y * Digits.Side + x])

/// The definition, pixel by pixel.
let private distortion (reach: int) (a: float32[]) (b: float32[]) : float =
    let ink (image: float32[]) x y =
        if x < 0 || y < 0 || x >= Digits.Side || y >= Digits.Side then
            0.0
        else
            float image[y * Digits.Side + x]

    let slopes image x y =
        let at dx dy = ink image (x + dx) (y + dy)
        let rise dx dy = at dx dy - at -dx -dy
        rise 1 -1 + 2.0 * rise 1 0 + rise 1 1, rise -1 1 + 2.0 * rise 0 1 + rise 1 1

    // Of all places that are looked at, row by row.
    let margin = 2 * reach
    let side = Digits.Side + 2 * margin

    let all image =
        Array.init (side * side) (fun i ->
            let x, y = slopes image (i % side - margin) (i / side - margin)
            struct (x, y))

    let ofA, ofB = all a, all b
    let at (slopes: struct (float * float)[]) x y = slopes[(y + margin) * side + x + margin]

    let around = [ for dy in -reach .. reach -> [ for dx in -reach .. reach -> dx, dy ] ] |> List.concat

    Seq.sum (
        seq {
            for y in 0 .. Digits.Side - 1 do
                for x in 0 .. Digits.Side - 1 do
                    around
                    |> List.map (fun (sx, sy) ->
                        around
                        |> List.sumBy (fun (dx, dy) ->
                            let struct (ax, ay) = at ofA (x + dx) (y + dy)
                            let struct (bx, by) = at ofB (x + sx + dx) (y + sy + dy)
                            (ax - bx) * (ax - bx) + (ay - by) * (ay - by)))
                    |> List.min
        }
    )

let private others (count: int) (i: int) : int[] = [| 0 .. count - 1 |] |> Array.filter ((<>) i)

[<Tests>]
let tests =
    testList
        "Metrics.ImageDistortion"
        [
            testCase "the least distorted come first, by the definition pixel by pixel, ink at the rim included"
            <| fun () ->
                let rim = Array.init Digits.Pixels (fun i -> float32 ((i * 7919) % 101) / 100f)

                let images =
                    Array.append
                        (Array.truncate 7 images.Value)
                        [| rim; moved 1 0 rim; Array.zeroCreate Digits.Pixels |]

                let candidates = Array.init images.Length (others images.Length)

                for reach in 1..2 do
                    let expected =
                        candidates
                        |> Array.mapi (fun i row ->
                            row |> Array.sortBy (fun j -> distortion reach images[i] images[j]) |> Array.truncate 6)

                    ImageDistortion.nearest reach 6 candidates images |> shouldEqual expected

            testCase "an image moved by a pixel in any direction is nearest, and of equal ones the first"
            <| fun () ->
                let own = images.Value[0]

                for right, down in [ 1, 0; 0, 1; -1, -1; 1, -1 ] do
                    let all = Array.append images.Value [| moved right down own; own |]
                    let n = all.Length
                    let found = ImageDistortion.nearest 1 2 (Array.init n (others n)) all
                    found[0] |> Array.sort |> shouldEqual [| n - 2; n - 1 |]

                let same = Array.create 5 own
                ImageDistortion.nearest 1 2 (Array.init 5 (others 5)) same |> Array.last |> shouldEqual [| 0; 1 |]

            testCase "an image moved by two pixels each way is nearest where so much is in reach"
            <| fun () ->
                let own = images.Value[0]
                let all = Array.append images.Value [| moved -2 2 own |]
                let found = ImageDistortion.nearest 2 1 (Array.init all.Length (others all.Length)) all
                found[0] |> shouldEqual [| all.Length - 1 |]

            testCase "too few candidates are refused, and a reach of nothing"
            <| fun () ->
                messageOf<ArgumentException>(fun () ->
                    ImageDistortion.nearest 0 1 [| [| 0 |] |] [| images.Value[0] |] |> ignore)
                |> shouldStartWith "distortion: a reach of 0"

                messageOf<ArgumentException>(fun () ->
                    ImageDistortion.nearest 1 3 [| [| 0; 0 |] |] [| images.Value[0] |] |> ignore)
                |> shouldStartWith "distortion: 3 of 2 candidates"
        ]

[<Tests>]
let sequenced =
    testSequenced
    <| testList
        "Metrics.ImageDistortion, threads"
        [
            testCase "the number of threads decides nothing, and none but candidates are found"
            <| fun () ->
                let images = Array.init 200 (fun i -> images.Value[i % 24])
                let candidates = Array.init 200 (fun i -> [| (i + 1) % 200; (i + 5) % 200; (i + 9) % 200 |])
                let find () = ImageDistortion.nearest 1 2 candidates images
                shouldBeSameOnAnyThreads find

                for found, from in Array.zip (find ()) candidates do
                    found |> Array.forall (fun j -> Array.contains j from) |> shouldEqual true
        ]

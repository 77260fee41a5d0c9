module Scae.Tests.Data.AffineDigitsTests

open System
open Expecto
open Scae.Core.Data
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads

let private digits = lazy (StrokeDigits.sample 20 (Key.OfSeed 1L))

let private straight: Viewpoints = { Rotation = 0.0; Shear = 0.0; Scale = struct (1.0, 1.0) }

let private filledAt (anywhere: bool) (views: Viewpoints) (side: int) (key: int64) : float32[] * float32[] =
    let images, classes = Tensor.zeros [| 20; 1; side; side |], Tensor.zeros [| 20; 10 |]
    AffineDigits.fill views anywhere digits.Value (ReadOnlySpan(Array.init 20 id)) (Key.OfSeed key) images classes
    images.toArray<float32>(), classes.toArray<float32>()

let private filled = filledAt false

/// The first and last rows and columns with ink of an image.
let private box (side: int) (image: float32[]) =
    let lit =
        [
            for i in 0 .. side * side - 1 do
                if image[i] > 0.0f then
                    i
        ]

    let rows, columns = lit |> List.map (fun i -> i / side), lit |> List.map (fun i -> i % side)
    List.min rows, List.max rows, List.min columns, List.max columns

[<Tests>]
let tests =
    testList
        "Data.AffineDigits.fill"
        [
            testCase "digits seen straight on a canvas as large as they are stay as they are"
            <| fun () ->
                let images, _ = filled straight 28 4L
                images |> shouldEqual (digits.Value.Pixels |> Array.map (fun b -> float32 (float b / 255.0)))

            testCase "views differ, stay in [0, 1], keep about as much ink, and follow from the key alone"
            <| fun () ->
                let views = { Rotation = 15.0; Shear = 0.15; Scale = struct (0.9, 1.1) }
                let images, classes = filled views 40 4L
                fst (filled views 40 4L) |> shouldEqual images
                fst (filled views 40 5L) = images |> shouldEqual false
                Array.min images |> shouldBeAtLeast 0.0f
                Array.max images |> shouldBeAtMost 1.0f
                let ink = digits.Value.Pixels |> Array.sumBy (fun b -> float b / 255.0)
                (images |> Array.sumBy float) / ink |> shouldBeIn (0.8, 1.25)
                Array.sum classes |> shouldEqual 20.0f

            testCase "ink that lies anywhere comes to the rim, and loses no more than a pixel's share"
            <| fun () ->
                let views = { Rotation = 15.0; Shear = 0.15; Scale = struct (0.9, 1.1) }

                let boxes anywhere =
                    [
                        for key in 1L .. 20L do
                            let images, _ = filledAt anywhere views 40 key
                            for image in Array.chunkBySize 1600 images -> box 40 image
                    ]

                let atTheRim (top, bottom, left, right) = top = 0 || bottom = 39 || left = 0 || right = 39
                let often anywhere = boxes anywhere |> List.filter atTheRim |> List.length
                often true |> shouldBeGreaterThan (2 * often false)

                let tops, bottoms, lefts, rights =
                    let all = boxes true

                    all |> List.map (fun (t, _, _, _) -> t),
                    all |> List.map (fun (_, b, _, _) -> b),
                    all |> List.map (fun (_, _, l, _) -> l),
                    all |> List.map (fun (_, _, _, r) -> r)

                (List.min tops, List.max bottoms, List.min lefts, List.max rights) |> shouldEqual (0, 39, 0, 39)
                let ink (images: float32[]) = images |> Array.sumBy float
                let inside, anywhere = ink (fst (filledAt false views 40 3L)), ink (fst (filledAt true views 40 3L))
                abs (anywhere - inside) / inside |> shouldBeLessThan 0.03

            testCase "digits without ink stay black, wherever they are put"
            <| fun () ->
                let blank =
                    {
                        Pixels = Array.zeroCreate<byte>(3 * Digits.Pixels)
                        Labels = Array.zeroCreate<byte> 3
                    }

                let images, classes = Tensor.ones [| 3; 1; 32; 32 |], Tensor.zeros [| 3; 10 |]
                let rows = [| 0; 1; 2 |]

                for anywhere in [ false; true ] do
                    AffineDigits.fill
                        AffineDigits.published
                        anywhere
                        blank
                        (ReadOnlySpan rows)
                        (Key.OfSeed 2L)
                        images
                        classes

                    images.toArray<float32>() |> Array.forall ((=) 0.0f) |> shouldEqual true
        ]

[<Tests>]
let sequenced =
    testSequenced
    <| testList
        "Data.AffineDigits.fill, threads"
        [
            testCase "the same on one thread and on several"
            <| fun () ->
                let many = StrokeDigits.sample 100 (Key.OfSeed 1L)

                shouldBeSameOnAnyThreads (fun () ->
                    let images, classes = Tensor.zeros [| 100; 1; 32; 32 |], Tensor.zeros [| 100; 10 |]
                    let rows = Array.init 100 id

                    AffineDigits.fill
                        AffineDigits.published
                        true
                        many
                        (ReadOnlySpan rows)
                        (Key.OfSeed 2L)
                        images
                        classes

                    images.toArray<float32>())
        ]

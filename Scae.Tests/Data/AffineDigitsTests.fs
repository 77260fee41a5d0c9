module Scae.Tests.Data.AffineDigitsTests

open System
open Expecto
open Scae.Core.Data
open Scae.Tensors
open Scae.Tests.Claims

let private digits = lazy (StrokeDigits.sample 20 (Key.OfSeed 1L))

let private straight: Viewpoints = { Rotation = 0.0; Shear = 0.0; Scale = struct (1.0, 1.0) }

let private filled (views: Viewpoints) (side: int) (key: int64) : float32[] * float32[] =
    let images, classes = Tensor.zeros [| 20; 1; side; side |], Tensor.zeros [| 20; 10 |]
    AffineDigits.fill views (side - 28) digits.Value (ReadOnlySpan(Array.init 20 id)) (Key.OfSeed key) images classes
    images.toArray<float32>(), classes.toArray<float32>()

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
        ]

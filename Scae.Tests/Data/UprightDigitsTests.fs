module Scae.Tests.Data.UprightDigitsTests

open System
open Expecto
open Scae.Core.Data
open Scae.Tensors
open Scae.Tests.Claims

let private strokes = lazy (StrokeDigits.sample 30 (Key.OfSeed 2L))

let private of' (draw: int -> int -> float) : Digits =
    {
        Pixels = Array.init Digits.Pixels (fun i -> byte (Math.Round(255.0 * draw (i % Digits.Side) (i / Digits.Side))))
        Labels = [| 0uy |]
    }

let private row (digits: Digits) : float[] = UprightDigits.row (Array.head (UprightDigits.images digits))

let private distance (a: float[]) (b: float[]) : float = Array.map2 (fun x y -> (x - y) ** 2.0) a b |> Array.sum |> sqrt

/// A bar of ink with soft edges, its middle at a column, that goes so many columns to the right a row.
let private bar (middle: float) (slant: float) : Digits =
    of' (fun column row ->
        if row < 6 || row > 21 then
            0.0
        else
            max 0.0 (1.0 - abs (float column - middle - slant * (float row - 13.5)) / 3.0))

[<Tests>]
let tests =
    testList
        "Data.UprightDigits"
        [
            testCase "every digit becomes numbers of length 1, at least 0"
            <| fun () ->
                for image in UprightDigits.images strokes.Value do
                    let row = UprightDigits.row image
                    row.Length |> shouldEqual UprightDigits.Numbers
                    Array.min row |> shouldBeAtLeast 0.0
                    Array.sumBy (fun x -> x * x) row |> shouldBeNear 1e-9 1.0

            testCase "a digit that leans, or lies elsewhere, is the same, and another is not"
            <| fun () ->
                let straight = row (bar 13.5 0.0)
                distance straight (row (bar 13.5 0.4)) |> shouldBeLessThan 0.1
                distance straight (row (bar 10.0 -0.3)) |> shouldBeLessThan 0.1

                let disc =
                    of' (fun x y ->
                        if (float x - 13.5) ** 2.0 + (float y - 13.5) ** 2.0 < 64.0 then
                            1.0
                        else
                            0.0)

                distance straight (row disc) |> shouldBeGreaterThan 0.5

            testCase "without ink all is 0, and ink of one pixel, one row or one column is finite"
            <| fun () ->
                row (of' (fun _ _ -> 0.0)) |> shouldEqual (Array.zeroCreate UprightDigits.Numbers)

                for draw in
                    [
                        fun x y -> if (x, y) = (0, 27) then 1.0 else 0.0
                        fun _ y -> if y = 3 then 1.0 else 0.0
                        fun x _ -> if x = 27 then 1.0 else 0.0
                        fun _ _ -> 1.0
                    ] do
                    row (of' draw) |> Array.sumBy (fun x -> x * x) |> shouldBeNear 1e-9 1.0
        ]

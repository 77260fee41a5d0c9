module Scae.Tests.Metrics.BoxesTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Metrics

let private square x y side : Square = { X = x; Y = y; Side = side }

[<Tests>]
let tests =
    testList
        "Metrics.Boxes"
        [
            testCase "intersection over union of known squares"
            <| fun () ->
                let a = square 5.0 5.0 4.0
                Boxes.intersectionOverUnion a a |> shouldEqual 1.0
                Boxes.intersectionOverUnion a (square 7.0 5.0 4.0) |> shouldBeNear 1e-12 (8.0 / 24.0)
                Boxes.intersectionOverUnion a (square 5.0 5.0 2.0) |> shouldBeNear 1e-12 0.25
                Boxes.intersectionOverUnion a (square 9.0 5.0 4.0) |> shouldEqual 0.0
                Boxes.intersectionOverUnion (square 0.0 0.0 0.0) (square 0.0 0.0 0.0) |> shouldEqual 0.0

            testPropertyWithConfig (samples 100) "intersection over union is symmetric and from 0 to 1"
            <| fun (x: int8) (y: int8) (s: byte) (t: byte) ->
                let a, b = square (float x) (float y) (float s), square 0.0 0.0 (float t)
                let value = Boxes.intersectionOverUnion a b
                value >= 0.0 && value <= 1.0 && value = Boxes.intersectionOverUnion b a

            testCase "squares are matched so that distances add up to the least"
            <| fun () ->
                let found = [| square 0.0 0.0 1.0; square 10.0 0.0 1.0; square 50.0 0.0 1.0 |]
                let truth = [| square 9.0 0.0 1.0; square 1.0 0.0 1.0 |]
                Boxes.matched found truth |> shouldEqual [| 0, 1; 1, 0 |]
                Boxes.matched truth found |> shouldEqual [| 0, 1; 1, 0 |]
                Boxes.matched [||] truth |> shouldBeEmpty
        ]

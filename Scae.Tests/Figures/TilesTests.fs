module Scae.Tests.Figures.TilesTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Figures

let private picture (level: float32) = Array.create 4 level

[<Tests>]
let tests =
    testList
        "Figures.Tiles"
        [
            testCase "pictures stand row by row with a pixel between them, and missing ones are as light as the gaps"
            <| fun () ->
                let values = Tiles.colours 1 2 2 [| picture 0.0f; picture 0.25f; picture 1.0f |]
                Array3D.length1 values |> shouldEqual 5
                Array3D.length2 values |> shouldEqual 5
                values[1, 1, 0] |> shouldEqual 0.0
                values[0, 3, 2] |> shouldEqual 0.25
                values[4, 0, 1] |> shouldEqual 1.0
                let gap = values[2, 0, 0]
                values[0, 2, 1] |> shouldEqual gap
                values[4, 4, 1] |> shouldEqual gap

            testCase "three channels are three planes, and values outside 0..1 are cut"
            <| fun () ->
                let frame = [| 0.5f; -1.0f; 2.0f |]
                let values = Tiles.colours 3 1 1 [| frame |]
                [ values[0, 0, 0]; values[0, 0, 1]; values[0, 0, 2] ] |> shouldEqual [ 0.5; 0.0; 1.0 ]

            testCase "without pictures there is still one to draw"
            <| fun () -> Array3D.length1 (Tiles.colours 1 2 3 [||]) |> shouldEqual 1
        ]

module Scae.Tests.Tensors.SlicingTests

open Scae.Tests.Claims
open Expecto
open Scae.Core
open Scae.Tensors

let private t = (dsharp.arange 24.0).view(2, 3, 4)

let private values (x: Tensor) = x.toArray<float32>() |> Array.map int |> List.ofArray

[<Tests>]
let tests =
    testList
        "Tensors.Slicing"
        [
            testCase "a position drops its axis and a range keeps it"
            <| fun () ->
                t[1, 1..2, *].shape |> shouldEqual [| 2; 4 |]
                values t[1, 1..2, *] |> shouldEqual [ 16..23 ]
                t[0..0, 2, 1].shape |> shouldEqual [| 1 |]
                values t[0..0, 2, 1] |> shouldEqual [ 9 ]

            testCase "positions alone give the element"
            <| fun () ->
                t[1, 2, 3].toScalar() |> shouldEqual 23.0
                t[1].shape |> shouldEqual [| 3; 4 |]

            testCase "open ranges reach the ends"
            <| fun () -> values t[*, 2.., ..1] |> shouldEqual [ 8; 9; 20; 21 ]

            testCase "axes that aren't mentioned stay whole"
            <| fun () -> t[0, 1..].shape |> shouldEqual [| 2; 4 |]

            testCase "a slice shares its elements and passes gradients"
            <| fun () ->
                let x = (dsharp.arange 6.0).reverseDiff()
                let y = x.view (2, 3)
                (y[1, 0..1] * 3.0 |> dsharp.sum).reverse()
                values x.derivative |> shouldEqual [ 0; 0; 0; 3; 3; 0 ]

            testCase "too many indices and positions outside are errors that say so"
            <| fun () ->
                messageOf<ShapeError>(fun () -> t[0, 0, 0, 0] |> ignore)
                |> shouldEqual "slice: 4 indices into a tensor with 3 axes; there may be at most 3"

                messageOf<ShapeError>(fun () -> t[0, 5, *] |> ignore)
                |> shouldEqual "select: position 5 along axis 1 of [2, 3, 4]; positions go from -3 to 2"
        ]

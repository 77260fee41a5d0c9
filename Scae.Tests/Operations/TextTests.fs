/// What a tensor is at a prompt.
module Scae.Tests.Operations.TextTests

open Expecto
open Scae.Tensors
open Scae.Tests.Claims

let private shown (tensor: Tensor) (text: string) : unit = tensor.ToString() |> shouldEqual text

[<Tests>]
let tests =
    testList
        "Operations.Text"
        [
            testCase "numbers and rows stand on the line of the shape"
            <| fun () ->
                shown (Tensor.scalar 1.5) "tensor [] Float32: 1.5"
                shown (Tensor.``of`` [| 2.0; 4.0; 1.0 / 3.0 |]) "tensor [3] Float64: [2, 4, 0.333333]"
                shown (Tensor.``of`` [| 1; -2 |]) "tensor [2] Int32: [1, -2]"
                shown (Tensor.zeros [| 0 |]) "tensor [0] Float32: []"

            testCase "a matrix has a line for each row, and its columns are aligned"
            <| fun () ->
                shown
                    (Tensor.``of`` ([| 1.0; -20.5; 300.0; 4.0 |], 2, 2))
                    "tensor [2, 2] Float64\n[[    1, -20.5],\n [  300,     4]]"

                shown (Tensor.``of`` ([| 1..4 |], 2, 1, 2)) "tensor [2, 1, 2] Int32\n[[[1, 2]],\n [[3, 4]]]"
                shown (Tensor.zeros [| 2; 0 |]) "tensor [2, 0] Float32\n[]"

            testCase "of a large tensor the ends of each axis are shown, also of one that isn't dense"
            <| fun () ->
                let wide = (Tensor.``of`` ([| 0..199 |], 100, 2)).transpose(0, 1)

                shown
                    wide
                    "tensor [2, 100] Int32\n[[  0,   2,   4, …, 194, 196, 198],\n [  1,   3,   5, …, 195, 197, 199]]"

                shown (Tensor.zeros [| 1000 |]) "tensor [1000] Float32: [0, 0, 0, …, 0, 0, 0]"
                let rows = (Tensor.zeros [| 60; 2 |]).ToString().Split '\n'
                rows |> shouldHaveLength 8
                rows[4] |> shouldEqual " …,"

            testCase "while it is recorded it is its shape"
            <| fun () ->
                let mutable text = ""

                Recording.Of(fun () ->
                    let x = Tensor.ones [| 2 |]
                    text <- x.ToString()
                    [ x + 1.0 ])
                |> ignore

                text |> shouldEqual "tensor [2] Float32"
        ]

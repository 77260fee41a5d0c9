module Scae.Tests.Tensors.SlicingTests

open FsUnit
open NUnit.Framework
open Scae.Core
open Scae.Tensors

let private t = (dsharp.arange 24.0).view(2, 3, 4)
let private values (x: Tensor) = x.toArray<float32>() |> Array.map int |> List.ofArray

[<Test>]
let ``a position drops its axis and a range keeps it`` () =
    t[1, 1..2, *].shape |> should equal [| 2; 4 |]
    values t[1, 1..2, *] |> should equal [ 16..23 ]
    t[0..0, 2, 1].shape |> should equal [| 1 |]
    values t[0..0, 2, 1] |> should equal [ 9 ]

[<Test>]
let ``positions alone give the element`` () =
    t[1, 2, 3].toScalar() |> should equal 23.0
    t[1].shape |> should equal [| 3; 4 |]

[<Test>]
let ``open ranges reach the ends`` () = values t[*, 2.., ..1] |> should equal [ 8; 9; 20; 21 ]

[<Test>]
let ``axes that aren't mentioned stay whole`` () = t[0, 1..].shape |> should equal [| 2; 4 |]

[<Test>]
let ``a slice shares its elements and passes gradients`` () =
    let x = (dsharp.arange 6.0).reverseDiff()
    let y = x.view (2, 3)
    (y[1, 0..1] * 3.0 |> dsharp.sum).reverse()
    values x.derivative |> should equal [ 0; 0; 0; 3; 3; 0 ]

[<Test>]
let ``too many indices and positions outside are errors that say so`` () =
    (nonNull (Assert.Throws<ShapeError>(fun () -> t[0, 0, 0, 0] |> ignore))).Message
    |> should equal "slice: 4 indices into a tensor with 3 axes; there may be at most 3"

    (nonNull (Assert.Throws<ShapeError>(fun () -> t[0, 5, *] |> ignore))).Message
    |> should equal "select: position 5 along axis 1 of [2, 3, 4]; positions go from -3 to 2"

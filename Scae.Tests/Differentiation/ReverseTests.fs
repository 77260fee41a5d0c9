module Scae.Tests.Differentiation.ReverseTests

open System
open FsUnit
open NUnit.Framework
open Scae.Tensors
open Scae.Tests.Values

[<Test>]
let ``a tensor used several times gets the sum of its contributions`` () =
    let x = (ofList [ 2.0; 3.0 ] [ 2 ]).reverseDiff()
    (x * x + 3.0 * x + x.view(2, 1).view 2).sum().reverse()
    x.derivative |> shouldBe [ 8.0; 10.0 ]

[<Test>]
let ``a second run replaces the derivatives of the first`` () =
    let x = (ofList [ 2.0 ] [ 1 ]).reverseDiff()
    (x * x).sum().reverse()
    (x * 5.0).sum().reverse()
    x.derivative |> shouldBe [ 5.0 ]

[<Test>]
let ``a loss that isn't a scalar is an error`` () =
    let x = (real 1 [ 2; 3 ]).reverseDiff()

    (fun () ->
        x.reverse ()
        x)
    |> shouldSay
        "reverse: a loss must be a scalar, this has shape [2, 3]; reduce it, or pass the weight of each element"

[<Test>]
let ``a loss that reaches no marked tensor is an error`` () =
    messageOf<InvalidOperationException>(fun () -> (real 1 [ 2 ]).sum().reverse())
    |> should equal "reverse: the value depends on no tensor marked by reverseDiff, so every derivative would be zero"

[<Test>]
let ``weights must have the value's shape`` () =
    let x = (real 1 [ 2; 3 ]).reverseDiff()

    (fun () ->
        x.reverse (real 2 [ 3; 2 ])
        x)
    |> shouldSay "reverse: weights [3, 2] Float64 for a value [2, 3] Float64; both must agree"

[<Test>]
let ``weights give the product with the Jacobian`` () =
    let x = (ofList [ 2.0; 3.0 ] [ 2 ]).reverseDiff()
    (x * x).reverse(ofList [ 10.0; 100.0 ] [ 2 ])
    x.derivative |> shouldBe [ 40.0; 600.0 ]

[<Test>]
let ``noDiff and primal stop gradients`` () =
    let x = (ofList [ 2.0 ] [ 1 ]).reverseDiff()
    (x * x.noDiff () + x.primal).sum().reverse()
    x.derivative |> shouldBe [ 2.0 ]
    x.noDiff().RequiresGradient |> should equal false

[<Test>]
let ``a parameter that the loss doesn't reach has derivative zero`` () =
    let x, y = (real 1 [ 2 ]).reverseDiff(), (real 2 [ 3 ]).reverseDiff()
    x.sum().reverse()
    y.derivative |> shouldBe [ 0.0; 0.0; 0.0 ]

[<Test>]
let ``a tensor that wasn't marked has no derivative`` () =
    messageOf<InvalidOperationException>(fun () -> (Tensor.scalar 1.0).derivative |> ignore)
    |> should equal "derivative: tensor [] Float32: 1 doesn't depend on a tensor marked by reverseDiff"

[<Test>]
let ``cast is differentiable in both directions`` () =
    let x = (ofList [ 1.5; -2.0 ] [ 2 ]).reverseDiff()
    let y = x.cast Dtype.Float32
    (y * y).cast(Dtype.Float64).sum().reverse()
    x.derivative |> shouldBe [ 3.0; -4.0 ]
    x.derivative.dtype |> should equal Dtype.Float64

[<Test>]
let ``a marked view is a leaf of its own`` () =
    let x = (real 1 [ 2; 3 ]).transpose().reverseDiff()
    (x * x).sum().reverse()
    x.derivative |> shouldAgree 1e-15 (x.primal * 2.0)

[<Test>]
let ``products over three axes and linear layers on them run in reverse`` () =
    let a, b = (real 1 [ 4; 2; 3 ]).reverseDiff(), (real 2 [ 4; 3; 5 ]).reverseDiff()
    a.matmul(b).sum().reverse()

    a.derivative
    |> shouldAgree 1e-14 ((Tensor.ones ([| 4; 2; 5 |], Dtype.Float64)).matmul(b.primal.transpose ()))

    let w = (real 3 [ 3; 2 ]).reverseDiff()
    a.linear(w).sum().reverse()

    w.derivative
    |> shouldAgree 1e-14 (a.primal.view(8, 3).transpose().matmul(Tensor.ones ([| 8; 2 |], Dtype.Float64)))

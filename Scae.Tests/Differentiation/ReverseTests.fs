module Scae.Tests.Differentiation.ReverseTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values

[<Tests>]
let tests =
    testList
        "Differentiation.Reverse"
        [
            testCase "a tensor used several times gets the sum of its contributions"
            <| fun () ->
                let x = (ofList [ 2.0; 3.0 ] [ 2 ]).reverseDiff()
                (x * x + 3.0 * x + x.view(2, 1).view 2).sum().reverse()
                x.derivative |> shouldBe [ 8.0; 10.0 ]

            testCase "a second run replaces the derivatives of the first"
            <| fun () ->
                let x = (ofList [ 2.0 ] [ 1 ]).reverseDiff()
                (x * x).sum().reverse()
                (x * 5.0).sum().reverse()
                x.derivative |> shouldBe [ 5.0 ]

            testCase "a loss that isn't a scalar is an error"
            <| fun () ->
                let x = (real 1 [ 2; 3 ]).reverseDiff()

                (fun () ->
                    x.reverse ()
                    x)
                |> shouldSay
                    "reverse: a loss must be a scalar, this has shape [2, 3]; reduce it, or pass the weight of each element"

            testCase "a loss that reaches no marked tensor is an error"
            <| fun () ->
                messageOf<InvalidOperationException>(fun () -> (real 1 [ 2 ]).sum().reverse())
                |> shouldEqual
                    "reverse: the value depends on no tensor marked by reverseDiff, so every derivative would be zero"

            testCase "weights must have the value's shape"
            <| fun () ->
                let x = (real 1 [ 2; 3 ]).reverseDiff()

                (fun () ->
                    x.reverse (real 2 [ 3; 2 ])
                    x)
                |> shouldSay "reverse: weights [3, 2] Float64 for a value [2, 3] Float64; both must agree"

            testCase "weights give the product with the Jacobian"
            <| fun () ->
                let x = (ofList [ 2.0; 3.0 ] [ 2 ]).reverseDiff()
                (x * x).reverse(ofList [ 10.0; 100.0 ] [ 2 ])
                x.derivative |> shouldBe [ 40.0; 600.0 ]

            testCase "noDiff and primal stop gradients"
            <| fun () ->
                let x = (ofList [ 2.0 ] [ 1 ]).reverseDiff()
                (x * x.noDiff () + x.primal).sum().reverse()
                x.derivative |> shouldBe [ 2.0 ]
                x.noDiff().RequiresGradient |> shouldEqual false

            testCase "a parameter that the loss doesn't reach has derivative zero"
            <| fun () ->
                let x, y = (real 1 [ 2 ]).reverseDiff(), (real 2 [ 3 ]).reverseDiff()
                x.sum().reverse()
                y.derivative |> shouldBe [ 0.0; 0.0; 0.0 ]

            testCase "a tensor that wasn't marked has no derivative"
            <| fun () ->
                messageOf<InvalidOperationException>(fun () -> (Tensor.scalar 1.0).derivative |> ignore)
                |> shouldEqual "derivative: a tensor [] doesn't depend on a tensor marked by reverseDiff"

            testCase "cast is differentiable in both directions"
            <| fun () ->
                let x = (ofList [ 1.5; -2.0 ] [ 2 ]).reverseDiff()
                let y = x.cast Dtype.Float32
                (y * y).cast(Dtype.Float64).sum().reverse()
                x.derivative |> shouldBe [ 3.0; -4.0 ]
                x.derivative.dtype |> shouldEqual Dtype.Float64

            testCase "a marked view is a leaf of its own"
            <| fun () ->
                let x = (real 1 [ 2; 3 ]).transpose().reverseDiff()
                (x * x).sum().reverse()
                x.derivative |> shouldAgree 1e-15 (x.primal * 2.0)

            testCase "products over three axes and linear layers on them run in reverse"
            <| fun () ->
                let a, b = (real 1 [ 4; 2; 3 ]).reverseDiff(), (real 2 [ 4; 3; 5 ]).reverseDiff()
                a.matmul(b).sum().reverse()

                a.derivative
                |> shouldAgree 1e-14 ((Tensor.ones ([| 4; 2; 5 |], Dtype.Float64)).matmul(b.primal.transpose ()))

                let w = (real 3 [ 3; 2 ]).reverseDiff()
                a.linear(w).sum().reverse()

                w.derivative
                |> shouldAgree 1e-14 (a.primal.view(8, 3).transpose().matmul(Tensor.ones ([| 8; 2 |], Dtype.Float64)))
        ]

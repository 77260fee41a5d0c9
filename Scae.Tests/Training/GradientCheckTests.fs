module Scae.Tests.Training.GradientCheckTests

open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Core.Training

let private error (x: Tensor) (loss: Tensor -> Tensor) =
    (GradientCheck.sampled GradientCheck.EntriesPerParameter (Key.OfSeed 1L) [ "x", x ] (fun () -> loss x))
        .Head.RelativeError

[<Tests>]
let tests =
    testList
        "Training.GradientCheck"
        [
            testCase "a wrong gradient is noticed"
            <| fun () ->
                let x = (Tensor.``of`` [| 0.3; -0.7; 1.1 |]).reverseDiff()
                // The factor behind noDiff is part of the value but not of the derivative, so the two disagree.
                error x (fun x -> (x * x.noDiff ()).sum()) |> shouldBeGreaterThan 0.1

            testCase
                "what a large loss's rounding makes of differences isn't taken for a gradient, but more than that is"
            <| fun () ->
                let x = (Tensor.``of`` [| 0.3; -0.7; 1.1 |]).reverseDiff()
                // Like an attention's key bias: the value doesn't depend on it, but its sums are rounded otherwise.
                error x (fun x -> (x + 1234.5).sum() - x.sum ()) |> shouldEqual 0.0
                // A missing gradient of a thousandth of a nat beside a loss of thousands.
                error x (fun x -> (x * 1e-3).noDiff().sum() + (x * 1e-6).sum() + 4321.0) |> shouldBeGreaterThan 0.9
                error x (fun x -> (x * nan).sum()) |> System.Double.IsNaN |> shouldEqual true

            testCase "a rectifier's kink within the step isn't taken for a wrong gradient"
            <| fun () ->
                // 3·10⁻⁷ from the kink, so that central differences of 10⁻⁶ see 0.65 of the slope.
                let x = (Tensor.``of`` [| 3e-7; -3e-7; 0.5 |]).reverseDiff()
                error x (fun x -> (x.relu () * 2.0).sum()) |> shouldBeLessThan 1e-6

            testCase "nor is rounding in a large loss, however small the kink makes the step"
            <| fun () ->
                let x = (Tensor.``of`` [| 3e-8; 0.5 |]).reverseDiff()
                error x (fun x -> (x.relu () * 2.0).sum() + 4321.7) |> shouldBeLessThan 1e-6

                let crowd = (Tensor.``of`` [| for i in 1..32 -> 1.1e-8 * float i |]).reverseDiff()
                error crowd (fun x -> (x.relu () * 0.01).sum() + 4321.7) |> shouldBeLessThan 1e-6

                let wrong = (Tensor.``of`` [| 3e-7; 0.5 |]).reverseDiff()
                error wrong (fun x -> ((x * 2.0).relu() * x.noDiff ()).sum() + 4321.7) |> shouldBeGreaterThan 0.1

            testCase "a wrong gradient beside a kink is noticed"
            <| fun () ->
                let x = (Tensor.``of`` [| 3e-7; 0.5 |]).reverseDiff()
                error x (fun x -> ((x * 2.0).relu() * x.noDiff ()).sum()) |> shouldBeGreaterThan 0.1
        ]

module Scae.Tests.Training.GradientCheckTests

open FsUnit
open NUnit.Framework
open Scae.Tensors
open Scae.Core.Training

let private error (x: Tensor) (loss: Tensor -> Tensor) =
    (GradientCheck.run (Key.OfSeed 1L) [ "x", x ] (fun () -> loss x)).Head.RelativeError

[<Test>]
let ``a wrong gradient is noticed`` () =
    let x = (Tensor.``of`` [| 0.3; -0.7; 1.1 |]).reverseDiff()
    // The factor behind noDiff is part of the value but not of the derivative, so the two disagree.
    error x (fun x -> (x * x.noDiff ()).sum()) |> should be (greaterThan 0.1)

[<Test>]
let ``a rectifier's kink within the step isn't taken for a wrong gradient`` () =
    // 3·10⁻⁷ from the kink, so that central differences of 10⁻⁶ see 0.65 of the slope.
    let x = (Tensor.``of`` [| 3e-7; -3e-7; 0.5 |]).reverseDiff()
    error x (fun x -> (x.relu () * 2.0).sum()) |> should be (lessThan 1e-6)

[<Test>]
let ``a wrong gradient beside a kink is noticed`` () =
    let x = (Tensor.``of`` [| 3e-7; 0.5 |]).reverseDiff()
    error x (fun x -> ((x * 2.0).relu() * x.noDiff ()).sum()) |> should be (greaterThan 0.1)

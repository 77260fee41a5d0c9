module Scae.Tests.Losses.CapsuleSparsityTests

open Expecto
open Scae.Core.Losses
open Scae.Tensors
open Scae.Tests.Claims

let private full (rows: int) (columns: int) (value: float) = Tensor.full ([| rows; columns |], value, Dtype.Float64)

let private within (cost: SparsityCost) = cost.Within.toScalar ()

let private between (cost: SparsityCost) = cost.Between.toScalar ()

[<Tests>]
let tests =
    testList
        "Losses.CapsuleSparsity"
        [
            testCase "presence c/K everywhere costs nothing within examples, 1/10 everywhere nothing between"
            <| fun () ->
                let squares = CapsuleSparsity.cost SparsityForm.Squares 3.2 10
                within (squares (full 6 32 0.1)) |> shouldBeNear 1e-12 0.0
                between (squares (full 6 32 0.1)) |> shouldBeNear 1e-12 0.0

            testCase "presence ½ everywhere costs 164 within and 2,621 between at the paper's sizes"
            <| fun () ->
                let cost = CapsuleSparsity.cost SparsityForm.Squares 3.2 10 (full 128 32 0.5)
                within cost |> shouldBeNear 1e-9 (12.8 ** 2.0)
                between cost |> shouldBeNear 1e-9 (51.2 ** 2.0)

            testCase "the entropy of one-hot mass is 0 within, of uniform mass ln K"
            <| fun () ->
                let hot = Tensor.eye (4, Dtype.Float64) * 7.0
                let entropy = CapsuleSparsity.cost SparsityForm.Entropy 0.0 10
                within (entropy hot) |> shouldBeNear 1e-7 0.0
                between (entropy hot) |> shouldBeNear 1e-7 (-log 4.0)
                within (entropy (full 3 4 2.0)) |> shouldBeNear 1e-7 (log 4.0)

            testCase "the divergence differs from the entropy by ln K"
            <| fun () ->
                let x = Scae.Tests.Values.real 3 [ 5; 4 ] |> _.abs()
                let entropy = CapsuleSparsity.cost SparsityForm.Entropy 0.0 10 x
                let divergence = CapsuleSparsity.cost SparsityForm.Divergence 0.0 10 x
                within entropy - within divergence |> shouldBeNear 1e-7 (log 4.0)
                between divergence - between entropy |> shouldBeNear 1e-7 (log 4.0)

            testCase "no mass at all costs a finite amount and has finite gradients"
            <| fun () ->
                for form in [ SparsityForm.Entropy; SparsityForm.Divergence; SparsityForm.Squares ] do
                    let x = (full 2 3 0.0).reverseDiff()
                    let cost = CapsuleSparsity.cost form 1.0 10 x
                    (cost.Within + cost.Between).reverse()
                    System.Double.IsFinite(within cost + between cost) |> shouldEqual true
                    System.Double.IsFinite((x.derivative.norm ()).toScalar()) |> shouldEqual true
        ]

module Scae.Tests.Models.ConstellationCapsulesTests

open System
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Scae.Tests.Values
open Expecto
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests

let private config = ConstellationCapsules.published

let private golden = lazy (Golden.load "constellations")

/// The golden file's names beside ours.
let private names =
    [
        "embedding.weight", "W_in"
        "embedding.bias", "b_in"
        "selfAttention.query", "W_q"
        "selfAttention.key", "W_k"
        "selfAttention.value", "W_v"
        "selfAttention.output", "W_o"
        "hidden.weight", "W_f1"
        "hidden.bias", "b_f1"
        "back.weight", "W_f2"
        "back.bias", "b_f2"
        "pooling.seeds", "S"
        "pooling.attention.query", "W_qp"
        "pooling.attention.key", "W_kp"
        "pooling.attention.value", "W_vp"
        "pooling.attention.output", "W_op"
        "pose.weight", "W_dec"
        "pose.bias", "b_dec"
    ]

let private goldenName (name: string) = names |> List.find (fun (ours, _) -> ours = name) |> snd

let private goldenModel (dtype: Dtype) =
    ConstellationCapsules.init config dtype (Key.OfSeed 0L)
    |> Parameters.mapi (fun name _ -> (golden.Value.Parameter(goldenName name)).cast dtype)
    |> Parameters.trainable

let private random (seed: int) = ConstellationCapsules.init config Dtype.Float32 (Key.OfSeed(int64 seed))

let private scenes (seed: int) (count: int) =
    Constellations.sample Constellations.published count (Key.OfSeed(int64 seed))

let private values (x: Tensor) = x.toArray<float32>()

[<Tests>]
let tests =
    testList
        "Models.ConstellationCapsules"
        [
            testCase "the published sizes have 12,708 parameters"
            <| fun () -> random 0 |> Parameters.count |> shouldEqual 12708

            testCase "every parameter has a golden twin"
            <| fun () -> random 0 |> Parameters.named |> List.map fst |> shouldEqual (List.map fst names)

            testCase "the float64 loss is the golden one within 1e-9"
            <| fun () ->
                let loss = ConstellationCapsules.loss config (goldenModel Dtype.Float64) (golden.Value.Input "x")
                abs (loss.toScalar () - golden.Value.Loss) / golden.Value.Loss |> shouldBeLessThan 1e-9

            testCase "float64 gradients are the golden ones within 1e-8"
            <| fun () ->
                let model = goldenModel Dtype.Float64
                (ConstellationCapsules.loss config model (golden.Value.Input "x")).reverse()

                for name, parameter in Parameters.named model do
                    let expected = golden.Value.Gradient(goldenName name)
                    Golden.deviation expected parameter.derivative |> shouldBeLessThan 1e-8

            testCase "float32 loss and gradients are the golden ones within 1e-4"
            <| fun () ->
                let model = goldenModel Dtype.Float32
                let loss = ConstellationCapsules.loss config model ((golden.Value.Input "x").cast Dtype.Float32)
                loss.reverse ()
                abs (loss.toScalar () - golden.Value.Loss) / golden.Value.Loss |> shouldBeLessThan 1e-4

                for name, parameter in Parameters.named model do
                    let expected = golden.Value.Gradient(goldenName name)
                    Golden.deviation expected parameter.derivative |> shouldBeLessThan 1e-4

            testCase "the golden comparison rejects a wrong gradient"
            <| fun () ->
                let expected = golden.Value.Gradient "b_dec"
                let wrong = Tensor.``of`` (Array.map (fun v -> v * 1.001) expected.First)
                Golden.deviation expected wrong |> shouldBeGreaterThan 1e-4
                let undefined = Array.updateAt (expected.First.Length - 1) nan expected.First
                Golden.deviation expected (Tensor.``of`` undefined) |> Double.IsNaN |> shouldEqual true

            testCase "gradients of the whole model agree with central differences within 1e-6"
            <| fun () ->
                let model = ConstellationCapsules.init config Dtype.Float64 (Key.OfSeed 3L) |> Parameters.trainable
                let points = (scenes 5 3).Points.cast Dtype.Float64

                Parameters.named model
                |> shouldHaveTrueGradients 1e-6 (fun () -> ConstellationCapsules.loss config model points)

            testPropertyWithConfig (samples 20) "poses don't depend on the order of the points"
            <| fun (seed: int) ->
                let batch = scenes seed 4
                let order = Array.zeroCreate 11
                (Key.OfSeed(int64 seed)).FillPermutation(Span order)
                let model = random (seed % 7)

                let permuted = Tensor.cat (order |> Array.map (fun i -> batch.Points.slice (1, i, i + 1)), 1)

                let poses, weights = ConstellationCapsules.encode config model batch.Points
                let posesPermuted, weightsPermuted = ConstellationCapsules.encode config model permuted
                let weightsMoved = Tensor.cat (order |> Array.map (fun i -> weights.slice (3, i, i + 1)), 3)

                largestDifference (values poses) (values posesPermuted) < 1e-4f
                && largestDifference (values weightsMoved) (values weightsPermuted) < 1e-4f

            testPropertyWithConfig (samples 20) "a batch's scenes don't see each other"
            <| fun (seed: int) ->
                let batch = scenes seed 5
                let model = random 1
                let together = ConstellationCapsules.reconstruct config model batch.Points

                [ 0..4 ]
                |> List.forall (fun i ->
                    let alone = ConstellationCapsules.reconstruct config model (batch.Points.slice (0, i, i + 1))
                    largestDifference (values alone) (values (together.slice (0, i, i + 1))) < 1e-5f)

            testPropertyWithConfig (samples 20) "attention weights of a capsule sum to one"
            <| fun (seed: int) ->
                let _, weights = ConstellationCapsules.encode config (random seed) (scenes seed 3).Points
                values (weights.sum -1) |> Array.forall (fun total -> abs (total - 1.0f) < 1e-5f)

            testCase "true poses score 100 % both ways"
            <| fun () ->
                let batch = scenes 11 200
                let decoded = ConstellationCapsules.decode config.Templates batch.Poses
                (decoded.chamfer batch.Points).max().toScalar() |> shouldBeLessThan 1e-9
                let predicted = ConstellationCapsules.assign config.Templates decoded batch.Points
                predicted |> shouldEqual batch.Labels

            testCase "a capsule draws its own template"
            <| fun () ->
                let pose = Tensor.``of`` ([| 0.0f; 0.0f; 0.0f; 0.0f |], 1, 1, 4)

                for template in config.Templates do
                    let drawn = values (ConstellationCapsules.decode [ template ] pose)

                    let expected =
                        [|
                            for struct (x, y) in template.Points do
                                float32 x
                                float32 y
                        |]

                    largestDifference drawn expected |> shouldBeLessThan 1e-6f

            testCase "one point, coincident points and equal scenes have a finite loss"
            <| fun () ->
                let model = random 2

                for points in
                    [
                        Tensor.``of`` ([| 0.3f; -0.2f |], 1, 1, 2)
                        Tensor.zeros [| 2; 11; 2 |]
                        Tensor.full ([| 3; 11; 2 |], 2.5)
                    ] do
                    let loss = (ConstellationCapsules.loss config model points).toScalar()
                    Double.IsFinite loss |> shouldEqual true

            testCase "a point with NaN gives a loss that isn't finite"
            <| fun () ->
                let points = (scenes 1 2).Points
                points.Elements<float32>()[3] <- nanf
                let loss = (ConstellationCapsules.loss config (random 2) points).toScalar()
                Double.IsFinite loss |> shouldEqual false

            testCase "points with three coordinates are refused in one line"
            <| fun () ->
                let act () =
                    ConstellationCapsules.loss config (random 0) (Tensor.zeros [| 1; 11; 3 |]) |> ignore

                messageOf<ShapeError> act
                |> shouldEqual
                    "linear: input [1, 11, 3], weight [2, 32], bias [32]; needs [.., in], [in, out] and [out]"
        ]

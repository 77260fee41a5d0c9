module Scae.Tests.Losses.PositiveUnlabelledTests

open Expecto
open Scae.Core.Losses
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Gradients

let private costs =
    [ "non-negative", PositiveUnlabelled.nonNegative; "likelihood", PositiveUnlabelled.likelihood ]

let private vector (values: float list) = Values.ofList values [ values.Length ]

let private rows (logits: Tensor) (weights: float list) : WeighedLogits = { Logits = logits; Weights = vector weights }

// Five kinds of examples: how often each is among the positives and among the unlabelled, of which the share `prior` is
// positive; and the class's probability of each.
let private prior = 0.4
let private ofPositives = [ 0.5; 0.3; 0.15; 0.05; 0.0 ]
let private ofNegatives = [ 0.0; 0.05; 0.15; 0.4; 0.4 ]

let private ofUnlabelled = List.map2 (fun p n -> prior * p + (1.0 - prior) * n) ofPositives ofNegatives

let private probabilities = List.map2 (fun p u -> prior * p / u) ofPositives ofUnlabelled

/// The cost of one logit a kind where p positives and u unlabelled are distributed as said.
let private cost form (p: float) (u: float) (logits: Tensor) : Tensor =
    form
        (Tensor.scalar (prior, Dtype.Float64))
        (rows logits (List.map ((*) p) ofPositives))
        (rows logits (List.map ((*) u) ofUnlabelled))

let private gradient form p u (logits: float list) : float[] =
    let logits = (vector logits).reverseDiff()
    (cost form p u logits).reverse()
    logits.derivative.toArray<float>()

[<Tests>]
let tests =
    testList
        "Losses.PositiveUnlabelled"
        [
            for name, form in costs do
                testCase
                    $"the class's probability is where the cost has no slope, whatever the numbers of rows ({name})"
                <| fun () ->
                    let logits = probabilities |> List.map (fun p -> log ((p + 1e-12) / (1.0 - p + 1e-12)))

                    for p, u in [ 10.0, 30.0; 20.0, 5.0 ] do
                        for slope in gradient form p u logits do
                            slope |> shouldBeNear 1e-9 0.0

                testCase $"an example that is likelier than said draws the logit up, one that isn't down ({name})"
                <| fun () ->
                    let slopes = gradient form 10.0 30.0 [ 0.0; 0.0; 0.0; 0.0; 0.0 ]
                    slopes[0] |> shouldBeLessThan -0.1
                    slopes[4] |> shouldBeGreaterThan 0.1

                testCase $"gradients agree with central differences ({name})"
                <| fun () ->
                    let positives = (Values.real 3 [ 4 ]).reverseDiff()
                    let unlabelled = (Values.real 4 [ 6 ] + 1.0).reverseDiff()

                    let cost () =
                        form
                            (Tensor.scalar (prior, Dtype.Float64))
                            (rows positives [ 1.0; 1.0; 0.0; 1.0 ])
                            (rows unlabelled [ 1.0; 0.0; 1.0; 1.0; 1.0; 0.0 ])

                    [ "positives", positives; "unlabelled", unlabelled ] |> shouldHaveTrueGradients 1e-6 cost

                testCase $"without positives nothing is learned ({name})"
                <| fun () ->
                    let logits = (Values.real 3 [ 4 ]).reverseDiff()
                    let none, all = [ 0.0; 0.0; 0.0; 0.0 ], [ 1.0; 1.0; 1.0; 1.0 ]
                    let cost = form (Tensor.scalar (prior, Dtype.Float64)) (rows logits none) (rows logits all)
                    cost.reverse ()
                    cost.toScalar () |> shouldEqual 0.0
                    logits.derivative |> Values.shouldBe [ 0.0; 0.0; 0.0; 0.0 ]

            testCase "rows that are surely positive have no gradient by likelihood, and one each by risk"
            <| fun () ->
                let slope (form: Tensor -> WeighedLogits -> WeighedLogits -> Tensor) =
                    let sure = (vector [ 15.0; 15.0 ]).reverseDiff()
                    // Unlike positives the unlabelled rows are doubtful, so that the risk isn't cut off at 0.
                    let doubtful = vector [ 2.0; 2.0; 2.0; 2.0 ]

                    (form
                        (Tensor.scalar (0.1, Dtype.Float64))
                        (rows sure [ 1.0; 0.0 ])
                        (rows doubtful [ 1.0; 1.0; 1.0; 1.0 ]))
                        .reverse()

                    sure.derivative.toArray<float>()[0]

                slope PositiveUnlabelled.likelihood |> shouldBeNear 1e-6 0.0
                slope PositiveUnlabelled.nonNegative |> shouldBeNear 1e-6 -0.4

            testCase "the risk of negatives isn't below 0"
            <| fun () ->
                // No unlabelled row looks positive, though a half should.
                let sure, never = vector [ 9.0; 9.0 ], vector [ -9.0; -9.0 ]
                let cost = PositiveUnlabelled.nonNegative (Tensor.scalar (0.5, Dtype.Float64))

                (cost (rows sure [ 1.0; 1.0 ]) (rows never [ 1.0; 1.0 ])).toScalar()
                |> shouldBeNear 1e-9 (log (1.0 + exp -9.0))
        ]

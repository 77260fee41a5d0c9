/// Scenes laid on scenes.
module Scae.Tests.Models.AirRecombinationTests

open System
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Expecto
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Values
open Scae.Tests.Models.AirTests

/// One object in every scene, whatever it shows.
let private single (model: Air) : Air =
    model
    |> Parameters.mapi (fun name tensor ->
        if name = "global.presence.bias" then
            (ofList [ 9.0; -9.0; -9.0 ] [ 3 ]).cast tensor.dtype
        else
            tensor)

/// A model whose presence doesn't see the scene: the same logits for each.
let private certain (logits: float list) (model: Air) : Air =
    model
    |> Parameters.mapi (fun name tensor ->
        match name with
        | "global.presence.weight" -> tensor.zerosLike ()
        | "global.presence.bias" -> (ofList logits [ logits.Length ]).cast tensor.dtype
        | _ -> tensor)

/// A batch of two scenes whose noise is the same.
let private alike (config: AirConfig) : AirBatch =
    let several = batch config 2 Dtype.Float64 5
    let same (noise: Tensor) = Tensor.cat ([| noise.slice (0, 0, 1); noise.slice (0, 0, 1) |], 0)

    { several with
        WhereNoise = same several.WhereNoise
        WhatNoise = same several.WhatNoise
    }

let private recombining =
    { snd variants[1] with
        Presence = AirPresence.Expected
        Composition = AirComposition.Union
        Recombined = 2
        RecombinedWeight = 5.0
    }

let private loose: RecombinationRule = { Partners = 1; Doubt = 0.5; Apart = false }

[<Tests>]
let tests =
    testList
        "Models.AirRecombination"
        [
            testCase "scenes of one object are paired each with the next, the last with the first"
            <| fun () ->
                // Counts 1, 0, 2, 1, 1 of at most 2.
                let present = [| 0.9f; 0.2f; 0.3f; 0.1f; 0.9f; 0.8f; 0.6f; 0.4f; 1.0f; 0.5f |]

                let fitting fit partners doubt m =
                    let rule = { Partners = partners; Doubt = doubt; Apart = false }
                    AirRecombination.pairs 2 rule m fit (ReadOnlySpan present)

                let pairs = fitting (fun _ _ -> true)
                pairs 1 0.5 9 |> shouldEqual [| 0, 3; 3, 4; 4, 0 |]
                pairs 1 0.5 2 |> shouldEqual [| 0, 3; 3, 4 |]
                // More partners than others there aren't.
                pairs 5 0.5 5 |> shouldEqual [| 0, 3; 3, 4; 4, 0; 0, 4; 3, 0 |]
                pairs 5 0.5 9 |> Array.length |> shouldEqual 6
                pairs 1 0.4 9 |> shouldEqual [| 0, 3; 3, 0 |]
                // One that doesn't fit makes room for the next.
                fitting (fun i j -> (i, j) <> (0, 3)) 1 0.5 9 |> shouldEqual [| 3, 4; 4, 0; 0, 4 |]

            testCase "a scene of one object alone is not paired"
            <| fun () ->
                let present = [| 0.9f; 0.2f; 0.3f; 0.1f |]

                AirRecombination.pairs 2 loose 9 (fun _ _ -> true) (ReadOnlySpan present)
                |> shouldEqual Array.empty<int * int>

            testCase "a recombined scene is the maximum of its layers, and empty where there is none"
            <| fun () ->
                let images = ofList [ 0.1; 0.9; 0.5; 0.2; 0.0; 1.0 ] [ 3; 2 ]
                let present = ofList [ 0.9; 0.1; 0.2; 0.1; 0.9; 0.1 ] [ 3; 2 ]
                let scenes = AirRecombination.compose loose 3 images present
                let single (x: float) = float (float32 x)
                scenes.Images |> shouldBe (List.map single [ 0.1; 1.0; 0.1; 1.0; 0.0; 0.0 ])

                scenes.Layers
                |> shouldBe (List.map single [ 0.1; 0.9; 0.0; 1.0; 0.0; 1.0; 0.1; 0.9; 0.0; 0.0; 0.0; 0.0 ])

                scenes.Weights |> shouldBe [ 1.0; 1.0; 0.0 ]

            testCase "where ink may not meet, only scenes whose ink doesn't are laid on each other"
            <| fun () ->
                // The first two share their middle pixel; a trace, as restored scenes have, is no ink.
                let images = ofList [ 0.9; 0.9; 0.001; 0.001; 0.9; 0.9; 0.001; 0.001; 0.9 ] [ 3; 3 ]
                let present = ofList [ 0.9; 0.9; 0.9 ] [ 3; 1 ]
                let weights rule = (AirRecombination.compose rule 9 images present).Weights
                let single (x: float) = float (float32 x)
                weights { loose with Partners = 2 } |> fun w -> w.sum().toScalar() |> shouldEqual 6.0
                let apart = { loose with Partners = 2; Apart = true }
                weights apart |> fun w -> w.sum().toScalar() |> shouldEqual 2.0

                (AirRecombination.compose apart 1 images present).Images
                |> shouldBe (List.map single [ 0.9; 0.9; 0.9 ])

            for learning in [ AirSecondLearning.Told; AirSecondLearning.NonNegative; AirSecondLearning.Likelihood ] do
                testCase $"recombined scenes' gradients agree with central differences within 1e-6 ({learning})"
                <| fun () ->
                    let recombining = { recombining with SecondLearning = learning; RecombinedPartners = 2 }
                    let model = random recombining Dtype.Float64 4 |> single |> Parameters.trainable
                    let batch = batch recombining 3 Dtype.Float64 5
                    let loss config = (AirObjective.loss config model batch).toScalar()
                    // The comparison would be of nothing if no scenes were paired.
                    loss recombining |> shouldBeGreaterThan (loss { recombining with Recombined = 0 } + 10.0)

                    Parameters.named model
                    |> shouldHaveTrueGradients 1e-6 (fun () -> AirObjective.loss recombining model batch)

            testCase "the bound leaves a second object's presence to what else teaches it, once that counts"
            <| fun () ->
                let config = { recombining with SecondFromBound = false; RecombinedWeight = 0.0 }
                let model = random config Dtype.Float64 4 |> single
                let batch = batch config 3 Dtype.Float64 5
                // Columns 0, 1 and 2 of the head are the steps'.
                let head config batch = (gradients config model batch)["global.presence.bias"]

                let notYet = { batch with Recombination = batch.Recombination.zerosLike () }
                let now, before = head config batch, head config notYet
                now[1] |> shouldEqual 0.0
                abs now[0] |> shouldBeGreaterThan 1e-6
                abs before[1] |> shouldBeGreaterThan 1e-6
                before |> shouldEqual (head { config with SecondFromBound = true } notYet)
                // And a third's, where it is to.
                let thirdToo = { config with ThirdFromBound = false }
                abs now[2] |> shouldBeGreaterThan 1e-12
                (head thirdToo batch)[1..2] |> shouldEqual [| 0.0; 0.0 |]
                head thirdToo notYet |> shouldEqual before

                // Where every scene seems to have two objects, none can be laid on another, and only the bound can say that some don't.
                let twos =
                    model
                    |> Parameters.mapi (fun name tensor ->
                        if name = "global.presence.bias" then
                            (ofList [ 9.0; 3.0; -9.0 ] [ 3 ]).cast tensor.dtype
                        else
                            tensor)

                let ofTwos config = (gradients config twos batch)["global.presence.bias"]

                abs (ofTwos config).[1] |> shouldBeGreaterThan 1e-6
                ofTwos config |> shouldEqual (ofTwos { config with SecondFromBound = true })

                let value config = (AirObjective.loss config model batch).toScalar()
                value config |> shouldBeNear 1e-9 (value { config with SecondFromBound = true })

            testCase "recombined scenes cost nothing before they count, and where no scene has one object"
            <| fun () ->
                let model = random recombining Dtype.Float64 4
                let batch = batch recombining 3 Dtype.Float64 5
                let plain model = (AirObjective.loss { recombining with Recombined = 0 } model batch).toScalar()
                let notYet = { batch with Recombination = batch.Recombination.zerosLike () }

                (AirObjective.loss recombining (single model) notYet).toScalar()
                |> shouldBeNear 1e-9 (plain (single model))

                let none =
                    model
                    |> Parameters.mapi (fun name tensor ->
                        if name = "global.presence.bias" then
                            tensor.fullLike -30.0
                        else
                            tensor)

                (AirObjective.loss recombining none batch).toScalar() |> shouldBeNear 1e-9 (plain none)

            testCase "the order of known layers doesn't matter"
            <| fun () ->
                // With two scenes the pairs are (a, b) and (b, a): the same picture, its layers in another order.
                let model = random recombining Dtype.Float64 4 |> single
                let alike = alike recombining
                let cost m = (AirObjective.loss { recombining with Recombined = m } model alike).toScalar()
                let logits = (AirEncoder.infer recombining model alike).Logits
                let ofSingles = recombining.RecombinedWeight * logits.select(1, 1).softplus().mean().toScalar()

                cost 2 - cost 1 |> shouldBeNear 1e-9 (cost 1 - cost 0 - ofSingles)

            testCase "each known layer is drawn by a step of its own, in the order that costs less"
            <| fun () ->
                let config = { recombining with RecombinedWeight = 0.0; Sigma = 0.5 }
                let model = random config Dtype.Float64 4 |> single
                let alike = alike config
                let alike = { alike with Warmth = alike.Warmth.zerosLike () }
                let layers = read alike.Images |> Array.chunkBySize 144
                let union = Array.map2 max layers[0] layers[1]

                let renders =
                    (AirEncoder.inferAsIs
                        config
                        model
                        { alike with Images = Tensor.``of`` (Array.append union union, 2, 144) })
                        .Renders
                    |> read
                    |> Array.chunkBySize 144

                let cost layer step = Array.map2 (fun x y -> (x - y) ** 2.0) layers[layer] renders[step] |> Array.sum

                let straight, crossed = cost 0 0 + cost 1 1, cost 0 1 + cost 1 0
                abs (straight - crossed) |> shouldBeGreaterThan 0.1
                let loss m = (AirObjective.loss { config with Recombined = m } model alike).toScalar()
                // Of the pairs (a, b) and (b, a) one is cheaper as it is, the other the other way round. The sum over pairs is divided
                // by two scenes, squares by 2σ², which is a half.
                let ofPair = 2.0 * min straight crossed / 2.0
                loss 1 - loss 0 |> shouldBeNear 1e-9 ofPair
                loss 2 - loss 0 |> shouldBeNear 1e-9 (2.0 * ofPair)

            // Two of three scenes of one object are laid on others. Each of the two pays softplus(−9) for its first object and
            // softplus(−6) for a third that it may have. Logits that differ in size tell one that is negated from one that isn't.
            let softplus x = log (1.0 + exp x)

            for learning, ofSecond in
                [
                    // Each of the two has a second object, each of the three has none.
                    AirSecondLearning.Told, 2.0 * softplus 4.0 + 3.0 * softplus -4.0
                    // Half of the three would have one: ¾ of a scene for each of the two, which is taken from those that have none.
                    AirSecondLearning.NonNegative, 1.5 * softplus 4.0 + (3.0 - 1.5) * softplus -4.0
                    // c = 2 / (3·½), and σ(−4) is 1 / (1 + e⁴).
                    AirSecondLearning.Likelihood, 2.0 * softplus 4.0 + 5.0 * log (1.0 + 4.0 / 3.0 / (1.0 + exp 4.0))
                ] do
                testCase $"scenes laid on each other pay for their presence what is reckoned by hand ({learning})"
                <| fun () ->
                    let model = random recombining Dtype.Float64 4 |> certain [ 9.0; -4.0; -6.0 ]
                    let batch = batch recombining 3 Dtype.Float64 5

                    let loss weight =
                        let config = { recombining with RecombinedWeight = weight; SecondLearning = learning }
                        (AirObjective.loss config model batch).toScalar()

                    loss 1.0 - loss 0.0 |> shouldBeNear 1e-9 ((2.0 * (softplus -9.0 + softplus -6.0) + ofSecond) / 3.0)
        ]

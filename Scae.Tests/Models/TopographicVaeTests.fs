module Scae.Tests.Models.TopographicVaeTests

open System
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Expecto
open Scae.Core.Data
open Scae.Core.Layers
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Values

let private published = TopographicVae.published

/// The sizes of the reference's toy model.
let private toy: TopographicVaeConfig =
    { published with
        Channels = 1
        Side = 2
        Frames = 4
        Capsules = 2
        Entries = 4
        Kernel = 3
        Width = 3
        Mu = 3.0
    }

let private fixture = lazy (Fixture.load "tvae/tiny_forward.json")

let private outputs (name: string) = fixture.Value |> Fixture.get "outputs" |> Fixture.get name

/// The reference's parameters: those of encoders are stored the other way round.
let private toyModel () : TopographicVae =
    let position = ref -1

    TopographicVae.init toy Dtype.Float64 (Key.OfSeed 0L)
    |> Parameters.mapi (fun name tensor ->
        position.Value <- position.Value + 1

        if name = "mu" then
            tensor
        else
            let value k = 0.25 * sin (0.37 * float k + 0.5 * float position.Value)
            let values = Array.init tensor.nelement value

            if tensor.dim = 2 && not (name.StartsWith "decoder") then
                (Tensor.``of`` (values, tensor.shape[1], tensor.shape[0])).transpose().contiguous()
            else
                Tensor.``of`` (values, tensor.shape))
    |> Parameters.trainable

let private noise (call: int) =
    Tensor.``of`` (Array.init 64 (fun k -> 1.2 * sin (1.7 * float k + 0.3 * float (call + 1))), 8, 8)

let private toyBatch (draw: int) : TopographicVaeBatch =
    {
        Frames = Tensor.``of`` (Array.init 32 (fun k -> 0.5 + 0.5 * sin (0.9 * float k)), 8, 4)
        NoiseZ = noise (2 * draw)
        NoiseU = Some(noise (2 * draw + 1))
    }

let private near (name: string) (actual: Tensor) = actual |> shouldBeWithin 1e-8 (Fixture.numbers (outputs name))

let private scalarNear (expected: Text.Json.JsonElement) (actual: Tensor) =
    actual.toScalar () |> shouldBeNear 1e-8 (Fixture.number expected)

let private loss model draw = TopographicObjective.loss toy model (toyBatch draw)

/// Every family, small enough to be differentiated numerically.
let private families: (string * TopographicVaeConfig) list =
    [
        "shifting", toy
        "an even kernel", { toy with Kernel = 4; Width = 1 }
        "bubbles", { toy with Grouping = Grouping.Box }
        "L = 0", { toy with Grouping = Grouping.Box; Kernel = 1; Epsilon = 1e-3 }
        "a torus", { toy with Grouping = Grouping.Torus; Frames = 1; Capsules = 1; Entries = 9 }
        "plain", { toy with Grouping = Grouping.Plain }
        "colour", { toy with Channels = 3 }
        "standardised", { toy with Standardised = true }
    ]

let private batch (config: TopographicVaeConfig) (count: int) (dtype: Dtype) : TopographicVaeBatch =
    let key = Key.OfSeed 5L
    let batch = TopographicVae.allocate config count
    (key.Named "frames").FillUniform(batch.Frames.Elements<float32>())
    TopographicVae.fillNoise key batch
    Parameters.map (fun tensor -> tensor.cast dtype) batch

let private count (config: TopographicVaeConfig) =
    TopographicVae.init config Dtype.Float32 (Key.OfSeed 0L) |> Parameters.count

let private sprites: TopographicVaeConfig =
    { published with
        Channels = 1
        Side = 64
        Frames = 15
        Capsules = 15
        Entries = 15
        Kernel = 10
        Width = 1
    }

let private map: TopographicVaeConfig =
    { published with
        Channels = 1
        Frames = 1
        Capsules = 1
        Entries = 324
        Grouping = Grouping.Torus
        Kernel = 5
        Width = 5
    }

/// The log-weights of three draws, as the metrics take them.
let private weights () =
    let model = Parameters.frozen (toyModel ())
    let posteriors = TopographicVae.encode toy model (toyBatch 0).Frames
    Array.init 3 (fun draw -> read (TopographicObjective.weigh toy model posteriors (toyBatch draw)).LogWeight)

[<Tests>]
let tests =
    testList
        "Models.TopographicVae"
        [
            testCase "inference, v, T and reconstruction of the toy model are the reference's within 1e-8"
            <| fun () ->
                let model, batch = toyModel (), toyBatch 0
                let posteriors = TopographicVae.encode toy model batch.Frames
                let draw = TopographicVae.draw toy model posteriors batch.NoiseZ batch.NoiseU

                Tensor.cat ([ posteriors.Z.Mean.select (0, 0); posteriors.Z.LogVariance.select (0, 0) ], 0)
                |> near "mean_logvar_z_first_frame"

                draw.Z |> near "z"
                draw.U.Value |> near "u"
                TopographicVae.energy toy draw.U.Value |> near "v"
                draw.Topographic |> near "s"
                draw.Logits.sigmoid () |> near "probs"

            testCase "the terms of the toy model's loss are the reference's within 1e-8"
            <| fun () ->
                let loss = loss (toyModel ()) 0
                loss.Total |> scalarNear (outputs "loss")
                loss.Reconstruction * 8.0 |> scalarNear (outputs "nll_sum")
                loss.KlZ * 8.0 |> scalarNear (outputs "kl_z_sum")
                loss.KlU.Value * 8.0 |> scalarNear (outputs "kl_u_sum")

            testCase "gradients of the toy model have the reference's norms within 1e-8"
            <| fun () ->
                let model = toyModel ()
                (loss model 0).Total.reverse()
                let norms = outputs "grad_norms" |> Fixture.fields
                let ours = Parameters.named model
                norms |> shouldHaveLength ours.Length

                for (_, expected), (_, tensor) in List.zip norms ours do
                    tensor.derivative.norm () |> scalarNear expected

                model.Mu.Value.derivative.view 1 |> near "grad_mu"

            testCase "three steps of gradient descent with momentum go where the reference's go"
            <| fun () ->
                let model, sgd = toyModel (), outputs "sgd"
                let parameters = Parameters.named model |> List.map snd
                let state = Optimizer.init (Momentum 0.9) parameters

                for step, expected in List.indexed (Fixture.items (Fixture.get "loss_before_each_step" sgd)) do
                    let loss = (loss model step).Total
                    loss |> scalarNear expected
                    loss.reverse ()
                    Optimizer.step state 0.01 (step + 1) parameters

                model.Mu.Value.view 1 |> shouldBeWithin 1e-8 (Fixture.numbers (Fixture.get "mu_after_3_steps" sgd))

            testCase "importance weights and the three estimates are the reference's within 1e-8"
            <| fun () ->
                let weights, expected = weights (), outputs "is"
                let number name = Fixture.number (Fixture.get name expected)

                Tensor.``of`` (Array.concat weights, 24)
                |> shouldBeWithin 1e-8 (Fixture.numbers (Fixture.get "log_w_frames" expected))

                ImportanceSampling.asPublished weights |> shouldBeNear 1e-8 (number "reference_mean")
                ImportanceSampling.perFrame weights |> shouldBeNear 1e-8 (number "per_frame_minus_logN_mean")
                ImportanceSampling.perSequence 4 weights |> shouldBeNear 1e-8 (number "joint_per_frame_mean")

            testCase "there are as many parameters as the paper's code has"
            <| fun () ->
                count published |> shouldEqual 9_803_920
                count { published with Grouping = Grouping.Plain } |> shouldEqual 6_465_747
                count map |> shouldEqual 5_231_630
                count sprites |> shouldEqual 9_716_177
                count { sprites with Grouping = Grouping.Plain } |> shouldEqual 6_443_551

            testCase "the last layer has one bias a channel, for all of its pixels"
            <| fun () ->
                for config in [ published; map; sprites ] do
                    let model = TopographicVae.init config Dtype.Float32 (Key.OfSeed 0L)
                    model.Decoder.Third.Bias |> shouldHaveShape [ config.Channels ]

                let config = { toy with Channels = 3 }
                let model = TopographicVae.init config Dtype.Float64 (Key.OfSeed 1L)
                let bias = Tensor.``of`` ([| 1.0; 10.0; 100.0 |], 3)
                let zeros = Tensor.zeros ([| 1; 8 |], Dtype.Float64)

                let silent =
                    { model with
                        Decoder =
                            { model.Decoder with
                                Third = { Weight = model.Decoder.Third.Weight * 0.0; Bias = bias }
                            }
                    }

                TopographicVae.decode config silent zeros
                |> shouldBe [ 1.0; 1.0; 1.0; 1.0; 10.0; 10.0; 10.0; 10.0; 100.0; 100.0; 100.0; 100.0 ]

            testCase "weights are uniform in ±1/√f, f the outputs of a layer in the decoder"
            <| fun () ->
                let model = TopographicVae.init published Dtype.Float32 (Key.OfSeed 2L)

                for layer, fan in
                    [
                        model.Z.First, 2352
                        model.Z.Second, 972
                        model.Z.Third, 648
                        model.Decoder.First, 648
                        model.Decoder.Second, 972
                        model.Decoder.Third, 2352
                    ] do
                    let bound = 1.0 / sqrt (float fan)
                    let values = read layer.Weight
                    Array.max values |> shouldBeIn (0.999 * bound, bound)
                    Array.min values |> shouldBeIn (-bound, -0.999 * bound)
                    read layer.Bias |> Array.map abs |> Array.max |> shouldBeAtMost bound

            testCase "T of the prior has the mean and the deviation that the decoder's view of it takes for granted"
            <| fun () ->
                for config in [ published; { published with Kernel = 18 }; sprites; { sprites with Mu = 3.0 }; map ] do
                    let struct (mean, deviation) = TopographicVae.priorMoments config
                    let t = TopographicVae.sampleOfPrior config config.Mu 40 (Key.OfSeed 8L)
                    t.mean().toScalar() |> shouldBeNear (0.01 * mean) mean
                    t.std().toScalar() |> shouldBeNear (0.05 * deviation) deviation

                TopographicVae.priorMoments { published with Grouping = Grouping.Plain }
                |> shouldEqual (struct (0.0, 1.0))

            testCase "a standardised decoder is a published one with other weights"
            <| fun () ->
                let config = { toy with Standardised = true }
                let struct (mean, deviation) = TopographicVae.priorMoments config
                let model = TopographicVae.init config Dtype.Float64 (Key.OfSeed 4L)
                let first: Linear = model.Decoder.First
                let weight = first.Weight * (1.0 / deviation)

                let published: Linear = { Weight = weight; Bias = first.Bias - (weight * mean).sum 0 }

                let t = real 7 [ 8; 8 ]

                TopographicVae.decode toy { model with TopographicVae.Decoder.First = published } t
                |> shouldAgree 1e-10 (TopographicVae.decode config model t)

            testCase "a standardised model tells frames apart from the start"
            <| fun () ->
                // Deviation over frames of what is inferred of them and drawn of their T.
                let spread (config: TopographicVaeConfig) =
                    let model = TopographicVae.init config Dtype.Float32 (Key.OfSeed 2L)
                    let batch = TopographicVae.allocate config 2
                    let digits = StrokeDigits.sample 36 (Key.OfSeed 1L)
                    TopographicVae.fillNoise (Key.OfSeed 3L) batch

                    for frame in 0..35 do
                        for channel in 0..2 do
                            let pixels = batch.Frames.Elements<float32>().Slice((3 * frame + channel) * 784, 784)

                            for i in 0..783 do
                                pixels[i] <- float32 digits.Pixels[784 * frame + i] / 255.0f

                    let posteriors = TopographicVae.encode config model batch.Frames
                    let draw = TopographicVae.draw config model posteriors batch.NoiseZ batch.NoiseU
                    let over (x: Tensor) = x.std(0, unbiased = false).mean().toScalar()
                    over posteriors.U.Value.Mean, over draw.Logits

                let ofU, ofLogits = spread { published with Standardised = true }
                let ofU', ofLogits' = spread published
                ofU |> shouldBeGreaterThan (5.0 * ofU')
                ofLogits |> shouldBeGreaterThan (3.0 * ofLogits')

            for label, config in families do
                testCase $"the gradient agrees with central differences ({label})"
                <| fun () ->
                    let model = TopographicVae.init config Dtype.Float64 (Key.OfSeed 3L) |> Parameters.trainable
                    let batch = batch config 2 Dtype.Float64

                    Parameters.named model
                    |> shouldHaveTrueGradients 1e-6 (fun () -> (TopographicObjective.loss config model batch).Total)

            testCase "the gradient of T agrees with central differences where v is almost 0"
            <| fun () ->
                let config = { toy with Grouping = Grouping.Box; Kernel = 1; Epsilon = 1e-3 }

                let apply (xs: Tensor list) = TopographicVae.topographic config (Some xs[0]) xs[1] (Some(xs[2] * 1e-2))

                Scae.Tests.Differentiation.GradientCheck.relativeError
                    apply
                    [ real 1 []; real 2 [ 8; 8 ]; real 3 [ 8; 8 ] ]
                |> shouldBeLessThan 1e-6

            testCase "u of zeros leaves T and its gradient finite"
            <| fun () ->
                let mu, z = (Tensor.full ([||], 30.0)).reverseDiff(), (Tensor.zeros [| 8; 8 |]).reverseDiff()
                let u = (Tensor.zeros [| 8; 8 |]).reverseDiff()
                let t = TopographicVae.topographic toy (Some mu) z (Some u)
                read t |> Array.forall Double.IsFinite |> shouldEqual true
                (t * t).sum().reverse()

                for x in [ mu; z; u ] do
                    read x.derivative |> Array.forall Double.IsFinite |> shouldEqual true

            testCase "an encoder's deviation can't vanish, nor its variance be infinite"
            <| fun () ->
                for bias in [ -1e4; 1e4 ] do
                    let model = TopographicVae.init toy Dtype.Float32 (Key.OfSeed 3L)
                    let extreme (layers: LatentEncoder) = { layers with Third.Bias = layers.Third.Bias.fullLike bias }

                    let model =
                        { model with Z = extreme model.Z; U = Option.map extreme model.U } |> Parameters.trainable

                    let frames = batch toy 2 Dtype.Float32
                    let z = (TopographicVae.encode toy model frames.Frames).Z
                    read z.LogVariance |> Array.min |> shouldBeAtLeast toy.LeastLogVariance
                    read ((z.LogVariance * 0.5).exp()) |> Array.min |> shouldBeGreaterThan 0.0
                    let loss = (TopographicObjective.loss toy model frames).Total
                    Double.IsFinite(loss.toScalar ()) |> shouldEqual true

            testCase "sequences don't see each other"
            <| fun () ->
                let model = TopographicVae.init toy Dtype.Float64 (Key.OfSeed 4L)
                let both = batch toy 2 Dtype.Float64
                let rows first = Parameters.map (fun (x: Tensor) -> x.slice (0, first, first + 4)) both
                let total batch = (TopographicObjective.loss toy model batch).Total.toScalar()
                (total (rows 0) + total (rows 4)) / 2.0 |> shouldBeNear 1e-10 (total both)

            testCase "decoders don't see u, so a frame's pixels depend on its T alone"
            <| fun () ->
                let model = TopographicVae.init toy Dtype.Float64 (Key.OfSeed 4L)
                let t = real 7 [ 8; 8 ]
                let whole = TopographicVae.decode toy model t

                for row in 0..7 do
                    TopographicVae.decode toy model (t.slice (0, row, row + 1))
                    |> shouldAgree 1e-12 (whole.slice (0, row, row + 1))

            testCase "the sequence estimate of one draw is minus the loss with the draw's own noise in expectation"
            <| fun () ->
                // KL is the mean of log q − log p over draws; over 4,000 of them the two agree to a few deviations.
                let model = TopographicVae.init toy Dtype.Float32 (Key.OfSeed 6L)
                let batch = batch toy 2 Dtype.Float32
                let posteriors = TopographicVae.encode toy model batch.Frames
                let draws = 4000

                let pairs =
                    Array.init draws (fun i ->
                        TopographicVae.fillNoise ((Key.OfSeed 9L).Fold(int64 i)) batch
                        let weights = read (TopographicObjective.weigh toy model posteriors batch).LogWeight
                        let loss = (TopographicObjective.loss toy model batch).Total.toScalar()
                        ImportanceSampling.perSequence 4 [| weights |] + loss)

                let mean = Array.average pairs
                let deviation = sqrt (pairs |> Array.averageBy (fun x -> (x - mean) ** 2.0))
                abs mean |> shouldBeLessThan (4.0 * deviation / sqrt (float draws))

            testCase "more draws don't lower the sequence estimate in expectation"
            <| fun () ->
                let weights = weights ()
                // The mean over all single draws is at most that of the three together: Jensen.
                let singles = weights |> Array.averageBy (fun draw -> ImportanceSampling.perSequence 4 [| draw |])
                ImportanceSampling.perSequence 4 weights |> shouldBeGreaterThan singles

            testCase "an untrained model of colour digits costs what the reference's does"
            <| fun () ->
                let model = TopographicVae.init published Dtype.Float32 (Key.OfSeed 0L)
                let loss = TopographicObjective.loss published model (batch published 1 Dtype.Float32)
                loss.Total.toScalar () |> shouldBeIn (1600.0, 1700.0)
                loss.KlZ.toScalar () |> shouldBeIn (0.0, 1.0)
                loss.KlU.Value.toScalar () |> shouldBeIn (0.0, 1.0)
        ]

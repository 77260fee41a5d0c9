module Scae.Tests.Models.ScaeTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Core.Losses
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Gradients

let private tiny: ScaeConfig =
    { ScaeConfig.paper with
        Canvas = 28
        Channels = 6
        Parts = 5
        Objects = 4
        Features = 3
        TemplateSide = 5
        Colour = 4
        SetWidth = 6
        SetLayers = 2
        SetOutputs = 8
        CapsuleHidden = 7
        CapsuleCode = 4
    }

let private goldenFiles =
    [ SetMask.Hard, lazy (Golden.load "scae"); SetMask.Log, lazy (Golden.load "scae-log-mask") ]

/// The golden file's name of a parameter; None for the dummy pose, which nothing learns.
let private goldenName (name: string) : string option =
    match name with
    | "encoder.position" -> Some "position"
    | "encoder.head.weight" -> Some "head.w"
    | "encoder.head.bias" -> Some "head.b"
    | "decoder.templates" -> Some "templates"
    | "decoder.alpha" -> Some "alpha"
    | "decoder.colour.hidden.weight" -> Some "colour.1.w"
    | "decoder.colour.hidden.bias" -> Some "colour.1.b"
    | "decoder.colour.output.weight" -> Some "colour.2.w"
    | "decoder.colour.output.bias" -> Some "colour.2.b"
    | "decoder.background" -> Some "background.value"
    | "decoder.backgroundLogit" -> Some "background.logit"
    | "priorProbe.weight" -> Some "probe.prior.w"
    | "priorProbe.bias" -> Some "probe.prior.b"
    | "posteriorProbe.weight" -> Some "probe.posterior.w"
    | "posteriorProbe.bias" -> Some "probe.posterior.b"
    | "dummy" -> None
    | _ when name.StartsWith "encoder.convolutions." ->
        let layer = name["encoder.convolutions.".Length]
        Some $"""cnn.{layer}.{(if name.EndsWith "filters" then "w" else "b")}"""
    | _ -> Some(Option.get (CapsuleNames.golden name))

/// Our head has inputs in rows.
let private turned (name: string) (x: Tensor) =
    if name = "encoder.head.weight" then
        x.transpose().contiguous()
    else
        x

let private oneHot (labels: int[]) (dtype: Dtype) = (Tensor.``of`` labels).onehot(ScaeConfig.Classes, dtype)

let private goldenBatch (golden: Golden.Golden) : ScaeBatch =
    {
        Images = golden.Input "images"
        Classes = oneHot ((golden.Input "labels").toArray<float>() |> Array.map int) Dtype.Float64
        PartNoise = golden.Noise "part"
        CapsuleNoise = golden.Noise "capsule"
        VoteNoise = golden.Noise "vote"
        Power = Tensor.zeros ([| 1 |], Dtype.Float64)
        Balance = Tensor.ones ([| 1 |], Dtype.Float64)
        Slack = Tensor.zeros ([| 1 |], Dtype.Float64)
    }

let private goldenModel (config: ScaeConfig) (golden: Golden.Golden) =
    Scae.init config Dtype.Float64 (Key.OfSeed 0L)
    |> Parameters.mapi (fun name own ->
        match goldenName name with
        | Some other -> turned name (golden.Parameter other)
        | None -> own)
    |> Parameters.trainable

let private noisy (config: ScaeConfig) (count: int) (dtype: Dtype) (seed: int64) : ScaeBatch =
    let batch = Scae.allocate config count
    let key = Key.OfSeed seed
    key.FillUniform(batch.Images.Elements<float32>())
    Scae.fillNoise 2.0 key batch

    {
        Images = batch.Images.cast dtype
        Classes = oneHot (Array.init count (fun i -> i % ScaeConfig.Classes)) dtype
        PartNoise = batch.PartNoise.cast dtype
        CapsuleNoise = batch.CapsuleNoise.cast dtype
        VoteNoise = batch.VoteNoise.cast dtype
        Power = batch.Power.cast dtype
        Balance = batch.Balance.cast dtype
        Slack = batch.Slack.cast dtype
    }

/// A model whose biases aren't 0, so that no gradient vanishes by symmetry.
let private jittered (config: ScaeConfig) (seed: int64) =
    Scae.init config Dtype.Float64 (Key.OfSeed seed)
    |> Parameters.mapi (fun name x ->
        x
        + 0.05 * Initialization.normal 1.0 Dtype.Float64 (List.ofArray x.shape) ((Key.OfSeed seed).Named name))
    |> Parameters.trainable

let private gradient (x: Tensor) : float[] = (x.derivative.cast Dtype.Float64).toArray<float>()

let private norm (x: Tensor) = gradient x |> Array.sumBy (fun g -> g * g) |> sqrt

let private variants: (string * ScaeConfig) list =
    [
        "alpha", { tiny with Mask = SetMask.Log }
        "coupled", { tiny with Mixing = PixelMixing.Coupled; Mask = SetMask.Log }
        "clipped",
        { tiny with
            Values = PixelValues.Clipped
            Mixing = PixelMixing.Coupled
            Mask = SetMask.None
        }
        "coded pooling, two heads", { tiny with Pooling = PartPooling.Coded; SetHeads = 2; Mask = SetMask.Log }
        "no colour, no norm", { tiny with Colour = 0; LayerNorm = false; Mask = SetMask.Log }
        "other sparsity",
        { tiny with
            PosteriorForm = SparsityForm.Divergence
            PriorForm = SparsityForm.Entropy
            Mask = SetMask.None
        }
    ]

/// The program's configuration with mixing logits tied to pixel values. Its training script is missing, so sizes and pixel
/// values are those of the evaluation script, and weights the program's defaults.
let coupled: ScaeConfig =
    { ScaeConfig.paper with
        Parts = 24
        Objects = 24
        Values = PixelValues.Clipped
        Mixing = PixelMixing.Coupled
        PosteriorWithin = 10.0
        PosteriorBetween = 10.0
        PriorWithin = 1.0
        PriorBetween = 1.0
    }

[<Tests>]
let tests =
    testList
        "Models.Scae"
        [
            testCase "the released configurations have 3,540,823 and 2,417,447 parameters"
            <| fun () ->
                let count config = Scae.init config Dtype.Float32 (Key.OfSeed 0L) |> Parameters.count
                count ScaeConfig.paper |> shouldEqual 3_540_823
                count coupled |> shouldEqual 2_417_447

            testCase "every golden parameter has a twin of its shape"
            <| fun () ->
                let golden = (snd goldenFiles[0]).Value

                for name, own in Scae.init tiny Dtype.Float64 (Key.OfSeed 0L) |> Parameters.named do
                    match goldenName name with
                    | Some other -> (turned name (golden.Parameter other)).shape |> shouldEqual own.shape
                    | None -> name |> shouldEqual "dummy"

            for mask, golden in goldenFiles do
                testCase $"the float64 loss and its terms are the golden ones within 1e-9, mask {mask}"
                <| fun () ->
                    let golden = golden.Value
                    let config = { tiny with Mask = mask }
                    let loss = Scae.loss config (goldenModel config golden) (goldenBatch golden)
                    abs (loss.Total.toScalar () / golden.Loss - 1.0) |> shouldBeLessThan 1e-9

                    for name, term in loss.Terms do
                        let expected = (if name = "posterior_between" then -1.0 else 1.0) * golden.Term name
                        abs (term.toScalar () / expected - 1.0) |> shouldBeLessThan 1e-9

                testCase $"float64 gradients are the golden ones within 1e-9, mask {mask}"
                <| fun () ->
                    let golden = golden.Value
                    let config = { tiny with Mask = mask }
                    let model = goldenModel config golden
                    (Scae.loss config model (goldenBatch golden)).Total.reverse()

                    for name, parameter in Parameters.named model do
                        match goldenName name with
                        | Some other -> turned name parameter.derivative |> Golden.shouldAgree (golden.Gradient other)
                        | None -> norm parameter |> shouldEqual 0.0

            for name, config in variants do
                testCase $"gradients agree with central differences within 1e-6: {name}"
                <| fun () ->
                    let model = jittered config 3L
                    let batch = noisy config 3 Dtype.Float64 5L

                    let taught =
                        Parameters.named model
                        |> List.filter (fun (name, _) ->
                            (name.StartsWith "set" || name.StartsWith "capsules") && not (name.EndsWith "key.bias"))

                    let ofObjects () = Scae.infer config model batch |> Scae.ofObjects config |> fst

                    taught |> shouldHaveTrueGradients 1e-6 ofObjects

                testCase $"gradients of the drawing agree with central differences within 1e-5: {name}"
                <| fun () ->
                    let model = jittered config 4L
                    let batch = noisy config 3 Dtype.Float64 6L

                    let taught =
                        Parameters.named model
                        |> List.filter (fun (name, _) -> name.StartsWith "encoder" || name.StartsWith "decoder")

                    let reconstruction () =
                        let parts = PartEncoder.forward config model.Encoder batch.PartNoise batch.Images
                        (PartDecoder.logLikelihood config model.Decoder parts batch.Images).mean()

                    // Sums near 1,000 leave differences of 10⁻⁶ no more digits.
                    taught |> shouldHaveTrueGradients 1e-5 reconstruction

            testCase
                "object capsules teach the features' head alone, and nothing of what parts look like or where they are"
            <| fun () ->
                let config = { tiny with Mask = SetMask.Log }
                let model = jittered config 7L
                let batch = noisy config 3 Dtype.Float64 8L
                let inference = Scae.infer config model batch
                (ObjectCapsules.logLikelihood (inference.Parts.Presence.noDiff ()) inference.Objects).reverse()
                let n = ScaeConfig.partOutputs config
                let head = gradient model.Encoder.Head.Bias

                for part in 0 .. config.Parts - 1 do
                    for slot in 0 .. n - 1 do
                        let g = head[part * n + slot]

                        if slot < 6 || slot = n - 1 then
                            g |> shouldEqual 0.0
                        else
                            abs g |> shouldBeGreaterThan 0.0

                for name, parameter in Parameters.named model.Decoder do
                    if name <> "background" then
                        norm parameter |> shouldEqual 0.0

            testCase "probes change nothing upstream, whatever else may"
            <| fun () ->
                for config in [ tiny; { tiny with StopGradients = false } ] do
                    let model = jittered config 9L
                    let batch = noisy config 3 Dtype.Float64 8L
                    let inference = Scae.infer config model batch
                    let ofPrior, ofPosterior = Scae.classify config model inference.Objects
                    (ofPrior.sum () + ofPosterior.sum ()).reverse()

                    for name, parameter in Parameters.named model do
                        if name.Contains "Probe" then
                            norm parameter |> shouldBeGreaterThan 0.0
                        else
                            norm parameter |> shouldEqual 0.0

            testCase "the posterior's rows sum to one and capsules explain at most all parts"
            <| fun () ->
                let model = jittered tiny 10L
                let inference = Scae.infer tiny model (noisy tiny 4 Dtype.Float64 8L)

                for total in (inference.Objects.Posterior.sum 1).toArray<float>() do
                    total |> shouldBeNear 1e-12 1.0

                for total in (inference.Objects.Mass.sum 1).toArray<float>() do
                    total |> shouldBeAtMost (float tiny.Parts)

            testCase "a batch's images don't see each other"
            <| fun () ->
                let model = jittered tiny 10L
                let batch = noisy tiny 4 Dtype.Float64 8L
                let alone i (x: Tensor) = x.slice (0, i, i + 1)
                let together = Scae.infer tiny model batch

                for i in 0..3 do
                    let one =
                        Scae.infer
                            tiny
                            model
                            {
                                Images = alone i batch.Images
                                Classes = alone i batch.Classes
                                PartNoise = alone i batch.PartNoise
                                CapsuleNoise = alone i batch.CapsuleNoise
                                VoteNoise = alone i batch.VoteNoise
                                Power = batch.Power
                                Balance = batch.Balance
                                Slack = batch.Slack
                            }

                    one.Objects.Mass |> Values.shouldAgree 1e-10 (alone i together.Objects.Mass)

            testCase "the paper's shapes"
            <| fun () ->
                let config = ScaeConfig.paper
                let model = Scae.init config Dtype.Float32 (Key.OfSeed 0L)
                let batch = noisy config 2 Dtype.Float32 3L
                PartEncoder.side config |> shouldEqual 5
                (ScaeConfig.set config).Inputs |> shouldEqual 144
                CapsuleLayer.outputs (ScaeConfig.capsules config) |> shouldEqual 327
                let inference = Scae.infer config model batch
                inference.Parts.Poses |> Values.shouldHaveShape [ 2; 40; 6 ]
                inference.Parts.Presence |> Values.shouldHaveShape [ 2; 40 ]
                inference.Parts.Features |> Values.shouldHaveShape [ 2; 40; 16 ]
                inference.Objects.Votes.Poses |> Values.shouldHaveShape [ 2; 32; 40; 6 ]
                inference.Objects.Posterior |> Values.shouldHaveShape [ 2; 33; 40 ]
                let drawing = PartDecoder.draw config model.Decoder inference.Parts
                drawing.Values |> Values.shouldHaveShape [ 2; 41; 40; 40 ]

            testCase "the paper's loss at the start is that of sparsity and a black canvas"
            <| fun () ->
                let config = ScaeConfig.paper
                let model = Scae.init config Dtype.Float32 (Key.OfSeed 0L)
                let batch = noisy config 8 Dtype.Float32 3L
                let loss = Scae.loss config model batch
                let term name = (loss.Terms |> List.find (fun (n, _) -> n = name) |> snd).toScalar()
                term "reconstruction" |> shouldBeIn (-1800.0, -1470.3)
                term "posterior_within" |> shouldBeIn (0.0, log 32.0)
                -(term "posterior_between") |> shouldBeIn (0.0, log 32.0)
                Double.IsFinite(loss.Total.toScalar ()) |> shouldEqual true

            testCase "views count as much as they weigh, and are told without the noise of capsules"
            <| fun () ->
                let model = jittered tiny 13L
                let batch = noisy tiny 4 Dtype.Float64 8L
                let loss weight batch = Scae.loss { tiny with Agreement = weight } model batch

                let views (loss: ScaeLoss) =
                    (loss.Terms |> List.find (fun (name, _) -> name = "views") |> snd).toScalar()

                let cost = views (loss 50.0 batch)
                cost |> shouldBeGreaterThan 0.1

                (loss 50.0 batch).Total.toScalar() - (loss 0.0 batch).Total.toScalar()
                |> shouldBeNear 1e-9 (50.0 * cost)

                views (loss 50.0 { batch with CapsuleNoise = -0.5 * batch.CapsuleNoise }) |> shouldBeNear 1e-12 cost
                views (loss 50.0 (noisy tiny 4 Dtype.Float64 9L)) |> shouldDiffer cost

            testCase "presences of exactly 0 and 1, a batch of one and images all alike have a finite loss"
            <| fun () ->
                let model = jittered tiny 11L

                for noise in [ -1e6; 0.0; 1e6 ] do
                    for pixel in [ 0.0; 0.5; 1.0 ] do
                        let batch = noisy tiny 1 Dtype.Float64 8L

                        let batch =
                            { batch with
                                Images = batch.Images.fullLike pixel
                                PartNoise = batch.PartNoise.fullLike noise
                                CapsuleNoise = batch.CapsuleNoise.fullLike noise
                                VoteNoise = batch.VoteNoise.fullLike noise
                            }

                        let loss = Scae.loss tiny model batch
                        loss.Total.reverse ()
                        Double.IsFinite(loss.Total.toScalar ()) |> shouldEqual true

                        for _, parameter in Parameters.named model do
                            Double.IsFinite(norm parameter) |> shouldEqual true

            testCase "a NaN among the pixels gives a loss that isn't finite"
            <| fun () ->
                let batch = noisy tiny 2 Dtype.Float64 8L
                batch.Images.Elements<float>()[30] <- nan
                let loss = Scae.loss tiny (jittered tiny 12L) batch
                Double.IsFinite(loss.Total.toScalar ()) |> shouldEqual false
        ]

module Scae.Tests.Models.NeuralEMTests

open System
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Scae.Tests.Values
open Expecto
open Scae.Core.Layers
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests

let private config = NeuralEM.published

let private golden = lazy (Golden.load "neural-em")

/// The golden file's names beside ours.
let private names =
    [
        "decoder.weight", "W_dec"
        "decoder.bias", "b_dec"
        "recurrence.input.weight", "W_x"
        "recurrence.input.bias", "b_h"
        "recurrence.recurrent", "W_h"
        "start", "theta_init"
    ]

let private goldenName (name: string) = names |> List.find (fun (ours, _) -> ours = name) |> snd

let private goldenModel (dtype: Dtype) =
    NeuralEM.init config dtype (Key.OfSeed 0L)
    |> Parameters.mapi (fun name _ -> (golden.Value.Parameter(goldenName name)).cast dtype)
    |> Parameters.trainable

let private goldenBatch (dtype: Dtype) : NeuralEMBatch =
    let x = (golden.Value.Input "x").cast dtype

    {
        Input = x.unsqueeze 1
        Target = x
        Noise = (golden.Value.Input "noise").cast dtype
        StateNoise = None
    }

/// Every choice a configuration has, small enough to be differentiated numerically.
let variants: (string * NeuralEMConfig) list =
    let small = { config with Core.Pixels = 20; Core.Hidden = 6 }

    let paper =
        { small with
            Core.MStep = MStep.Sigmoid
            SymmetryBreaking = SymmetryBreaking.Random
            Objective = Objective.Expected
            Core.Floor = 1e-6
        }

    [
        "the small program", small
        "the paper", paper
        "a gated cell", { paper with Core.MStep = MStep.Gated }
        "N-EM proper", { small with Core.MStep = MStep.Gradient }
        "hidden layers in the decoder", { paper with Core.DecoderLayers = 2; Core.DecoderUnits = 7 }
        "N-EM proper through a hidden layer",
        { small with
            Core.MStep = MStep.Gradient
            Core.DecoderLayers = 1
            Core.DecoderUnits = 7
        }
        "the last step only", { paper with StepWeights = StepWeights.Last }
        "increasing weights", { small with StepWeights = StepWeights.Increasing }
        "noise of its own for each step", { paper with FreshInput = true }
        "a spread start", { paper with SymmetryBreaking = SymmetryBreaking.Spread }
        "noise on states", { paper with Core.StateNoise = 0.5 }
        "grey pixels", { small with Likelihood = Likelihood.Gaussian }
        "grey pixels, expected", { paper with Likelihood = Likelihood.Gaussian; Sigma = 0.4 }
        "a background of zeros", { paper with Background = BackgroundSlot.Zero }
        "a learned background", { small with Background = BackgroundSlot.Learned }
    ]

let batch (config: NeuralEMConfig) (count: int) (dtype: Dtype) (seed: int) : NeuralEMBatch =
    let key = Key.OfSeed(int64 seed)
    let batch = NeuralEM.allocate config count
    FleckedBatches.fleck key batch.Target batch.Input batch.StateNoise config.Core.StateNoise
    NeuralEMStarts.fill config (key.Named "noise") batch
    Parameters.map (fun tensor -> tensor.cast dtype) batch

let random (config: NeuralEMConfig) (dtype: Dtype) (seed: int) = NeuralEM.init config dtype (Key.OfSeed(int64 seed))

let private unroll config model batch = NeuralEM.unroll config model batch

[<Tests>]
let tests =
    testList
        "Models.NeuralEM"
        [
            testCase "every parameter has a golden twin"
            <| fun () ->
                NeuralEM.init config Dtype.Float32 (Key.OfSeed 0L)
                |> Parameters.named
                |> List.map fst
                |> shouldEqual (List.map fst names)

            testCase "the float64 loss is the golden one within 1e-9"
            <| fun () ->
                let loss = NeuralEM.loss config (goldenModel Dtype.Float64) (goldenBatch Dtype.Float64)
                abs (loss.toScalar () - golden.Value.Loss) / golden.Value.Loss |> shouldBeLessThan 1e-9

            testCase "float64 gradients are the golden ones within 1e-8"
            <| fun () ->
                let model = goldenModel Dtype.Float64
                (NeuralEM.loss config model (goldenBatch Dtype.Float64)).reverse()

                for name, parameter in Parameters.named model do
                    Golden.deviation (golden.Value.Gradient(goldenName name)) parameter.derivative
                    |> shouldBeLessThan 1e-8

            testCase "float32 loss and gradients are the golden ones within 1e-4"
            <| fun () ->
                let model = goldenModel Dtype.Float32
                let loss = NeuralEM.loss config model (goldenBatch Dtype.Float32)
                loss.reverse ()
                abs (loss.toScalar () - golden.Value.Loss) / golden.Value.Loss |> shouldBeLessThan 1e-4

                for name, parameter in Parameters.named model do
                    Golden.deviation (golden.Value.Gradient(goldenName name)) parameter.derivative
                    |> shouldBeLessThan 1e-4

            for label, config in variants do
                testCase $"gradients of the unrolled model agree with central differences within 1e-6 ({label})"
                <| fun () ->
                    let model = random config Dtype.Float64 3 |> Parameters.trainable
                    let batch = batch config 3 Dtype.Float64 5

                    Parameters.named model |> shouldHaveTrueGradients 1e-6 (fun () -> NeuralEM.loss config model batch)

            testCase "the evidence of grey pixels is the logarithm of a mixture of normal densities"
            <| fun () ->
                let config = { config with Likelihood = Likelihood.Gaussian; Sigma = 0.3 }
                let means, x = [| 0.2; 0.9; 0.5; 0.4 |], [| 0.6; 0.1 |]

                let density (x: float) (mean: float) =
                    exp (-0.5 * ((x - mean) / 0.3) ** 2.0) / (0.3 * sqrt (2.0 * Math.PI))
                // Slot k has the means 2k and 2k + 1.
                let expected =
                    -(log (0.5 * (density x[0] means[0] + density x[0] means[2]))
                      + log (0.5 * (density x[1] means[1] + density x[1] means[3])))
                    / 2.0

                let image = Tensor.``of`` (x, 1, 2)
                let psi = Tensor.``of`` (means, 1, 2, 2)

                let iteration =
                    {
                        State = psi
                        Means = psi
                        Gamma = lazy (NeuralEM.responsibilities config psi image)
                    }

                (NeuralEM.iterationLoss config image iteration).toScalar() |> shouldBeNear 1e-12 expected

            testCase "the expected objective of grey pixels is what slots pay for what is theirs, and for what isn't"
            <| fun () ->
                // One pixel of 1, of which two slots have the means ½ and ¼ and the shares ¾ and ¼, costs
                // ¾·2·½² + ¼·2·(¾)² for errors, and ¼·2·½² + ¾·2·(¼)² for means. The first image has such a pixel and one that costs
                // nothing, the second has two such.
                let image = ofList [ 1.0; 0.0; 1.0; 1.0 ] [ 2; 2 ]
                let psi = ofList [ 0.5; 0.0; 0.25; 0.0; 0.5; 0.5; 0.25; 0.25 ] [ 2; 2; 2 ]
                let gamma = ofList [ 0.75; 0.5; 0.25; 0.5; 0.75; 0.75; 0.25; 0.25 ] [ 2; 2; 2 ]

                for weight, ofPixel in [ 1.0, 0.875; 0.0, 0.65625 ] do
                    let config =
                        { config with
                            Likelihood = Likelihood.Gaussian
                            Objective = Objective.Expected
                            Sigma = 0.5
                            Core.InterCluster = weight
                        }

                    let iteration = { State = psi; Means = psi; Gamma = lazy gamma }

                    (NeuralEM.iterationLoss config image iteration).toScalar() |> shouldBeNear 1e-12 (1.5 * ofPixel)

            for label, config in variants do
                testCase $"responsibilities sum to one over slots ({label})"
                <| fun () ->
                    for iteration in unroll config (random config Dtype.Float64 1) (batch config 4 Dtype.Float64 2) do
                        for total in read (iteration.Responsibilities.sum 1) do
                            total |> shouldBeNear 1e-12 1.0

            for label, config in variants do
                testCase $"there are T iterations, and the loss is their weighted sum ({label})"
                <| fun () ->
                    let model = random config Dtype.Float64 1
                    let batch = batch config 4 Dtype.Float64 2
                    let iterations = unroll config model batch
                    iterations.Length |> shouldEqual config.Iterations

                    let weight (t: int) =
                        match config.StepWeights with
                        | StepWeights.All -> 1.0
                        | StepWeights.Last -> if t = config.Iterations then 1.0 else 0.0
                        | StepWeights.Increasing -> float t / float config.Iterations

                    let expected =
                        iterations
                        |> List.mapi (fun i at ->
                            weight (i + 1) * (NeuralEM.iterationLoss config batch.Target at).toScalar())
                        |> List.sum

                    (NeuralEM.loss config model batch).toScalar() |> shouldBeNear 1e-9 expected

            for label, config in variants do
                testCase $"permuting the slots at the start permutes the slots at the end ({label})"
                <| fun () ->
                    // The background's slot keeps its place.
                    let order = [| 2; 0; 1 |]

                    let permute (x: Tensor) axis =
                        let rest = [| for k in order.Length .. x.size axis - 1 -> x.slice (axis, k, k + 1) |]
                        Tensor.cat (Array.append [| for k in order -> x.slice (axis, k, k + 1) |] rest, axis)

                    let model = random config Dtype.Float64 1
                    let batch = batch config 2 Dtype.Float64 2

                    let permuted = { model with Start = model.Start |> Option.map (fun start -> permute start 0) }

                    let straight = unroll config model batch

                    let crossed =
                        unroll
                            config
                            permuted
                            { batch with
                                Noise = permute batch.Noise 1
                                StateNoise = batch.StateNoise |> Option.map (fun noise -> permute noise 2)
                            }

                    for a, b in List.zip straight crossed do
                        b.Responsibilities |> shouldAgree 1e-9 (permute a.Responsibilities 1)
                        b.State |> shouldAgree 1e-9 (permute a.State 1)

            for label, config in variants do
                testCase $"an image's slots don't see other images ({label})"
                <| fun () ->
                    let model = random config Dtype.Float64 1
                    let batch = batch config 4 Dtype.Float64 2
                    let together = unroll config model batch |> List.last

                    for i in 0..3 do
                        let alone =
                            let slice (x: Tensor) = x.slice (0, i, i + 1)

                            let alone =
                                {
                                    Input = slice batch.Input
                                    Target = slice batch.Target
                                    Noise = slice batch.Noise
                                    StateNoise = batch.StateNoise |> Option.map (fun noise -> noise.slice (1, i, i + 1))
                                }

                            unroll config model alone |> List.last

                        (together.Responsibilities.slice (0, i, i + 1)) |> shouldAgree 1e-9 alone.Responsibilities

            for label, config in variants do
                testCase $"black, white and one-pixel images have finite losses and gradients ({label})"
                <| fun () ->
                    let onePixel = Tensor.zeros [| 2; config.Pixels |]
                    onePixel.Elements<float32>()[7] <- 1.0f

                    for image in [ Tensor.zeros [| 2; config.Pixels |]; Tensor.ones [| 2; config.Pixels |]; onePixel ] do
                        let model = random config Dtype.Float32 4 |> Parameters.trainable

                        let batch =
                            { batch config 2 Dtype.Float32 1 with
                                Input = image.unsqueeze 1
                                Target = image
                            }

                        let loss = NeuralEM.loss config model batch
                        loss.reverse ()
                        Double.IsFinite(loss.toScalar ()) |> shouldEqual true

                        for _, parameter in Parameters.named model do
                            read parameter.derivative |> Array.forall Double.IsFinite |> shouldEqual true

            testPropertyWithConfig (samples 20) "one slot answers for everything"
            <| fun (seed: int) ->
                let config = { config with Core.Slots = 1; Core.Pixels = 20 }
                let iterations = unroll config (random config Dtype.Float32 seed) (batch config 3 Dtype.Float32 seed)

                iterations
                |> List.forall (fun iteration ->
                    read iteration.Responsibilities |> Array.forall (fun gamma -> abs (gamma - 1.0) < 1e-6))

            testCase "without gradient through responsibilities the loss stays and gradients change"
            <| fun () ->
                let config = snd variants[1]
                let batch = batch config 3 Dtype.Float64 2

                let run through =
                    let config = { config with Core.ThroughResponsibilities = through }

                    let model = random config Dtype.Float64 1 |> Parameters.trainable
                    let loss = NeuralEM.loss config model batch
                    loss.reverse ()
                    loss.toScalar (), read model.Decoder.Weight.derivative

                let withLoss, withGradient = run true
                let withoutLoss, withoutGradient = run false
                withoutLoss |> shouldEqual withLoss
                withoutGradient |> shouldDiffer withGradient

            for layers, grey in [ (0, false); (2, false); (0, true); (1, true) ] do
                testCase $"N-EM proper ascends the expected log-likelihood (eq. 7) ({layers}, {grey})"
                <| fun () ->
                    let config =
                        { config with
                            Likelihood = if grey then Likelihood.Gaussian else Likelihood.Bernoulli
                            Sigma = 0.4
                            Core.Pixels = 20
                            Core.Hidden = 6
                            Core.DecoderLayers = layers
                            Core.DecoderUnits = 9
                            Core.MStep = MStep.Gradient
                        }

                    let model = random config Dtype.Float64 3
                    let key = Key.OfSeed 8L
                    let theta = Initialization.normal 1.0 Dtype.Float64 [ 2; 3; 6 ] (key.Named "theta")
                    let gamma = (Initialization.uniform 0.5 Dtype.Float64 [ 2; 3; 20 ] (key.Named "gamma")).softmax 1
                    let x = (batch config 2 Dtype.Float64 5).Target.unsqueeze 1

                    let expected (theta: Tensor) =
                        let psi = NeuralEM.decode config model theta

                        if grey then
                            (gamma * (x - psi) * (x - psi)).sum() * (-0.5 / config.Sigma ** 2.0)
                        else
                            (gamma * (x * psi.log () + (1.0 - x) * (1.0 - psi).log())).sum()

                    let delta = gamma * (x - NeuralEM.decode config model theta)
                    let step = NeuralEM.mStep config model theta delta - theta

                    let gradient =
                        (let moved = theta.reverseDiff () in
                         (expected moved).reverse()
                         moved.derivative)

                    let eta = model.StepSize.Value.toScalar ()

                    (read step, read (gradient * eta))
                    ||> Array.iter2 (fun a b -> abs (a - b) |> shouldBeLessThan 1e-12)

            for kind in [ 0; 1 ] do
                testCase $"the expected log-likelihood of an image is the sum over its slots and pixels ({kind})"
                <| fun () ->
                    let config =
                        { snd variants[1] with
                            Likelihood =
                                (if kind = 0 then
                                     Likelihood.Bernoulli
                                 else
                                     Likelihood.Gaussian)
                        }

                    let batch = batch config 3 Dtype.Float64 2
                    let last = NeuralEM.unroll config (random config Dtype.Float64 6) batch |> List.last
                    let gamma, psi, x = read last.Responsibilities, read last.Means, read batch.Target

                    let expected (image: int) =
                        Seq.sum
                            [
                                for k in 0 .. config.Slots - 1 do
                                    for i in 0 .. config.Pixels - 1 do
                                        let at = (image * config.Slots + k) * config.Pixels + i
                                        let x, psi = x[image * config.Pixels + i], psi[at]

                                        gamma[at]
                                        * (if kind = 0 then
                                               log (if x > 0.5 then psi else 1.0 - psi)
                                           else
                                               -((x - psi) ** 2.0) / (2.0 * config.Sigma ** 2.0))
                            ]

                    let measured = read (NeuralEM.expectedLogLikelihood config batch.Target last)
                    measured.Length |> shouldEqual 3
                    measured |> Array.iteri (fun image q -> q |> shouldBeNear 1e-9 (expected image))

            testCase "of several starts each image keeps its likeliest"
            <| fun () ->
                let shapes = { Shapes.published with Canvas = 12; Smallest = 1; Largest = 2; Count = 2 }

                let config =
                    { config with
                        Core.Pixels = 144
                        Core.Hidden = 8
                        SymmetryBreaking = SymmetryBreaking.Spread
                        Core.InputGain = 12.0
                    }

                let key = Key.OfSeed 5L
                let scenes: NeuralEMScenes = { Shapes = Shapes.sample shapes 9 key; Noise = key.Named "noise" }
                let model = random config Dtype.Float32 4

                let data: NeuralEMData =
                    {
                        Train = None
                        Unread = scenes.Shapes
                        Validation = scenes
                        Test = scenes
                        Others = []
                        Shown = scenes
                    }

                let likelihoods starts swaps =
                    let settings =
                        { NeuralEMSettings.published with
                            Shapes = shapes
                            Model = config
                            MeasuredStarts = starts
                            MeasuredSwaps = swaps
                        }

                    let names =
                        NeuralEMReading.read settings data model Test |> NeuralEMMeasures.ofReading |> List.map fst

                    for name in [ "ami_distinct_first"; "ari_distinct_first"; "ari_first" ] do
                        names |> List.contains name |> shouldEqual (starts > 1 || swaps > 0)

                    let last = NeuralEMReading.show settings data model () |> Array.last

                    { State = last.Means; Means = last.Means; Gamma = lazy last.Responsibilities }
                    |> NeuralEM.expectedLogLikelihood config scenes.Shapes.Images
                    |> read

                let one, three, nine = likelihoods 1 0, likelihoods 3 0, likelihoods 9 0
                Array.forall2 (<=) one three |> shouldEqual true
                Array.forall2 (<=) three nine |> shouldEqual true
                Array.exists2 (<) one nine |> shouldEqual true
                let swapped, longer = likelihoods 1 3, likelihoods 1 9
                Array.forall2 (<=) one swapped |> shouldEqual true
                Array.forall2 (<=) swapped longer |> shouldEqual true
                Array.exists2 (<) one longer |> shouldEqual true

            testCase "a random start's responsibilities sum to one"
            <| fun () ->
                let noise = (batch (snd variants[1]) 3 Dtype.Float64 9).Noise

                for total in read (noise.sum 1) do
                    total |> shouldBeNear 1e-6 1.0

            testCase "a spread start sums to one, on black images, too, and gives far pixels to different slots"
            <| fun () ->
                let config =
                    { snd variants[1] with
                        SymmetryBreaking = SymmetryBreaking.Spread
                        Core.Slots = 2
                        Core.Pixels = 400
                    }

                let start = NeuralEM.allocate config 2
                // The second image is black; the first is lit in two opposite corners.
                start.Target.Elements<float32>()[0] <- 1.0f
                start.Target.Elements<float32>()[399] <- 1.0f
                NeuralEMStarts.fill config (Key.OfSeed 4L) start

                for total in read (start.Noise.sum 1) do
                    total |> shouldBeNear 1e-5 1.0

                let gamma = start.Noise.Elements<float32>().ToArray()
                let first, last = gamma[0], gamma[399]
                abs (first - last) |> shouldBeGreaterThan 0.99f

            testCase "a single slot answers for everything from a random start"
            <| fun () ->
                let config = { config with Core.Slots = 1; SymmetryBreaking = SymmetryBreaking.Random }

                let batch = NeuralEM.allocate config 2
                NeuralEMStarts.fill config (Key.OfSeed 1L) batch
                batch.Noise.toArray<float32>() |> Array.distinct |> shouldEqual [| 1.0f |]
        ]

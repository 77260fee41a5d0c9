module Scae.Tests.Models.MovingEMTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Scae.Tests.Values

/// Small enough to be differentiated numerically.
let private small: MovingEMConfig =
    { MovingEM.standard with
        Core.Pixels = 25
        Core.Slots = 3
        Core.Hidden = 6
        SeesFrame = false
        EncoderUnits = 0
        TrainedFrames = 5
        Core.DecoderUnits = 7
        Core.InputGain = 2.0
    }

let private variants: (string * MovingEMConfig) list =
    [
        "a gated cell", small
        "RNN-EM",
        { small with
            Core.MStep = MStep.Sigmoid
            Core.Memory = 4.0
            Core.DecoderLayers = 0
            Core.Floor = 1e-6
        }
        "N-EM proper", { small with Core.MStep = MStep.Gradient; Core.DecoderLayers = 0 }
        "units before the cell", { small with EncoderUnits = 8 }
        "frames seen", { small with SeesFrame = true }
        "frames seen by units before the cell", { small with SeesFrame = true; EncoderUnits = 8 }
        "random starts", { small with FirstFrame = FirstFrame.Random }
        "noise on states", { small with Core.StateNoise = 0.5 }
        "two frames", { small with TrainedFrames = 2 }
    ]

let private batch (config: MovingEMConfig) (count: int) (dtype: Dtype) (seed: int) : MovingEMBatch =
    let key = Key.OfSeed(int64 seed)
    let batch = MovingEM.allocate config count
    FleckedBatches.fleck key batch.Target batch.Input batch.StateNoise config.Core.StateNoise
    MovingEM.start config (key.Named "noise") batch
    Parameters.map (fun tensor -> tensor.cast dtype) batch

let private random (config: MovingEMConfig) (dtype: Dtype) (seed: int) =
    MovingEM.init config dtype (Key.OfSeed(int64 seed))

/// The loss with responsibilities that are given, frame by frame from the first: written out once more.
let private lossGiven (config: MovingEMConfig) (model: MovingEM) (batch: MovingEMBatch) (gammas: Tensor list) =
    let still = MovingEM.still config
    let frame (x: Tensor) t = (x.slice (1, t, t + 1)).view([| x.shape[0]; 1; x.shape[2] |])

    let mutable theta =
        Tensor.zeros ([| batch.Target.shape[0]; config.Slots; config.Hidden |], batch.Target.dtype)

    let mutable psi =
        Tensor.zeros ([| batch.Target.shape[0]; config.Slots; config.Pixels |], batch.Target.dtype)

    let mutable total = Tensor.zeros ([||], batch.Target.dtype)

    for t, gamma in List.indexed (List.truncate (gammas.Length - 1) gammas) do
        let input = frame batch.Input t
        theta <- MovingEM.mStep config model theta (gamma * (input - psi)) (gamma * input)
        batch.StateNoise |> Option.iter (fun noise -> theta <- theta + noise.select (0, t))
        psi <- NeuralEM.decode still model.Slots theta
        let x, gamma = frame batch.Target (t + 1), gammas[t + 1]
        let p = psi.clamp (1e-6, 1.0 - 1e-6)
        let own = x * p.log () + (1.0 - x) * (1.0 - p).log()
        let other = (1.0 - p).log() * config.Core.InterCluster
        total <- total - (gamma * own + (1.0 - gamma) * other).sum() * (1.0 / float batch.Target.shape[0])

    total * (1.0 / float (gammas.Length - 1))

[<Tests>]
let tests =
    testList
        "Models.MovingEM"
        [
            for label, config in variants do
                testCase $"gradients of the unrolled model agree with central differences within 1e-6 ({label})"
                <| fun () ->
                    let config = { config with Core.ThroughResponsibilities = true }
                    let model = random config Dtype.Float64 3 |> Parameters.trainable
                    let batch = batch config 3 Dtype.Float64 5

                    Parameters.named model |> shouldHaveTrueGradients 1e-6 (fun () -> MovingEM.loss config model batch)

            for label, config in variants do
                testCase $"gradients that stop at γ are those of the loss with γ given ({label})"
                <| fun () ->
                    let batch = batch config 3 Dtype.Float64 5

                    let gradients (loss: MovingEM -> Tensor) =
                        let model = random config Dtype.Float64 3 |> Parameters.trainable
                        let loss = loss model
                        loss.reverse ()
                        loss.toScalar (), Parameters.named model |> List.map (fun (_, p) -> read p.derivative)

                    let gammas =
                        batch.Noise
                        :: [
                            for found in MovingEM.unroll config (random config Dtype.Float64 3) batch ->
                                found.Responsibilities
                        ]

                    let loss, stopped = gradients (fun model -> MovingEM.loss config model batch)
                    let expected, given = gradients (fun model -> lossGiven config model batch gammas)
                    loss |> shouldBeNear 1e-9 expected

                    for a, b in List.zip stopped given do
                        Array.iter2 (fun p q -> p |> shouldBeNear (1e-9 * (1.0 + abs q)) q) a b

            testCase "gradients through γ are others, of the same loss"
            <| fun () ->
                let batch = batch small 3 Dtype.Float64 5

                let run through =
                    let model = random small Dtype.Float64 3 |> Parameters.trainable
                    let loss = MovingEM.loss { small with Core.ThroughResponsibilities = through } model batch
                    loss.reverse ()
                    loss.toScalar (), read model.Slots.Decoder.Weight.derivative

                let loss, gradient = run false
                let throughLoss, throughGradient = run true
                throughLoss |> shouldEqual loss
                throughGradient |> shouldDiffer gradient

            for label, config in variants do
                testCase $"each frame but the first is predicted, and its γ sums to one over slots ({label})"
                <| fun () ->
                    let found = MovingEM.unroll config (random config Dtype.Float64 1) (batch config 4 Dtype.Float64 2)
                    found.Length |> shouldEqual (config.TrainedFrames - 1)

                    for iteration in found do
                        for total in read (iteration.Responsibilities.sum 1) do
                            total |> shouldBeNear 1e-12 1.0

            for label, config in variants do
                testCase $"a frame is predicted from those before it alone ({label})"
                <| fun () ->
                    let model = random config Dtype.Float64 1
                    let straight = batch config 2 Dtype.Float64 2
                    let last = config.TrainedFrames - 1

                    let other =
                        let inverted (x: Tensor) =
                            Tensor.cat ([| x.slice (1, 0, last); 1.0 - x.slice (1, last, last + 1) |], 1)

                        { straight with
                            Input = inverted straight.Input
                            Target = inverted straight.Target
                        }

                    let found = MovingEM.unroll config model straight
                    let changed = MovingEM.unroll config model other

                    for a, b in List.zip found changed do
                        b.Means |> shouldAgree 1e-9 a.Means

                    Array.exists2
                        (fun p q -> abs (p - q) > 1e-9)
                        (read (List.last found).Responsibilities)
                        (read (List.last changed).Responsibilities)
                    |> shouldEqual true

            for label, config in variants do
                testCase $"permuting the slots of the first frame permutes them in all ({label})"
                <| fun () ->
                    let order = [| 2; 0; 1 |]

                    let permute (x: Tensor) axis = Tensor.cat ([| for k in order -> x.slice (axis, k, k + 1) |], axis)

                    let model = random config Dtype.Float64 1
                    let batch = batch config 2 Dtype.Float64 2

                    let crossed =
                        MovingEM.unroll
                            config
                            model
                            { batch with
                                Noise = permute batch.Noise 1
                                StateNoise = batch.StateNoise |> Option.map (fun noise -> permute noise 2)
                            }

                    for a, b in List.zip (MovingEM.unroll config model batch) crossed do
                        b.Responsibilities |> shouldAgree 1e-9 (permute a.Responsibilities 1)
                        b.State |> shouldAgree 1e-9 (permute a.State 1)

            for label, config in variants do
                testCase $"a sequence's slots don't see other sequences ({label})"
                <| fun () ->
                    let model = random config Dtype.Float64 1
                    let batch = batch config 3 Dtype.Float64 2
                    let together = MovingEM.unroll config model batch |> List.last

                    for i in 0..2 do
                        let slice (x: Tensor) = x.slice (0, i, i + 1)

                        let alone: MovingEMBatch =
                            {
                                Input = slice batch.Input
                                Target = slice batch.Target
                                Noise = slice batch.Noise
                                StateNoise = batch.StateNoise |> Option.map (fun noise -> noise.slice (1, i, i + 1))
                            }

                        let alone = MovingEM.unroll config model alone |> List.last
                        (slice together.Responsibilities) |> shouldAgree 1e-9 alone.Responsibilities

            for label, config in variants do
                testCase $"black, white and one-pixel sequences have finite losses and gradients ({label})"
                <| fun () ->
                    let shape = [| 2; config.TrainedFrames; config.Pixels |]
                    let onePixel = Tensor.zeros shape
                    onePixel.Elements<float32>()[7] <- 1.0f

                    for sequence in [ Tensor.zeros shape; Tensor.ones shape; onePixel ] do
                        let model = random config Dtype.Float32 4 |> Parameters.trainable
                        let batch = { batch config 2 Dtype.Float32 1 with Input = sequence; Target = sequence }
                        MovingEM.start config (Key.OfSeed 3L) batch
                        let loss = MovingEM.loss config model batch
                        loss.reverse ()
                        Double.IsFinite(loss.toScalar ()) |> shouldEqual true

                        for _, parameter in Parameters.named model do
                            read parameter.derivative |> Array.forall Double.IsFinite |> shouldEqual true

            testCase "the expected log-likelihood of a sequence is the sum over its predicted frames"
            <| fun () ->
                let model = random small Dtype.Float64 1
                let batch = batch small 3 Dtype.Float64 2
                let found = MovingEM.unroll small model batch
                let all = read (MovingEM.expectedLogLikelihood small batch found)
                all.Length |> shouldEqual 3

                for i in 0..2 do
                    let expected =
                        Seq.sum
                            [
                                for t, iteration in List.indexed found do
                                    let gamma, psi = read iteration.Responsibilities, read iteration.Means
                                    let x = read (MovingEM.frame batch.Target (t + 1))

                                    for k in 0 .. small.Slots - 1 do
                                        for pixel in 0 .. small.Pixels - 1 do
                                            let at = (i * small.Slots + k) * small.Pixels + pixel
                                            let isLit = x[i * small.Pixels + pixel] > 0.5
                                            gamma[at] * log (if isLit then psi[at] else 1.0 - psi[at])
                            ]

                    all[i] |> shouldBeNear 1e-9 expected

            testCase "one slot answers for everything"
            <| fun () ->
                let config = { small with Core.Slots = 1 }

                for iteration in MovingEM.unroll config (random config Dtype.Float64 1) (batch config 3 Dtype.Float64 2) do
                    for gamma in read iteration.Responsibilities do
                        gamma |> shouldBeNear 1e-12 1.0

            testCase "spread starts look at the first frame alone"
            <| fun () ->
                let first = batch small 3 Dtype.Float32 1
                let other: MovingEMBatch = { batch small 3 Dtype.Float32 2 with Noise = Tensor.zeros first.Noise.shape }

                for i in 0..2 do
                    let at = i * small.TrainedFrames * small.Pixels
                    let frame = first.Target.Elements<float32>().Slice(at, small.Pixels)
                    frame.CopyTo(other.Target.Elements<float32>().Slice(at, small.Pixels))

                MovingEM.start small (Key.OfSeed 9L) first
                MovingEM.start small (Key.OfSeed 9L) other
                read first.Noise |> shouldEqual (read other.Noise)
                MovingEM.start small (Key.OfSeed 10L) other
                read first.Noise |> shouldDiffer (read other.Noise)

            testCase "a pixel is predicted dark where every slot says so"
            <| fun () ->
                let psi = Tensor.``of`` ([| 0.0; 0.5; 1.0; 0.0; 0.5; 0.25 |], 1, 2, 3)
                let p = MovingEM.prediction psi
                read p |> shouldEqual [| 0.0; 0.75; 1.0 |]
                let x = Tensor.``of`` ([| 0.0; 1.0; 1.0 |], 1, 3)
                (MovingEM.surprise p x).toScalar() |> shouldBeNear 1e-5 (-log 0.75)
                // Two frames count as their mean.
                let twice (x: Tensor) = Tensor.cat ([| x; x |], 0)
                (MovingEM.surprise (twice p) (twice x)).toScalar() |> shouldBeNear 1e-5 (-log 0.75)
        ]

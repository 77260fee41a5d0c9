/// What the models are given in a step: batches, disturbances, and what changes over a training.
module Scae.Tests.Experiments.StepInputsTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Training

let private number (tensor: Tensor) : float = float (tensor.Elements<float32>()[0])

/// The share of zeros.
let private dark (tensor: Tensor) : float =
    tensor.toArray<float32>() |> Array.averageBy (fun x -> if x = 0.0f then 1.0 else 0.0)

// --- stacked capsules

/// Settings whose views must agree, so that a batch of 8 shows 4 digits twice; canvases leave a digit one place to lie.
let private paired () : ScaeSettings * ScaeData =
    let settings, data, _ = SmallScae.small false

    { settings with
        Training = { settings.Training with StepsPerEpoch = 10 }
        Model.Canvas = Digits.Side
        Model.Agreement = 1.0
    },
    data

let private ofCapsules (settings: ScaeSettings) (data: ScaeData) (step: int) : ScaeBatch =
    let batch = Scae.allocate settings.Model 8
    ScaeExperiment.fill settings data (Key.OfSeed 5L) step batch
    batch

/// Which training digits the images of a batch are.
let private shown (data: ScaeData) (batch: ScaeBatch) : int[] =
    let digits = data.Train.Pixels |> Array.chunkBySize Digits.Pixels

    batch.Images.toArray<float32>()
    |> Array.chunkBySize Digits.Pixels
    |> Array.map (fun image -> digits |> Array.findIndex (Array.forall2 (fun x b -> float32 b / 255.0f = x) image))

/// That the classes of a batch are those of the digits it shows.
let private shouldHaveClasses (data: ScaeData) (digits: int[]) (batch: ScaeBatch) =
    (batch.Classes.argmax 1).toArray<int>()
    |> shouldEqual (digits |> Array.map (fun i -> int data.Train.Labels[i]))

// --- attend-infer-repeat

let private ofScenes (settings: AirSettings) (step: int) : AirBatch =
    let settings, _ = AirSettings.resolve settings |> Trained.accepted
    let digits = StrokeDigits.sample 4 (Key.OfSeed 1L)
    let scenes = MultiMnist.sample settings.Scenes digits 2 (Key.OfSeed 2L)
    let batch = Air.allocate settings.Model 2

    AirExperiment.fill
        settings
        {
            Digits = { Train = digits; Test = digits }
            Train = Some(TrainingSet.Of(scenes.Images, Key.OfSeed 3L))
            Validation = scenes
            Test = scenes
            Probe = lazy scenes
            Shown = scenes
            Conditions = []
        }
        (Key.OfSeed 4L)
        step
        batch

    batch

let private during (epochs: int) (steps: int) (settings: AirSettings) : AirSettings =
    { settings with
        Training = { settings.Training with Epochs = epochs; StepsPerEpoch = steps }
    }

// --- neural EM

/// A batch of white images, disturbed.
let private ofWhite (settings: NeuralEMSettings) : NeuralEMBatch =
    let none: NeuralEMScenes = { Shapes = Shapes.allocate settings.Shapes 1; Noise = Key.OfSeed 1L }
    let batch = NeuralEM.allocate settings.Model 16

    NeuralEMExperiment.fill
        settings
        {
            Train = Some(TrainingSet.Of(Tensor.ones [| 16; settings.Model.Pixels |], Key.OfSeed 2L))
            Unread = none.Shapes
            Validation = none
            Test = none
            Others = []
            Shown = none
        }
        (Key.OfSeed 3L)
        0
        batch

    batch

// --- topographic autoencoders

/// Two capsules, whose KL terms come in over 100 steps where the schedule has them do so.
let private ofSequences (schedule: string) : Learner =
    let overrides =
        [
            "schedule", schedule
            "kl-warm-up", "100"
            "digits", "idx"
            "capsules", "2"
            "batch-size", "2"
            "validation-size", "2"
            "test-size", "2"
        ]

    let digits = StrokeDigits.sample 20 (Key.OfSeed 1L)
    let resources = { Resources.none with Pairs = fun () -> Ok { Train = digits; Test = digits } }

    Experiments.preset (Some "quick") TvaeExperiment.experiment
    |> Result.bind (fun preset -> TvaeExperiment.experiment.Configure preset overrides)
    |> Result.bind (fun task -> task.Open resources (Keys.ofSeed 3L))
    |> Trained.accepted
    |> _.Learner

[<Tests>]
let tests =
    testList
        "Experiments.StepInputs"
        [
            testCase "where views must agree a batch shows each digit twice"
            <| fun () ->
                let settings, data = paired ()

                for step in 0..2 do
                    let batch = ofCapsules settings data step
                    let digits = shown data batch
                    digits[4..] |> shouldEqual digits[..3]
                    digits |> Array.distinct |> shouldHaveLength 4
                    batch |> shouldHaveClasses data digits

                // Else each once.
                let alone = { settings with Model.Agreement = 0.0 }
                shown data (ofCapsules alone data 0) |> Array.distinct |> shouldHaveLength 8

            testCase "with neighbours the second view shows the digit or a neighbour"
            <| fun () ->
                let settings, data = paired ()
                let next i = (i + 1) % Digits.count data.Train

                let data =
                    { data with
                        Neighbours = lazy (Array.init (Digits.count data.Train) (fun i -> [| next i |]))
                    }

                let pairs =
                    [
                        for step in 0..9 do
                            let batch = ofCapsules { settings with Neighbours = 1 } data step
                            let digits = shown data batch
                            batch |> shouldHaveClasses data digits
                            yield! Array.zip digits[..3] digits[4..]
                    ]

                for first, second in pairs do
                    [ first; next first ] |> shouldContain second

                let own = pairs |> List.filter (fun (first, second) -> first = second) |> List.length
                // Half of 40; three deviations.
                float own |> shouldBeNear 9.5 20.0

            testCase "labels have the power, the balance and the slack of the step"
            <| fun () ->
                let settings, data = paired ()
                let freed = { settings with SettledAfter = 1; Power = 1.25; FreeAfter = 2 }

                let labels (settings: ScaeSettings) step =
                    let batch = ofCapsules settings data step
                    number batch.Power, number batch.Balance, number batch.Slack

                [ 0; 9; 10; 19; 20 ]
                |> List.map (labels freed)
                |> shouldEqual [ 0.0, 1.0, 0.0; 0.0, 1.0, 0.0; 1.25, 1.0, 0.0; 1.25, 1.0, 0.0; 1.25, 0.0, 0.0 ]

                [ 19; 20 ]
                |> List.map (labels { freed with FreeWithin = 0.25 })
                |> shouldEqual [ 1.25, 1.0, 0.0; 1.25, 1.0, 0.25 ]

            testCase "the prior of presence falls geometrically from its start to each step's own"
            <| fun () ->
                let settings =
                    { AirSettings.published with
                        PriorStart = 0.81
                        Prior = [ 0.01; 0.09 ]
                        AnnealSteps = 100
                    }

                let priors settings step = (ofScenes settings step).Prior.toArray<float32>() |> Array.map float

                for step, first, second in [ 0, 0.81, 0.81; 25, 0.27, 0.4676537; 50, 0.09, 0.27; 100, 0.01, 0.09 ] do
                    let found = priors settings step
                    found |> shouldHaveLength 3
                    found[0] |> shouldBeNear 1e-6 first
                    found[1] |> shouldBeNear 1e-6 second
                    found[2] |> shouldEqual found[1]

                priors { settings with PriorStart = 0.0 } 0 |> shouldEqual (priors settings 100)

            testCase "recombined scenes count once the prior has fallen"
            <| fun () ->
                let settings = { AirSettings.published with PriorStart = 0.81; AnnealSteps = 100 }

                [ 0; 99; 100; 101 ]
                |> List.map (fun step -> number (ofScenes settings step).Recombination)
                |> shouldEqual [ 0.0; 0.0; 1.0; 1.0 ]

            testCase "the temperature goes to its end in a straight line over the whole training"
            <| fun () ->
                let settings =
                    { AirSettings.published with TemperatureStart = 2.0; TemperatureEnd = 0.5 } |> during 101 1

                [ 0; 50; 100 ]
                |> List.map (fun step -> number (ofScenes settings step).Temperature)
                |> shouldEqual [ 2.0; 1.25; 0.5 ]

            testCase "divergences come in from epoch to epoch"
            <| fun () ->
                let settings = { AirSettings.published with WarmEpochs = 4 } |> during 8 10

                [ 0; 9; 10; 29; 39; 79 ]
                |> List.map (fun step -> number (ofScenes settings step).Warmth)
                |> shouldEqual [ 0.25; 0.25; 0.5; 0.75; 1.0; 1.0 ]

            testCase "the restorer is taught each scene in another light than it is shown in, or in none"
            <| fun () ->
                let unlit = (ofScenes AirSettings.published 0).Images.toArray<float32>()

                let lit (target: RestorerTarget) =
                    let batch =
                        ofScenes
                            { AirSettings.published with
                                Conditions =
                                    { SceneConditions.plain with
                                        Background = Background.Noise
                                        BackgroundStrength = [ 0.4 ]
                                    }
                                Model.Restorer = 2
                                Model.RestorerTarget = target
                            }
                            0

                    let images = batch.Images.toArray<float32>()
                    images |> shouldDiffer unlit
                    images, batch.Target.Value.toArray<float32>()

                let images, other = lit RestorerTarget.Other
                other |> shouldDiffer images
                other |> shouldDiffer unlit
                // Both are lit once. Of 2,048 pixels the means differ by 0.007 or so; a second light would add 0.1.
                Array.average other |> shouldBeNear 0.03 (Array.average images)
                let images, plain = lit RestorerTarget.Plain
                plain |> shouldEqual unlit
                Array.average images |> shouldBeNear 0.03 (Array.average other)

            for schedule, weights in
                [ "fast", [ 0, 0.05; 50, 0.525; 100, 1.0; 101, 1.0 ]; "published", [ 0, 1.0; 50, 1.0 ] ] do
                testCase $"both divergences of a topographic autoencoder have the weight of the step ({schedule})"
                <| fun () ->
                    let learner = ofSequences schedule

                    for step, weight in weights do
                        learner.Fill step
                        let loss = learner.Loss()
                        let term (name: string) = (snd (loss.Terms |> List.find (fst >> (=) name))).toScalar()
                        let reconstruction, klZ, klU = term "reconstruction", term "kl_z", term "kl_u"
                        // Each must count for more than rounding hides.
                        weight * min klZ klU |> shouldBeGreaterThan 0.01

                        loss.Total.toScalar () |> shouldBeNear 2e-3 (reconstruction + weight * (klZ + klU))

            testCase "an image fills all of its copies, each with the given share of pixels flipped"
            <| fun () ->
                let images, input = Tensor.zeros [| 3; 5 |], Tensor.zeros [| 3; 2; 5 |]
                (Key.OfSeed 1L).FillUniform(images.Elements<float32>())
                let rows = images.toArray<float32>() |> Array.chunkBySize 5
                let twice = rows |> Array.collect (fun row -> Array.append row row)
                Disturbances.flip 0.0 (Key.OfSeed 2L) images input
                input.toArray<float32>() |> shouldEqual twice
                Disturbances.flip 1.0 (Key.OfSeed 2L) images input
                input.toArray<float32>() |> shouldEqual (twice |> Array.map (fun x -> 1.0f - x))

                let images, input = Tensor.zeros [| 50; 1000 |], Tensor.zeros [| 50; 2; 1000 |]
                Disturbances.flip 0.1 (Key.OfSeed 2L) images input
                // Six deviations.
                (input.sum ()).toScalar() |> shouldBeNear 600.0 10_000.0
                // Each copy's flips are its own.
                (input.select (1, 0)).toArray<float32>() |> shouldDiffer ((input.select (1, 1)).toArray<float32>())

            testCase "states get noise of the given deviation, if they get any"
            <| fun () ->
                Disturbances.fillStates 2.0 (Key.OfSeed 1L) None
                let noise = Tensor.zeros [| 10_000 |]
                Disturbances.fillStates 2.0 (Key.OfSeed 1L) (Some noise)
                let found = noise.toArray<float32>() |> Array.map float
                Array.average found |> shouldBeNear 0.1 0.0
                sqrt (Array.averageBy (fun x -> x * x) found) |> shouldBeNear 0.1 2.0

            testCase "flipped pixels are part of the target where the settings say so, dropped ones never are"
            <| fun () ->
                let settings =
                    { NeuralEMSettings.published with
                        FlipProbability = 0.1
                        FlipTarget = true
                        DropProbability = 0.2
                    }

                let batch = ofWhite settings
                // Five deviations of 9,216 draws.
                dark batch.Target |> shouldBeNear 0.016 0.1
                dark batch.Input |> shouldBeNear 0.024 (0.1 + 0.9 * 0.2)

                Array.forall2
                    (fun input target -> input <= target)
                    (batch.Input.toArray<float32>())
                    (batch.Target.toArray<float32>())
                |> shouldEqual true

                let batch = ofWhite { settings with FlipTarget = false; DropProbability = 0.0 }
                dark batch.Target |> shouldEqual 0.0
                dark batch.Input |> shouldBeNear 0.016 0.1

            testCase "the tolerance of learned constellations falls by the same factor in each step"
            <| fun () ->
                let settings: LearnedConstellationsSettings =
                    {
                        Training = { AirSettings.published.Training with Epochs = 3; StepsPerEpoch = 7 }
                        Templates = { LearnedTemplates.standard with Tolerance = 0.4; LastTolerance = 0.004 }
                    }

                let batch: LearnedTemplatesBatch =
                    {
                        Scenes = Constellations.allocate Constellations.published 2
                        Tolerance = Tensor.zeros [| 1 |]
                    }

                for step, expected in [ 0, 0.4; 5, 0.4 / sqrt 10.0; 10, 0.04; 20, 0.004 ] do
                    LearnedConstellationsExperiment.fill settings () (Key.OfSeed 1L) step batch
                    number batch.Tolerance |> shouldBeNear 1e-7 expected

                // Scenes of the step's key.
                batch.Scenes.Points.toArray<float32>()
                |> shouldEqual (
                    (Constellations.sample Constellations.published 2 (Key.OfSeed 1L)).Points.toArray<float32>()
                )
        ]

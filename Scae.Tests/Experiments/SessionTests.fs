/// What a session gives a training: a batch of its own for each step, and of each set of digits what belongs to it.
module Scae.Tests.Experiments.SessionTests

open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Training

let private task (experiment: string) (preset: string) (overrides: (string * string) list) : Task =
    let experiment = Experiments.all |> List.find (fun known -> known.Specification.Experiment = experiment)

    Experiments.preset (Some preset) experiment
    |> Result.bind (fun preset -> experiment.Configure preset overrides)
    |> Trained.accepted

let private digits (seed: int64) (count: int) : Digits = StrokeDigits.sample count (Key.OfSeed seed)

let private own (train: Digits) (test: Digits) : Resources =
    { Resources.none with Pairs = fun () -> Ok { Train = train; Test = test } }

// Digits to train with and to be tested with, and other ones of both kinds.

let private train = digits 1L 60

let private otherTrain = digits 2L 60

let private test = digits 3L 20

let private otherTest = digits 4L 20

let private session (task: Task) (resources: Resources) : Session =
    task.Open resources (Keys.ofSeed 3L) |> Trained.accepted

/// The loss of a step's batch, with the parameters as they are.
let private lossOf (session: Session) (step: int) : float =
    session.Learner.Fill step
    (session.Learner.Loss()).Total.toScalar()

/// Few scenes, and models as small as they can be.
let private ofConstellations =
    [ "batch-size", "4"; "validation-size", "4"; "test-size", "4"; "width", "16" ]

let private ofShapes =
    [ "batch-size", "2"; "validation-size", "2"; "test-size", "2"; "hidden", "8"; "decoder-units", "8" ]

let private ofMotion =
    [
        "encoder-units", "8"
        "validation-size", "3"
        "test-size", "3"
        "frames", "8"
        "scored-from", "4"
        "trained-frames", "4"
    ]

let private ofDigits =
    [ "digits", "idx"; "batch-size", "4"; "validation-size", "12"; "test-size", "12" ]

let private ofAir =
    [ "probe-size", "6"; "hidden", "9"; "features", "8"; "decoder-hidden", "6"; "what", "5" ]

let private ofCapsules =
    [
        "probe-size", "12"
        "canvas", "28"
        "channels", "4"
        "parts", "3"
        "objects", "3"
        "features", "2"
        "template-side", "4"
        "colour", "3"
        "set-width", "4"
        "set-layers", "1"
        "set-outputs", "5"
        "capsule-hidden", "4"
        "capsule-code", "3"
    ]

/// What a session shows of its data.
type private Shown =
    {
        /// The loss of a training batch.
        Loss: float
        Validation: Metrics
        Test: Map<string, float>
    }

let private shown (task: Task) (train: Digits) (test: Digits) : Shown =
    let session = session task (own train test)

    {
        Loss = lossOf session 0
        Validation = Trained.metrics session Validation
        Test = Map.ofList (Trained.metrics session Test)
    }

let private pixels (scenes: Scenes) : float32[] = scenes.Images.toArray<float32>()

[<Tests>]
let tests =
    testList
        "Experiments.Session"
        [
            for experiment, preset, overrides in
                [
                    "constellations", "published", ofConstellations
                    "constellations", "routing", ofConstellations
                    "constellations", "variable", ofConstellations
                    "neural-em", "paper", ofShapes
                    "neural-em", "flying", ofShapes @ ofMotion
                    // Nothing else changes from step to step here, as the prior would.
                    "air",
                    "paper",
                    ofDigits
                    @ ofAir
                    @ [ "glimpse-hidden", "7"; "prior-start", "0"; "anneal-steps", "0"; "temperature-end", "1" ]
                ] do
                testCase $"each step has a batch of its own, always the same ({experiment}, {preset})"
                <| fun () ->
                    let session = session (task experiment preset overrides) (own train test)
                    let losses = [ 0; 1; 0 ] |> List.map (lossOf session)
                    losses[2] |> shouldEqual losses[0]
                    losses[1] |> shouldDiffer losses[0]

            for experiment, preset, overrides in
                [
                    "constellations", "published", ofConstellations
                    "constellations", "variable", ofConstellations
                    "ccae", "best", [ "batch-size", "4"; "validation-size", "4"; "test-size", "4" ]
                    "neural-em", "paper", ofShapes
                    "neural-em", "flying", ofShapes @ ofMotion
                    "air", "paper", ofDigits @ ofAir @ [ "glimpse-hidden", "7" ]
                    "scae", "quick", ofDigits @ ofCapsules
                    "tvae", "quick", ofDigits @ [ "capsules", "2"; "draws", "1"; "annealing", "0" ]
                ] do
                testCase $"training, validation and testing have streams of their own ({experiment}, {preset})"
                <| fun () ->
                    let keys = Keys.ofSeed 3L
                    let other = Keys.ofSeed 4L
                    let task = task experiment preset overrides

                    // What is measured of both splits; test scenes alone have probes, whose own scenes may be validation's.
                    let measured (keys: Keys) : float * Metrics * Metrics =
                        let session = task.Open (own train test) keys |> Trained.accepted
                        let validation = Trained.metrics session Validation
                        let names = validation |> List.map fst |> Set.ofList

                        lossOf session 0,
                        validation,
                        Trained.metrics session Test |> List.filter (fun (name, _) -> names.Contains name)

                    let loss, validation, tested = measured keys
                    let lossToo, validationToo, testedElsewhere = measured { keys with Test = other.Test }
                    (lossToo, validationToo) |> shouldEqual (loss, validation)
                    testedElsewhere |> shouldDiffer tested

                    let lossToo, validatedElsewhere, testedToo = measured { keys with Validation = other.Validation }
                    (lossToo, testedToo) |> shouldEqual (loss, tested)
                    validatedElsewhere |> shouldDiffer validation

                    let lossElsewhere, validationToo, testedToo = measured { keys with Train = other.Train }
                    (validationToo, testedToo) |> shouldEqual (validation, tested)
                    lossElsewhere |> shouldDiffer loss

            for experiment, preset, overrides in
                [
                    "constellations", "published", ofConstellations
                    "constellations", "learned", [ "validation-size", "4"; "test-size", "4"; "restarts", "2" ]
                    "constellations", "variable", ofConstellations
                    "ccae", "best", [ "validation-size", "4"; "test-size", "4" ]
                    "neural-em", "paper", ofShapes
                    "neural-em", "flying", ofShapes @ ofMotion
                    "air", "paper", ofDigits @ ofAir @ [ "glimpse-hidden", "7" ]
                    "tvae", "quick", ofDigits @ [ "capsules", "2"; "draws", "1"; "annealing", "0" ]
                ] do
                testCase $"a run without snapshots has pictures, too ({experiment}, {preset})"
                <| fun () ->
                    let session = session (task experiment preset overrides) (own train test)
                    let history: History = { Evaluations = []; Snapshots = [] }
                    let figures = (session.Inspect()).Figures history
                    figures |> shouldHaveSome

                    for figure in figures do
                        figure.Panels |> List.concat |> shouldHaveSome

                    (session.Animation history).IsNone |> shouldEqual true

            for name, (experiment, preset), overrides, ofTest, ofTrain in
                [
                    "scenes that are drawn once",
                    ("air", "published"),
                    ofDigits @ ofAir @ [ "train-size", "40" ],
                    [ "mse" ],
                    []
                    "scenes that are drawn anew",
                    ("air", "published"),
                    ofDigits @ ofAir @ [ "train-size", "0" ],
                    [ "mse" ],
                    []
                    "canvases", ("scae", "quick"), ofDigits @ ofCapsules, [ "mse"; "reconstruction" ], []
                    "sequences",
                    ("tvae", "quick"),
                    ofDigits @ [ "capsules", "2"; "draws", "1"; "annealing", "0" ],
                    [ "loss"; "roll_error"; "unseen_roll_error" ],
                    [ "equivariance_trained" ]
                    "flying digits",
                    ("neural-em", "flying-digits"),
                    ofDigits @ ofShapes @ ofMotion,
                    [ "loss"; "copy_surprise"; "surprise_3" ],
                    []
                ] do
                testCase $"test digits are for testing alone, and no others are tested ({name})"
                <| fun () ->
                    let task = task experiment preset overrides
                    let found = shown task train test
                    let tested, trained = shown task train otherTest, shown task otherTrain test
                    tested.Loss |> shouldEqual found.Loss
                    tested.Validation |> shouldEqual found.Validation
                    trained.Loss |> shouldDiffer found.Loss
                    trained.Validation |> shouldDiffer found.Validation

                    for name in ofTest do
                        (name, tested.Test[name]) |> shouldDiffer (name, found.Test[name])
                        (name, trained.Test[name]) |> shouldEqual (name, found.Test[name])

                    for name in ofTrain do
                        (name, tested.Test[name]) |> shouldEqual (name, found.Test[name])
                        (name, trained.Test[name]) |> shouldDiffer (name, found.Test[name])

            testCase "conditions show test digits, and classes are learned from training digits"
            <| fun () ->
                let settings, _ =
                    AirSettings.resolve
                        { AirSettings.published with
                            Digits = DigitSource.Idx
                            TrainSize = 0
                            ProbeSize = 8
                            ConditionsSize = 8
                            Training = { AirSettings.published.Training with ValidationSize = 8; TestSize = 8 }
                        }
                    |> Trained.accepted

                let scenes train test =
                    let data = AirExperiment.load settings (own train test) (Keys.ofSeed 3L) |> Trained.accepted

                    let conditions =
                        data.Conditions
                        // Other handwriting is of neither set.
                        |> List.filter (fun condition -> condition.Name <> "strokes")
                        |> List.map (fun condition -> condition.Name, pixels (condition.Sample 8))

                    conditions |> shouldHaveSome
                    conditions, pixels data.Probe.Value

                let conditions, probe = scenes train test
                let tested, sameProbe = scenes train otherTest
                let sameConditions, trained = scenes otherTrain test
                sameConditions |> shouldEqual conditions
                sameProbe |> shouldEqual probe
                trained |> shouldDiffer probe
                List.iter2 shouldDiffer conditions tested

            testCase "stacked capsules' viewpoints show test digits, and clusters are learned from training digits"
            <| fun () ->
                let settings =
                    { ScaeSettings.paper with
                        Digits = DigitSource.Idx
                        ProbeSize = 15
                        Training = { ScaeSettings.paper.Training with ValidationSize = 12; TestSize = 14 }
                    }

                // From 9 down, so that labels tell the digits.
                let test = { test with Labels = test.Labels |> Array.map (fun label -> 9uy - label) }
                let data = ScaeExperiment.load settings (own train test) (Keys.ofSeed 3L) |> Trained.accepted
                data.Train.Labels |> shouldEqual train.Labels[..47]
                data.Validation.Canvases.Labels |> shouldEqual train.Labels[48..]
                data.Probe.Value.Canvases.Labels |> shouldEqual train.Labels[..14]
                data.Test.Canvases.Labels |> shouldEqual test.Labels[..13]
                data.Viewpoints.Value.Canvases.Labels |> shouldEqual test.Labels[..13]
        ]

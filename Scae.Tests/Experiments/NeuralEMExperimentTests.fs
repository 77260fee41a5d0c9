module Scae.Tests.Experiments.NeuralEMExperimentTests

open FsUnit
open NUnit.Framework
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Figures
open Scae.Tensors

let private configure (overrides: (string * string) list) =
    let experiment = NeuralEMExperiment.experiment
    let preset = experiment.Specification.Presets |> List.find (fun preset -> preset.Name = "seed")
    experiment.Configure preset overrides

let private small = [ "train-size", "40"; "batch-size", "16"; "validation-size", "6"; "test-size", "5" ]

let private session (overrides: (string * string) list) (seed: int) =
    match configure (small @ overrides) with
    | Error message -> failwith message
    | Ok task ->
        match task.Open { DataFolder = None } (Keys.ofSeed seed) with
        | Ok session -> session
        | Error message -> failwith message

[<Test>]
let ``shapes that don't fit the canvas are refused in one line`` () =
    match configure [ "canvas", "8"; "largest", "5" ] with
    | Error message -> message |> should equal "--canvas 8: must be at least 11, for shapes of half-size 5"
    | Ok _ -> Assert.Fail "accepted"

[<Test>]
let ``sizes in the wrong order are refused in one line`` () =
    match configure [ "smallest", "5" ] with
    | Error message -> message |> should equal "--smallest 5: must be at most the largest, which is 4"
    | Ok _ -> Assert.Fail "accepted"

[<Test>]
let ``every preset can be trained and measured`` () =
    for preset in NeuralEMExperiment.experiment.Specification.Presets do
        let overrides = [ "validation-size", "2"; "test-size", "2"; "hidden", "8"; "batch-size", "2" ]

        match NeuralEMExperiment.experiment.Configure preset overrides with
        | Error message -> Assert.Fail message
        | Ok task ->
            match task.Open { DataFolder = None } (Keys.ofSeed 1) with
            | Error message -> Assert.Fail message
            | Ok session ->
                session.Fill 0
                let recording = session.Record()
                recording.Forward()
                recording.Reverse()

                for name, value in session.Evaluate Validation do
                    System.Double.IsFinite value |> should equal true
                    (name, task.Plan.BestBy.Metric) |> ignore

                session.Evaluate Validation |> List.map fst |> should contain task.Plan.BestBy.Metric

[<Test>]
let ``validation and test images differ, and both are the same each time`` () =
    let session = session [] 3
    session.Evaluate Validation |> should equal (session.Evaluate Validation)
    session.Evaluate Validation |> should not' (equal (session.Evaluate Test))

[<Test>]
let ``a perfect grouping scores 1 and one group nothing`` () =
    let shapes = Shapes.sample Shapes.published 20 (Key.OfSeed 1L)
    let perfect = NeuralEMData.agreement shapes shapes.Labels |> Map.ofList
    let single = NeuralEMData.agreement shapes (Array.zeroCreate shapes.Labels.Length) |> Map.ofList

    for measure in [ "nmi"; "ami"; "ari"; "ami_distinct"; "ami_max_distinct" ] do
        perfect[measure] |> should (equalWithin 1e-9) 1.0
        single[measure] |> should (equalWithin 1e-9) 0.0

[<Test>]
let ``random slots score about 0 adjusted for chance`` () =
    let shapes = Shapes.sample Shapes.published 200 (Key.OfSeed 1L)
    let slots = Array.zeroCreate<int> shapes.Labels.Length
    (Key.OfSeed 2L).FillIntegers(System.Span slots, 0, 3)
    let scores = NeuralEMData.agreement shapes slots |> Map.ofList
    scores["ami"] |> should (equalWithin 0.005) 0.0
    scores["ari"] |> should (equalWithin 0.005) 0.0
    scores["nmi"] |> should be (greaterThan 0.01)

[<Test>]
let ``shown iterations begin with the first and end with the last`` () =
    NeuralEMFigures.shownIterations 6 4 |> should equal [ 1; 2; 3; 4 ]
    NeuralEMFigures.shownIterations 6 15 |> should equal [ 1; 2; 3; 5; 9; 15 ]
    NeuralEMFigures.shownIterations 3 4 |> should equal [ 1; 2; 4 ]

[<Test>]
let ``figures and animation can be drawn from a history`` () =
    let session = session [] 2

    let history =
        {
            Evaluations = [ { Epoch = 1; Step = 32; TrainLoss = 2.0; Metrics = session.Evaluate Validation } ]
            Snapshots = [ session.Snapshot 0 ]
        }

    session.Figures history
    |> List.map _.Name
    |> should
        equal
        [
            "dataset-examples"
            "learning-curves"
            "grouping-curve"
            "slot-assignments"
            "slot-reconstructions"
        ]

    match session.Animation history with
    | Some animation -> animation.Frames.Length |> should equal 1
    | None -> Assert.Fail "no animation"

module Scae.Tests.Experiments.NeuralEMExperimentTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Training
open Scae.Core.Figures
open Scae.Tests.Training
open Scae.Tensors

let private configure (overrides: (string * string) list) =
    let experiment = NeuralEMExperiment.experiment
    let preset = experiment.Specification.Presets |> List.find (fun preset -> preset.Name = "published")
    experiment.Configure preset overrides

let private small = [ "train-size", "40"; "batch-size", "16"; "validation-size", "6"; "test-size", "5" ]

let private session (overrides: (string * string) list) (seed: int) =
    match configure (small @ overrides) with
    | Error message -> failwith message
    | Ok task ->
        match task.Open Resources.none (Keys.ofSeed seed) with
        | Ok session -> session
        | Error message -> failwith message

[<Tests>]
let tests =
    testList
        "Experiments.NeuralEMExperiment"
        [
            testCase "shapes that don't fit the canvas are refused in one line"
            <| fun () ->
                match configure [ "canvas", "8"; "largest", "5" ] with
                | Error message -> message |> shouldEqual "--canvas 8: must be at least 11, for shapes of half-size 5"
                | Ok _ -> failtest "accepted"

            testCase "sizes in the wrong order are refused in one line"
            <| fun () ->
                match configure [ "smallest", "5" ] with
                | Error message -> message |> shouldEqual "--smallest 5: must be at most the largest, which is 4"
                | Ok _ -> failtest "accepted"

            testCase "kinds are read by name, and a wrong one is named"
            <| fun () ->
                (Trained.accepted (configure [ "kinds", "square, disc" ])).Settings
                |> shouldContain ("kinds", "square,disc")

                match configure [ "kinds", "square,disk" ] with
                | Error message ->
                    message |> shouldStartWith "--kinds square,disk: must be some of square, disc, wide-triangle, "
                    message |> shouldEndWith ", separated by commas; did you mean disc?"
                | Ok _ -> failtest "a disk was accepted"

            testCase "several flipped images can't be one target"
            <| fun () ->
                match configure [ "flip-anew", "true" ] with
                | Error message ->
                    message
                    |> shouldEqual
                        "--flip-anew true: needs --flip-target false, since several flipped images can't be one target"
                | Ok _ -> failtest "accepted"

            testCase "every preset can be trained and measured"
            <| fun () ->
                for preset in NeuralEMExperiment.experiment.Specification.Presets do
                    let overrides = [ "validation-size", "2"; "test-size", "2"; "hidden", "8"; "batch-size", "2" ]

                    match NeuralEMExperiment.experiment.Configure preset overrides with
                    | Error message -> failtest message
                    | Ok task ->
                        match task.Open Resources.none (Keys.ofSeed 1) with
                        | Error message -> failtest message
                        | Ok session ->
                            let state = Trained.start task session |> Trained.until 1
                            state.Step |> shouldEqual 1
                            let metrics = Trained.metrics session Validation

                            for _, value in metrics do
                                System.Double.IsFinite value |> shouldEqual true

                            metrics |> List.map fst |> shouldContain task.Plan.BestBy.Metric

            testCase "validation and test images differ, and both are the same each time"
            <| fun () ->
                let session = session [] 3
                let again = Trained.metrics session Validation
                Trained.metrics session Validation |> shouldEqual again
                Trained.metrics session Validation |> shouldDiffer (Trained.metrics session Test)

            testCase "a perfect grouping scores 1 and one group nothing"
            <| fun () ->
                let shapes = Shapes.sample Shapes.published 20 (Key.OfSeed 1L)
                let perfect = NeuralEMMeasures.agreement shapes shapes.Labels |> Map.ofList
                let single = NeuralEMMeasures.agreement shapes (Array.zeroCreate shapes.Labels.Length) |> Map.ofList

                for measure in [ "nmi"; "ami"; "ari"; "ami_distinct"; "ami_max_distinct" ] do
                    perfect[measure] |> shouldBeNear 1e-9 1.0
                    single[measure] |> shouldBeNear 1e-9 0.0

            testCase "random slots score about 0 adjusted for chance"
            <| fun () ->
                let shapes = Shapes.sample Shapes.published 200 (Key.OfSeed 1L)
                let slots = Array.zeroCreate<int> shapes.Labels.Length
                (Key.OfSeed 2L).FillIntegers(System.Span slots, 0, 3)
                let scores = NeuralEMMeasures.agreement shapes slots |> Map.ofList
                scores["ami"] |> shouldBeNear 0.005 0.0
                scores["ari"] |> shouldBeNear 0.005 0.0
                scores["nmi"] |> shouldBeGreaterThan 0.01

            testCase "shown iterations begin with the first and end with the last"
            <| fun () ->
                NeuralEMFigures.shownIterations 6 4 |> shouldEqual [ 1; 2; 3; 4 ]
                NeuralEMFigures.shownIterations 6 15 |> shouldEqual [ 1; 2; 3; 5; 9; 15 ]
                NeuralEMFigures.shownIterations 3 4 |> shouldEqual [ 1; 2; 4 ]

            testCase "figures and animation can be drawn from a history"
            <| fun () ->
                let session = session [] 2

                let history =
                    {
                        Evaluations =
                            [
                                {
                                    Epoch = 1
                                    Step = 32
                                    TrainLoss = 2.0
                                    TrainTerms = []
                                    Metrics = Trained.metrics session Validation
                                }
                            ]
                        Snapshots = [ { Step = 0; Values = session.Learner.Snapshot() } ]
                    }

                (session.Inspect()).Figures history
                |> List.map _.Name
                |> shouldEqual
                    [
                        "dataset-examples"
                        "learning-curves"
                        "grouping-curve"
                        "slot-assignments"
                        "slot-reconstructions"
                    ]

                match session.Animation history with
                | Some animation -> animation.Frames.Length |> shouldEqual 1
                | None -> failtest "no animation"
        ]

/// Memory that a run will take, before it takes it.
module Scae.Tests.Experiments.NeedsTests

open Expecto
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Data

let private value (result: Result<'value, string>) =
    match result with
    | Ok value -> value
    | Error message -> failtest message

let private task name preset overrides =
    let experiment = value (Experiments.find name)
    value (Experiment.configure experiment (value (Experiments.preset (Some preset) experiment)) overrides)

let private refusalOf runs available name preset overrides =
    Needs.refusal available runs ((task name preset overrides).Needs()) |> Option.defaultValue "fits"

let private refusal available name preset overrides = refusalOf 1L available name preset overrides

let private bytes name preset overrides = (task name preset overrides).Needs() |> List.sumBy _.Bytes

[<Tests>]
let tests =
    testList
        "Experiments.Needs"
        [
            for name in [ "constellations"; "neural-em"; "air" ] do
                testCase $"the memory of a step of {name} is foretold from two small ones"
                <| fun () ->
                    let sizes = [ "validation-size", "8"; "test-size", "8"; "batch-size", "37" ]

                    let task =
                        task
                            name
                            "quick"
                            (if name = "air" then
                                 ("digits", "strokes") :: sizes
                             else
                                 sizes)

                    let session = value (Experiment.openSeed task TestDigits.resources 0L)
                    session.Learner.Fill 0
                    let step = Recording.Of(fun () -> Seq.singleton (session.Learner.Loss()).Total)
                    let need = task.Needs() |> List.find (fun need -> need.For = Hyperparameter("batch-size", 37))
                    need.Bytes / (2.0 * float step.Bytes) |> shouldBeIn (0.9, 1.1)

            testCase "of scenes that are made when they are looked at what is read counts, and nothing else"
            <| fun () ->
                let of' preset draws count =
                    bytes "tvae" preset [ "digits", "strokes"; "draws", draws; "validation-size", count ]

                let each preset draws = (of' preset draws "51000" - of' preset draws "1000") / 50_000.0
                // Of 18 frames 13 numbers of eight bytes; their inputs are 170 KB.
                each "quick" "10" |> shouldBeIn (1_872.0, 2_100.0)
                each "quick" "1000" |> shouldBeIn (144_000.0, 146_000.0)

                for size in [ "validation-size"; "test-size" ] do
                    refusal 16e9 "tvae" "quick" [ "digits", "strokes"; size, "2000000000" ]
                    |> shouldStartWith $"--{size} 2000000000: "

            testCase "what doesn't fit is refused with the hyperparameter to lower"
            <| fun () ->
                refusal 16e9 "constellations" "published" [] |> shouldEqual "fits"

                refusal 16e9 "constellations" "published" [ "test-size", "2000000000" ]
                |> shouldStartWith "--test-size 2000000000: "

                refusal 25e9 "constellations" "routing" [ "batch-size", "65536" ]
                |> shouldStartWith "--batch-size 65536: "

                refusal 16e9 "air" "paper" [ "probe-size", "2000000000" ]
                |> shouldStartWith "--probe-size 2000000000: "

                refusal 1e5 "neural-em" "published" [] |> shouldEndWith " for this, and 100 KB are free; lower it"

            testCase "a model whose parameters don't fit is refused with what makes it so large"
            <| fun () ->
                let large = [ "width", "512"; "batch-size", "2" ]
                refusal 16e9 "ccae" "quick" [] |> shouldEqual "fits"
                let refused = refusal 1e7 "ccae" "quick" large
                refused |> shouldContainText " parameters: the run needs about "
                refused |> shouldEndWith " are free; lower the sizes of layers"

            testCase "no whole number of a model's sizes is taken for granted"
            <| fun () ->
                for name, preset in
                    [
                        "ccae", "quick"
                        "scae", "quick"
                        "air", "quick"
                        "constellations", "routing"
                        "neural-em", "quick"
                    ] do
                    let experiment = value (Experiments.find name)
                    let preset = value (Experiments.preset (Some preset) experiment)
                    let counts = experiment.Settings preset |> List.filter (fun setting -> setting.Kind = "integer")
                    counts |> shouldHaveSome

                    for setting in counts do
                        match Experiment.configure experiment preset [ setting.Name, "2147483647" ] with
                        | Error message -> message |> shouldContainText "2147483647"
                        | Ok task ->
                            // What is allowed makes no layer larger, and the estimate stands.
                            let parameters (task: Task) =
                                task.Needs()
                                |> List.pick (fun need ->
                                    match need.For with
                                    | Parameters count -> Some count
                                    | Hyperparameter _ -> None)

                            let usual = value (Experiment.configure experiment preset [])
                            parameters task |> shouldEqual (parameters usual)

            testCase "runs at once need as much as all of them together"
            <| fun () ->
                let one = bytes "neural-em" "published" []
                refusalOf 1L (2.5 * one) "neural-em" "published" [] |> shouldEqual "fits"
                refusalOf 2L (2.5 * one) "neural-em" "published" [] |> shouldEqual "fits"

                let three = refusalOf 3L (2.5 * one) "neural-em" "published" []
                three |> shouldContainText ": 3 runs at once need about "
                three |> shouldEndWith " are free; lower it, or --threads to 2"
                refusalOf 3L (0.5 * one) "neural-em" "published" [] |> shouldEndWith " are free; lower it"

            testCase "what is read of the scenes counts, not their inputs alone"
            <| fun () ->
                let scenes count = bytes "air" "quick" [ "digits", "strokes"; "test-size", count ]

                // An image of 32² floats, and at least as much again.
                (scenes "51000" - scenes "1000") / 50_000.0 |> shouldBeIn (7_000.0, 20_000.0)

            testCase "every preset of every experiment has an estimate, and fits in 16 GB"
            <| fun () ->
                for experiment in Experiments.all do
                    for preset in experiment.Specification.Presets do
                        let needs = (value (Experiment.configure experiment preset [])).Needs()
                        needs |> List.sumBy _.Bytes |> shouldBeGreaterThan 1e4

                        match Needs.refusal 16e9 1L needs with
                        | None -> ()
                        | Some line -> failtest $"{experiment.Specification.Experiment}, {preset.Name}: {line}"
        ]

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

let private refusal available name preset overrides =
    Needs.refusal available ((task name preset overrides).Needs()) |> Option.defaultValue "fits"

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
                    let need = task.Needs() |> List.find (fun need -> need.Name = "batch-size")
                    need.Bytes / (2.0 * float step.Bytes) |> shouldBeIn (0.9, 1.1)

            testCase "scenes that are made when they are looked at take no memory"
            <| fun () ->
                let needs = (task "tvae" "quick" [ "digits", "strokes"; "test-size", "2000000000" ]).Needs()
                needs |> List.map _.Name |> shouldEqual [ "batch-size" ]

            testCase "what doesn't fit is refused with the hyperparameter to lower"
            <| fun () ->
                refusal 16e9 "constellations" "published" [] |> shouldEqual "fits"

                refusal 16e9 "constellations" "published" [ "test-size", "2000000000" ]
                |> shouldStartWith "--test-size 2000000000: "

                refusal 25e9 "constellations" "routing" [ "batch-size", "65536" ]
                |> shouldStartWith "--batch-size 65536: "

                refusal 16e9 "air" "paper" [ "probe-size", "2000000000" ]
                |> shouldStartWith "--probe-size 2000000000: "

                refusal 1e5 "neural-em" "published" [] |> shouldEndWith " for this, and there are 100 KB; lower it"
        ]

/// What words become, without a process.
module Scae.Tests.Commands.ArgumentsTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.CommandLine

let private train (words: string list) : TrainOptions =
    match Arguments.parse (Array.ofList ("train" :: words)) with
    | Ok(Command.Train options) -> options
    | other -> failwith $"wanted a training, got {other}"

let private sweep (words: string list) : SweepOptions =
    match Arguments.parse (Array.ofList ("sweep" :: words)) with
    | Ok(Command.Sweep options) -> options
    | other -> failwith $"wanted a sweep, got {other}"

let private refusal (words: string list) : string =
    match Arguments.parse (Array.ofList words) with
    | Error line -> line
    | Ok command -> failwith $"wanted an error, got {command}"

[<Tests>]
let tests =
    testList
        "Commands.Arguments"
        [
            testCase "a value stands behind its option or behind an equals sign"
            <| fun () ->
                let spaced =
                    train
                        [ "constellations"; "--seed"; "3"; "--out"; "o=p"; "--epochs"; "7"; "--learning-rate"; "1e-3" ]

                let joined = train [ "--learning-rate=1e-3"; "--seed=3"; "constellations"; "--out=o=p"; "--epochs=7" ]

                for options in [ spaced; joined ] do
                    (options.Experiment |> Option.map _.Specification.Experiment) |> shouldEqual (Some "constellations")
                    (options.Seed, options.Out) |> shouldEqual (Some 3L, Some "o=p")
                    options.Overrides |> List.sort |> shouldEqual [ "epochs", "7"; "learning-rate", "1e-3" ]

            testCase "an experiment's name as an option's value is no experiment"
            <| fun () ->
                let options = train [ "--out"; "air"; "constellations"; "--width"; "8" ]
                (options.Experiment |> Option.map _.Specification.Experiment) |> shouldEqual (Some "constellations")
                options.Out |> shouldEqual (Some "air")

            testCase "seeds have 64 bits and may be negative"
            <| fun () ->
                for seed in [ 9007199254740993L; System.Int64.MaxValue; System.Int64.MinValue; -1L ] do
                    (train [ "air"; "--seed"; string seed ]).Seed |> shouldEqual (Some seed)

            testCase "a run's folder alone is enough to go on, and whatever else is said is kept apart"
            <| fun () ->
                let options = train [ "--resume"; "--out"; "o"; "--epochs"; "60" ]
                (options.Experiment.IsNone, options.Preset.IsNone, options.Seed) |> shouldEqual (true, true, None)
                options.Overrides |> shouldEqual [ "epochs", "60" ]

            testCase "a range of seeds is not a list, however long"
            <| fun () ->
                let seeds = (sweep [ "neural-em"; "--seeds"; "5..99999999" ]).Seeds
                seeds.Count |> shouldEqual 99999995L
                seeds.Values |> Seq.truncate 2 |> List.ofSeq |> shouldEqual [ 5L; 6L ]
                (sweep [ "neural-em"; "--seeds=4" ]).Seeds |> shouldEqual { First = 4L; Last = 4L }

            testCase "the values of several axes need fit only together"
            <| fun () ->
                let words = [ "constellations"; "--preset"; "routing"; "--vary"; "width=48,96"; "--vary"; "heads=3,6" ]
                (sweep words).Vary |> shouldHaveLength 2

            testCase "without an experiment, those are meant that have the preset"
            <| fun () ->
                match Arguments.parse [| "bench"; "--preset"; "paper" |] with
                | Ok(Command.Bench options) ->
                    options.Experiments
                    |> List.map _.Specification.Experiment
                    |> shouldEqual [ "neural-em"; "air"; "scae"; "ccae" ]
                | other -> failwith $"wanted a benchmark, got {other}"

            for words, expected in
                [
                    [ "train"; "air"; "--seed"; "9223372036854775808" ],
                    "--seed 9223372036854775808: must be a whole number of at most 64 bits"
                    [ "train"; "air"; "--seed"; "1.5" ], "--seed 1.5: must be a whole number of at most 64 bits"
                    [ "train"; "air"; "--seed"; "1"; "--seed"; "2" ], "--seed is given twice"
                    [ "train"; "air"; "--out" ], "--out: needs a value"
                    [ "train"; "air"; "--out"; "--quiet" ], "--out: needs a value"
                    [ "train"; "air"; "--fast" ], "scae train has no option --fast; scae train --help lists them"
                    [ "train"; "air"; "--fast"; "3" ],
                    "scae train has no option --fast; scae train air --help lists them"
                    [ "train"; "air"; "strokes" ],
                    "scae train: strokes is one word too many; scae train --help tells what fits"
                    [ "eval"; "a"; "b" ], "scae eval: b is one word too many; scae eval --help tells what fits"
                    [ "eval"; "a"; "-x" ], "scae eval has no option -x; scae eval --help lists them"
                    [ "list"; "air"; "scae" ], "scae list: scae is one word too many; scae list --help tells what fits"
                    [ "list"; "--jsn" ], "scae list has no option --jsn; did you mean --json?"
                    [ "bench"; "--threads=many" ], "--threads many: must be a whole number from 1 to 1024"
                    [ "bench"; "--steps=0" ], "--steps 0: must be a whole number of at least 1"
                    [ "bench"; "air"; "--data="; "--json" ], "scae bench: an empty name is no folder"
                    [ "sweep"; "air"; "--seeds"; "0..4294967295" ],
                    "--seeds 0..4294967295: must be at most 2147483647 seeds"
                    [ "sweep"; "air"; "--seeds"; "-9223372036854775808..9223372036854775807" ],
                    "--seeds -9223372036854775808..9223372036854775807: must be at most 2147483647 seeds"
                    [ "sweep"; "air"; "--vary"; "learning-rate=0.001,0.1,1e-3" ],
                    "--vary learning-rate: 0.001 and 1e-3 are the same"
                    [ "bench"; "--preset"; "papr" ], "no experiment has a preset papr; did you mean paper?"
                    [ "sweep"; "air"; "--seeds"; "0.." ],
                    "--seeds 0..: must be first..last with first ≤ last, such as 0..4"
                ] do
                let given = String.concat " " words

                testCase $"what makes no sense is said in one line ({given})"
                <| fun () -> refusal words |> shouldEqual expected
        ]

module Scae.Tests.Commands.VerifyTests

open System.IO
open Scae.Tests.Claims
open Expecto
open Scae.Tests.Turns
open Scae.Tests.Commands.CommandLine

[<Tests>]
let tests =
    inTurn
        "Commands.Verify"
        [
            testCase "verify trains the targets' seeds and fails where a target is missed"
            <| fun () ->
                inNewFolder (fun folder ->
                    let verify =
                        [ "verify"; "neural-em"; "--preset"; "published"; "--epochs"; "1"; "--steps-per-epoch"; "1" ]
                        @ [ "--validation-size"; "4"; "--test-size"; "4"; "--out"; folder ]

                    let result = run (verify @ [ "--json" ])
                    result.ExitCode |> shouldEqual 1
                    result.Error |> shouldEqual ""
                    let check = (json result.Output)[0]
                    string ((check |> property "metric").GetString()) |> shouldEqual "best_nmi"
                    (check |> property "holds").GetBoolean() |> shouldEqual false

                    let values =
                        [
                            for seed in 0..4 ->
                                let summary =
                                    File.ReadAllText(
                                        Path.Combine(folder, "neural-em-published", $"seed-{seed}", "summary.json")
                                    )

                                (json summary |> property "metrics" |> property "best_nmi").GetDouble()
                        ]

                    let mean = List.average values
                    let deviation = sqrt ((values |> List.sumBy (fun value -> (value - mean) ** 2.0)) / 4.0)
                    (check |> property "measured").GetDouble() |> shouldBeNear 1e-9 mean
                    (check |> property "deviation").GetDouble() |> shouldBeNear 1e-9 deviation

                    let table = run verify
                    table.ExitCode |> shouldEqual 1
                    table.Output |> shouldContainText $"{mean:F4} ± {deviation:F4}"
                    table.Error |> shouldContainText "neural-em-published: 5 of 5 runs were finished before"

                    // It passes where the mean reaches the target, though the first seed and another don't.
                    for seed, value in List.indexed [ 0.35; 0.44; 0.44; 0.37; 0.45 ] do
                        let path = Path.Combine(folder, "neural-em-published", $"seed-{seed}", "summary.json")

                        let reaching =
                            System.Text.RegularExpressions.Regex.Replace(
                                File.ReadAllText path,
                                "\"best_nmi\": [^,{\n]+",
                                $"\"best_nmi\": {value}"
                            )

                        File.WriteAllText(path, reaching)

                    let reached = run (verify @ [ "--json" ])
                    reached.ExitCode |> shouldEqual 0
                    ((json reached.Output)[0] |> property "holds").GetBoolean() |> shouldEqual true)

            testCase "targets of MNIST aren't checked on digits that stand in for it"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "out")
                    let words = [ "verify"; "air"; "--preset"; "published"; "--data"; folder; "--out"; out ]
                    let result = run (words @ [ "--epochs"; "1"; "--steps-per-epoch"; "1" ])
                    result.ExitCode |> shouldEqual 1
                    result.Error |> shouldContainText $"MNIST"
                    result.Error |> shouldContainText $"isn't in {folder}"
                    filesOf folder |> List.filter (fun file -> file.EndsWith "summary.json") |> shouldBeEmpty)

            testCase "verify refuses what would check nothing or stand in the way of honest runs"
            <| fun () ->
                let refused arguments (expected: string) =
                    let result = run ("verify" :: arguments)
                    result.Error.TrimEnd() |> shouldEqual expected
                    result.Output |> shouldEqual ""
                    result.ExitCode |> shouldEqual 2

                refused
                    [ "constellations"; "--preset"; "quick" ]
                    "scae: --preset quick: no target speaks of it; constellations has targets of published, routing, five, variable, beyond, five-beyond"

                refused
                    [ "constellations"; "--epochs"; "1" ]
                    "scae verify --epochs 1: targets speak of the presets as they are; to measure another program all the same, say with --out where its runs go"

                // flying has another model. That is said before anything is trained.
                inNewFolder (fun folder ->
                    let early = run [ "verify"; "neural-em"; "--iterations"; "6"; "--out"; folder ]
                    early.ExitCode |> shouldEqual 2

                    early.Error
                    |> shouldStartWith "scae: preset flying: there is no hyperparameter --iterations; there are: "

                    filesOf folder |> shouldBeEmpty)

            testCase "a training that fails leaves the targets of the others to be seen"
            <| fun () ->
                inNewFolder (fun folder ->
                    // A huge step soon gives NaN.
                    let words =
                        [
                            "verify"
                            "constellations"
                            "--preset"
                            "five"
                            "--learning-rate"
                            "1e30"
                            "--out"
                            folder
                            "--json"
                        ]

                    let result = run (words @ [ "--epochs"; "1"; "--steps-per-epoch"; "20"; "--test-size"; "20" ])
                    result.ExitCode |> shouldEqual 1
                    result.Error |> shouldContainText "trainings of constellations, five, failed"
                    result.Error |> shouldContainText "targets without a figure weren't measured"
                    let checks = List.ofSeq ((json result.Output).EnumerateArray())
                    checks |> shouldHaveLength 2

                    for check in checks do
                        (check |> property "measured").ValueKind |> shouldEqual System.Text.Json.JsonValueKind.Null
                        (check |> property "holds").GetBoolean() |> shouldEqual false)
        ]

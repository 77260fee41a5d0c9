module Scae.Tests.Experiments.ComparisonTests

open Expecto
open Scae.Core.Experiments
open Scae.Core.Figures
open Scae.Tests.Claims

let private metric (name: string) (mean: float) (deviation: float) : ComparedMetric =
    { Metric = name; Mean = mean; Deviation = deviation }

let private preset (name: string) (error: float) : ComparedPreset =
    {
        Preset = name
        Metrics =
            [
                metric "error" error nan
                metric "error_prior" 900.0 nan
                metric "error_chance" 13_270.0 nan
                metric "likelihood" -190.25 1.5
                metric "best_loss" 0.012345 nan
            ]
    }

let private table: PresetTable =
    {
        Title = "Table 1"
        Presets = [ "b"; "missing"; "a" ]
        Metrics = [ "likelihood"; "error"; "unknown" ]
        Plot =
            Some
                {
                    X = "error"
                    Y = "likelihood"
                    Levels = [ "error_prior" ]
                    Chance = Some "error_chance"
                }
    }

let private specification: Specification =
    { TvaeExperiment.experiment.Specification with
        Title = "Five models"
        Tables = [ table ]
    }

let private presets = [ preset "a" 2000.0; preset "b" 1000.0; preset "c" 3000.0 ]

let private chosen (text: string) =
    Comparison.choose TvaeExperiment.experiment text |> Result.map (List.map _.Name)

[<Tests>]
let tests =
    testList
        "Experiments.Comparison"
        [
            testCase
                "tables have the presets that are there; others have the metric that chooses their epochs, and those of their targets"
            <| fun () ->
                match Comparison.tables specification [ "best_loss" ] presets with
                | [ first; others ] ->
                    first.Presets |> shouldEqual [ "b"; "a" ]
                    (others.Title, others.Presets, others.Metrics) |> shouldEqual ("Others", [ "c" ], [ "best_loss" ])
                | tables -> failtest $"%A{tables}"

                let target (preset: string) (metric: string) =
                    {
                        Preset = preset
                        Metric = metric
                        Seeds = 1
                        AtLeast = Some 1.0
                        AtMost = None
                        Note = ""
                    }

                let targets = [ target "c" "accuracy"; target "a" "recall"; target "c" "best_loss" ]

                match Comparison.tables { specification with Targets = targets } [ "best_loss" ] presets with
                | [ _; others ] -> others.Metrics |> shouldEqual [ "best_loss"; "accuracy" ]
                | tables -> failtest $"%A{tables}"

                match Comparison.tables { specification with Tables = [] } [ "best_loss" ] presets with
                | [ only ] -> (only.Title, only.Presets) |> shouldEqual ("Five models", [ "a"; "b"; "c" ])
                | tables -> failtest $"%A{tables}"

            testCase "a cell has four digits that count, its deviation where there is one, and a dash for nothing"
            <| fun () ->
                let tables = Comparison.tables specification [ "best_loss" ] presets

                Comparison.cells (fun _ -> false) tables[0] presets
                |> shouldEqual [ "b", [ "-190.2 ± 1.5"; "1000"; "–" ]; "a", [ "-190.2 ± 1.5"; "2000"; "–" ] ]

                Comparison.cells (fun _ -> false) tables[1] presets |> shouldEqual [ "c", [ "0.0123" ] ]

                // Residuals of learned templates are as small as this.
                let small = { preset "c" 3000.0 with Metrics = [ metric "best_loss" 5.09e-6 nan ] }

                Comparison.cells (fun _ -> false) tables[1] [ small ] |> shouldEqual [ "c", [ "5.09e-06" ] ]

                // The deviation has the decimals of the mean, or the mean as many as the deviation needs.
                let spread (mean: float) (deviation: float) =
                    [ { preset "c" 3000.0 with Metrics = [ metric "best_loss" mean deviation ] } ]
                    |> Comparison.cells (fun _ -> false) tables[1]
                    |> List.collect snd

                [
                    spread 1092.38 7.1
                    spread -195.13 4.3
                    spread 0.0141 0.0005
                    spread 0.0141 0.00002
                    spread 0.0 0.25
                    spread 2e-5 3e-6
                    spread 3.0 0.0
                ]
                |> List.concat
                |> shouldEqual
                    [
                        "1092 ± 7"
                        "-195.1 ± 4.3"
                        "0.0141 ± 0.0005"
                        "0.01410 ± 0.00002"
                        "0.000 ± 0.250"
                        "(2.00 ± 0.30)e-05"
                        "3.000 ± 0.000"
                    ]

                let fraction (deviation: float) =
                    [ { preset "c" 3000.0 with Metrics = [ metric "best_loss" 0.7214 deviation ] } ]
                    |> Comparison.cells ((=) "best_loss") tables[1]

                fraction nan |> shouldEqual [ "c", [ "72.1 %" ] ]
                fraction 0.0123 |> shouldEqual [ "c", [ "72.1 ± 1.2 %" ] ]
                fraction 0.0002 |> shouldEqual [ "c", [ "72.14 ± 0.02 %" ] ]

                (Comparison.markdown (fun _ -> false) tables[0] presets).Split '\n'
                |> Array.truncate 5
                |> shouldEqual
                    [|
                        "Table 1"
                        ""
                        "| preset | likelihood | error | unknown |"
                        "| --- | ---: | ---: | ---: |"
                        "| b | -190.2 ± 1.5 | 1000 | – |"
                    |]

            testCase "a table's picture shows chance, each preset, and its levels"
            <| fun () ->
                let tables = Comparison.tables specification [ "best_loss" ] presets

                match Comparison.figure specification tables presets with
                | None -> failtest "no picture"
                | Some figure ->
                    let marks = figure.Panels |> List.concat |> List.collect _.Marks

                    marks
                    |> List.choose (fun mark ->
                        match mark with
                        | Mark.Scatter points -> Some(points.Label, points.X[0])
                        | _ -> None)
                    // Discs above the crosses.
                    |> shouldEqual [ "", 900.0; "b", 1000.0; "", 900.0; "a", 2000.0 ]

                    marks
                    |> List.choose (fun mark ->
                        match mark with
                        | Mark.Rule rule -> Some rule.At
                        | _ -> None)
                    |> shouldEqual [ 13_270.0 ]

                    // One seed of the error, several of the likelihood.
                    figure.Note |> shouldEqual "Discs: means over seeds, or single trainings. Crosses: error prior."

                Comparison.figure specification [ { table with Plot = None } ] presets |> shouldEqual None

            testCase "all stands for every preset but quick; what isn't there is refused in one line"
            <| fun () ->
                chosen "all" |> Result.map List.length |> shouldEqual (Ok 16)
                chosen "nontvae-mnist, quick" |> shouldEqual (Ok [ "nontvae-mnist"; "quick" ])
                chosen "quick,quick" |> shouldEqual (Error "--presets quick,quick: names must differ")

                match chosen "quick,nontvae-mnits" with
                | Error message -> message |> shouldContainText "nontvae-mnits"
                | Ok _ -> failtest "accepted"

            testCase "tables name presets of their experiment, each in one table"
            <| fun () ->
                for experiment in Experiments.all do
                    let known = experiment.Specification.Presets |> List.map _.Name
                    let named = experiment.Specification.Tables |> List.collect _.Presets
                    named |> List.except known |> shouldBeEmpty
                    List.distinct named |> shouldEqual named
        ]

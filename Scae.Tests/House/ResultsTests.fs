/// Each paper's results.csv: a row a seed, from which its page's means follow.
module Scae.Tests.House.ResultsTests

open System
open System.Globalization
open System.IO
open System.Text.RegularExpressions
open Scae.Tests
open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments

type private ResultRow =
    {
        Experiment: string
        Preset: string
        Seed: int
        Metric: string
        Value: float
        Command: string
    }

let private header = "experiment,preset,seed,metric,value,command"

/// A row; the command, the last field, is quoted. The error is one line.
let private parse (line: string) : Result<ResultRow, string> =
    match line.Split([| ',' |], 6) with
    | [| experiment; preset; seed; metric; value; command |] when
        command.Length > 2 && command[0] = '"' && command.EndsWith '"'
        ->
        match Int32.TryParse seed, Double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | (true, seed), (true, value) when Double.IsFinite value ->
            Ok
                {
                    Experiment = experiment
                    Preset = preset
                    Seed = seed
                    Metric = metric
                    Value = value
                    Command = command.Trim '"'
                }
        | _ -> Error $"no seed or value: {line}"
    | _ -> Error $"not six fields: {line}"

let private rows (experiment: string) : ResultRow list =
    let lines = File.ReadAllLines(Path.Combine(Expectation.root, "paper-specs", experiment, "results.csv"))
    lines[0] |> shouldEqual header

    [
        for line in Array.tail lines ->
            match parse line with
            | Ok row -> row
            | Error message -> failtest message
    ]

/// The command without its seed.
let private settings (row: ResultRow) : string = Regex.Replace(row.Command, @" --seed -?\d+", "")

let private files =
    Experiments.all
    |> List.map (fun e -> e, e.Specification.Experiment)
    |> List.filter (fun (_, name) -> File.Exists(Path.Combine(Expectation.root, "paper-specs", name, "results.csv")))

/// Mean ± standard deviation (n − 1) as pages write them: in percent, or as numbers of three or two digits.
let private spellings (values: float list) : string list =
    let mean = List.average values
    let squares = values |> List.sumBy (fun value -> (value - mean) ** 2.0)
    let deviation = sqrt (squares / float (values.Length - 1))

    [
        for factor, format in [ 100.0, "F1"; 1.0, "F3"; 1.0, "F2" ] do
            let text (value: float) = (factor * value).ToString(format, CultureInfo.InvariantCulture)
            $"{text mean} ± {text deviation}"
    ]

[<Tests>]
let tests =
    testList
        "House.Results"
        [
            testCase "the results of some paper are there"
            <| fun () -> files |> List.map snd |> shouldContain "constellations"

            for experiment, name in files do
                testCase
                    $"every row speaks of a preset of its experiment, once, and of a command that names both ({name})"
                <| fun () ->
                    let rows = rows name
                    rows |> List.isEmpty |> shouldEqual false
                    let presets = experiment.Specification.Presets |> List.map _.Name

                    for row in rows do
                        row.Experiment |> shouldEqual name
                        presets |> shouldContain row.Preset
                        row.Command |> shouldStartWith "scae "

                    rows
                    |> List.countBy (fun row -> row.Preset, row.Seed, row.Metric, row.Command)
                    |> List.filter (fun (_, count) -> count > 1)
                    |> shouldEqual List.empty<(string * int * string * string) * int>

                testCase $"means over seeds are those that the page states ({name})"
                <| fun () ->
                    let page =
                        File
                            .ReadAllText(Path.Combine(Expectation.root, "paper-specs", name, "README.md"))
                            .Replace('−', '-')

                    let alike = rows name |> List.groupBy (fun row -> row.Preset, row.Metric, settings row)

                    for (preset, metric, _), group in alike do
                        if group.Length > 1 then
                            let spellings = spellings (group |> List.map _.Value)

                            if not (spellings |> List.exists page.Contains) then
                                let stated = String.Join(" or ", spellings)

                                failtest
                                    $"{name}: {preset} {metric} is {stated} over {group.Length} seeds, which the page doesn't say"

                testCase $"means over as many seeds as a target wants reach it, or the page states the target ({name})"
                <| fun () ->
                    let page = File.ReadAllText(Path.Combine(Expectation.root, "paper-specs", name, "README.md"))

                    for target in experiment.Specification.Targets do
                        // A preset with other hyperparameters is another program.
                        let alike =
                            rows name
                            |> List.filter (fun row -> row.Preset = target.Preset && row.Metric = target.Metric)
                            |> List.groupBy settings
                            |> List.map (snd >> List.map _.Value)
                            |> List.filter (fun values -> values.Length >= target.Seeds)

                        for mean in List.map List.average alike do
                            mean |> shouldBeAtMost (defaultArg target.AtMost infinity)

                            match target.AtLeast with
                            | Some least when mean < least ->
                                let percent = (100.0 * least).ToString("0.##", CultureInfo.InvariantCulture)
                                page |> shouldContainText $"| {percent} %% |"
                            | _ -> ()

                testCase $"how many seeds reach a target by themselves is on the page ({name})"
                <| fun () ->
                    let page = File.ReadAllText(Path.Combine(Expectation.root, "paper-specs", name, "README.md"))

                    for target in experiment.Specification.Targets do
                        let most =
                            rows name
                            |> List.filter (fun row -> row.Preset = target.Preset && row.Metric = target.Metric)
                            |> List.groupBy settings
                            |> List.map (snd >> List.map _.Value)
                            |> List.sortByDescending List.length
                            |> List.tryHead

                        match most with
                        | Some values when values.Length > 1 ->
                            let reaching =
                                values
                                |> List.filter (fun value ->
                                    value >= defaultArg target.AtLeast -infinity
                                    && value <= defaultArg target.AtMost infinity)

                            let row =
                                page.Split '\n'
                                |> Array.filter _.StartsWith($"| `{target.Preset}` | `{target.Metric}` | ")

                            row |> shouldHaveLength 1
                            row[0] |> shouldContainText $" | {reaching.Length} of {values.Length} |"
                        | _ -> ()

            for line in [ "a,b,0,m,0.5"; "a,b,zero,m,0.5,\"scae\""; "a,b,0,m,NaN,\"scae\""; "a,b,0,m,0.5,scae" ] do
                testCase $"a row that is damaged is told from one that isn't ({line})"
                <| fun () ->
                    Result.isError (parse line) |> shouldEqual true
                    Result.isOk (parse "a,b,0,m,0.5,\"scae train\"") |> shouldEqual true
        ]

namespace Scae.Core.Experiments

open System
open System.Globalization
open Scae.Core.Configuration
open Scae.Core.Figures

/// A metric over seeds: its mean and standard deviation. The deviation is NaN for a single seed, and
/// both are where a seed doesn't have the metric.
type ComparedMetric = { Metric: string; Mean: float; Deviation: float }

/// The metrics of a preset.
type ComparedPreset = { Preset: string; Metrics: ComparedMetric list }

/// Presets side by side: tables, and a picture of two metrics of which one alone says little.
[<RequireQualifiedAccess>]
module Comparison =
    /// The presets that a text such as a,b names; "all" stands for every preset but quick. The error is one line.
    let choose (experiment: Experiment) (text: string) : Result<Preset list, string> =
        let presets = experiment.Specification.Presets

        let names =
            match text with
            | "all" -> presets |> List.map _.Name |> List.filter ((<>) "quick")
            | text -> text.Split ',' |> List.ofArray |> List.map _.Trim()

        if List.distinct names <> names then
            Error $"--presets {text}: names must differ"
        else
            names |> Result.traverse (fun name -> Experiments.preset (Some name) experiment)

    /// The tables of a specification, with those of their presets that are given. Presets that are in no table get a last one,
    /// with the metrics by which their best epochs are chosen and those of which their targets speak.
    let tables
        (specification: Specification)
        (chosenBy: string list)
        (presets: ComparedPreset list)
        : PresetTable list =
        let names = presets |> List.map _.Preset

        let tables =
            [
                for table in specification.Tables ->
                    { table with
                        Presets = table.Presets |> List.filter (fun name -> List.contains name names)
                    }
            ]
            |> List.filter (fun table -> not table.Presets.IsEmpty)

        match names |> List.except (tables |> List.collect _.Presets) with
        | [] -> tables
        | others ->
            let targets =
                specification.Targets
                |> List.filter (fun target -> List.contains target.Preset others)
                |> List.map _.Metric

            let title = if tables.IsEmpty then specification.Title else "Others"
            let metrics = List.distinct (chosenBy @ targets)
            tables @ [ { Title = title; Presets = others; Metrics = metrics; Plot = None } ]

    let private metric (name: string) (preset: ComparedPreset) : ComparedMetric option =
        preset.Metrics |> List.tryFind (fun metric -> metric.Metric = name)

    let private rows (table: PresetTable) (presets: ComparedPreset list) : ComparedPreset list =
        table.Presets |> List.map (fun name -> presets |> List.find (fun preset -> preset.Preset = name))

    let private power (value: float) : int = int (floor (log10 (abs value)))

    // As many decimals as show a deviation's first digit.
    let private decimalsOf (deviation: float) : int =
        if deviation > 0.0 then
            Math.Clamp(-(power deviation), 0, 8)
        else
            0

    // Four significant digits, and whole numbers from a thousand on.
    let private decimals (value: float) : int = if value = 0.0 then 3 else Math.Clamp(3 - power value, 0, 4)

    let private text (decimals: int) (value: float) : string =
        value.ToString($"F{decimals}", CultureInfo.InvariantCulture)

    // A mean, and its deviation where there are several seeds, with the same decimals. Below 0.001 decimals would be mostly zeros.
    let private spread (isFraction: bool) (metric: ComparedMetric) : string =
        let { Mean = mean; Deviation = deviation } = metric
        let isSingle = Double.IsNaN deviation
        let largest = if isSingle then abs mean else max (abs mean) deviation
        let isSmall = largest > 0.0 && largest < 0.001

        let pair (decimals: int) (unit: float) =
            let decimals = max decimals (decimalsOf (unit * deviation))
            $"{text decimals (unit * mean)} ± {text decimals (unit * deviation)}"

        match isFraction, isSingle, isSmall with
        | true, true, _ -> text 1 (100.0 * mean) + " %"
        | true, false, _ -> pair 1 100.0 + " %"
        | false, true, true -> mean.ToString("0.00e-00", CultureInfo.InvariantCulture)
        | false, true, false -> text (decimals mean) mean
        | false, false, true ->
            let power = power largest
            $"({pair 2 (Math.Pow(10.0, float -power))})e%03d{power}"
        | false, false, false -> pair (decimals mean) 1.0

    /// A table's cells: a row for each preset, and in it a cell for each metric, – where the preset doesn't have it. Metrics that
    /// are fractions of one are in percent.
    let cells
        (isFraction: string -> bool)
        (table: PresetTable)
        (presets: ComparedPreset list)
        : (string * string list) list =
        [
            for preset in rows table presets ->
                preset.Preset,
                [
                    for name in table.Metrics ->
                        match metric name preset with
                        | Some found when Double.IsFinite found.Mean -> spread (isFraction name) found
                        | _ -> "–"
                ]
        ]

    /// A table in Markdown, with its title above it. Metrics that are fractions of one are in percent.
    let markdown (isFraction: string -> bool) (table: PresetTable) (presets: ComparedPreset list) : string =
        let row cells = "| " + String.concat " | " cells + " |\n"

        $"{table.Title}\n\n"
        + row ("preset" :: (table.Metrics |> List.map _.Replace('_', ' ')))
        + row ("---" :: (table.Metrics |> List.map (fun _ -> "---:")))
        + String.concat "" [ for name, cells in cells isFraction table presets -> row (name :: cells) ]

    let private mean (name: string) (preset: ComparedPreset) : float =
        metric name preset |> Option.map _.Mean |> Option.defaultValue nan

    let private panel (plot: PresetPlot) (table: PresetTable) (presets: ComparedPreset list) : Panel =
        let draw (i: int, preset: ComparedPreset) =
            let colour = Palette.category i
            let x, y = mean plot.X preset, mean plot.Y preset

            // The disc is drawn last, so that it lies above a level that is close: its colour alone tells which preset it is.
            Panel.each plot.Levels (fun level ->
                let at = mean level preset

                Panel.line "" (Colour.withOpacity 0.5 colour) [| at; x |] [| y; y |]
                >> Panel.points "" Marker.Cross 12.0 Colour.black [| at |] [| y |])
            >> Panel.points preset.Preset Marker.Circle 9.0 colour [| x |] [| y |]

        let whole = rows table presets
        let name (metric: string) = metric.Replace('_', ' ')

        let chance =
            match plot.Chance with
            | Some chance -> whole |> List.map (mean chance) |> List.filter Double.IsFinite |> List.truncate 1
            | None -> []

        Panel.create table.Title
        |> Panel.axes (name plot.X) (name plot.Y)
        |> Panel.each chance (Panel.vertical "chance" Colour.grey)
        |> Panel.each (List.indexed whole) draw

    /// The tables that have a picture, side by side: a disc for each preset and crosses at its levels.
    let figure
        (specification: Specification)
        (tables: PresetTable list)
        (presets: ComparedPreset list)
        : Figure option =
        match tables |> List.choose (fun table -> table.Plot |> Option.map (fun plot -> plot, table)) with
        | [] -> None
        | plots ->
            let levels =
                plots
                |> List.collect (fun (plot, _) -> plot.Levels)
                |> List.distinct
                |> List.map _.Replace('_', ' ')

            let isSingle =
                [
                    for plot, table in plots do
                        for preset in rows table presets do
                            let drawn = [ plot.X; plot.Y ] |> List.choose (fun name -> metric name preset)

                            if drawn |> List.forall (fun found -> Double.IsFinite found.Mean) then
                                for found in drawn -> Double.IsNaN found.Deviation
                ]

            let discs =
                if List.forall id isSingle then
                    "single trainings"
                elif List.exists id isSingle then
                    "means over seeds, or single trainings"
                else
                    "means over seeds"

            let crosses =
                if levels.IsEmpty then
                    ""
                else
                    $""" Crosses: {String.concat ", " levels}."""

            let note = $"Discs: {discs}.{crosses}"

            Figure.create "comparison" specification.Title [ [ for plot, table in plots -> panel plot table presets ] ]
            |> Figure.panelSize 560.0 520.0
            |> Figure.note note
            |> Some

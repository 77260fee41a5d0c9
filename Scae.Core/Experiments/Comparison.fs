namespace Scae.Core.Experiments

open System
open System.Globalization
open Scae.Core.Configuration
open Scae.Core.Figures

/// A metric over seeds: its mean and standard deviation, which is 0 for one seed.
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

    // Four significant digits, and whole numbers from a thousand on.
    let private number (value: float) : string =
        let format =
            if value = 0.0 then
                "F3"
            // Four decimals would be mostly zeros.
            elif abs value < 0.001 then
                "0.00e-00"
            else
                $"F{Math.Clamp(3 - int (floor (log10 (abs value))), 0, 4)}"

        value.ToString(format, CultureInfo.InvariantCulture)

    let private percent (value: float) : string = (100.0 * value).ToString("F1", CultureInfo.InvariantCulture)

    // A mean and its deviation, if there is one.
    let private spread (isFraction: bool) (metric: ComparedMetric) : string =
        let number, unit = if isFraction then percent, " %" else number, ""

        if metric.Deviation > 0.0 then
            $"{number metric.Mean} ± {number metric.Deviation}{unit}"
        else
            number metric.Mean + unit

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

            let note =
                match levels with
                | [] -> "Discs: means over seeds."
                | levels ->
                    let text = String.concat ", " levels
                    $"Discs: means over seeds. Crosses: {text}."

            Figure.create "comparison" specification.Title [ [ for plot, table in plots -> panel plot table presets ] ]
            |> Figure.panelSize 560.0 520.0
            |> Figure.note note
            |> Some

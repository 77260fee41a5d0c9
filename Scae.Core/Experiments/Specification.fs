namespace Scae.Core.Experiments

open Scae.Core.Configuration
open System.IO
open System.Reflection
open System.Text.Json

/// A named set of hyperparameters.
type Preset =
    {
        Name: string
        Summary: string
        /// Which of the experiment's models it trains; None if there is only one.
        Model: string option
        Settings: (string * string) list
    }

/// A figure that the paper or the small program published.
type PublishedFigure =
    {
        Metric: string
        Value: float
        /// The presets that can be compared with it; none for all of them.
        Presets: string list
        Note: string
    }

    /// Whether runs of a preset can be compared with it.
    member this.SpeaksOf(preset: string) : bool = this.Presets.IsEmpty || List.contains preset this.Presets

/// What `scae verify` checks: a statistic over seeds of a metric of a preset, and the range it must lie in.
type Target =
    {
        Preset: string
        Metric: string
        /// How many seeds are run, from 0 on.
        Seeds: int
        AtLeast: float option
        AtMost: float option
        Note: string
    }

/// A picture of a table, which places each preset by two metrics.
type PresetPlot =
    {
        X: string
        Y: string
        /// Metrics that are drawn on the horizontal axis beside each preset's own, such as the level at which it starts.
        Levels: string list
        /// The metric that holds what chance reaches, drawn as one vertical line for all presets.
        Chance: string option
    }

/// Presets that `scae sweep --presets` puts side by side, and the metrics that it shows of them.
type PresetTable =
    {
        Title: string
        Presets: string list
        Metrics: string list
        Plot: PresetPlot option
    }

/// What paper-specs/EXPERIMENT/spec.json says. The program embeds the file, so the page and the program read the same.
type Specification =
    {
        Experiment: string
        Title: string
        Summary: string
        Paper: string
        DefaultPreset: string
        Presets: Preset list
        Published: PublishedFigure list
        Targets: Target list
        /// Empty if there are no presets to compare.
        Tables: PresetTable list
    }

/// Reads specifications.
[<RequireQualifiedAccess>]
module Specification =
    /// What a property holds, if the element has it.
    let private find (name: string) (read: JsonElement -> 'a) (element: JsonElement) : 'a option =
        match element.TryGetProperty name with
        | true, value -> Some(read value)
        | _ -> None

    let private optional (name: string) : JsonElement -> float option = find name _.GetDouble()

    /// What a property holds that the element must have.
    let private need (name: string) (element: JsonElement) : JsonElement =
        match element.TryGetProperty name with
        | true, value -> value
        | _ ->
            let said = element.GetRawText()
            invalidArg "json" $"a specification needs {name} here: {said[.. min 80 (said.Length - 1)]}"

    let private items (name: string) (element: JsonElement) : JsonElement list =
        List.ofSeq ((need name element).EnumerateArray())

    let private words (element: JsonElement) : string = nonNull (element.GetString())

    let private field (name: string) (element: JsonElement) : string = words (need name element)

    let private names (name: string) (element: JsonElement) : string list =
        find name (fun names -> [ for name in names.EnumerateArray() -> words name ]) element
        |> Option.defaultValue []

    let private optionalField (name: string) : JsonElement -> string option = find name words

    /// A value as the command line takes it: a list's items are separated by commas.
    let rec private text (value: JsonElement) : string =
        match value.ValueKind with
        | JsonValueKind.Array -> value.EnumerateArray() |> Seq.map text |> String.concat ","
        | _ -> value.ToString().ToLowerInvariant()

    let private settings (element: JsonElement) : (string * string) list =
        [ for setting in (need "settings" element).EnumerateObject() -> setting.Name, text setting.Value ]

    /// A preset's own settings, and those of its basis that it doesn't replace.
    let private over (basis: (string * string) list) (own: (string * string) list) : (string * string) list =
        let isSaid (name, _) = own |> List.exists (fun (other, _) -> other = name)
        List.filter (isSaid >> not) basis @ own

    /// The preset that another is based on, one of those before it.
    let private basis (before: Preset list) (name: string) : Preset =
        match before |> List.tryFind (fun preset -> preset.Name = name) with
        | Some preset -> preset
        | None -> invalidArg (nameof name) $"preset {name} has others based on it and comes after them, or not at all"

    let private preset (before: Preset list) (element: JsonElement) : Preset =
        let basis = optionalField "basedOn" element |> Option.map (basis before)

        {
            Name = field "name" element
            Summary = field "summary" element
            Model = optionalField "model" element |> Option.orElse (basis |> Option.bind _.Model)
            Settings = settings element |> over (basis |> Option.map _.Settings |> Option.defaultValue [])
        }

    let private presets (elements: JsonElement list) : Preset list =
        elements |> List.fold (fun before element -> before @ [ preset before element ]) []

    let private published (element: JsonElement) : PublishedFigure =
        {
            Metric = field "metric" element
            Value = (need "value" element).GetDouble()
            Presets = names "presets" element
            Note = field "note" element
        }

    let private target (element: JsonElement) : Target =
        {
            Preset = field "preset" element
            Metric = field "metric" element
            Seeds = (need "seeds" element).GetInt32()
            AtLeast = optional "atLeast" element
            AtMost = optional "atMost" element
            Note = field "note" element
        }

    let private plot (element: JsonElement) : PresetPlot =
        {
            X = field "x" element
            Y = field "y" element
            Levels = names "levels" element
            Chance = optionalField "chance" element
        }

    let private table (element: JsonElement) : PresetTable =
        {
            Title = field "title" element
            Presets = names "presets" element
            Metrics = names "metrics" element
            Plot = find "plot" plot element
        }

    /// A specification from its JSON text, which is part of a program. Raises ArgumentException for a property that is missing,
    /// InvalidOperationException for one of another type, and JsonException if the text isn't JSON.
    let parse (json: string) : Specification =
        use document = JsonDocument.Parse json
        let root = document.RootElement

        {
            Experiment = field "experiment" root
            Title = field "title" root
            Summary = field "summary" root
            Paper = field "paper" root
            DefaultPreset = field "defaultPreset" root
            Presets = presets (items "presets" root)
            Published = items "published" root |> List.map published
            Targets = items "targets" root |> List.map target
            Tables =
                find "tables" (fun tables -> [ for element in tables.EnumerateArray() -> table element ]) root
                |> Option.defaultValue []
        }

    /// The specification of one of the experiments of this assembly, which embeds the files. Raises ArgumentException for
    /// another; outside of this assembly use `parse` and `Experiment.ofSpecification`.
    let embedded (experiment: string) : Specification =
        match Assembly.GetExecutingAssembly().GetManifestResourceStream $"paper-specs/{experiment}/spec.json" with
        | null ->
            invalidArg (nameof experiment) $"Scae.Core has no specification of {experiment}; use Specification.parse"
        | stream ->
            use reader = new StreamReader(stream)
            parse (reader.ReadToEnd())

namespace Scae.Core.CommandLine

open Argu
open Scae.Core.Configuration
open Scae.Core.Experiments

/// What --help prints, and which options a command has.
[<RequireQualifiedAccess>]
module internal Help =
    /// The hyperparameters that a command takes, of any preset of the experiments. For eval these are only those of
    /// measuring.
    let hyperparametersOf (verb: string) (experiments: Experiment list) : Setting list =
        [
            for experiment in experiments do
                for preset in experiment.Specification.Presets do
                    for setting in experiment.Settings preset do
                        if verb <> "eval" || setting.Measuring then
                            setting
        ]
        |> List.distinctBy _.Name

    // The rows of a table of hyperparameters, each with its kind of value and a text.
    let private rows (settings: (Setting * string) list) : string list =
        let named = settings |> List.map (fun (setting, text) -> $"    --{setting.Name} <{setting.Kind}>", text)
        let width = named |> List.map (fun (name, _) -> name.Length) |> List.max
        named |> List.map (fun (name, text) -> $"{name.PadRight(width + 2)}{text}")

    /// The hyperparameters of measuring, with the experiments that have them unless all do.
    let private measuringHelp () : string =
        let owners (setting: Setting) =
            Experiments.all
            |> List.filter (fun experiment ->
                hyperparametersOf "eval" [ experiment ] |> List.exists (fun own -> own.Name = setting.Name))
            |> List.map _.Specification.Experiment

        let described (setting: Setting) =
            match owners setting with
            | all when all.Length = Experiments.all.Length -> setting, setting.Summary
            | some ->
                let some = String.concat ", " some
                setting, $"{setting.Summary} ({some})"

        [ ""; ""; "HYPERPARAMETERS OF MEASURING, in place of the run's:"; "" ]
        @ rows (hyperparametersOf "eval" Experiments.all |> List.map described)
        |> String.concat "\n"

    /// The hyperparameters of an experiment. All presets that train the same kind of model share one table, whose
    /// values are those of the experiment's default preset or, if that isn't among them, of the first. If a preset is
    /// given, there is only its table.
    let private hyperparameterHelp (given: Preset option) (experiment: Experiment) : string =
        let specification = experiment.Specification

        let table (names: string) (preset: Preset) =
            [ ""; $"HYPERPARAMETERS OF {names} [default of {preset.Name}]:"; "" ]
            @ rows (experiment.Settings preset |> List.map (fun s -> s, $"{s.Summary} [{s.Default}]"))

        let shown (presets: Preset list) =
            presets
            |> List.tryFind (fun preset -> preset.Name = specification.DefaultPreset)
            |> Option.defaultValue presets.Head

        let kinds =
            specification.Presets
            |> List.groupBy (fun preset -> experiment.Settings preset |> List.map _.Name)
            |> List.map snd

        let tables =
            match given, kinds with
            | Some preset, _ -> table $"--preset {preset.Name}" preset
            | None, [ presets ] -> table specification.Experiment (shown presets)
            | None, kinds ->
                kinds
                |> List.collect (fun presets ->
                    let names = presets |> List.map _.Name |> String.concat ", "
                    table $"--preset {names}" (shown presets))

        let width = specification.Presets |> List.map _.Name.Length |> List.max

        let presets =
            specification.Presets |> List.map (fun p -> $"    {p.Name.PadRight(width + 3)}{p.Summary}")

        String.concat
            "\n"
            ([ ""; $"PRESETS OF {specification.Experiment} [default {specification.DefaultPreset}]:"; "" ]
             @ presets
             @ tables)

    // Pages are the same everywhere; the program fits them to narrower terminals afterwards.
    let private pageWidth = 80

    let private parser<'arguments when 'arguments :> IArgParserTemplate> (verb: string) =
        let parser =
            ArgumentParser.Create<'arguments>(programName = $"scae {verb}", usageStringCharacterWidth = pageWidth)

        (fun () -> parser.PrintUsage()), (fun () -> parser.GetArgumentCases())

    /// The usage of a command and its options.
    let private parserOf (verb: string) : (unit -> string) * (unit -> ArgumentCaseInfo list) =
        match verb with
        | "list" -> parser<ListArguments> verb
        | "train" -> parser<TrainArguments> verb
        | "sweep" -> parser<SweepArguments> verb
        | "eval" -> parser<EvalArguments> verb
        | "figures" -> parser<FiguresArguments> verb
        | "export" -> parser<ExportArguments> verb
        | "report" -> parser<ReportArguments> verb
        | "verify" -> parser<VerifyArguments> verb
        | "gradcheck" -> parser<GradcheckArguments> verb
        | "completion" -> parser<CompletionArguments> verb
        | _ -> parser<BenchArguments> verb

    let private casesOf (verb: string) : ArgumentCaseInfo list = snd (parserOf verb) ()

    /// The options of a command that help shows: the name, the field of its value (None for a switch), and what it means.
    let described (verb: string) : (string * string option * string) list =
        casesOf verb
        |> List.filter (fun case -> not case.IsMainCommand && not case.IsHidden.Value)
        |> List.map (fun case ->
            let field = case.UnionCaseInfo.GetFields() |> Array.tryHead |> Option.map _.Name
            case.CommandLineNames.Value.Head, field, case.Description.Value)

    /// The name of the field for a command's words that aren't options, such as experiment or folder; None if it
    /// takes no such word.
    let mainOf (verb: string) : string option =
        casesOf verb
        |> List.tryFind _.IsMainCommand
        |> Option.bind (fun case -> case.UnionCaseInfo.GetFields() |> Array.tryHead |> Option.map _.Name)

    /// The options of a command, without hyperparameters.
    let optionsOf (verb: string) : string list =
        casesOf verb
        |> List.filter (fun case -> not case.IsMainCommand)
        |> List.collect _.CommandLineNames.Value

    /// The help of a command, or of scae as a whole if there is none. With an experiment it includes that
    /// experiment's presets and hyperparameters, with the values of the preset if one is given.
    let text (verb: string option) (experiment: Experiment option) (preset: Preset option) : string =
        match verb with
        | Some verb ->
            let usage = (fst (parserOf verb) ()).TrimEnd()

            match verb, experiment with
            | ("train" | "sweep"), Some experiment ->
                usage + "\n" + hyperparameterHelp preset experiment + Examples.section verb
            | ("train" | "sweep"), None ->
                usage
                + $"\n\nscae {verb} EXPERIMENT --help also lists the experiment's presets and hyperparameters,\nwith --preset NAME that preset's values."
                + Examples.section verb
            | "eval", _ -> usage + measuringHelp () + Examples.section verb
            | _ -> usage + Examples.section verb
        | None ->
            Verbs.page pageWidth
            + "\n\nscae train constellations trains the first experiment; scae COMMAND --help tells more."
            + Examples.section ""

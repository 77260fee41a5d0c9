namespace Scae.Core.CommandLine

open System
open System.Reflection
open Argu
open Scae.Core.Configuration
open Scae.Core.Experiments

/// What `scae train` was asked to do.
type TrainOptions =
    {
        Experiment: Experiment
        Preset: Preset
        Overrides: (string * string) list
        Seed: int
        Out: string option
        Resume: bool
        Threads: int option
        Resources: Resources
        Quiet: bool
        Json: bool
    }

/// What `scae figures` was asked to do, and what `scae eval` shares with it.
type RunOptions =
    {
        Folder: string
        Seed: int
        Threads: int option
        Resources: Resources
        Json: bool
    }

/// What `scae eval` was asked to do.
type EvalOptions = { Run: RunOptions; Baseline: string option }

/// What `scae sweep` was asked to do.
type SweepOptions =
    {
        Experiment: Experiment
        Preset: Preset
        Overrides: (string * string) list
        Seeds: int list
        /// The hyperparameters that are varied.
        Vary: ScanAxis list
        Out: string option
        Threads: int option
        Resources: Resources
        Quiet: bool
        Json: bool
    }

/// What `scae verify`, `scae gradcheck` and `scae bench` were asked to do.
type ExperimentOptions =
    {
        Experiments: Experiment list
        Preset: string option
        Overrides: (string * string) list
        Seed: int
        Steps: int
        Out: string option
        Threads: int option
        Resources: Resources
        Json: bool
    }

/// A command line that makes sense.
type Command =
    | ShowHelp of text: string
    | ShowList of json: bool
    | Train of TrainOptions
    | Eval of EvalOptions
    | Figures of RunOptions
    | Sweep of SweepOptions
    | Verify of ExperimentOptions
    | Gradcheck of ExperimentOptions
    | Bench of ExperimentOptions

/// From the words of a command line to a command.
[<RequireQualifiedAccess>]
module Arguments =
    let private parser =
        lazy (ArgumentParser.Create<RootArguments>(programName = "scae", errorHandler = ExceptionExiter()))

    let private isHelp (word: string) = word = "--help" || word = "-h"

    // Options without a value.
    let private flags = [ "--resume"; "--quiet"; "--json"; "--help" ]

    /// The experiment among the words after a verb: the first that is no option and no option's value.
    let rec private experimentIn (words: string list) : Experiment option =
        match words with
        | option :: rest when option.StartsWith "--" && (option.Contains '=' || List.contains option flags) ->
            experimentIn rest
        | option :: _ :: rest when option.StartsWith "--" -> experimentIn rest
        | word :: rest ->
            match Experiments.all |> List.tryFind (fun known -> known.Specification.Experiment = word) with
            | Some experiment -> Some experiment
            | None -> experimentIn rest
        | [] -> None

    /// Takes `--name value` pairs out that name a hyperparameter of the experiment.
    let private takeHyperparameters (experiment: Experiment) (words: string list) =
        let names =
            experiment.Specification.Presets
            |> List.collect experiment.Settings
            |> List.map (fun setting -> $"--{setting.Name}")
            |> Set.ofList

        let rec take (rest: string list) (overrides: (string * string) list) (kept: string list) =
            match rest with
            | name :: value :: others when names.Contains name -> take others ((name[2..], value) :: overrides) kept
            | [ name ] when names.Contains name -> Error $"{name}: needs a value"
            | word :: others when word.Contains '=' && names.Contains(word.Split('=')[0]) ->
                let at = word.IndexOf '='
                take others ((word[2 .. at - 1], word[at + 1 ..]) :: overrides) kept
            | word :: others -> take others overrides (word :: kept)
            | [] -> Ok(List.rev overrides, List.rev kept)

        take words [] []
        |> Result.bind (fun (overrides, kept) ->
            match overrides |> List.countBy fst |> List.tryFind (fun (_, count) -> count > 1) with
            | Some(name, _) -> Error $"--{name} is given twice"
            | None -> Ok(overrides, kept))

    /// The task of a preset with some hyperparameters replaced. The error is one line; of a hyperparameter that other presets
    /// have it names these.
    let private configure (experiment: Experiment) (preset: Preset) (overrides: (string * string) list) =
        let has name (preset: Preset) = experiment.Settings preset |> List.exists (fun setting -> setting.Name = name)

        match overrides |> List.tryFind (fun (name, _) -> not (has name preset)) with
        | Some(name, _) ->
            match experiment.Specification.Presets |> List.filter (has name) with
            | [] -> experiment.Configure preset overrides
            | others ->
                let names = others |> List.map _.Name |> String.concat ", "
                Error $"--{name}: preset {preset.Name} has no such hyperparameter; presets that do: {names}"
        | None -> experiment.Configure preset overrides

    let private help (words: string list) : string =
        match words |> List.filter (isHelp >> not) with
        | verb :: rest when List.contains verb Help.verbs -> Help.text (Some verb) (experimentIn rest)
        | _ -> Help.text None None

    let private seeds (text: string) : Result<int list, string> =
        match text.Split ".." with
        | [| one |] when fst (Int32.TryParse one) -> Ok [ int one ]
        | [| first; last |] when fst (Int32.TryParse first) && fst (Int32.TryParse last) && int first <= int last ->
            Ok [ int first .. int last ]
        | _ -> Error $"--seeds {text}: must be first..last with first ≤ last, such as 0..4"

    let private threads (count: int option) : Result<int option, string> =
        match count with
        | Some n when n < 1 || n > 1024 -> Error $"--threads {n}: must be from 1 to 1024"
        | other -> Ok other

    let private required (verb: string) (what: string) (example: string) (value: 'a option) : Result<'a, string> =
        match value with
        | Some value -> Ok value
        | None -> Error $"scae {verb}: needs {what}, such as scae {verb} {example}"

    let private resources (folder: string option) : Resources = { DataFolder = folder }

    let private bind f r = Result.bind f r

    let private train
        (overrides: (string * string) list)
        (results: ParseResults<TrainArguments>)
        : Result<Command, string> =
        results.TryGetResult TrainArguments.Experiment
        |> required "train" "an experiment" "constellations"
        |> bind Experiments.find
        |> bind (fun experiment ->
            Experiments.preset (results.TryGetResult TrainArguments.Preset) experiment
            |> bind (fun preset ->
                configure experiment preset overrides
                |> bind (fun _ -> threads (results.TryGetResult TrainArguments.Threads))
                |> Result.map (fun threads ->
                    Command.Train
                        {
                            Experiment = experiment
                            Preset = preset
                            Overrides = overrides
                            Seed = results.GetResult(TrainArguments.Seed, defaultValue = 0)
                            Out = results.TryGetResult TrainArguments.Out
                            Resume = results.Contains TrainArguments.Resume
                            Threads = threads
                            Resources = resources (results.TryGetResult TrainArguments.Data)
                            Quiet = results.Contains TrainArguments.Quiet
                            Json = results.Contains TrainArguments.Json
                        })))

    let private runOptions verb (folder: string option) seed threadCount data json : Result<RunOptions, string> =
        folder
        |> required verb "a run's folder" "runs/constellations-published-0"
        |> bind (fun folder ->
            threads threadCount
            |> Result.map (fun threads ->
                {
                    Folder = folder
                    Seed = defaultArg seed 1
                    Threads = threads
                    Resources = resources data
                    Json = json
                }))

    let private figures (results: ParseResults<FiguresArguments>) : Result<Command, string> =
        runOptions
            "figures"
            (results.TryGetResult FiguresArguments.Run)
            None
            (results.TryGetResult FiguresArguments.Threads)
            (results.TryGetResult FiguresArguments.Data)
            (results.Contains FiguresArguments.Json)
        |> Result.map Command.Figures

    let private eval (results: ParseResults<EvalArguments>) : Result<Command, string> =
        runOptions
            "eval"
            (results.TryGetResult EvalArguments.Run)
            (results.TryGetResult EvalArguments.Seed)
            (results.TryGetResult EvalArguments.Threads)
            (results.TryGetResult EvalArguments.Data)
            (results.Contains EvalArguments.Json)
        |> Result.map (fun run -> Command.Eval { Run = run; Baseline = results.TryGetResult EvalArguments.Baseline })

    /// The axes of a scan, each value of which the experiment takes. The error is one line.
    let private axes (experiment: Experiment) (preset: Preset) overrides (texts: string list) =
        let add (found: Result<ScanAxis list, string>) (text: string) =
            found
            |> bind (fun axes ->
                Scan.parse text
                |> bind (fun axis ->
                    if axes |> List.exists (fun other -> other.Name = axis.Name) then
                        Error $"--vary {text}: {axis.Name} is varied twice"
                    elif overrides |> List.exists (fun (name, _) -> name = axis.Name) then
                        Error $"--vary {text}: {axis.Name} is also given as --{axis.Name}"
                    else
                        Ok(axes @ [ axis ])))

        (Ok [], texts)
        ||> List.fold add
        |> bind (fun axes ->
            Scan.combinations axes
            |> List.tryPick (fun settings ->
                match configure experiment preset (overrides @ settings) with
                | Error message -> Some message
                | Ok _ -> None)
            |> function
                | Some message -> Error message
                | None -> Ok axes)

    let private sweep
        (overrides: (string * string) list)
        (results: ParseResults<SweepArguments>)
        : Result<Command, string> =
        results.TryGetResult SweepArguments.Experiment
        |> required "sweep" "an experiment" "constellations --seeds 0..4"
        |> bind Experiments.find
        |> bind (fun experiment ->
            Experiments.preset (results.TryGetResult SweepArguments.Preset) experiment
            |> bind (fun preset ->
                axes experiment preset overrides (results.GetResults SweepArguments.Vary)
                |> bind (fun vary ->
                    threads (results.TryGetResult SweepArguments.Threads)
                    |> Result.map (fun threads -> vary, threads))
                |> bind (fun (vary, threads) ->
                    seeds (results.GetResult(SweepArguments.Seeds, defaultValue = "0..4"))
                    |> Result.map (fun seeds ->
                        Command.Sweep
                            {
                                Experiment = experiment
                                Preset = preset
                                Overrides = overrides
                                Seeds = seeds
                                Vary = vary
                                Out = results.TryGetResult SweepArguments.Out
                                Threads = threads
                                Resources = resources (results.TryGetResult SweepArguments.Data)
                                Quiet = results.Contains SweepArguments.Quiet
                                Json = results.Contains SweepArguments.Json
                            }))))

    /// The experiments, the preset and the hyperparameters that verify, gradcheck and bench were told of.
    let private experiments
        (overrides: (string * string) list)
        (name: string option)
        (preset: string option)
        (threadCount: int option)
        (data: string option)
        (json: bool)
        : Result<ExperimentOptions, string> =
        let chosen =
            match name with
            | Some name -> Experiments.find name |> Result.map List.singleton
            | None -> Ok Experiments.all

        chosen
        |> bind (fun experiments ->
            experiments
            |> List.tryPick (fun experiment ->
                match
                    Experiments.preset preset experiment |> bind (fun preset -> configure experiment preset overrides)
                with
                | Error message -> Some message
                | Ok _ -> None)
            |> function
                | Some message -> Error message
                | None ->
                    threads threadCount
                    |> Result.map (fun threads ->
                        {
                            Experiments = experiments
                            Preset = preset
                            Overrides = overrides
                            Seed = 0
                            Steps = 2000
                            Out = None
                            Threads = threads
                            Resources = resources data
                            Json = json
                        }))

    let private verify overrides (results: ParseResults<VerifyArguments>) : Result<Command, string> =
        experiments
            overrides
            (results.TryGetResult VerifyArguments.Experiment)
            (results.TryGetResult VerifyArguments.Preset)
            (results.TryGetResult VerifyArguments.Threads)
            (results.TryGetResult VerifyArguments.Data)
            (results.Contains VerifyArguments.Json)
        |> Result.map (fun options -> Command.Verify { options with Out = results.TryGetResult VerifyArguments.Out })

    let private gradcheck overrides (results: ParseResults<GradcheckArguments>) : Result<Command, string> =
        experiments
            overrides
            (results.TryGetResult GradcheckArguments.Experiment)
            (results.TryGetResult GradcheckArguments.Preset)
            None
            (results.TryGetResult GradcheckArguments.Data)
            (results.Contains GradcheckArguments.Json)
        |> Result.map (fun options ->
            Command.Gradcheck
                { options with
                    Seed = results.GetResult(GradcheckArguments.Seed, defaultValue = 0)
                })

    let private bench overrides (results: ParseResults<BenchArguments>) : Result<Command, string> =
        let steps = results.GetResult(BenchArguments.Steps, defaultValue = 2000)

        if steps < 1 then
            Error $"--steps {steps}: must be at least 1"
        else
            experiments
                overrides
                (results.TryGetResult BenchArguments.Experiment)
                (results.TryGetResult BenchArguments.Preset)
                (results.TryGetResult BenchArguments.Threads)
                (results.TryGetResult BenchArguments.Data)
                (results.Contains BenchArguments.Json)
            |> Result.map (fun options ->
                Command.Bench
                    { options with
                        Seed = results.GetResult(BenchArguments.Seed, defaultValue = 0)
                        Steps = steps
                    })

    /// Argu's message on one line, with the nearest option where one was mistyped.
    let private oneLine (experiment: Experiment option) (verb: string) (words: string list) (message: string) : string =
        let line = message.Split('\n') |> Array.head |> fun text -> text.Replace("ERROR: ", "").TrimEnd()

        // Argu may take an option for the experiment's name, and then complain of what follows.
        let unknown =
            let options = Help.optionsOf verb

            words
            |> List.tryFind (fun word -> word.StartsWith "--" && not (List.contains (word.Split('=')[0]) options))

        if unknown.IsSome || line.Contains "unrecognized argument" then
            let quoted = line.Split('\'') |> Array.tryItem 1 |> Option.defaultValue ""
            let word = unknown |> Option.defaultValue quoted
            let takesHyperparameters = [ "train"; "sweep"; "gradcheck"; "bench" ] |> List.contains verb

            let known =
                Help.optionsOf verb
                @ (match experiment with
                   | Some experiment when takesHyperparameters ->
                       experiment.Specification.Presets
                       |> List.collect experiment.Settings
                       |> List.map (fun setting -> $"--{setting.Name}")
                   | _ -> [])

            let others =
                Help.verbs |> List.filter (fun other -> other <> verb && List.contains word (Help.optionsOf other))

            let helpOf =
                match experiment with
                | Some experiment when takesHyperparameters ->
                    $"scae {verb} {experiment.Specification.Experiment} --help"
                | _ -> $"scae {verb} --help"

            if word.StartsWith "-" then
                let near = known |> List.minBy (Spelling.distance word)

                if not others.IsEmpty then
                    let others = others |> List.map (fun other -> $"scae {other}") |> String.concat ", "
                    $"scae {verb} has no option {word}; it belongs to {others}"
                elif Spelling.distance word near <= 2 then
                    $"scae {verb} has no option {word}; did you mean {near}?"
                else
                    $"scae {verb} has no option {word}; {helpOf} lists them"
            else
                $"scae {verb}: {word} is one word too many; scae {verb} --help tells what fits"
        else
            let given = String.concat " " (verb :: words)
            $"scae {given}: {line.TrimEnd('.')}; scae {verb} --help tells what fits"

    let private version =
        match Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>() with
        | null -> "0"
        | attribute -> attribute.InformationalVersion

    let private isFolder (option: string) = option = "--out" || option = "--data"

    /// The command of a command line; the error is one line that says what was wrong and what would be right.
    let parse (words: string array) : Result<Command, string> =
        match List.ofArray words with
        | [] -> Ok(ShowHelp(help []))
        | "help" :: words -> Ok(ShowHelp(help words))
        | words when words |> List.exists isHelp -> Ok(ShowHelp(help words))
        | [ "--version" ] -> Ok(ShowHelp $"scae {version}")
        | verb :: _ when not (List.contains verb Help.verbs) ->
            Error $"there is no command {verb}{Spelling.nearest verb Help.verbs}"
        | verb :: rest when List.pairwise rest |> List.exists (fun (name, value) -> isFolder name && value = "") ->
            Error $"scae {verb}: an empty name is no folder"
        | verb :: rest ->
            let experiment = experimentIn rest

            let taken =
                match experiment with
                | Some experiment when not (List.contains verb [ "list"; "eval"; "figures" ]) ->
                    takeHyperparameters experiment rest
                | _ -> Ok([], rest)

            taken
            |> bind (fun (overrides, kept) ->
                try
                    match (parser.Value.ParseCommandLine(Array.ofList (verb :: kept))).GetSubCommand() with
                    | RootArguments.List results -> Ok(ShowList(results.Contains ListArguments.Json))
                    | RootArguments.Train results -> train overrides results
                    | RootArguments.Eval results -> eval results
                    | RootArguments.Figures results -> figures results
                    | RootArguments.Sweep results -> sweep overrides results
                    | RootArguments.Verify results -> verify overrides results
                    | RootArguments.Gradcheck results -> gradcheck overrides results
                    | RootArguments.Bench results -> bench overrides results
                with :? ArguParseException as problem ->
                    Error(oneLine experiment verb kept problem.Message))

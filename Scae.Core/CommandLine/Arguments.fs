namespace Scae.Core.CommandLine

open System
open Scae.Core.Configuration
open Scae.Core.Experiments
open Scae.Core.Training

/// Turns the words of a command line into a command.
[<RequireQualifiedAccess>]
module Arguments =
    let private threads case given = Words.count 1 1024 case given

    let private training threadsCase dataCase tensorBoard quiet json given : Result<TrainingOptions, string> =
        result {
            let! threads = given |> threads threadsCase
            let! data = given |> Words.folder dataCase

            return
                {
                    Threads = threads
                    Data = data
                    TensorBoard = given |> Words.flag tensorBoard
                    Quiet = given |> Words.flag quiet
                    Json = given |> Words.flag json
                }
        }

    // A run that is resumed knows its experiment.
    let private trained (name: string option) (folderKnows: bool) given : Result<Experiment option, string> =
        if name.IsNone && folderKnows then
            Ok None
        else
            name
            |> Words.required "an experiment" "constellations" given
            |> Result.bind Experiments.find
            |> Result.map Some

    let private presetOf (experiment: Experiment option) (name: string option) : Result<Preset option, string> =
        match experiment, name with
        | _, None -> Ok None
        | Some experiment, name -> Experiments.preset name experiment |> Result.map Some
        | None, Some name -> Error $"--preset {name}: needs the experiment before it, such as scae train constellations"

    let private train (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<TrainArguments> "train" words
            let! name = given |> Words.main <@ TrainArguments.Experiment @>
            let! out = given |> Words.folder <@ TrainArguments.Out @>
            let resume = given.Results.Contains TrainArguments.Resume
            let! experiment = given |> trained name (resume && out.IsSome)
            let! preset = given |> Words.text <@ TrainArguments.Preset @>
            let! preset = preset |> presetOf experiment

            let! overrides =
                given
                |> Words.settings
                    <@ TrainArguments.Set @>
                    (experiment |> Option.map List.singleton |> Option.defaultValue Experiments.all)

            do!
                match experiment with
                | Some experiment when not resume ->
                    Experiments.preset (preset |> Option.map _.Name) experiment
                    |> Result.bind (Choice.check overrides experiment)
                | _ -> Ok()

            let! seed = given |> Words.seed <@ TrainArguments.Seed @>

            let! training =
                given
                |> training
                    <@ TrainArguments.Threads @>
                    <@ TrainArguments.Data @>
                    <@ TrainArguments.Tensorboard @>
                    <@ TrainArguments.Quiet @>
                    <@ TrainArguments.Json @>

            return
                Command.Train
                    {
                        Experiment = experiment
                        Preset = preset
                        Overrides = overrides
                        Seed = seed
                        Out = out
                        Resume = resume
                        Training = training
                    }
        }

    let private exampleRun = "runs/constellations-published-0"

    let private figures (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<FiguresArguments> "figures" words
            let! folder = given |> Words.main <@ FiguresArguments.Run @>
            let! folder = folder |> Words.required "a run's folder" exampleRun given
            let! threads = given |> threads <@ FiguresArguments.Threads @>
            let! data = given |> Words.folder <@ FiguresArguments.Data @>

            return
                Command.Figures
                    {
                        Folder = folder
                        Threads = threads
                        Data = data
                        Json = given.Results.Contains FiguresArguments.Json
                    }
        }

    let private eval (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<EvalArguments> "eval" words
            let! folder = given |> Words.main <@ EvalArguments.Run @>
            let! folder = folder |> Words.required "a run's folder" exampleRun given
            let! seed = given |> Words.seed <@ EvalArguments.Seed @>
            let! overrides = given |> Words.settings <@ EvalArguments.Set @> Experiments.all
            let! baseline = given |> Words.text <@ EvalArguments.Baseline @>
            let! threads = given |> threads <@ EvalArguments.Threads @>
            let! data = given |> Words.folder <@ EvalArguments.Data @>

            return
                Command.Eval
                    {
                        Run =
                            {
                                Folder = folder
                                Threads = threads
                                Data = data
                                Json = given.Results.Contains EvalArguments.Json
                            }
                        Seed = defaultArg seed 1L
                        Overrides = overrides
                        Baseline = baseline
                    }
        }

    let private report (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<ReportArguments> "report" words
            let! folders = given |> Words.mains "a run's folder" exampleRun <@ ReportArguments.Runs @>
            let! out = given |> Words.file <@ ReportArguments.Out @>
            let json = given.Results.Contains ReportArguments.Json
            return Command.Report { Folders = folders; Out = out; Json = json }
        }

    let private export (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<ExportArguments> "export" words
            let! folder = given |> Words.main <@ ExportArguments.Run @>
            let! folder = folder |> Words.required "a run's folder" $"{exampleRun} --format npz" given
            let! format = given |> Words.text <@ ExportArguments.Format @>

            let! format =
                match format with
                | Some "npz" -> Ok Npz
                | Some "onnx" -> Ok Onnx
                | Some other -> Error $"--format {other}: must be npz or onnx"
                | None -> Error "scae export: needs --format npz or --format onnx"

            let! out = given |> Words.file <@ ExportArguments.Out @>
            return Command.Export { Folder = folder; Format = format; Out = out }
        }

    let private slurmOnly given =
        [
            "--partition", given.Results.Contains SweepArguments.Partition
            "--time", given.Results.Contains SweepArguments.Time
            "--cpus", given.Results.Contains SweepArguments.Cpus
        ]
        |> List.tryPick (fun (name, isGiven) -> if isGiven then Some name else None)

    /// Who trains a sweep's runs.
    let private work (given: Given<SweepArguments>) : Result<SweepWork, string> =
        result {
            let! task = given |> Words.count 0 Int32.MaxValue <@ SweepArguments.Task @>
            let! partition = given |> Words.text <@ SweepArguments.Partition @>
            let! partition = partition |> Choice.partition
            let! time = given |> Words.text <@ SweepArguments.Time @>
            let! time = time |> Choice.timeLimit
            let! cpus = given |> Words.count 1 1024 <@ SweepArguments.Cpus @>

            let wanted =
                [
                    if given.Results.Contains SweepArguments.Slurm then
                        "--slurm", OnSlurm { Partition = partition; Time = time; Cpus = defaultArg cpus 1 }
                    if task.IsSome then
                        "--task", OneTask task.Value
                    if given.Results.Contains SweepArguments.Collect then
                        "--collect", Gather
                ]

            return!
                match wanted, slurmOnly given with
                | (one, _) :: (other, _) :: _, _ -> Error $"{one}: can't be with {other}"
                | [ "--slurm", _ ], _ when given.Results.Contains SweepArguments.Threads ->
                    Error "--threads: can't be with --slurm; --cpus says how many cores a task has"
                | [ "--slurm", work ], _ -> Ok work
                | _, Some name -> Error $"{name}: needs --slurm"
                | [ _, work ], None -> Ok work
                | [], None -> Ok Here
        }

    let private sweep (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<SweepArguments> "sweep" words
            let! name = given |> Words.main <@ SweepArguments.Experiment @>
            let! name = name |> Words.required "an experiment" "constellations --seeds 0..4" given
            let! experiment = Experiments.find name
            let! single = given |> Words.text <@ SweepArguments.Preset @>
            let! preset = Experiments.preset single experiment
            let! overrides = given |> Words.settings <@ SweepArguments.Set @> [ experiment ]
            let! several = given |> Words.text <@ SweepArguments.Presets @>

            let! compared =
                several
                |> Choice.compared
                    overrides
                    experiment
                    [
                        if single.IsSome then
                            "--preset"
                        if given.Results.Contains SweepArguments.Vary then
                            "--vary"
                    ]

            let! vary =
                if compared.IsEmpty then
                    given.Results.GetResults SweepArguments.Vary |> Choice.axes overrides experiment preset
                else
                    Ok []

            let! seeds = given |> Words.text <@ SweepArguments.Seeds @>
            let! seeds = Choice.seeds (defaultArg seeds "0..4")
            let! work = work given
            let! out = given |> Words.folder <@ SweepArguments.Out @>

            let! training =
                given
                |> training
                    <@ SweepArguments.Threads @>
                    <@ SweepArguments.Data @>
                    <@ SweepArguments.Tensorboard @>
                    <@ SweepArguments.Quiet @>
                    <@ SweepArguments.Json @>

            return
                Command.Sweep
                    {
                        Experiment = experiment
                        Preset = preset
                        Overrides = overrides
                        Seeds = seeds
                        Vary = vary
                        Compared = compared
                        Work = work
                        Out = out
                        Training = training
                    }
        }

    /// The experiment of this name, or all if none is given.
    let private named (name: string option) : Result<Experiment list, string> =
        match name with
        | Some name -> Experiments.find name |> Result.map List.singleton
        | None -> Ok Experiments.all

    /// The experiments, the preset and the hyperparameters given to verify, gradcheck and bench. The other options
    /// have the values that hold when nothing is said.
    let private experiments name preset set data given : Result<ExperimentOptions, string> =
        result {
            let! name = given |> Words.main name

            let! experiments = name |> named
            let! preset = given |> Words.text preset
            let! experiments = experiments |> Choice.having preset
            let! overrides = given |> Words.settings set experiments

            do!
                experiments
                |> Result.check (fun experiment ->
                    Experiments.preset preset experiment |> Result.bind (Choice.check overrides experiment))

            let! data = given |> Words.folder data

            return
                {
                    Experiments = experiments
                    Preset = preset
                    Overrides = overrides
                    Seed = 0L
                    Steps = 2000
                    Out = None
                    Threads = None
                    Data = data
                    Json = false
                }
        }

    let private verify (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<VerifyArguments> "verify" words

            let! options =
                given
                |> experiments
                    <@ VerifyArguments.Experiment @>
                    <@ VerifyArguments.Preset @>
                    <@ VerifyArguments.Set @>
                    <@ VerifyArguments.Data @>

            let! out = given |> Words.folder <@ VerifyArguments.Out @>
            let! threads = given |> threads <@ VerifyArguments.Threads @>
            let json = given.Results.Contains VerifyArguments.Json
            return Command.Verify { options with Out = out; Threads = threads; Json = json }
        }

    let private gradcheck (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<GradcheckArguments> "gradcheck" words

            let! options =
                given
                |> experiments
                    <@ GradcheckArguments.Experiment @>
                    <@ GradcheckArguments.Preset @>
                    <@ GradcheckArguments.Set @>
                    <@ GradcheckArguments.Data @>

            let! seed = given |> Words.seed <@ GradcheckArguments.Seed @>
            let json = given.Results.Contains GradcheckArguments.Json
            return Command.Gradcheck { options with Seed = defaultArg seed options.Seed; Json = json }
        }

    let private bench (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<BenchArguments> "bench" words

            let! options =
                given
                |> experiments
                    <@ BenchArguments.Experiment @>
                    <@ BenchArguments.Preset @>
                    <@ BenchArguments.Set @>
                    <@ BenchArguments.Data @>

            let! seed = given |> Words.seed <@ BenchArguments.Seed @>
            let! steps = given |> Words.count 1 Int32.MaxValue <@ BenchArguments.Steps @>
            let! threads = given |> threads <@ BenchArguments.Threads @>

            return
                Command.Bench
                    { options with
                        Seed = defaultArg seed options.Seed
                        Steps = defaultArg steps options.Steps
                        Threads = threads
                        Json = given.Results.Contains BenchArguments.Json
                    }
        }

    let private list (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<ListArguments> "list" words
            let! name = given |> Words.main <@ ListArguments.Experiment @>
            let! experiments = name |> named
            return ShowList(experiments, given.Results.Contains ListArguments.Json)
        }

    let private completion (words: string list) : Result<Command, string> =
        result {
            let! given = Words.read<CompletionArguments> "completion" words
            let! shell = given |> Words.main <@ CompletionArguments.Shell @>
            let! shell = shell |> Words.required "a shell" "bash" given

            match Completion.script shell with
            | Some script -> return Command.Completion script
            | None ->
                let shells = String.concat ", " Completion.shells
                return! Error $"there is no completion for {shell}; there is for {shells}"
        }

    let private isHelp (word: string) = word = "--help" || word = "-h"

    // An unknown preset counts as none: help must be available whatever else is wrong.
    let private presetAmong (words: string list) (experiment: Experiment) : Preset option =
        words
        |> List.collect Words.split
        |> List.pairwise
        |> List.tryPick (fun (option, name) -> if option = "--preset" then Some name else None)
        |> Option.bind (fun name -> Experiments.preset (Some name) experiment |> Result.toOption)

    let private help (words: string list) : string =
        match words |> List.filter (isHelp >> not) with
        | verb :: others when List.contains verb Verbs.names ->
            let experiment = others |> List.tryPick (fun word -> Experiments.find word |> Result.toOption)
            Help.text (Some verb) experiment (experiment |> Option.bind (presetAmong others))
        | _ -> Help.text None None None

    /// The command of a command line; the error is one line that says what was wrong and what would be right.
    let parse (words: string array) : Result<Command, string> =
        match List.ofArray words with
        | [] -> Ok(ShowHelp(help []))
        | "help" :: words -> Ok(ShowHelp(help words))
        | words when words |> List.exists isHelp -> Ok(ShowHelp(help words))
        | [ "--version" ] -> Ok(ShowHelp $"scae {RunIdentity.version}")
        | "list" :: words -> list words
        | "train" :: words -> train words
        | "eval" :: words -> eval words
        | "figures" :: words -> figures words
        | "report" :: words -> report words
        | "export" :: words -> export words
        | "sweep" :: words -> sweep words
        | "verify" :: words -> verify words
        | "gradcheck" :: words -> gradcheck words
        | "bench" :: words -> bench words
        | "completion" :: words -> completion words
        | verb :: _ -> Error $"there is no command {verb}{Spelling.nearest verb Verbs.names}"

namespace Scae.Core.CommandLine

open Argu

// The unions that Argu turns into a parser. Their cases are the options, their Usage the help.

type internal ListArguments =
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Json -> "print the list as JSON."

type internal TrainArguments =
    | [<MainCommand; Unique>] Experiment of experiment: string
    | [<Unique>] Preset of name: string
    | [<Unique>] Seed of number: int
    | [<Unique>] Out of folder: string
    | [<Unique>] Resume
    | [<Unique>] Threads of count: int
    | [<Unique>] Data of folder: string
    | [<Unique>] Quiet
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "what to train; scae list names them."
            | Preset _ -> "a named set of hyperparameters; the first listed unless given."
            | Seed _ -> "the seed of every random number; 0 unless given."
            | Out _ ->
                "the run's folder; runs/EXPERIMENT-PRESET-SEED unless given, with -2, -3, … where a run is already."
            | Resume -> "go on where the run in the folder, the newest unless --out is given, stopped, to the bit."
            | Threads _ -> "how many cores to use; all unless given. Results don't depend on it."
            | Data _ -> "where data sets lie that aren't generated."
            | Quiet -> "print nothing but errors."
            | Json -> "print the summary as JSON and nothing else."

type internal FiguresArguments =
    | [<MainCommand; Unique>] Run of folder: string
    | [<Unique>] Threads of count: int
    | [<Unique>] Data of folder: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Run _ -> "the folder that scae train left."
            | Threads _ -> "how many cores to use; all unless given."
            | Data _ -> "where data sets lie that aren't generated."
            | Json -> "print the result as JSON and nothing else."

type internal EvalArguments =
    | [<MainCommand; Unique>] Run of folder: string
    | [<Unique>] Seed of number: int
    | [<Unique>] Baseline of name: string
    | [<Unique>] Threads of count: int
    | [<Unique>] Data of folder: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Run _ -> "the folder that scae train left."
            | Seed _ -> "the seed of fresh validation and test scenes; 1 unless given."
            | Baseline _ -> "also measure a method that learns nothing on the same scenes, such as exact."
            | Threads _ -> "how many cores to use; all unless given."
            | Data _ -> "where data sets lie that aren't generated."
            | Json -> "print the result as JSON and nothing else."

type internal SweepArguments =
    | [<MainCommand; Unique>] Experiment of experiment: string
    | [<Unique>] Preset of name: string
    | [<Unique>] Seeds of range: string
    | Vary of axis: string
    | [<Unique>] Out of folder: string
    | [<Unique>] Threads of count: int
    | [<Unique>] Data of folder: string
    | [<Unique>] Quiet
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "what to train; scae list names them."
            | Preset _ -> "a named set of hyperparameters; the first listed unless given."
            | Seeds _ -> "first..last, such as 0..4, which is what is run unless given."
            | Vary _ -> "a hyperparameter and its values, such as hidden=12,24,48; every combination of several is run."
            | Out _ ->
                "the sweep's folder, runs/EXPERIMENT-PRESET-sweep unless given; finished runs in it aren't run again."
            | Threads _ -> "how many runs at once; as many as there are cores unless given."
            | Data _ -> "where data sets lie that aren't generated."
            | Quiet -> "print nothing but errors."
            | Json -> "print the result as JSON and nothing else."

type internal VerifyArguments =
    | [<MainCommand; Unique>] Experiment of experiment: string
    | [<Unique>] Preset of name: string
    | [<Unique>] Out of folder: string
    | [<Unique>] Threads of count: int
    | [<Unique>] Data of folder: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "which experiment; all unless given."
            | Preset _ -> "which preset's targets; every preset that has some unless given."
            | Out _ -> "where the runs are kept; runs/verify unless given. Needed with hyperparameters."
            | Threads _ -> "how many runs at once; as many as there are cores unless given."
            | Data _ -> "where data sets lie that aren't generated."
            | Json -> "print the result as JSON and nothing else."

type internal GradcheckArguments =
    | [<MainCommand; Unique>] Experiment of experiment: string
    | [<Unique>] Preset of name: string
    | [<Unique>] Seed of number: int
    | [<Unique>] Data of folder: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "which experiment; all unless given. Its hyperparameters are options, too."
            | Preset _ -> "a named set of hyperparameters; the first listed unless given."
            | Seed _ -> "the seed of parameters and batch; 0 unless given."
            | Data _ -> "where data sets lie that aren't generated."
            | Json -> "print the result as JSON and nothing else."

type internal BenchArguments =
    | [<MainCommand; Unique>] Experiment of experiment: string
    | [<Unique>] Preset of name: string
    | [<Unique>] Seed of number: int
    | [<Unique>] Steps of count: int
    | [<Unique>] Threads of count: int
    | [<Unique>] Data of folder: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "which experiment; all unless given. Its hyperparameters are options, too."
            | Preset _ -> "a named set of hyperparameters; the first listed unless given."
            | Seed _ -> "the seed of every random number; 0 unless given."
            | Steps _ -> "how many steps are timed; 2000 unless given."
            | Threads _ -> "how many cores to use; 1 unless given."
            | Data _ -> "where data sets lie that aren't generated."
            | Json -> "print the result as JSON and nothing else."

type internal RootArguments =
    | [<CliPrefix(CliPrefix.None)>] List of ParseResults<ListArguments>
    | [<CliPrefix(CliPrefix.None)>] Train of ParseResults<TrainArguments>
    | [<CliPrefix(CliPrefix.None)>] Eval of ParseResults<EvalArguments>
    | [<CliPrefix(CliPrefix.None)>] Figures of ParseResults<FiguresArguments>
    | [<CliPrefix(CliPrefix.None)>] Sweep of ParseResults<SweepArguments>
    | [<CliPrefix(CliPrefix.None)>] Verify of ParseResults<VerifyArguments>
    | [<CliPrefix(CliPrefix.None)>] Gradcheck of ParseResults<GradcheckArguments>
    | [<CliPrefix(CliPrefix.None)>] Bench of ParseResults<BenchArguments>

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | List _ -> "experiments, presets, published figures and targets."
            | Train _ -> "train an experiment; leaves a folder with numbers, checkpoint and pictures."
            | Eval _ -> "evaluate a run's checkpoint on scenes that it has never seen."
            | Figures _ -> "draw the figures of a run again."
            | Sweep _ -> "train several seeds, or combinations of hyperparameters; mean ± standard deviation."
            | Verify _ -> "run what paper-specs promises and say which targets hold."
            | Gradcheck _ -> "automatic derivatives against central differences, in float64."
            | Bench _ -> "milliseconds per training step, and how they split."

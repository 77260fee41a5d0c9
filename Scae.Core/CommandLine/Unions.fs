namespace Scae.Core.CommandLine

open Argu

// The unions that Argu turns into parsers. Their cases are the options, and their Usage is the help. Here every value
// is text: Arguments.fs checks what it must be, and words the errors. A hyperparameter reaches Argu as --set NAME
// VALUE.

/// The meanings of options that several commands have.
[<RequireQualifiedAccess>]
module internal Meaning =
    [<Literal>]
    let Set = "a hyperparameter and its value."

    [<Literal>]
    let Data =
        "the folder of MNIST, dSprites or your own images; unless given $SCAE_DATA, the cache, then the network."

    [<Literal>]
    let Json = "print the result as JSON and nothing else."

    [<Literal>]
    let TensorBoard = "also write an event file for TensorBoard: scalars, pictures, hyperparameters."

    [<Literal>]
    let Quiet = "print nothing but errors, notices and what --json asks for."

    [<Literal>]
    let Cores = "how many cores to use; all unless given. Results don't depend on it."

    [<Literal>]
    let AtOnce = "how many runs at once, or cores for a single one; unless given, one a core."

    [<Literal>]
    let Preset = "a named set of hyperparameters; the experiment's default unless given."

type internal ListArguments =
    | [<MainCommand>] Experiment of experiment: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "which experiment; all unless given."
            | Json -> "print the list as JSON."

type internal TrainArguments =
    | [<MainCommand>] Experiment of experiment: string
    | Preset of name: string
    | [<Hidden>] Set of name: string * value: string
    | Seed of number: string
    | Out of folder: string
    | Resume
    | Threads of count: string
    | Data of folder: string
    | Tensorboard
    | Quiet
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "what to train; scae list names them."
            | Preset _ -> Meaning.Preset
            | Set _ -> Meaning.Set
            | Seed _ -> "the seed of every random number; 0 unless given."
            | Out _ ->
                "the run's folder; runs/EXPERIMENT-PRESET-SEED unless given, with -2, -3, … where a run is already."
            | Resume ->
                "go on, to the bit, with the run in --out, or unless given the newest of its folders under runs."
            | Threads _ -> Meaning.Cores
            | Data _ -> Meaning.Data
            | Tensorboard -> Meaning.TensorBoard
            | Quiet -> Meaning.Quiet
            | Json -> "print the summary as JSON and nothing else."

type internal FiguresArguments =
    | [<MainCommand>] Run of folder: string
    | Threads of count: string
    | Data of folder: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Run _ -> "the folder that scae train left; required."
            | Threads _ -> Meaning.Cores
            | Data _ -> Meaning.Data
            | Json -> Meaning.Json

type internal EvalArguments =
    | [<MainCommand>] Run of folder: string
    | [<Hidden>] Set of name: string * value: string
    | Seed of number: string
    | Baseline of name: string
    | Threads of count: string
    | Data of folder: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Run _ -> "the folder that scae train left; required."
            | Set _ -> Meaning.Set
            | Seed _ -> "the seed of fresh validation and test scenes; 1 unless given."
            | Baseline _ -> "also measure a method that learns nothing on the same scenes, such as exact."
            | Threads _ -> Meaning.Cores
            | Data _ -> Meaning.Data
            | Json -> Meaning.Json

type internal ReportArguments =
    | [<MainCommand>] Runs of folder: string
    | Out of file: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Runs _ -> "the folder of a run or of a sweep, required; several stand side by side."
            | Out _ ->
                "the file; report.html in the folder unless given, or here where there are several folders. FILE.png and FILE.svg are the runs' curves alone, as one picture."
            | Json -> "print the file's name and the runs in it as JSON and nothing else."

type internal ExportArguments =
    | [<MainCommand>] Run of folder: string
    | Format of name: string
    | Out of file: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Run _ -> "the folder that scae train left; required."
            | Format _ -> "required. npz: the best epoch's parameters for NumPy; or onnx: the encoder for ONNX Runtime."
            | Out _ -> "the file; parameters.npz or encoder.onnx in the folder unless given."

type internal SweepArguments =
    | [<MainCommand>] Experiment of experiment: string
    | Preset of name: string
    | Presets of names: string
    | [<Hidden>] Set of name: string * value: string
    | Seeds of range: string
    | Vary of axis: string
    | Out of folder: string
    | Threads of count: string
    | Data of folder: string
    | Tensorboard
    | Slurm
    | Partition of name: string
    | Time of limit: string
    | Cpus of count: string
    | Task of number: string
    | Collect
    | Quiet
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "what to train; scae list names them."
            | Preset _ -> Meaning.Preset
            | Presets _ ->
                "presets to compare, such as best,noisy, in place of one; all stands for every one but quick."
            | Set _ -> Meaning.Set
            | Seeds _ -> "first..last, such as 0..4, which is what is run unless given."
            | Vary _ -> "a hyperparameter and its values, such as hidden=12,24,48; every combination of several is run."
            | Out _ ->
                "the sweep's folder, runs/EXPERIMENT-PRESET-sweep unless given, with --presets runs/EXPERIMENT-sweep; finished runs in it aren't run again."
            | Threads _ -> Meaning.AtOnce
            | Data _ -> Meaning.Data
            | Tensorboard -> Meaning.TensorBoard
            | Slurm -> "submit the runs that aren't finished as array jobs, one task each, and return."
            | Partition _ -> "with --slurm: the partition; Slurm's own choice unless given."
            | Time _ ->
                "with --slurm: the limit of a task, such as 30 (minutes) or 1-12:00:00; what is stopped goes on."
            | Cpus _ -> "with --slurm: cores of a task; 1 unless given."
            | Task _ -> "train only this one of the sweep's runs, counted from 0, as an array job's task does."
            | Collect -> "train nothing: the table of the runs that are finished, and what the others lack."
            | Quiet -> Meaning.Quiet
            | Json -> Meaning.Json

type internal VerifyArguments =
    | [<MainCommand>] Experiment of experiment: string
    | Preset of name: string
    | [<Hidden>] Set of name: string * value: string
    | Out of folder: string
    | Threads of count: string
    | Data of folder: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "which experiment; all unless given. Its hyperparameters are options, too."
            | Preset _ -> "which preset's targets; every preset that has some unless given."
            | Set _ -> Meaning.Set
            | Out _ -> "where the runs are kept; runs/verify unless given. Needed with hyperparameters."
            | Threads _ -> Meaning.AtOnce
            | Data _ -> Meaning.Data
            | Json -> Meaning.Json

type internal GradcheckArguments =
    | [<MainCommand>] Experiment of experiment: string
    | Preset of name: string
    | [<Hidden>] Set of name: string * value: string
    | Seed of number: string
    | Data of folder: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "which experiment; all unless given. Its hyperparameters are options, too."
            | Preset _ -> Meaning.Preset
            | Set _ -> Meaning.Set
            | Seed _ -> "the seed of parameters and batch; 0 unless given."
            | Data _ -> Meaning.Data
            | Json -> Meaning.Json

type internal BenchArguments =
    | [<MainCommand>] Experiment of experiment: string
    | Preset of name: string
    | [<Hidden>] Set of name: string * value: string
    | Seed of number: string
    | Steps of count: string
    | Threads of count: string
    | Data of folder: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Experiment _ -> "which experiment; all unless given. Its hyperparameters are options, too."
            | Preset _ -> Meaning.Preset
            | Set _ -> Meaning.Set
            | Seed _ -> "the seed of every random number; 0 unless given."
            | Steps _ -> "how many steps each of five rounds has, after as many to warm up; 2000 unless given."
            | Threads _ -> "how many cores to use; 1 unless given."
            | Data _ -> Meaning.Data
            | Json -> Meaning.Json

type internal CompletionArguments =
    | [<MainCommand>] Shell of shell: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Shell _ -> "bash, zsh or powershell; required."

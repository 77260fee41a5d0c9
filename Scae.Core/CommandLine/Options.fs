namespace Scae.Core.CommandLine

open Scae.Core.Experiments

/// The seeds first..last, both included. A range stays a range: a sweep over a hundred million seeds begins at once.
type SeedRange =
    {
        First: int64
        Last: int64
    }

    /// How many seeds there are.
    member range.Count: int64 = range.Last - range.First + 1L

    /// The seeds, ascending, made as they are asked for.
    member range.Values: seq<int64> = seq { range.First .. range.Last }

/// How `scae train` and `scae sweep` train their runs, and what they print.
type TrainingOptions =
    {
        Threads: int option
        /// The folder of data that isn't generated.
        Data: string option
        /// Whether runs leave event files for TensorBoard.
        TensorBoard: bool
        Quiet: bool
        Json: bool
    }

    /// Whether nothing is printed while runs are trained.
    member options.IsSilent: bool = options.Quiet || options.Json

/// What `scae train` was asked to do. What wasn't given is None: a run that is resumed knows it.
type TrainOptions =
    {
        /// None only with --resume --out.
        Experiment: Experiment option
        Preset: Preset option
        Overrides: (string * string) list
        Seed: int64 option
        Out: string option
        Resume: bool
        Training: TrainingOptions
    }

/// What `scae figures` was asked to do, and what `scae eval` shares with it.
type RunOptions =
    {
        Folder: string
        Threads: int option
        /// The folder of data that isn't generated.
        Data: string option
        Json: bool
    }

/// What `scae eval` was asked to do.
type EvalOptions =
    {
        Run: RunOptions
        /// The seed of the fresh scenes.
        Seed: int64
        /// Hyperparameters of measuring, in place of the run's.
        Overrides: (string * string) list
        Baseline: string option
    }

/// What `scae report` was asked to do.
type ReportOptions =
    {
        /// Folders of runs or of sweeps.
        Folders: string list
        /// The file.
        Out: string option
        Json: bool
    }

/// For which programs `scae export` writes.
type ExportFormat =
    /// NumPy: the parameters as an archive of arrays.
    | Npz
    /// ONNX Runtime and its like: the encoder as a graph.
    | Onnx

/// What `scae export` was asked to do.
type ExportOptions =
    {
        Folder: string
        Format: ExportFormat
        /// The file.
        Out: string option
    }

/// What a task of an array job is given.
type SlurmOptions =
    {
        Partition: string option
        /// The limit as Slurm writes it.
        Time: string option
        Cpus: int
    }

/// What is done about a sweep's runs.
type SweepWork =
    /// They are trained by this process.
    | Here
    /// Slurm is told to train them.
    | OnSlurm of SlurmOptions
    /// One is trained, by its place among them.
    | OneTask of number: int
    /// None is trained; the finished ones are put together.
    | Gather

/// What `scae sweep` was asked to do.
type SweepOptions =
    {
        Experiment: Experiment
        Preset: Preset
        Overrides: (string * string) list
        Seeds: SeedRange
        /// The hyperparameters that are varied.
        Vary: ScanAxis list
        /// The presets that are compared, in place of a single one; empty if there is only one.
        Compared: Preset list
        Work: SweepWork
        Out: string option
        Training: TrainingOptions
    }

/// What `scae verify`, `scae gradcheck` and `scae bench` were asked to do.
type ExperimentOptions =
    {
        Experiments: Experiment list
        Preset: string option
        Overrides: (string * string) list
        Seed: int64
        Steps: int
        Out: string option
        Threads: int option
        /// The folder of data that isn't generated.
        Data: string option
        Json: bool
    }

/// A command line that makes sense.
type Command =
    | ShowHelp of text: string
    | ShowList of experiments: Experiment list * json: bool
    | Completion of script: string
    | Train of TrainOptions
    | Eval of EvalOptions
    | Figures of RunOptions
    | Report of ReportOptions
    | Export of ExportOptions
    | Sweep of SweepOptions
    | Verify of ExperimentOptions
    | Gradcheck of ExperimentOptions
    | Bench of ExperimentOptions

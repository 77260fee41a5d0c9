namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Figures
open Scae.Core.Training

/// Which scenes an evaluation uses. Epochs are chosen on validation scenes; test scenes are seen once, at the end.
type Split =
    | Validation
    | Test

/// Named figures of merit, in the order in which they are shown.
type Metrics = (string * float) list

/// What was measured at the end of an epoch, on validation scenes.
type Evaluation =
    {
        Epoch: int
        Step: int
        /// The mean loss over the epoch's training steps.
        TrainLoss: float
        Metrics: Metrics
    }

/// What an experiment keeps of a moment of training, for its animation.
type Snapshot = { Step: int; Values: (string * Tensor) list }

/// The course of a training, oldest first.
type History = { Evaluations: Evaluation list; Snapshots: Snapshot list }

/// The metric by which the best epoch is chosen.
type BestBy = { Metric: string; Larger: bool }

/// How a training proceeds.
type Plan =
    {
        Epochs: int
        StepsPerEpoch: int
        BatchSize: int
        Optimizer: Optimizer
        /// The learning rate of a step, counted from 0.
        LearningRate: int -> float
        /// The largest global norm of the gradients.
        Clip: float voption
        /// Steps between snapshots; 0 for none.
        SnapshotEvery: int
        BestBy: BestBy
    }

    /// Steps of the whole training.
    member plan.Steps: int = plan.Epochs * plan.StepsPerEpoch

/// Where data that isn't generated is found; None where nothing was said.
type Resources = { DataFolder: string option }

/// The streams of randomness of a run.
type Keys = { Init: Key; Train: Key; Validation: Key; Test: Key }

/// The streams of a run.
[<RequireQualifiedAccess>]
module Keys =
    /// The streams of a seed.
    let ofSeed (seed: int) : Keys =
        let root = Key.OfSeed(int64 seed)

        {
            Init = root.Named "init"
            Train = root.Named "train"
            Validation = root.Named "validation"
            Test = root.Named "test"
        }

    /// The same with validation and test scenes that no run of the seed has seen.
    let fresh (evaluationSeed: int) (keys: Keys) : Keys =
        let root = (Key.OfSeed(int64 evaluationSeed)).Named "fresh"

        { keys with Validation = root.Named "validation"; Test = root.Named "test" }

/// A model with its data, ready to be trained: what the training loop and the command line see of an experiment.
type Session =
    {
        /// The parameters by name, float32, updated in place.
        Parameters: (string * Tensor) list
        /// Draws the batch of a step, in place.
        Fill: int -> unit
        /// The loss of the present batch, recorded for replay.
        Record: unit -> Recording
        Evaluate: Split -> Metrics
        /// By name, methods that learn nothing, measured on the same scenes.
        Baselines: (string * (Split -> Metrics)) list
        Snapshot: int -> Snapshot
        Figures: History -> Figure list
        Animation: History -> Animation option
    }

/// An experiment with every hyperparameter settled.
type Task =
    {
        /// Every hyperparameter with its value.
        Settings: (string * string) list
        Plan: Plan
        /// Loads or generates the data and draws the parameters. The error says in one line what is missing.
        Open: Resources -> Keys -> Result<Session, string>
        /// Compares gradients of the whole model with central differences, in float64, on a batch of three.
        CheckGradient: Resources -> Keys -> Result<GradientComparison list, string>
    }

/// An experiment as the command line knows it.
type Experiment =
    {
        Specification: Specification
        /// The hyperparameters with the defaults of a preset.
        Settings: Preset -> Setting list
        /// A preset with some hyperparameters replaced. The error is one line.
        Configure: Preset -> (string * string) list -> Result<Task, string>
    }

/// What the author of an experiment writes: data, model, loss, measures and pictures as functions of a configuration.
type Definition<'config, 'data, 'model, 'batch> =
    {
        Specification: Specification
        Defaults: 'config
        /// The plan of a configuration; the error says in one line which hyperparameters don't fit each other.
        Plan: 'config -> Result<Plan, string>
        /// Data that is made or loaded once: training sets, validation and test scenes.
        Load: 'config -> Resources -> Keys -> Result<'data, string>
        Init: 'config -> Dtype -> Key -> 'model
        /// Room for a batch of the given size, a record whose tensors are float32.
        Allocate: 'config -> int -> 'batch
        /// Fills a batch from the key of its step, which is counted from 0.
        Fill: 'config -> 'data -> Key -> int -> 'batch -> unit
        /// The loss of a batch, a scalar. It must not depend on values read while it runs: see Recording.
        Loss: 'config -> 'model -> 'batch -> Tensor
        /// Staged: given configuration, data and model it may prepare what evaluations share.
        Evaluate: 'config -> 'data -> 'model -> Split -> Metrics
        Snapshot: 'config -> 'data -> 'model -> (string * Tensor) list
        Figures: 'config -> 'data -> 'model -> History -> Figure list
        Animation: 'config -> 'data -> History -> Animation option
    }

/// Experiments from definitions.
[<RequireQualifiedAccess>]
module Experiment =
    let private openSession
        (baselines: (string * ('config -> 'data -> Split -> Metrics)) list)
        (definition: Definition<'config, 'data, 'model, 'batch>)
        config
        (plan: Plan)
        resources
        keys
        =
        definition.Load config resources keys
        |> Result.map (fun data ->
            let model = definition.Init config Dtype.Float32 keys.Init |> Parameters.trainable
            let batch = definition.Allocate config plan.BatchSize

            {
                Parameters = Parameters.named model
                Fill = fun step -> definition.Fill config data (keys.Train.Fold step) step batch
                Record = fun () -> Recording.Of(fun () -> Seq.singleton (definition.Loss config model batch))
                Evaluate = definition.Evaluate config data model
                Baselines = baselines |> List.map (fun (name, measure) -> name, measure config data)
                Snapshot = fun step -> { Step = step; Values = definition.Snapshot config data model }
                Figures = definition.Figures config data model
                Animation = definition.Animation config data
            })

    let private checkGradient (definition: Definition<'config, 'data, 'model, 'batch>) config resources keys =
        definition.Load config resources keys
        |> Result.map (fun data ->
            let model = definition.Init config Dtype.Float64 keys.Init |> Parameters.trainable

            let batch = definition.Allocate config 3
            definition.Fill config data (keys.Train.Fold 0) 0 batch

            let batch =
                batch
                |> Parameters.map (fun tensor ->
                    if tensor.dtype = Dtype.Float32 then
                        tensor.cast Dtype.Float64
                    else
                        tensor)

            GradientCheck.run (keys.Init.Named "gradcheck") (Parameters.named model) (fun () ->
                definition.Loss config model batch))

    /// An experiment from its definition, with named baselines: methods without parameters, measured on the data of a
    /// configuration.
    let defineWith
        (baselines: (string * ('config -> 'data -> Split -> Metrics)) list)
        (definition: Definition<'config, 'data, 'model, 'batch>)
        : Experiment =
        let configure (preset: Preset) (overrides: (string * string) list) =
            definition.Defaults
            |> Settings.apply (preset.Settings @ overrides)
            |> Result.bind (fun config -> definition.Plan config |> Result.map (fun plan -> config, plan))
            |> Result.map (fun (config, plan) ->
                {
                    Settings = Settings.values config
                    Plan = plan
                    Open = openSession baselines definition config plan
                    CheckGradient = checkGradient definition config
                })

        let settings (preset: Preset) =
            match Settings.apply preset.Settings definition.Defaults with
            | Ok config -> Settings.describe config
            | Error message -> invalidOp $"preset {preset.Name} of {definition.Specification.Experiment}: {message}"

        {
            Specification = definition.Specification
            Settings = settings
            Configure = configure
        }

    /// An experiment from its definition. Types are hidden; adding an experiment changes nothing else.
    let define (definition: Definition<'config, 'data, 'model, 'batch>) : Experiment = defineWith [] definition

    /// One experiment out of several definitions, for presets whose models have other hyperparameters: those named train
    /// the given experiment, all others the first one, whose specification rules.
    let withVariants (variants: (string * Experiment) list) (first: Experiment) : Experiment =
        let chosen (preset: Preset) =
            variants
            |> List.tryFind (fun (name, _) -> name = preset.Name)
            |> Option.map snd
            |> Option.defaultValue first

        { first with
            Settings = fun preset -> (chosen preset).Settings preset
            Configure = fun preset -> (chosen preset).Configure preset
        }

namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers
open Scae.Core.Training

/// An experiment with every hyperparameter settled.
type Task =
    {
        /// Every hyperparameter with its value.
        Settings: (string * string) list
        Plan: Plan
        /// Hyperparameters that are read only under conditions, and whether these hold.
        Dependences: Dependence list
        /// The memory that a run will take, estimated without taking it.
        Needs: unit -> Need list
        /// Loads or generates the data and draws the parameters. The error says in one line what is missing.
        Open: Resources -> Keys -> Result<Session, string>
        /// Compares gradients of the whole model with central differences, in float64, on a batch of four. The number is the
        /// most entries of a parameter that are compared.
        CheckGradient: int -> Resources -> Keys -> Result<GradientComparison list, string>
    }

/// One of the models of an experiment; its types are hidden.
type Variant =
    {
        /// The hyperparameters with the defaults of a preset.
        Settings: Preset -> Setting list
        /// A preset with some hyperparameters replaced, some of which may have no effect. The error is one line.
        Configure: Preset -> (string * string) list -> Result<Task, string>
        /// The names of the methods that learn nothing, which `Session.baseline` measures.
        Baselines: string list
    }

/// An experiment as the command line knows it.
type Experiment =
    {
        Specification: Specification
        /// The hyperparameters with the defaults of a preset.
        Settings: Preset -> Setting list
        /// A preset with some hyperparameters replaced, some of which may have no effect. The error is one line.
        Configure: Preset -> (string * string) list -> Result<Task, string>
        /// The baselines of any of its models.
        Baselines: string list
    }

/// Models of experiments from definitions.
[<RequireQualifiedAccess>]
module Variant =
    // How many rows the batch has on which gradients are checked. It is even, for models whose batches are pairs of rows.
    [<Literal>]
    let private CheckedRows = 4

    let private checkGradient
        (definition: Definition<'settings, 'data, 'model, 'batch, 'reading>)
        (settings: 'settings, plan: Plan)
        (entries: int)
        (keys: Keys)
        (data: 'data)
        : GradientComparison list =
        // In the last step everything has begun that begins later than training does, and what is brought in slowly is there.
        let last = plan.Steps - 1
        let batch = definition.Allocate settings CheckedRows
        definition.Fill settings data (keys.Train.Fold last) last batch

        let batch =
            batch
            |> Parameters.map (fun tensor ->
                if tensor.dtype = Dtype.Float32 then
                    tensor.cast Dtype.Float64
                else
                    tensor)

        let settings, model =
            definition.Init settings Dtype.Float64 keys.Init |> definition.Checked settings keys.Init

        let model = Plan.differentiable plan model
        let isParameter (name: string, _) = (Plan.rule plan name).IsSome

        let parameters = Parameters.named model |> List.filter isParameter

        GradientCheck.sampled entries (keys.Init.Named "gradcheck") parameters (fun () ->
            (definition.Loss settings model batch).Total)

    /// A model from its definition.
    let ofDefinition (definition: Definition<'settings, 'data, 'model, 'batch, 'reading>) : Variant =
        let configure (preset: Preset) (overrides: (string * string) list) =
            definition.Defaults
            |> Settings.apply (preset.Settings @ overrides)
            |> Result.bind (fun settings ->
                definition.Resolve settings
                |> Result.map (fun (resolved, plan) ->
                    let load resources keys use' = definition.Load resolved resources keys |> Result.map (use' keys)

                    {
                        Settings = Settings.values settings
                        Plan = plan
                        Dependences = definition.Dependences settings
                        Needs = fun () -> Needs.ofDefinition definition (resolved, plan) (Settings.values settings)
                        Open = fun resources keys -> load resources keys (Session.create definition (resolved, plan))
                        CheckGradient =
                            fun entries resources keys ->
                                load resources keys (checkGradient definition (resolved, plan) entries)
                    }))

        let settings (preset: Preset) =
            match Settings.apply preset.Settings definition.Defaults with
            | Ok settings -> Settings.describe settings
            | Error message -> invalidOp $"preset {preset.Name}: {message}"

        {
            Settings = settings
            Configure = configure
            Baselines = definition.Baselines |> List.map fst
        }

/// Experiments from the models that they train.
[<RequireQualifiedAccess>]
module Experiment =
    /// An experiment with several models. The specification says for each preset which of them it trains. Raises if a preset
    /// names no model, or an unknown one, since the specification is part of the program.
    let ofSpecification (specification: Specification) (variants: (string * Variant) list) : Experiment =
        let name = specification.Experiment

        let variant (preset: Preset) : Result<Variant, string> =
            let known = variants |> List.map fst

            match variants, preset.Model with
            | [ _, only ], None -> Ok only
            | _, Some model when List.contains model known -> variants |> List.find (fst >> (=) model) |> snd |> Ok
            | _, said ->
                let said, known = defaultArg said "none", String.concat ", " known
                Error $"{name}, preset {preset.Name}: the model is {said}; must be one of {known}"

        let orRaise (preset: Preset) : Variant =
            match variant preset with
            | Ok variant -> variant
            | Error message -> invalidOp message

        for preset in specification.Presets do
            orRaise preset |> ignore

        {
            Specification = specification
            Settings = fun preset -> (orRaise preset).Settings preset
            Configure =
                fun preset overrides ->
                    variant preset |> Result.bind (fun variant -> variant.Configure preset overrides)
            Baselines = variants |> List.collect (fun (_, variant) -> variant.Baselines) |> List.distinct
        }

    /// An experiment with several models and the specification in paper-specs/NAME/spec.json, which this assembly embeds. Raises
    /// ArgumentException if there is none; an experiment of another assembly is made by `ofSpecification`.
    let ofVariants (name: string) (variants: (string * Variant) list) : Experiment =
        ofSpecification (Specification.embedded name) variants

    /// An experiment with one model and its specification, as `ofVariants`. Its types are hidden, so adding an experiment changes
    /// nothing else.
    let define (name: string) (definition: Definition<'settings, 'data, 'model, 'batch, 'reading>) : Experiment =
        ofVariants name [ name, Variant.ofDefinition definition ]

    /// A preset with the hyperparameters of a run that was begun, some of which may have no effect. The error is one line.
    let restore (experiment: Experiment) (preset: Preset) (saved: (string * string) list) : Result<Task, string> =
        experiment.Configure preset saved

    /// The task, unless one of the hyperparameters that somebody gave for it has no effect. The error is one line.
    let unlessUnread (given: (string * string) list) (task: Task) : Result<Task, string> =
        match Dependence.refusal given [ task.Dependences ] with
        | Some message -> Error message
        | None -> Ok task

    /// The given hyperparameters that have an effect on a task.
    let heeded (given: (string * string) list) (task: Task) : (string * string) list =
        given |> List.filter (fun pair -> (Dependence.refusal [ pair ] [ task.Dependences ]).IsNone)

    /// A preset with some hyperparameters replaced, each of which must have an effect. The error is one line.
    let configure (experiment: Experiment) (preset: Preset) (overrides: (string * string) list) : Result<Task, string> =
        restore experiment preset overrides |> Result.bind (unlessUnread overrides)

    /// The task of a run that was trained with some hyperparameters and is measured with others. Only hyperparameters of
    /// measuring may be replaced. The error is one line.
    let remeasure
        (experiment: Experiment)
        (preset: Preset)
        (trained: (string * string) list)
        (overrides: (string * string) list)
        : Result<Task, string> =
        let measuring =
            experiment.Settings preset
            |> List.filter _.Measuring
            |> List.map (fun setting -> $"--{setting.Name}")

        match overrides |> List.tryFind (fun (name, _) -> not (List.contains $"--{name}" measuring)) with
        | Some(name, _) ->
            let known = String.concat ", " measuring
            Error $"--{name}: preset {preset.Name} has no such hyperparameter of measuring; it has {known}"
        | None -> restore experiment preset (trained @ overrides) |> Result.bind (unlessUnread overrides)

    /// What identifies the run of a task in its checkpoints.
    let identify
        (experiment: Experiment)
        (preset: Preset)
        (task: Task)
        (resources: Resources)
        (seed: int64)
        : RunIdentity =
        {
            Experiment = experiment.Specification.Experiment
            Preset = preset.Name
            Seed = seed
            Settings = task.Settings
            Version = RunIdentity.version
            Data = DigitSource.fingerprint resources task.Settings
        }

    /// A session with the parameters and scenes of a seed. The error is one line. Where `digits` or `sprites` are `auto`, the
    /// resources decide, and stroke digits may serve in place of MNIST: `DigitSource.settle` and `SpriteSource.settle` tell.
    let openSeed (task: Task) (resources: Resources) (seed: int64) : Result<Session, string> =
        task.Open resources (Keys.ofSeed seed)

    /// The same with validation and test scenes of another seed, which no training has drawn.
    let openFresh (task: Task) (resources: Resources) (seed: int64) (evaluationSeed: int64) : Result<Session, string> =
        task.Open resources (Keys.fresh evaluationSeed (Keys.ofSeed seed))

    /// Compares gradients of the whole model with central differences. The error is one line.
    let checkGradient (task: Task) (resources: Resources) (seed: int64) : Result<GradientComparison list, string> =
        task.CheckGradient GradientCheck.EntriesPerParameter resources (Keys.ofSeed seed)

namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers
open Scae.Core.Figures
open Scae.Core.Training

/// A look at the present parameters, which reads each split at most once. It is valid until the parameters change.
type Inspection =
    {
        /// The metrics of a split; those of test scenes include the probes.
        Metrics: Split -> Metrics
        Figures: History -> Figure list
    }

/// A model with its data, ready to be trained, measured and drawn.
type Session =
    {
        Learner: Learner
        Inspect: unit -> Inspection
        /// Methods that learn nothing, by name, measured on the same scenes.
        Baselines: (string * (Split -> Result<Metrics, string>)) list
        Animation: History -> Animation option
    }

/// Sessions from definitions.
[<RequireQualifiedAccess>]
module Session =
    let internal create
        (definition: Definition<'settings, 'data, 'model, 'batch, 'reading>)
        (settings: 'settings, plan: Plan)
        (keys: Keys)
        (data: 'data)
        : Session =
        let model = definition.Init settings Dtype.Float32 keys.Init |> Plan.differentiable plan

        let frozen = Parameters.frozen model
        let batch = definition.Allocate settings plan.BatchSize
        let read = definition.Read settings data frozen
        let metrics = definition.Metrics settings
        let snapshot = definition.Snapshot settings data frozen
        let fill = definition.Fill settings data

        {
            Learner =
                {
                    Tensors = Parameters.named model
                    Fill = fun step -> fill (keys.Train.Fold step) step batch
                    Loss = fun () -> definition.Loss settings model batch
                    Validate = fun () -> metrics (read Validation)
                    Snapshot = snapshot
                }
            Inspect =
                fun () ->
                    let read = Memo.once read

                    {
                        Metrics =
                            function
                            | Validation -> metrics (read Validation)
                            | Test ->
                                // A probe replaces the metric of its name, which is measured more cheaply after each epoch.
                                let probes = definition.Probes settings data frozen (read Test)
                                let isProbed (name: string, _) = probes |> List.exists (fun (probe, _) -> probe = name)
                                (metrics (read Test) |> List.filter (isProbed >> not)) @ probes
                        Figures = definition.Figures settings data frozen read
                    }
            Baselines = definition.Baselines |> List.map (fun (name, measure) -> name, measure settings data)
            Animation = definition.Animation settings data
        }

    /// The metrics of a baseline on the scenes of a split. The error is one line.
    let baseline (session: Session) (name: string) (split: Split) : Result<Metrics, string> =
        match session.Baselines |> List.tryFind (fun (known, _) -> known = name) with
        | Some(_, measure) -> measure split
        | None when session.Baselines.IsEmpty -> Error $"--baseline {name}: this preset has no baselines"
        | None -> Error $"there is no baseline {name}{Spelling.nearest name (List.map fst session.Baselines)}"

    /// The animation of a training, if it has one.
    let animation (session: Session) (history: History) : Animation option = session.Animation history

/// Metrics and pictures of a training.
[<RequireQualifiedAccess>]
module Results =
    /// Test metrics with the final parameters and, as best_METRIC, with those of the epoch that was best on validation scenes.
    /// That epoch is best_epoch. val_best_METRIC is the validation metric by which it was chosen: an optimistic figure, but
    /// small programs publish it.
    let private named (state: TrainingState) (final: Metrics) (atBest: Metrics) : Metrics =
        match state.Best with
        | None -> final
        | Some best ->
            final
            @ [ for name, value in atBest -> $"best_{name}", value ]
            @ [ $"val_best_{state.Plan.BestBy.Metric}", best.Value; "best_epoch", float best.Epoch ]

    let private examine (session: Session) (state: TrainingState) (draw: Inspection -> Figure list) =
        let atBest () =
            TrainingState.atBest state (fun () ->
                let inspection = session.Inspect()
                inspection.Metrics Test, draw inspection)

        if TrainingState.isAtBest state then
            let metrics, figures = atBest ()
            named state metrics metrics, figures
        else
            let final = TrainingState.asEvaluated state (fun () -> (session.Inspect()).Metrics Test)

            let metrics, figures = atBest ()
            named state final metrics, figures

    /// The metrics of a training, on test scenes.
    let metrics (session: Session) (state: TrainingState) : Metrics = fst (examine session state (fun _ -> []))

    /// The pictures of a training, of the parameters of the epoch that was best on validation scenes.
    let figures (session: Session) (state: TrainingState) (history: History) : Figure list =
        TrainingState.atBest state (fun () -> (session.Inspect()).Figures history)

    /// Metrics and pictures, from readings that they share.
    let all (session: Session) (state: TrainingState) (history: History) : Metrics * Figure list =
        examine session state (fun inspection -> inspection.Figures history)

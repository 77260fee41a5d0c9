namespace Scae.Core.Experiments

open System
open System.Collections.Generic
open Scae.Core.Figures
open Scae.Core.Training

/// What a shell needs to run experiments, as plain static methods: no curried functions in fields.
[<RequireQualifiedAccess>]
module Runs =
    let private pairs (overrides: seq<KeyValuePair<string, string>>) = [ for pair in overrides -> pair.Key, pair.Value ]

    /// A task from a preset and replaced hyperparameters. The error is one line.
    let configure (experiment: Experiment) (preset: Preset) (overrides: seq<KeyValuePair<string, string>>) =
        experiment.Configure preset (pairs overrides)

    /// A session with the parameters and scenes of a seed. The error is one line.
    let openSeed (task: Task) (resources: Resources) (seed: int) : Result<Session, string> =
        task.Open resources (Keys.ofSeed seed)

    /// The same with validation and test scenes of another seed, which no training has seen.
    let openFresh (task: Task) (resources: Resources) (seed: int) (evaluationSeed: int) : Result<Session, string> =
        task.Open resources (Keys.fresh evaluationSeed (Keys.ofSeed seed))

    /// Gradients of the whole model against central differences. The error is one line.
    let checkGradient (task: Task) (resources: Resources) (seed: int) : Result<GradientComparison list, string> =
        task.CheckGradient resources (Keys.ofSeed seed)

    /// Trains; see Training.run.
    let train (state: TrainingState) (shouldStop: Func<bool>) (report: Action<Progress>) : Outcome =
        Training.run state shouldStop.Invoke report.Invoke

    /// The pictures of a training, of its best epoch's parameters.
    let figures (state: TrainingState) : Figure list = Training.figures state

    /// The animation of a training, if it has one.
    let animation (state: TrainingState) : Animation option = state.Session.Animation state.History

    /// The metrics of a baseline on one set of scenes. The error is one line with the nearest name.
    let baseline (session: Session) (name: string) (split: Split) : Result<Metrics, string> =
        match session.Baselines |> List.tryFind (fun (known, _) -> known = name) with
        | Some(_, measure) -> Ok(measure split)
        | None when session.Baselines.IsEmpty -> Error $"--baseline {name}: the experiment has no baselines"
        | None -> Error $"there is no baseline {name}{Spelling.nearest name (List.map fst session.Baselines)}"

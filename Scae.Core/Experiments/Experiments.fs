namespace Scae.Core.Experiments

open Scae.Core.Configuration

/// Every experiment that the command line offers. A new paper is one line here.
[<RequireQualifiedAccess>]
module Experiments =
    /// All experiments, in the order in which they are listed.
    let all: Experiment list =
        [
            ConstellationsExperiment.experiment
            NeuralEMExperiment.experiment
            AirExperiment.experiment
            ScaeExperiment.experiment
            CcaeExperiment.experiment
            TvaeExperiment.experiment
        ]

    /// The experiment with a name. The error is one line with the nearest name.
    let find (name: string) : Result<Experiment, string> =
        match all |> List.tryFind (fun experiment -> experiment.Specification.Experiment = name) with
        | Some experiment -> Ok experiment
        | None ->
            let nearest = Spelling.nearest name [ for e in all -> e.Specification.Experiment ]
            Error $"there is no experiment {name}{nearest}"

    /// A preset of an experiment; the default one for None. The error is one line with the nearest name.
    let preset (name: string option) (experiment: Experiment) : Result<Preset, string> =
        let specification = experiment.Specification
        let wanted = defaultArg name specification.DefaultPreset

        match specification.Presets |> List.tryFind (fun preset -> preset.Name = wanted) with
        | Some preset -> Ok preset
        | None ->
            let nearest = Spelling.nearest wanted [ for preset in specification.Presets -> preset.Name ]
            Error $"{specification.Experiment} has no preset {wanted}{nearest}"

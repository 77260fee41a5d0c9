namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Which templates scenes are made of.
type TemplateSet =
    /// Square, triangle with an extra point, triangle: 11 points.
    | Three
    /// The same three, a line and a corner: 18 points.
    | Five

/// The hyperparameters of capsules that recognise their templates: the network, and the search that teaches it.
type RoutingSettings =
    {
        Training: TrainingSettings
        [<Setting("steps until the step size is at its largest; then it falls along a cosine", Min = 1.0)>]
        Warmup: int
        [<Setting("which templates scenes are made of")>]
        Templates: TemplateSet
        Capsules: RoutingCapsulesConfig
    }

/// What follows from the hyperparameters of capsules that recognise their templates.
[<RequireQualifiedAccess>]
module RoutingSettings =
    /// The hyperparameters of the preset "routing".
    let defaults: RoutingSettings =
        {
            Training =
                {
                    Epochs = 24
                    StepsPerEpoch = 250
                    BatchSize = 64
                    LearningRate = 2e-3
                    ValidationSize = 2048
                    TestSize = 10000
                    SnapshotEvery = 200
                }
            Warmup = 200
            Templates = TemplateSet.Three
            Capsules = RoutingCapsules.standard
        }

    /// The published scenes, but of the capsules' templates.
    let scenes (settings: RoutingSettings) : ConstellationsConfig =
        { Constellations.published with Templates = settings.Capsules.Templates }

    /// Dreamed scenes teach their truth, however well fits explain it.
    let dependences (settings: RoutingSettings) : Dependence list =
        [
            Dependence.needs "--teacher residual" (settings.Capsules.Teacher = Residual) [ "trust"; "credit" ]
        ]

    /// The settings with the chosen templates in the search, and the plan of the training, which clips gradients to a
    /// norm of 1. The error is one line.
    let resolve (settings: RoutingSettings) : Result<RoutingSettings * Plan, string> =
        let { Training = training; Capsules = capsules } = settings

        let templates =
            match settings.Templates with
            | TemplateSet.Three -> Template.published
            | TemplateSet.Five -> Template.five

        if capsules.Width % capsules.Heads <> 0 then
            Error $"--heads {capsules.Heads}: must divide the width, which is {capsules.Width}"
        else
            Ok(
                { settings with Capsules.Search.Templates = templates },
                TrainingSettings.plan { Metric = "raw_recovery"; Larger = true } training
                |> TrainingSettings.scheduled settings.Warmup (Cosine(0.01, training.Steps)) 1.0
            )

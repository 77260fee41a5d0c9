namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of the constellation capsule autoencoder; the defaults are the released program's.
type CcaeSettings =
    {
        Training: TrainingSettings
        Rule: CapsuleRuleSettings
        Descent: DescentSettings
        [<Setting("noise U(−x, x) on the logits of capsules and votes", Min = 0.0, Max = 1e6)>]
        Noise: float
        [<Setting("whether there is noise when measuring too, as in the released program", Measuring = true)>]
        EvaluationNoise: bool
        Scenes: CcaeScenesSettings
        Model: CcaeConfig
    }

/// What follows from the hyperparameters of the constellation capsule autoencoder.
[<RequireQualifiedAccess>]
module CcaeSettings =
    /// The released program: 300,000 steps.
    let paper: CcaeSettings =
        {
            Training =
                {
                    Epochs = 300
                    StepsPerEpoch = 1000
                    BatchSize = 32
                    LearningRate = 1e-4
                    ValidationSize = 1280
                    TestSize = 10000
                    SnapshotEvery = 5000
                }
            Rule = CapsuleRule.released
            Descent = DescentSettings.constant
            Noise = 2.0
            EvaluationNoise = true
            Scenes = CcaeScenes.paper
            Model = Ccae.paper
        }

    /// Votes that are counted carry no gradient, so weights of what is counted don't matter.
    let dependences (settings: CcaeSettings) : Dependence list =
        [
            CapsuleRule.dependence settings.Rule
            Dependence.needs
                "--counted-prior false"
                (not settings.Model.CountedPrior)
                [ "prior-within"; "prior-between" ]
            Dependence.needs "--noise above 0" (settings.Noise > 0.0) [ "evaluation-noise" ]
        ]

    /// Why settings don't fit together, in one line. Heads share the width, and each pattern needs a capsule.
    let private refusal (settings: CcaeSettings) : string option =
        let { Objects = objects; Heads = heads } = settings.Model
        let patterns = settings.Scenes.Patterns.Length

        if objects < patterns then
            Some $"--objects {objects}: must be at least {patterns}, one for each of the patterns"
        elif heads > settings.Model.Width then
            Some $"--heads {heads}: must be at most the width, {settings.Model.Width}"
        else
            None

    /// The settings and the plan of the training. Epochs are chosen by likelihood, which knows no owners. The error is one
    /// line.
    let resolve (settings: CcaeSettings) : Result<CcaeSettings * Plan, string> =
        match refusal settings with
        | Some message -> Error message
        | None ->
            let training = settings.Training
            let optimizer = CapsuleRule.optimizer settings.Rule training.BatchSize

            Ok(
                settings,
                { TrainingSettings.plan { Metric = "likelihood"; Larger = true } training with
                    Rule = TrainingSettings.rule optimizer 1 settings.Descent training
                }
            )

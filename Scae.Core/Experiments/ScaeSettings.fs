namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Models
open Scae.Core.Training

/// How the stacked capsule autoencoder's parameters follow their gradients.
[<RequireQualifiedAccess>]
type ScaeRule =
    /// As in TensorFlow 1, with momentum and ε = (1 / 10B)² inside the root: the released program.
    | RmsProp
    | Adam

/// Every hyperparameter of the stacked capsule autoencoder; the defaults are the released program's `run_mnist`.
type ScaeSettings =
    {
        Training: TrainingSettings
        [<Setting("how parameters follow gradients")>]
        Optimizer: ScaeRule
        [<Setting("momentum of rms-prop", Min = 0.0, Max = 0.999)>]
        Momentum: float
        [<Setting("the step size at the end as a share of the first, approached geometrically", Min = 1e-6, Max = 1.0)>]
        FinalRate: float
        [<Setting("largest norm of the gradients, 0 for no limit", Min = 0.0)>]
        Clip: float
        [<Setting("where single digits come from; auto is mnist where it can be had, else strokes")>]
        Digits: DigitSource
        [<Setting("training digits from which clusters and the fitted probes are learned, at most all", Min = 10.0)>]
        ProbeSize: int
        [<Setting("noise U(−x, x) on the logits of parts, capsules and votes", Min = 0.0)>]
        Noise: float
        [<Setting("whether there is noise when measuring too, as in the released program")>]
        EvaluationNoise: bool
        Model: ScaeConfig
    }

/// What follows from the hyperparameters of the stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeSettings =
    /// The released program's `run_mnist`: 300,000 steps.
    let paper: ScaeSettings =
        {
            Training =
                {
                    Epochs = 300
                    StepsPerEpoch = 1000
                    BatchSize = 128
                    LearningRate = 3e-5
                    ValidationSize = 2000
                    TestSize = 10000
                    SnapshotEvery = 5000
                }
            Optimizer = ScaeRule.RmsProp
            Momentum = 0.9
            FinalRate = 1.0
            Clip = 0.0
            Digits = DigitSource.Auto
            ProbeSize = 60000
            Noise = 2.0
            EvaluationNoise = true
            Model = ScaeConfig.paper
        }

    /// As in the released program: ε grows smaller with the batch.
    let private optimizer (settings: ScaeSettings) : Optimizer =
        match settings.Optimizer with
        | ScaeRule.Adam -> Optimizer.adam
        | ScaeRule.RmsProp ->
            let root = 1.0 / (10.0 * float settings.Training.BatchSize)
            Optimizer.tensorFlowRmsProp 0.9 settings.Momentum (root * root)

    /// The settings and the plan of the training. Epochs are chosen by reconstruction, which knows no classes. The error is
    /// one line.
    let resolve (settings: ScaeSettings) : Result<ScaeSettings * Plan, string> =
        let training = settings.Training

        if training.TestSize < ScaeConfig.Classes then
            Error
                $"--test-size {training.TestSize}: must be at least {ScaeConfig.Classes}, a digit for each of the clusters"
        else
            let plan = TrainingSettings.plan { Metric = "reconstruction"; Larger = true } training

            let rule =
                {
                    Optimizer = optimizer settings
                    LearningRate =
                        {
                            Largest = training.LearningRate
                            WarmUp = 1
                            Decay = Decay.geometric settings.FinalRate training.Steps
                        }
                    Clip = TrainingSettings.clip settings.Clip
                }

            Ok(
                settings,
                { plan with
                    Rule = rule
                    Groups =
                        [
                            // One rule for all, as in the released program; the probes are a group so that it can be seen.
                            Ruled("priorProbe", rule)
                            Ruled("posteriorProbe", rule)
                            // Pictures alone use it, and nothing teaches it.
                            Kept "dummy"
                        ]
                }
            )

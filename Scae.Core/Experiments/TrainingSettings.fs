namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Training

/// The hyperparameters that every experiment has: how long to train, and on how much to measure.
type TrainingSettings =
    {
        [<Setting("passes of steps-per-epoch steps, each followed by an evaluation", Min = 1.0, Max = 1e4)>]
        Epochs: int
        [<Setting("training steps an epoch", Min = 1.0, Max = 1e5)>]
        StepsPerEpoch: int
        [<Setting("scenes a step", Min = 1.0, Max = 65536.0)>]
        BatchSize: int
        [<Setting("largest step size", Min = 0.0)>]
        LearningRate: float
        [<Setting("scenes of the evaluation after each epoch", Min = 1.0)>]
        ValidationSize: int
        [<Setting("scenes of the evaluation at the end", Min = 1.0, Measuring = true)>]
        TestSize: int
        [<Setting("steps between the snapshots that the animation shows, 0 for none", Min = 0.0)>]
        SnapshotEvery: int
    }

    /// Steps of the whole training.
    member settings.Steps: int = settings.Epochs * settings.StepsPerEpoch

/// How the parameters of capsule autoencoders follow their gradients.
[<RequireQualifiedAccess>]
type CapsuleRule =
    /// RMSProp as in TensorFlow 1, with momentum and ε = (1 / 10B)² inside the root: that of the released programs.
    | RmsProp
    | Adam

/// Which rule it is, and its momentum.
type CapsuleRuleSettings =
    {
        [<Setting("how parameters follow gradients")>]
        Optimizer: CapsuleRule
        [<Setting("momentum of rms-prop", Min = 0.0, Max = 0.999)>]
        Momentum: float
    }

/// How the parameters of capsule autoencoders follow their gradients.
[<RequireQualifiedAccess>]
module CapsuleRule =
    /// The rule of the released programs.
    let released: CapsuleRuleSettings = { Optimizer = CapsuleRule.RmsProp; Momentum = 0.9 }

    /// The optimizer for batches of B, on which ε depends as in the released programs.
    let optimizer (settings: CapsuleRuleSettings) (batchSize: int) : Optimizer =
        match settings.Optimizer with
        | CapsuleRule.Adam -> Optimizer.adam
        | CapsuleRule.RmsProp ->
            let root = 1.0 / (10.0 * float batchSize)
            Optimizer.tensorFlowRmsProp 0.9 settings.Momentum (root * root)

    /// Adam has moments of its own.
    let dependence (settings: CapsuleRuleSettings) : Dependence =
        Dependence.needs "--optimizer rms-prop" (settings.Optimizer = CapsuleRule.RmsProp) [ "momentum" ]

/// How step sizes fall from the largest, and how large gradients may be.
type DescentSettings =
    {
        [<Setting("the step size at the end as a share of the first, approached geometrically", Min = 1e-6, Max = 1.0)>]
        FinalRate: float
        [<Setting("largest norm of the gradients, 0 for no limit", Min = 0.0)>]
        Clip: float
    }

    /// A constant step size, and no limit on the gradients' norm.
    static member constant: DescentSettings = { FinalRate = 1.0; Clip = 0.0 }

/// Plans from the hyperparameters that every experiment has.
[<RequireQualifiedAccess>]
module TrainingSettings =
    /// A hyperparameter of which 0 means none, such as the largest norm of gradients.
    let unlessZero (value: float) : float voption = if value > 0.0 then ValueSome value else ValueNone

    /// Adam with a constant step size and no limit on the gradients' norm. An experiment replaces in this plan what it wants
    /// otherwise.
    let plan (bestBy: BestBy) (settings: TrainingSettings) : Plan =
        {
            Epochs = settings.Epochs
            StepsPerEpoch = settings.StepsPerEpoch
            BatchSize = settings.BatchSize
            Rule =
                {
                    Optimizer = Optimizer.adam
                    LearningRate = Schedule.constant settings.LearningRate
                    Clip = ValueNone
                }
            Groups = []
            Average = ValueNone
            SnapshotEvery = settings.SnapshotEvery
            EndMatters = false
            KeepsScenes = true
            // Measured in the same way as ReadingInputs of Needs.
            SceneBytes = 512.0
            Preparation = ValueNone
            BestBy = bestBy
        }

    /// A rule with a step size that grows to its largest over `warmUp` steps, 1 for no growth, and then falls.
    let rule (optimizer: Optimizer) (warmUp: int) (descent: DescentSettings) (settings: TrainingSettings) : UpdateRule =
        {
            Optimizer = optimizer
            LearningRate =
                {
                    Largest = settings.LearningRate
                    WarmUp = warmUp
                    Decay = Decay.geometric descent.FinalRate settings.Steps
                }
            Clip = unlessZero descent.Clip
        }

    /// The plan with a step size that grows to its largest over `warmUp` steps, 1 for no growth, and then falls, and with a
    /// largest norm of the gradients, 0 for no limit.
    let scheduled (warmUp: int) (decay: Decay) (mostNorm: float) (plan: Plan) : Plan =
        { plan with
            Rule.LearningRate.WarmUp = warmUp
            Rule.LearningRate.Decay = decay
            Rule.Clip = unlessZero mostNorm
        }

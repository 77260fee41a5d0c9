namespace Scae.Core

open System
open Scae.Tensors

/// Every hyperparameter of the constellations presets in which templates may be absent.
type VariableConstellationsHyperparameters =
    {
        [<Setting("passes of steps-per-epoch steps, each followed by an evaluation", Min = 1.0)>]
        Epochs: int
        [<Setting("training steps an epoch", Min = 1.0)>]
        StepsPerEpoch: int
        [<Setting("scenes a step", Min = 1.0, Max = 65536.0)>]
        BatchSize: int
        [<Setting("Adam's largest step size", Min = 0.0)>]
        LearningRate: float
        [<Setting("steps until the step size is at its largest; then it falls along a cosine", Min = 1.0)>]
        Warmup: int
        [<Setting("which templates scenes are made of")>]
        Templates: TemplateSet
        [<Setting("D, width of a point's embedding", Min = 1.0, Max = 4096.0)>]
        Width: int
        [<Setting("F, width of the feed-forward layers", Min = 1.0, Max = 65536.0)>]
        Hidden: int
        [<Setting("attention heads; must divide the width", Min = 1.0)>]
        Heads: int
        [<Setting("attention blocks", Min = 0.0, Max = 64.0)>]
        Blocks: int
        [<Setting("width of the layers that see pairs of points, 0 for none", Min = 0.0, Max = 4096.0)>]
        Pairs: int
        [<Setting("weights have deviation gain·√(2 / inputs)", Min = 0.0)>]
        Gain: float
        [<Setting("what teaches the routing: the division of least residual, or the truth of dreamed scenes")>]
        Teacher: RoutingTeacher
        [<Setting("divisions proposed for each set of templates", Min = 1.0, Max = 1024.0)>]
        Starts: int
        [<Setting("whether exchanges of points improve each proposal")>]
        Refine: bool
        [<Setting("squared residual at which what was found weighs 1/e in training", Min = 1e-6)>]
        Trust: float
        [<Setting("whose residual that is: the whole scene's, or each template's own")>]
        Credit: RoutingCredit
        [<Setting("scenes of the evaluation after each epoch", Min = 1.0)>]
        ValidationSize: int
        [<Setting("scenes of the evaluation at the end", Min = 1.0)>]
        TestSize: int
    }

/// Scenes and the stream that draws proposals for them.
type VariableConstellationsData =
    {
        Validation: VariableConstellations
        Test: VariableConstellations
        Proposals: Key
    }

/// Scenes that each have some of the templates: which are there, and which points are whose.
[<RequireQualifiedAccess>]
module VariableConstellationsExperiment =
    /// The presets of paper-specs/constellations that this definition trains.
    let presets: string list = [ "variable" ]

    let private defaults: VariableConstellationsHyperparameters =
        {
            Epochs = 24
            StepsPerEpoch = 250
            BatchSize = 64
            LearningRate = 2e-3
            Warmup = 200
            Templates = TemplateSet.Three
            Width = 64
            Hidden = 128
            Heads = 4
            Blocks = 3
            Pairs = 48
            Gain = 0.7
            Teacher = RoutingTeacher.Residual
            Starts = 4
            Refine = true
            Trust = 0.02
            Credit = RoutingCredit.Template
            ValidationSize = 2048
            TestSize = 10000
        }

    let private dataOf (config: VariableConstellationsHyperparameters) : ConstellationsConfig =
        { Constellations.published with
            Templates = RoutedConstellationsExperiment.templates config.Templates
        }

    let private model (config: VariableConstellationsHyperparameters) : RoutingCapsulesConfig =
        {
            Templates = RoutedConstellationsExperiment.templates config.Templates
            Width = config.Width
            Hidden = config.Hidden
            Heads = config.Heads
            Blocks = config.Blocks
            LayerNorm = true
            Pairs = config.Pairs
            Gain = config.Gain
            Teacher = config.Teacher
            Trust = config.Trust
            Credit = config.Credit
            Search =
                {
                    Templates = RoutedConstellationsExperiment.templates config.Templates
                    Starts = config.Starts
                    Refine = config.Refine
                    Solved = DivisionSearch.NoResidual
                }
        }

    let private plan (config: VariableConstellationsHyperparameters) : Result<Plan, string> =
        if config.Width % config.Heads <> 0 then
            Error $"--heads {config.Heads}: must divide the width, which is {config.Width}"
        else
            Ok
                {
                    Epochs = config.Epochs
                    StepsPerEpoch = config.StepsPerEpoch
                    BatchSize = config.BatchSize
                    Optimizer = Optimizer.adam
                    LearningRate =
                        Schedule.warmCosine config.LearningRate config.Warmup (config.Epochs * config.StepsPerEpoch)
                    Clip = ValueSome 1.0
                    SnapshotEvery = 0
                    BestBy = { Metric = "raw_recovery"; Larger = true }
                }

    let private load (config: VariableConstellationsHyperparameters) (_: Resources) (keys: Keys) =
        Ok
            {
                Validation = VariableConstellations.sample (dataOf config) config.ValidationSize keys.Validation
                Test = VariableConstellations.sample (dataOf config) config.TestSize keys.Test
                Proposals = keys.Test.Named "proposals"
            }

    let private explain (config: RoutingCapsulesConfig) (proposals: Key) (scenes: VariableConstellations) =
        VariableCapsules.explain config proposals scenes.Points scenes.Mask

    /// The method as configured, and its parts alone: the network's beliefs without search, and the same search from
    /// proposals at random, without the network.
    let private measure
        (config: RoutingCapsulesConfig)
        (proposals: Key)
        (scenes: VariableConstellations)
        (capsules: VariableCapsules)
        : Metrics =
        let k = config.Templates.Length
        let routing, presence = VariableCapsules.believeMany config capsules scenes.Points scenes.Mask
        let alone = { config with Search = { config.Search with Starts = 1; Refine = false } }
        let prefixed prefix metrics = metrics |> List.map (fun (name, value) -> prefix + name, value)

        VariableConstellationsMeasures.ofExplained k scenes (explain config proposals scenes (routing, presence))
        @ prefixed
            "network_"
            (VariableConstellationsMeasures.recoveries
                k
                scenes
                (explain alone proposals scenes (routing, presence) |> Array.map _.Labels)
             @ VariableConstellationsMeasures.presence
                 k
                 scenes
                 (presence.toArray<float32>() |> Array.map (fun logit -> logit > 0.0f)))
        @ prefixed
            "search_"
            (VariableConstellationsMeasures.ofExplained
                k
                scenes
                (explain config proposals scenes (routing.zerosLike (), presence.zerosLike ())))

    let private scenesOf (split: Split) (data: VariableConstellationsData) : VariableConstellations =
        match split with
        | Validation -> data.Validation
        | Test -> data.Test

    let private evaluate config (data: VariableConstellationsData) capsules (split: Split) : Metrics =
        measure (model config) data.Proposals (scenesOf split data) capsules

    let private baseline (config: VariableConstellationsHyperparameters) data (split: Split) : Metrics =
        let scenes = scenesOf split data
        let templates = (dataOf config).Templates

        ExactConstellations.explain templates scenes.Points scenes.Mask
        |> VariableConstellationsMeasures.ofExplained templates.Length scenes

    let private figures config (data: VariableConstellationsData) capsules (history: History) : Figure list =
        let model = model config
        let scenes = data.Test
        let routing, presence = VariableCapsules.believeMany model capsules scenes.Points scenes.Mask
        let found = explain model data.Proposals scenes (routing, presence)
        let k = model.Templates.Length
        let probabilities = presence.sigmoid().toArray<float32>()

        [
            VariableConstellationsFigures.curves history
            VariableConstellationsFigures.examples
                model.Templates
                (min 6 found.Length)
                scenes
                found
                (Array2D.init found.Length k (fun scene capsule -> float probabilities[scene * k + capsule]))
            VariableConstellationsFigures.byCount model.Templates scenes found
        ]

    /// The experiment.
    let experiment: Experiment =
        Experiment.defineWith
            [ "exact", baseline ]
            {
                Specification = Specification.embedded "constellations"
                Defaults = defaults
                Plan = plan
                Load = load
                Init = fun config -> VariableCapsules.init (model config)
                Allocate = fun config count -> VariableCapsules.allocate (model config) (dataOf config) count
                Fill = fun config _ key _ batch -> VariableCapsules.fill (dataOf config) 1 key batch
                Loss = fun config capsules batch -> VariableCapsules.loss (model config) capsules batch
                Evaluate = evaluate
                Snapshot = fun _ _ _ -> []
                Figures = figures
                Animation = fun _ _ _ -> None
            }

namespace Scae.Core

open System
open Scae.Tensors

/// Which templates scenes are made of.
type TemplateSet =
    /// Square, triangle with an extra point, triangle: 11 points.
    | Three
    /// These, a line and a corner: 18 points.
    | Five

/// Every hyperparameter of the constellations presets that recognise their templates.
type RoutedConstellationsHyperparameters =
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
        [<Setting("whether blocks and routing have layer norms")>]
        LayerNorm: bool
        [<Setting("width of the layers that see pairs of points, 0 for none", Min = 0.0, Max = 4096.0)>]
        Pairs: int
        [<Setting("weights have deviation gain·√(2 / inputs)", Min = 0.0)>]
        Gain: float
        [<Setting("what teaches the routing: the division of least residual, or the truth of dreamed scenes")>]
        Teacher: RoutingTeacher
        [<Setting("divisions proposed for each scene", Min = 1.0, Max = 1024.0)>]
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
        [<Setting("scenes of each test of robustness at the end, 0 for none", Min = 0.0)>]
        RobustnessSize: int
        [<Setting("steps between the animation's snapshots, 0 for no animation", Min = 0.0)>]
        SnapshotEvery: int
    }

/// Scenes and the stream that draws proposals for them.
type RoutedConstellationsData = { Scenes: ConstellationsData; Proposals: Key }

/// The same scenes as the small program's, divided among capsules that recognise their templates.
[<RequireQualifiedAccess>]
module RoutedConstellationsExperiment =
    /// The presets of paper-specs/constellations that this definition trains.
    let presets: string list = [ "solved"; "five"; "dreams" ]

    let private defaults: RoutedConstellationsHyperparameters =
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
            LayerNorm = true
            Pairs = 48
            Gain = 0.7
            Teacher = RoutingTeacher.Residual
            Starts = 4
            Refine = true
            Trust = 0.02
            Credit = RoutingCredit.Template
            ValidationSize = 2048
            TestSize = 10000
            RobustnessSize = 1000
            SnapshotEvery = 200
        }

    /// The templates of a set.
    let internal templates (set: TemplateSet) : Template list =
        match set with
        | TemplateSet.Three -> Template.published
        | TemplateSet.Five -> Template.five

    let private dataOf (config: RoutedConstellationsHyperparameters) : ConstellationsConfig =
        { Constellations.published with Templates = templates config.Templates }

    let private model (config: RoutedConstellationsHyperparameters) : RoutingCapsulesConfig =
        {
            Templates = (dataOf config).Templates
            Width = config.Width
            Hidden = config.Hidden
            Heads = config.Heads
            Blocks = config.Blocks
            LayerNorm = config.LayerNorm
            Pairs = config.Pairs
            Gain = config.Gain
            Teacher = config.Teacher
            Trust = config.Trust
            Credit = config.Credit
            Search =
                {
                    Templates = (dataOf config).Templates
                    Starts = config.Starts
                    Refine = config.Refine
                    Solved = DivisionSearch.NoResidual
                }
        }

    let private plan (config: RoutedConstellationsHyperparameters) : Result<Plan, string> =
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
                    SnapshotEvery = config.SnapshotEvery
                    BestBy = { Metric = "raw_recovery"; Larger = true }
                }

    let private load (config: RoutedConstellationsHyperparameters) (_: Resources) (keys: Keys) =
        Ok
            {
                Scenes = ConstellationsData.generate (dataOf config) config.ValidationSize config.TestSize keys
                Proposals = keys.Test.Named "proposals"
            }

    let private recoveries (prefix: string) (metrics: Metrics) : Metrics =
        metrics
        |> List.filter (fun (name, _) -> name.EndsWith "recovery")
        |> List.map (fun (name, value) -> prefix + name, value)

    /// The method as configured, and its parts alone: the network's first proposal without search, and the same search
    /// from proposals at random, without the network.
    let private measure
        (config: RoutingCapsulesConfig)
        (proposals: Key)
        (scenes: Constellations)
        (capsules: RoutingCapsules)
        : Metrics =
        let routing = RoutingCapsules.routeMany config capsules scenes.Points

        let with' (search: DivisionSearchConfig) (routing: Tensor) =
            let poses, fits = RoutingCapsules.poses { config with Search = search } proposals scenes.Points routing

            ConstellationsMeasures.ofPoses config.Templates scenes poses, fits

        let metrics, fits = with' config.Search routing

        let network, _ = with' { config.Search with Starts = 1; Refine = false } routing

        let search, searchFits = with' config.Search (routing.zerosLike ())

        metrics
        @ recoveries "network_" network
        @ recoveries "search_" search
        @ [ "fits_per_scene", fits; "search_fits_per_scene", searchFits ]

    let private hardships (config: RoutedConstellationsHyperparameters) (experiment: RoutedConstellationsData) =
        ConstellationsMeasures.hardships
            (dataOf config)
            config.RobustnessSize
            experiment.Proposals
            experiment.Scenes.Test

    /// Points [b, n, 2] → poses [b, K, 4], with the given search instead of the configured one.
    let private solve
        (search: DivisionSearchConfig -> DivisionSearchConfig)
        (config: RoutedConstellationsHyperparameters)
        (data: RoutedConstellationsData)
        (capsules: RoutingCapsules)
        (points: Tensor)
        : Tensor =
        let model = model config
        let routing = RoutingCapsules.routeMany model capsules points

        let model = { model with Search = search model.Search }

        if points.shape[1] = Template.pointCount model.Templates then
            fst (RoutingCapsules.poses model data.Proposals points routing)
        else
            RoutingCapsules.posesOfRemnants model data.Proposals points routing

    let private evaluate
        (config: RoutedConstellationsHyperparameters)
        (data: RoutedConstellationsData)
        (capsules: RoutingCapsules)
        (split: Split)
        : Metrics =
        measure (model config) data.Proposals (ConstellationsData.scenes split data.Scenes) capsules
        @ match split with
          | Validation -> []
          | Test ->
              solve id config data capsules
              |> ConstellationsMeasures.robustness data.Scenes.Templates (hardships config data)
              |> ConstellationsMeasures.robustnessMetrics

    let private baseline config (data: RoutedConstellationsData) (split: Split) : Metrics =
        let templates = data.Scenes.Templates

        ConstellationsMeasures.exact templates (ConstellationsData.scenes split data.Scenes)
        @ match split with
          | Validation -> []
          | Test ->
              ExactConstellations.solveRemnants templates
              |> ConstellationsMeasures.robustness templates (hardships config data)
              |> ConstellationsMeasures.robustnessMetrics

    /// The points [b, M, 2] that the capsules draw onto points [b, n, 2].
    let private draw config (data: RoutedConstellationsData) (capsules: RoutingCapsules) (points: Tensor) : Tensor =
        solve id config data capsules points |> ConstellationCapsules.decode data.Scenes.Templates

    let private style: ConstellationsStyle = { Loss = "cross-entropy"; Relabelled = false }

    let private figures config (data: RoutedConstellationsData) (capsules: RoutingCapsules) (history: History) =
        let robustness = ConstellationsMeasures.robustness data.Scenes.Templates (hardships config data)
        let first (search: DivisionSearchConfig) = { search with Starts = 1; Refine = false }

        ConstellationsFigures.all style data.Scenes (draw config data capsules) history
        @ [
            RoutedConstellationsFigures.routing
                data.Scenes
                (RoutingCapsules.routeMany (model config) capsules data.Scenes.Shown.Points)
            let frozen = Parameters.map (fun (tensor: Tensor) -> tensor.primal) capsules

            match RoutingCapsules.attention (model config) frozen data.Scenes.Shown.Points with
            | Some weights -> RoutedConstellationsFigures.attention data.Scenes weights
            | None -> ()

            if config.RobustnessSize > 0 then
                RoutedConstellationsFigures.robustness
                    [
                        "network and search", robustness (solve id config data capsules)
                        "network alone", robustness (solve first config data capsules)
                        "exact baseline", robustness (ExactConstellations.solveRemnants data.Scenes.Templates)
                    ]
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
                Init = fun config -> RoutingCapsules.init (model config)
                Allocate = fun config count -> RoutingCapsules.allocate (model config) (dataOf config) count
                Fill = fun config _ key _ batch -> RoutingCapsules.fill (dataOf config) key batch
                Loss = fun config capsules batch -> RoutingCapsules.loss (model config) capsules batch
                Evaluate = evaluate
                Snapshot = fun config data capsules -> [ "decoded", draw config data capsules data.Scenes.Shown.Points ]
                Figures = figures
                Animation = fun _ data history -> ConstellationsFigures.animation style data.Scenes history
            }

namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models

/// Every hyperparameter of the constellations presets that recognise their templates.
type RoutedConstellationsHyperparameters =
    {
        Training: TrainingSettings
        Routing: RoutingSettings
        [<Setting("scenes of each test of robustness at the end, 0 for none", Min = 0.0)>]
        RobustnessSize: int
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
            Training = RoutingSettings.training
            Routing = RoutingSettings.solved
            RobustnessSize = 1000
        }

    let private dataOf (config: RoutedConstellationsHyperparameters) = RoutingSettings.scenes config.Routing

    let private model (config: RoutedConstellationsHyperparameters) = RoutingSettings.model config.Routing

    let private load (config: RoutedConstellationsHyperparameters) (_: Resources) (keys: Keys) =
        Ok
            {
                Scenes =
                    ConstellationsData.generate
                        (dataOf config)
                        config.Training.ValidationSize
                        config.Training.TestSize
                        keys
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
            let frozen = Parameters.frozen capsules

            match RoutingCapsules.attention (model config) frozen data.Scenes.Shown.Points with
            | Some weights -> RoutedConstellationsFigures.attention data.Scenes weights
            | None -> ()

            if config.RobustnessSize > 0 then
                RoutedConstellationsFigures.robustness
                    data.Scenes.Templates
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
                Plan = fun config -> RoutingSettings.plan config.Training config.Routing
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

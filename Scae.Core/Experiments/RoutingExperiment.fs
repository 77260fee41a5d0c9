namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// Every hyperparameter of the constellations presets that recognise their templates.
type RoutingExperimentSettings =
    {
        Routing: RoutingSettings
        [<Setting("scenes of each test of robustness at the end, 0 for none", Min = 0.0)>]
        RobustnessSize: int
    }

/// Scenes and the stream that draws proposals for them.
type RoutingData = { Scenes: ConstellationsData; Proposals: Key }

/// What the method finds in the scenes of a split, and what its parts find alone.
type RoutingReading =
    {
        Scenes: Constellations
        /// The network's log-probabilities, [b, n, K].
        LogProbabilities: Tensor
        /// Poses [b, K, 4] by network and search, and how many fits a scene took.
        Found: Tensor * float
        /// Poses of the network's first proposal, without search.
        ByNetwork: Tensor
        /// Poses and fits of the same search from proposals at random, without the network.
        BySearch: Tensor * float
        /// Raw recovery under each hardship of test scenes; made when it is asked for, while the parameters are the same.
        Robustness: Lazy<(string * (float * float) list) list>
    }

/// The same scenes as the small program's, divided among capsules that recognise their templates.
[<RequireQualifiedAccess>]
module RoutingExperiment =
    let private defaults: RoutingExperimentSettings =
        { Routing = RoutingSettings.defaults; RobustnessSize = 1000 }

    let private resolve (settings: RoutingExperimentSettings) =
        RoutingSettings.resolve settings.Routing
        |> Result.map (fun (routing, plan) -> { settings with Routing = routing }, plan)

    let private load (config: RoutingExperimentSettings) (_: Resources) (keys: Keys) =
        Ok
            {
                Scenes =
                    ConstellationsData.generate (RoutingSettings.scenes config.Routing) config.Routing.Training keys
                Proposals = keys.Test.Named "proposals"
            }

    /// Points [b, n, 2] → log-probabilities [b, n, K].
    let private route (config: RoutingExperimentSettings) (capsules: RoutingCapsules) : Tensor -> Tensor =
        RoutingCapsules.route config.Routing.Capsules capsules
        |> Inference.ofRows RoutingCapsules.ScenesAtOnce

    /// The search that takes the network's first proposal as it is.
    let private first (search: DivisionSearchConfig) = { search with Starts = 1; Refine = false }

    /// The poses that a search finds from routing, if anything is believed, and fits a scene.
    let private searched (config: RoutingExperimentSettings) change (data: RoutingData) =
        let capsules = config.Routing.Capsules
        RoutingCapsules.poses { capsules with Search = change capsules.Search } data.Proposals

    let private recoveries (prefix: string) (metrics: Metrics) : Metrics =
        metrics
        |> List.filter (fun (name, _) -> name.EndsWith "recovery")
        |> List.map (fun (name, value) -> prefix + name, value)

    let private metrics (config: RoutingExperimentSettings) : RoutingReading -> Metrics =
        let ofPoses = ConstellationsMeasures.ofPoses config.Routing.Capsules.Templates

        fun reading ->
            ofPoses reading.Scenes (fst reading.Found)
            @ recoveries "network_" (ofPoses reading.Scenes reading.ByNetwork)
            @ recoveries "search_" (ofPoses reading.Scenes (fst reading.BySearch))
            @ [ "fits_per_scene", snd reading.Found; "search_fits_per_scene", snd reading.BySearch ]

    let private hardships (config: RoutingExperimentSettings) (data: RoutingData) =
        ConstellationsMeasures.hardships
            (RoutingSettings.scenes config.Routing)
            config.RobustnessSize
            data.Proposals
            data.Scenes.Test

    /// Points [b, n, 2] → poses [b, K, 4], with the given search instead of the configured one; of fewer points than the
    /// templates have, too.
    let private solve (config: RoutingExperimentSettings) change (data: RoutingData) capsules : Tensor -> Tensor =
        let route = route config capsules
        let model = config.Routing.Capsules
        let model = { model with Search = change model.Search }
        let search = RoutingCapsules.poses model data.Proposals

        fun points ->
            if points.shape[1] = Template.pointCount model.Templates then
                fst (search points (ValueSome(route points)))
            else
                RoutingCapsules.posesOfRemnants model data.Proposals points (route points)

    /// Raw recovery of a method under each hardship.
    let private robustness (config: RoutingExperimentSettings) (data: RoutingData) (solve: Tensor -> Tensor) =
        ConstellationsMeasures.robustness config.Routing.Capsules.Templates (hardships config data) solve

    let private read (config: RoutingExperimentSettings) (data: RoutingData) capsules : Split -> RoutingReading =
        let route = route config capsules
        let solve = solve config id data capsules
        let search, ofNetwork = searched config id data, searched config first data

        fun split ->
            let scenes = ConstellationsData.scenes split data.Scenes
            let routing = route scenes.Points

            {
                Scenes = scenes
                LogProbabilities = routing
                Found = search scenes.Points (ValueSome routing)
                ByNetwork = fst (ofNetwork scenes.Points (ValueSome routing))
                BySearch = search scenes.Points ValueNone
                Robustness = lazy (robustness config data solve)
            }

    let private baseline (config: RoutingExperimentSettings) (data: RoutingData) (split: Split) : Metrics =
        let templates = config.Routing.Capsules.Templates

        ConstellationsMeasures.exact templates (ConstellationsData.scenes split data.Scenes)
        @ match split with
          | Validation -> []
          | Test ->
              robustness config data (ExactConstellations.solveRemnants templates)
              |> ConstellationsMeasures.robustnessMetrics

    let private style: ConstellationsStyle = { Loss = "cross-entropy"; Relabelled = false }

    let private figures
        (config: RoutingExperimentSettings)
        (data: RoutingData)
        capsules
        (read: Split -> RoutingReading)
        (history: History)
        =
        let templates = config.Routing.Capsules.Templates

        let drawn split : ConstellationsReading =
            let reading = read split

            {
                Scenes = reading.Scenes
                Drawn = ConstellationCapsules.decode templates (fst reading.Found)
            }

        ConstellationsFigures.all style data.Scenes drawn history
        @ [
            RoutingFigures.routing data.Scenes (Rows.first ConstellationsData.Shown (read Validation).LogProbabilities)

            match RoutingCapsules.attention config.Routing.Capsules capsules data.Scenes.Shown.Points with
            | Some weights -> RoutingFigures.attention data.Scenes weights
            | None -> ()

            if config.RobustnessSize > 0 then
                RoutingFigures.robustness
                    templates
                    [
                        "network and search", (read Test).Robustness.Value
                        "network alone", robustness config data (solve config first data capsules)
                        "exact baseline", robustness config data (ExactConstellations.solveRemnants templates)
                    ]
        ]

    let private snapshot (config: RoutingExperimentSettings) (data: RoutingData) capsules =
        let solve = solve config id data capsules

        fun () ->
            [
                "decoded",
                solve data.Scenes.Shown.Points |> ConstellationCapsules.decode config.Routing.Capsules.Templates
            ]

    /// The model of the presets routing, five and dreams.
    let variant: Variant =
        Variant.ofDefinition
            {
                Defaults = defaults
                Resolve = resolve
                Load = load
                Init = fun config -> RoutingCapsules.init config.Routing.Capsules
                Allocate =
                    fun config count ->
                        RoutingCapsules.allocate config.Routing.Capsules (RoutingSettings.scenes config.Routing) count
                Fill =
                    fun config _ key _ batch -> RoutingCapsules.fill (RoutingSettings.scenes config.Routing) key batch
                Loss =
                    fun config capsules batch ->
                        RoutingCapsules.loss config.Routing.Capsules capsules batch |> Loss.ofTotal
                Checked = Definition.checkedAsItIs
                Read = read
                Metrics = metrics
                Probes = fun _ _ _ reading -> ConstellationsMeasures.robustnessMetrics reading.Robustness.Value
                Baselines = [ "exact", baseline ]
                Snapshot = snapshot
                Figures = figures
                Animation = fun _ data history -> ConstellationsFigures.animation style data.Scenes history
            }

namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// What helps capsules recognise their templates in scenes unlike those that they are measured on.
type GeneralisationSettings =
    {
        [<Setting("whether each scene is centred and scaled to radius 1 before network and search, and poses mapped back")>]
        Normalised: bool
        [<Setting("translations of a training scene are divided by a factor between 1/this and this, 1 for none",
                  Min = 1.0,
                  Max = 100.0)>]
        Crowding: float
        [<Setting("points of a training scene have Gaussian noise of a deviation up to this", Min = 0.0)>]
        Noise: float
        [<Setting("points of a training scene that belong to nothing", Min = 0.0, Max = 8.0)>]
        Distractors: int
        [<Setting("divisions proposed for each scene when it is read, 0 for as many as in training",
                  Min = 0.0,
                  Max = 1024.0,
                  Measuring = true)>]
        FinalStarts: int
    }

/// Every hyperparameter of the constellations presets that recognise their templates.
type RoutingExperimentSettings =
    {
        Routing: RoutingSettings
        Generalisation: GeneralisationSettings
        [<Setting("scenes of each test of robustness at the end, 0 for none", Min = 0.0, Measuring = true)>]
        RobustnessSize: int
    }

/// Scenes, and the key of the proposals for them.
type RoutingData = { Scenes: ConstellationsData; Proposals: Key }

/// What network and search find in the scenes of a split, together and each alone.
type RoutingReading =
    {
        Scenes: Constellations
        /// The network's log-probabilities, [b, n, K].
        LogProbabilities: Tensor
        /// Poses [b, K, 4] by network and search, and the mean number of fits that a scene took.
        Found: Tensor * float
        /// Poses of the network's first proposal, without search.
        ByNetwork: Tensor
        /// Poses and fits of the same search from random proposals, without the network.
        BySearch: Tensor * float
        /// Raw recovery of test scenes under each hardship. It is made when asked for, which must be before the parameters
        /// change.
        Robustness: Lazy<(string * (float * float) list) list>
    }

/// The same scenes as the small program's, divided among capsules that recognise their templates.
[<RequireQualifiedAccess>]
module RoutingExperiment =
    /// Three templates, proposed by the network and fitted by search.
    let defaults: RoutingExperimentSettings =
        {
            Routing = RoutingSettings.defaults
            Generalisation =
                {
                    Normalised = false
                    Crowding = 1.0
                    Noise = 0.0
                    Distractors = 0
                    FinalStarts = 0
                }
            RobustnessSize = 1000
        }

    /// The settings and the plan of the training. The error is one line.
    let resolve (settings: RoutingExperimentSettings) : Result<RoutingExperimentSettings * Plan, string> =
        RoutingSettings.resolve settings.Routing
        |> Result.map (fun (routing, plan) ->
            let capsules =
                { routing.Capsules with
                    Normalised = settings.Generalisation.Normalised
                    Search.Distractors = settings.Generalisation.Distractors
                }

            { settings with Routing = { routing with Capsules = capsules } }, plan)

    /// The scenes of training. Those for measuring are RoutingSettings.scenes.
    let internal trainingScenes (settings: RoutingExperimentSettings) : ConstellationsConfig =
        { RoutingSettings.scenes settings.Routing with
            Crowding = settings.Generalisation.Crowding
            Distractors = settings.Generalisation.Distractors
        }

    let internal fill (settings: RoutingExperimentSettings) (key: Key) (batch: RoutingBatch) : unit =
        if settings.Generalisation.Noise > 0.0 then
            RoutingCapsules.fillNoisy (trainingScenes settings) settings.Generalisation.Noise key batch
        else
            RoutingCapsules.fill (trainingScenes settings) key batch

    let private load (settings: RoutingExperimentSettings) (_: Resources) (keys: Keys) =
        Ok
            {
                Scenes =
                    ConstellationsData.generate (RoutingSettings.scenes settings.Routing) settings.Routing.Training keys
                Proposals = keys.Test.Named "proposals"
            }

    /// Points [b, n, 2] → log-probabilities of belonging to capsules, [b, n, K]. If there are more points than the templates
    /// have, and the network was trained with distractors, it is [b, n, K + 1], with a last column for belonging to nothing.
    let private route (settings: RoutingExperimentSettings) (capsules: RoutingCapsules) : Tensor -> Tensor =
        let model = settings.Routing.Capsules

        Inference.ofRows RoutingCapsules.ScenesAtOnce (fun points ->
            let routing = RoutingCapsules.route model capsules points

            if points.shape[1] > Template.pointCount model.Templates then
                routing
            else
                (RoutingCapsules.ofTemplates model routing).contiguous())

    /// The configuration with the search for reading scenes. It has FinalStarts proposals, if these are set, and is changed by
    /// `change`.
    let private reader (settings: RoutingExperimentSettings) change : RoutingCapsulesConfig =
        let capsules = settings.Routing.Capsules

        let search =
            match settings.Generalisation.FinalStarts with
            | 0 -> capsules.Search
            | starts -> { capsules.Search with Starts = starts }

        // Scenes that are read may have any number of points. The search follows from it, not from training's distractors.
        { capsules with Search = change { search with Distractors = 0 } }

    /// Runs a search, in each scene's own coordinates if Normalised is set. The poses are in the coordinates of the given points
    /// either way.
    let private framed
        (settings: RoutingExperimentSettings)
        (search: Tensor -> Tensor * 'a)
        (points: Tensor)
        : Tensor * 'a =
        if settings.Generalisation.Normalised then
            let points, frame = SceneFrame.enter points
            let poses, more = search points
            SceneFrame.leave frame poses, more
        else
            search points

    /// A search that finds poses from points and, if there is any, routing, and the mean number of fits that a scene took.
    let private searched (settings: RoutingExperimentSettings) change (data: RoutingData) =
        let search = RoutingCapsules.poses (reader settings change) data.Proposals
        fun points routing -> framed settings (fun points -> search points routing) points

    let private recoveries (prefix: string) (metrics: Metrics) : Metrics =
        metrics
        |> List.filter (fun (name, _) -> name.EndsWith "recovery")
        |> List.map (fun (name, value) -> prefix + name, value)

    let internal metrics (settings: RoutingExperimentSettings) : RoutingReading -> Metrics =
        let ofPoses = ConstellationsMeasures.ofPoses settings.Routing.Capsules.Templates

        fun reading ->
            ofPoses reading.Scenes (fst reading.Found)
            @ recoveries "network_" (ofPoses reading.Scenes reading.ByNetwork)
            @ recoveries "search_" (ofPoses reading.Scenes (fst reading.BySearch))
            @ [ "fits_per_scene", snd reading.Found; "search_fits_per_scene", snd reading.BySearch ]

    let private hardships (settings: RoutingExperimentSettings) (data: RoutingData) =
        ConstellationsMeasures.hardships
            (RoutingSettings.scenes settings.Routing)
            settings.RobustnessSize
            data.Proposals
            data.Scenes.Test

    /// Points [b, n, 2] → poses [b, K, 4], with the configured search changed by `change`. There may be fewer or more points than
    /// the templates have.
    let private solve (settings: RoutingExperimentSettings) change (data: RoutingData) capsules : Tensor -> Tensor =
        let route = route settings capsules
        let model = reader settings change
        let search = RoutingCapsules.poses model data.Proposals
        let whole = Template.pointCount model.Templates

        let poses (points: Tensor) =
            let routing = route points

            if points.shape[1] = whole then
                search points (ValueSome routing) |> fst, ()
            elif points.shape[1] < whole then
                RoutingCapsules.posesOfRemnants model data.Proposals points routing, ()
            else
                RoutingCapsules.posesAmong model data.Proposals points routing, ()

        framed settings poses >> fst

    /// Raw recovery of a method under each hardship.
    let private robustness (settings: RoutingExperimentSettings) (data: RoutingData) (solve: Tensor -> Tensor) =
        ConstellationsMeasures.robustness settings.Routing.Capsules.Templates (hardships settings data) solve

    let internal read (settings: RoutingExperimentSettings) (data: RoutingData) capsules : Split -> RoutingReading =
        let route = route settings capsules
        let solve = solve settings id data capsules
        let search, ofNetwork = searched settings id data, searched settings DivisionSearch.first data

        fun split ->
            let scenes = ConstellationsData.scenes split data.Scenes
            let routing = route scenes.Points

            {
                Scenes = scenes
                LogProbabilities = routing
                Found = search scenes.Points (ValueSome routing)
                ByNetwork = fst (ofNetwork scenes.Points (ValueSome routing))
                BySearch = search scenes.Points ValueNone
                Robustness = lazy (robustness settings data solve)
            }

    let private baseline (settings: RoutingExperimentSettings) (data: RoutingData) (split: Split) : Metrics =
        let templates = settings.Routing.Capsules.Templates

        ConstellationsMeasures.exact templates (ConstellationsData.scenes split data.Scenes)
        @ match split with
          | Validation -> []
          | Test ->
              robustness settings data (ExactConstellations.solveAny templates)
              |> ConstellationsMeasures.robustnessMetrics

    let private style: ConstellationsStyle = { Loss = "cross-entropy"; Relabelled = false }

    let private figures
        (settings: RoutingExperimentSettings)
        (data: RoutingData)
        capsules
        (read: Split -> RoutingReading)
        (history: History)
        =
        let templates = settings.Routing.Capsules.Templates

        let drawn split : ConstellationsReading =
            let reading = read split

            {
                Scenes = reading.Scenes
                Drawn = ConstellationCapsules.decode templates (fst reading.Found)
            }

        ConstellationsFigures.all style data.Scenes drawn history
        @ [
            RoutingFigures.routing data.Scenes (Rows.first ConstellationsData.Shown (read Validation).LogProbabilities)

            match RoutingCapsules.attention settings.Routing.Capsules capsules data.Scenes.Shown.Points with
            | Some weights -> RoutingFigures.attention data.Scenes weights
            | None -> ()

            if settings.RobustnessSize > 0 then
                RoutingFigures.robustness
                    templates
                    [
                        "network and search", (read Test).Robustness.Value
                        "network alone", robustness settings data (solve settings DivisionSearch.first data capsules)
                        "exact baseline", robustness settings data (ExactConstellations.solveAny templates)
                    ]
        ]

    let private snapshot (settings: RoutingExperimentSettings) (data: RoutingData) capsules =
        let solve = solve settings id data capsules

        fun () ->
            [
                "decoded",
                solve data.Scenes.Shown.Points |> ConstellationCapsules.decode settings.Routing.Capsules.Templates
            ]

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<RoutingExperimentSettings, RoutingData, RoutingCapsules, RoutingBatch, RoutingReading> =
        {
            Defaults = defaults
            Resolve = resolve
            Dependences = fun settings -> RoutingSettings.dependences settings.Routing
            Load = load
            Init = fun settings -> RoutingCapsules.init settings.Routing.Capsules
            Allocate =
                fun settings count -> RoutingCapsules.allocate settings.Routing.Capsules (trainingScenes settings) count
            Fill = fun settings _ key _ batch -> fill settings key batch
            Loss =
                fun settings capsules batch ->
                    RoutingCapsules.loss settings.Routing.Capsules capsules batch |> Loss.ofTotal
            Checked = Definition.checkedAsItIs
            Read = read
            Metrics = metrics
            Probes = fun _ _ _ reading -> ConstellationsMeasures.robustnessMetrics reading.Robustness.Value
            Baselines = [ "exact", (fun settings data -> baseline settings data >> Ok) ]
            Snapshot = snapshot
            Figures = figures
            Animation = fun _ data history -> ConstellationsFigures.animation style data.Scenes history
        }

    /// The model of presets whose scenes have every template.
    let variant: Variant = Variant.ofDefinition definition

namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// Scenes, and the key of the proposals for them.
type VariableConstellationsData =
    {
        Validation: VariableConstellations
        Test: VariableConstellations
        /// Scenes that the animation shows.
        Shown: VariableConstellations
        Proposals: Key
    }

/// What the network believes of scenes: log-probabilities of routing [b, N, K] and logits of presence [b, K].
type VariableBeliefs = { Routing: Tensor; Presence: Tensor }

/// What network and search find in the scenes of a split, together and each alone.
type VariableConstellationsReading =
    {
        Scenes: VariableConstellations
        Beliefs: VariableBeliefs
        /// What network and search find together.
        Found: Explained[]
        /// The network's first proposal, without search.
        ByNetwork: Explained[]
        /// The same search from random proposals, without the network.
        BySearch: Explained[]
    }

/// Scenes that each have some of the templates. The method says which are there, and which points belong to which.
[<RequireQualifiedAccess>]
module VariableConstellationsExperiment =
    let private load (settings: RoutingSettings) (_: Resources) (keys: Keys) =
        let sample count key = VariableConstellations.sample (RoutingSettings.scenes settings) count key

        Ok
            {
                Validation = sample settings.Training.ValidationSize keys.Validation
                Test = sample settings.Training.TestSize keys.Test
                Shown = sample ConstellationsData.Shown (keys.Validation.Named "shown")
                Proposals = keys.Test.Named "proposals"
            }

    let private scenesOf (split: Split) (data: VariableConstellationsData) : VariableConstellations =
        Split.choose data.Validation data.Test split

    /// What the network believes of scenes.
    let private believe (settings: RoutingSettings) (capsules: VariableCapsules) =
        let infer (points, mask) =
            let routing, presence = VariableCapsules.believe settings.Capsules capsules points mask
            { Routing = routing; Presence = presence }

        let rows = Template.pointCount settings.Capsules.Templates
        let room count = Tensor.zeros [| count; rows; 2 |], Tensor.zeros [| count; rows; 1 |]
        let inference = Inference(RoutingCapsules.ScenesAtOnce, room, infer)

        fun (scenes: VariableConstellations) ->
            inference.Gather(
                scenes.Points.shape[0],
                fun part ->
                    let points, mask = part.Batch
                    Rows.load scenes.Points part.First points
                    Rows.load scenes.Mask part.First mask
            )

    let private explain change (settings: RoutingSettings) (data: VariableConstellationsData) =
        let capsules = settings.Capsules
        VariableCapsules.explain { capsules with Search = change capsules.Search } data.Proposals

    let private read (settings: RoutingSettings) (data: VariableConstellationsData) capsules =
        let believe = believe settings capsules
        let search, ofNetwork = explain id settings data, explain DivisionSearch.first settings data

        fun split ->
            let scenes = scenesOf split data
            let beliefs = believe scenes
            let believed = ValueSome(beliefs.Routing, beliefs.Presence)

            {
                Scenes = scenes
                Beliefs = beliefs
                Found = search scenes.Points scenes.Mask believed
                ByNetwork = ofNetwork scenes.Points scenes.Mask believed
                BySearch = search scenes.Points scenes.Mask ValueNone
            }

    /// The metrics of the method as configured and of its parts alone: the network's beliefs without search, and search without
    /// network.
    let private metrics (settings: RoutingSettings) (reading: VariableConstellationsReading) : Metrics =
        let k = settings.Capsules.Templates.Length
        let scenes = reading.Scenes
        let prefixed prefix metrics = metrics |> List.map (fun (name, value) -> prefix + name, value)
        let present = reading.Beliefs.Presence.toArray<float32>() |> Array.map (fun logit -> logit > 0.0f)

        VariableConstellationsMeasures.ofExplained k scenes reading.Found
        @ prefixed
            "network_"
            (VariableConstellationsMeasures.recoveries k scenes (reading.ByNetwork |> Array.map _.Labels)
             @ VariableConstellationsMeasures.presence k scenes present)
        @ prefixed "search_" (VariableConstellationsMeasures.ofExplained k scenes reading.BySearch)

    let private baseline (settings: RoutingSettings) (data: VariableConstellationsData) (split: Split) : Metrics =
        let scenes = scenesOf split data
        let templates = settings.Capsules.Templates

        ExactConstellations.explain templates scenes.Points scenes.Mask
        |> VariableConstellationsMeasures.ofExplained templates.Length scenes

    /// What the animation shows: labels [b, N], −1 for padding, and the network's probabilities of presence [b, K].
    let private snapshot (settings: RoutingSettings) (data: VariableConstellationsData) capsules =
        let believe = believe settings capsules
        let search = explain id settings data

        fun () ->
            let scenes = data.Shown
            let beliefs = believe scenes
            let rows = scenes.Points.shape[1]
            let labels = Array.create (scenes.Points.shape[0] * rows) -1.0f

            search scenes.Points scenes.Mask (ValueSome(beliefs.Routing, beliefs.Presence))
            |> Array.iteri (fun scene found ->
                found.Labels |> Array.iteri (fun i label -> labels[scene * rows + i] <- float32 label))

            [
                "labels", Tensor.``of`` (labels, [| scenes.Points.shape[0]; rows |])
                "presence", beliefs.Presence.sigmoid ()
            ]

    let private figures (settings: RoutingSettings) _ _ (read: Split -> VariableConstellationsReading) history =
        let reading = read Test
        let templates = settings.Capsules.Templates
        let probabilities = reading.Beliefs.Presence.sigmoid().toArray<float32>()
        let scenes, k = reading.Found.Length, templates.Length

        [
            VariableConstellationsFigures.curves history
            VariableConstellationsFigures.examples
                templates
                (min 6 scenes)
                reading.Scenes
                (reading.Found |> Array.map _.Labels)
                (Array2D.init scenes k (fun scene capsule -> float probabilities[scene * k + capsule]))
            VariableConstellationsFigures.byCount templates reading.Scenes reading.Found
        ]

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition
        : Definition<
            RoutingSettings,
            VariableConstellationsData,
            VariableCapsules,
            VariableBatch,
            VariableConstellationsReading
           > =
        {
            Defaults = RoutingSettings.defaults
            Resolve = RoutingSettings.resolve
            Dependences = RoutingSettings.dependences
            Load = load
            Init = fun settings -> VariableCapsules.init settings.Capsules
            Allocate =
                fun settings count ->
                    VariableCapsules.allocate settings.Capsules (RoutingSettings.scenes settings) count
            Fill = fun settings _ key _ batch -> VariableCapsules.fill (RoutingSettings.scenes settings) key batch
            Loss = fun settings capsules batch -> VariableCapsules.loss settings.Capsules capsules batch |> Loss.ofTotal
            Checked = Definition.checkedAsItIs
            Read = read
            Metrics = metrics
            Probes = Definition.noProbes
            Baselines = [ "exact", (fun settings data -> baseline settings data >> Ok) ]
            Snapshot = snapshot
            Figures = figures
            Animation =
                fun settings data history ->
                    VariableConstellationsFigures.animation settings.Capsules.Templates data.Shown history
        }

    /// The model of the preset "variable".
    let variant: Variant = Variant.ofDefinition definition

namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures

/// Every hyperparameter of the constellations presets in which templates may be absent.
type VariableConstellationsHyperparameters = { Training: TrainingSettings; Routing: RoutingSettings }

/// Scenes and the stream that draws proposals for them.
type VariableConstellationsData =
    {
        Validation: VariableConstellations
        Test: VariableConstellations
        /// Scenes that the animation shows.
        Shown: VariableConstellations
        Proposals: Key
    }

/// Scenes that each have some of the templates: which are there, and which points are whose.
[<RequireQualifiedAccess>]
module VariableConstellationsExperiment =
    /// The presets of paper-specs/constellations that this definition trains.
    let presets: string list = [ "variable" ]

    let private defaults: VariableConstellationsHyperparameters =
        { Training = RoutingSettings.training; Routing = RoutingSettings.solved }

    let private dataOf (config: VariableConstellationsHyperparameters) = RoutingSettings.scenes config.Routing

    let private model (config: VariableConstellationsHyperparameters) = RoutingSettings.model config.Routing

    let private load (config: VariableConstellationsHyperparameters) (_: Resources) (keys: Keys) =
        Ok
            {
                Validation =
                    VariableConstellations.sample (dataOf config) config.Training.ValidationSize keys.Validation
                Test = VariableConstellations.sample (dataOf config) config.Training.TestSize keys.Test
                Shown =
                    VariableConstellations.sample
                        (dataOf config)
                        ConstellationsData.Shown
                        (keys.Validation.Named "shown")
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

    /// What the animation shows: labels [b, N], −1 for padding, and the network's probabilities of presence [b, K].
    let private snapshot config (data: VariableConstellationsData) capsules : (string * Tensor) list =
        let model = model config
        let scenes = data.Shown
        let routing, presence = VariableCapsules.believeMany model capsules scenes.Points scenes.Mask
        let rows = scenes.Points.shape[1]
        let labels = Array.create (scenes.Points.shape[0] * rows) -1.0f

        explain model data.Proposals scenes (routing, presence)
        |> Array.iteri (fun scene found ->
            found.Labels |> Array.iteri (fun i label -> labels[scene * rows + i] <- float32 label))

        [
            "labels", Tensor.``of`` (labels, [| scenes.Points.shape[0]; rows |])
            "presence", presence.sigmoid ()
        ]

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
                (found |> Array.map _.Labels)
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
                Plan = fun config -> RoutingSettings.plan config.Training config.Routing
                Load = load
                Init = fun config -> VariableCapsules.init (model config)
                Allocate = fun config count -> VariableCapsules.allocate (model config) (dataOf config) count
                Fill = fun config _ key _ batch -> VariableCapsules.fill (dataOf config) key batch
                Loss = fun config capsules batch -> VariableCapsules.loss (model config) capsules batch
                Evaluate = evaluate
                Snapshot = snapshot
                Figures = figures
                Animation =
                    fun config data history ->
                        VariableConstellationsFigures.animation (dataOf config).Templates data.Shown history
            }

namespace Scae.Core.Experiments

open Scae.Core
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models

/// Every hyperparameter of the constellations experiment; the defaults are the published ones.
type ConstellationsHyperparameters =
    {
        Training: TrainingSettings
        [<Setting("D, width of a point's embedding", Min = 1.0, Max = 4096.0)>]
        Width: int
        [<Setting("F, width of the feed-forward layer", Min = 1.0, Max = 65536.0)>]
        Hidden: int
        [<Setting("attention heads; must divide the width", Min = 1.0)>]
        Heads: int
        [<Setting("weights have deviation gain·√(2 / inputs)", Min = 0.0)>]
        Gain: float
    }

/// Point sets of transformed templates, grouped by capsules.
[<RequireQualifiedAccess>]
module ConstellationsExperiment =

    let private defaults: ConstellationsHyperparameters =
        {
            Training =
                {
                    Epochs = 30
                    StepsPerEpoch = 200
                    BatchSize = 32
                    LearningRate = 3e-3
                    ValidationSize = 2048
                    TestSize = 10000
                    SnapshotEvery = 100
                }
            Width = 32
            Hidden = 64
            Heads = 1
            Gain = 0.5
        }

    let private data: ConstellationsConfig = Constellations.published

    let private model (config: ConstellationsHyperparameters) : ConstellationCapsulesConfig =
        {
            Templates = data.Templates
            Width = config.Width
            Hidden = config.Hidden
            Heads = config.Heads
            Gain = config.Gain
        }

    let private plan (config: ConstellationsHyperparameters) : Result<Plan, string> =
        if config.Width % config.Heads <> 0 then
            Error $"--heads {config.Heads}: must divide the width, which is {config.Width}"
        else
            Ok(TrainingSettings.plan { Metric = "recovery"; Larger = true } config.Training)

    let private load (config: ConstellationsHyperparameters) (_: Resources) (keys: Keys) =
        Ok(ConstellationsData.generate data config.Training.ValidationSize config.Training.TestSize keys)

    // Scenes at once in an evaluation: enough to fill the kernels, few enough to stay in the cache.
    [<Literal>]
    let private Chunk = 256

    /// chamfer, recovery and raw_recovery of a model on scenes.
    let private measure
        (config: ConstellationCapsulesConfig)
        (scenes: Constellations)
        (capsules: ConstellationCapsules)
        : Metrics =
        let count = scenes.Points.shape[0]

        [
            for start in 0..Chunk .. count - 1 do
                scenes.Points.slice (0, start, min count (start + Chunk))
                |> ConstellationCapsules.reconstruct config capsules
        ]
        |> dsharp.cat 0
        |> ConstellationsMeasures.ofDrawn config.Templates scenes

    let private evaluate
        (config: ConstellationsHyperparameters)
        (scenes: ConstellationsData)
        (capsules: ConstellationCapsules)
        =
        let frozen = Parameters.frozen capsules

        function
        | Validation -> measure (model config) scenes.Validation frozen
        | Test -> measure (model config) scenes.Test frozen

    let private snapshot
        (config: ConstellationsHyperparameters)
        (scenes: ConstellationsData)
        (capsules: ConstellationCapsules)
        =
        let frozen = Parameters.frozen capsules
        [ "decoded", ConstellationCapsules.reconstruct (model config) frozen scenes.Shown.Points ]

    let private style: ConstellationsStyle = { Loss = "chamfer"; Relabelled = true }

    /// The published small program.
    let private seed: Experiment =
        Experiment.defineWith
            [
                "exact",
                (fun _ scenes split ->
                    ConstellationsMeasures.exact data.Templates (ConstellationsData.scenes split scenes))
            ]
            {
                Specification = Specification.embedded "constellations"
                Defaults = defaults
                Plan = plan
                Load = load
                Init = fun config -> ConstellationCapsules.init (model config)
                Allocate = fun _ count -> Constellations.allocate data count
                Fill = fun _ _ key _ batch -> Constellations.fill data key batch
                Loss = fun config capsules batch -> ConstellationCapsules.loss (model config) capsules batch.Points
                Evaluate = evaluate
                Snapshot = snapshot
                Figures =
                    fun config scenes capsules history ->
                        let frozen = Parameters.frozen capsules

                        ConstellationsFigures.all
                            style
                            scenes
                            (ConstellationCapsules.reconstruct (model config) frozen)
                            history
                Animation = fun _ scenes history -> ConstellationsFigures.animation style scenes history
            }

    /// The experiment: the small program, and the presets that train capsules of other kinds instead.
    let experiment: Experiment =
        let variants (presets: string list) (experiment: Experiment) =
            presets |> List.map (fun preset -> preset, experiment)

        seed
        |> Experiment.withVariants (
            variants RoutedConstellationsExperiment.presets RoutedConstellationsExperiment.experiment
            @ variants VariableConstellationsExperiment.presets VariableConstellationsExperiment.experiment
            @ variants LearnedConstellationsExperiment.presets LearnedConstellationsExperiment.experiment
        )

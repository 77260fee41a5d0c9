namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of the constellations preset that learns its templates.
type LearnedConstellationsHyperparameters =
    {
        Training: TrainingSettings
        [<Setting("sets of templates learned side by side from random points", Min = 1.0, Max = 1024.0)>]
        Restarts: int
        [<Setting("squared residual that counts as an outlier at the beginning", Min = 1e-6)>]
        Tolerance: float
        [<Setting("the same at the end", Min = 1e-6)>]
        LastTolerance: float
    }

/// The published scenes; how many points each template has is known, their shapes are learned.
[<RequireQualifiedAccess>]
module LearnedConstellationsExperiment =
    /// The presets of paper-specs/constellations that this definition trains.
    let presets: string list = [ "learned" ]

    let private defaults: LearnedConstellationsHyperparameters =
        {
            Training =
                {
                    Epochs = 15
                    StepsPerEpoch = 20
                    BatchSize = 32
                    LearningRate = 0.03
                    ValidationSize = 256
                    TestSize = 10000
                    SnapshotEvery = 4
                }
            Restarts = 8
            Tolerance = 0.3
            LastTolerance = 0.002
        }

    let private data: ConstellationsConfig = Constellations.published

    let private model (config: LearnedConstellationsHyperparameters) : LearnedTemplatesConfig =
        {
            Sizes = data.Templates |> List.map _.Points.Length
            Restarts = config.Restarts
        }

    let private plan (config: LearnedConstellationsHyperparameters) : Result<Plan, string> =
        Ok
            { TrainingSettings.plan { Metric = "residual"; Larger = false } config.Training with
                LearningRate = Schedule.warmCosine config.Training.LearningRate 1 config.Training.Steps
            }

    let private allocate _ (count: int) : LearnedTemplatesBatch =
        {
            Scenes = Constellations.allocate data count
            Tolerance = Tensor.zeros [| 1 |]
        }

    /// Scenes of the key; the tolerance falls from the first value to the last by equal factors.
    let private fill (config: LearnedConstellationsHyperparameters) _ key (step: int) (batch: LearnedTemplatesBatch) =
        Constellations.fill data key batch.Scenes
        let progress = float step / float (max 1 (config.Training.Steps - 1))

        batch.Tolerance.Elements<float32>()[0] <-
            float32 (config.Tolerance * Math.Pow(config.LastTolerance / config.Tolerance, progress))

    /// The restart whose templates leave the least residual in the validation scenes, and each one's: no truth.
    let private choose config (scenes: ConstellationsData) (learned: LearnedTemplates) : int * float[] =
        let costs = LearnedTemplates.cost (model config) learned scenes.Validation.Points
        Array.IndexOf(costs, Array.min costs), costs

    // A mean squared residual that only rounding and the last steps' restlessness leave.
    [<Literal>]
    let private Solved = 1e-3

    let private evaluate config (scenes: ConstellationsData) (learned: LearnedTemplates) (split: Split) : Metrics =
        let chosen, costs = choose config scenes learned
        let templates = (LearnedTemplates.templates (model config) learned.Points)[chosen]
        let matched, distances = LearnedTemplates.matching data.Templates templates
        let measured = ConstellationsData.scenes split scenes

        // Of test scenes the chosen restart's alone: a search of all takes as many times as long.
        let residual =
            match split with
            | Validation -> costs[chosen]
            | Test ->
                let alone: LearnedTemplates = { Points = learned.Points.slice (0, chosen, chosen + 1) }
                (LearnedTemplates.cost { model config with Restarts = 1 } alone measured.Points)[0]

        let poses, _ = ExactConstellations.solve templates measured.Points
        let drawn = ConstellationCapsules.decode templates poses

        let predicted =
            ConstellationCapsules.assign templates drawn measured.Points |> Array.map (fun k -> matched[k])

        let score = Recovery.evaluate templates.Length (Template.pointCount templates) measured.Labels predicted

        [
            "residual", residual
            "procrustes_distance", Array.average distances
            "largest_procrustes_distance", Array.max distances
            "recovery", score.Best
            "raw_recovery", score.Raw
            "starts_that_succeed",
            float (costs |> Array.filter (fun cost -> cost < Solved) |> Array.length) / float costs.Length
        ]

    /// The chosen restart as the last snapshot has it: the animation has no model.
    let private chosenAtTheEnd config (scenes: ConstellationsData) (history: History) : int =
        match List.tryLast history.Snapshots with
        | None -> 0
        | Some snapshot -> fst (choose config scenes { Points = snd snapshot.Values.Head })

    /// The experiment.
    let experiment: Experiment =
        Experiment.define
            {
                Specification = Specification.embedded "constellations"
                Defaults = defaults
                Plan = plan
                Load =
                    fun config _ keys ->
                        Ok(
                            ConstellationsData.generate
                                data
                                config.Training.ValidationSize
                                config.Training.TestSize
                                keys
                        )
                Init = fun config -> LearnedTemplates.init (model config)
                Allocate = allocate
                Fill = fill
                Loss = fun config learned batch -> LearnedTemplates.loss (model config) learned batch
                Evaluate = fun config scenes learned split -> evaluate config scenes (Parameters.frozen learned) split
                Snapshot = fun _ _ learned -> [ "templates", learned.Points.primal.clone () ]
                Figures =
                    fun config scenes learned history ->
                        let chosen, _ = choose config scenes (Parameters.frozen learned)
                        LearnedConstellationsFigures.all (model config) data.Templates chosen history
                Animation =
                    fun config scenes history ->
                        LearnedConstellationsFigures.animation
                            (model config)
                            data.Templates
                            (chosenAtTheEnd config scenes history)
                            history
            }

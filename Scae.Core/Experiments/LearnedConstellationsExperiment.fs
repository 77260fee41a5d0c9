namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of the constellations preset that learns its templates.
type LearnedConstellationsSettings = { Training: TrainingSettings; Templates: LearnedTemplatesConfig }

/// How the learned templates explain the scenes of a split.
type LearnedConstellationsReading =
    {
        Scenes: Constellations
        /// The restart of least residual in the validation scenes, so it is chosen without truth.
        Chosen: int
        /// Its templates.
        Templates: Template list
        /// Every restart's mean squared residual in the validation scenes.
        Costs: float[]
        /// The chosen restart's mean squared residual in these scenes.
        Residual: float
    }

/// The published scenes, whose templates are learned: how many points each has is given, its shape isn't.
[<RequireQualifiedAccess>]
module LearnedConstellationsExperiment =
    /// The preset that learns templates.
    let defaults: LearnedConstellationsSettings =
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
            Templates = LearnedTemplates.standard
        }

    let private data: ConstellationsConfig = Constellations.published

    /// The settings and the plan of the training. The error is one line.
    let resolve (settings: LearnedConstellationsSettings) : Result<LearnedConstellationsSettings * Plan, string> =
        let training = settings.Training

        Ok(
            settings,
            TrainingSettings.plan { Metric = "residual"; Larger = false } training
            |> TrainingSettings.scheduled 1 (Cosine(0.01, training.Steps)) 0.0
        )

    let private allocate _ (count: int) : LearnedTemplatesBatch =
        {
            Scenes = Constellations.allocate data count
            Tolerance = Tensor.zeros [| 1 |]
        }

    /// Draws scenes from the key. The tolerance falls from the first value to the last by the same factor every step.
    let internal fill (settings: LearnedConstellationsSettings) _ key (step: int) (batch: LearnedTemplatesBatch) =
        Constellations.fill data key batch.Scenes
        let { Tolerance = first; LastTolerance = last } = settings.Templates
        let progress = float step / float (max 1 (settings.Training.Steps - 1))
        batch.Tolerance.Elements<float32>()[0] <- float32 (first * Math.Pow(last / first, progress))

    /// The mean squared residual of each restart in scenes; the search is recorded once for each number of scenes.
    let private ofRestarts (config: LearnedTemplatesConfig) (learned: LearnedTemplates) : Constellations -> float[] =
        let inference =
            Inference(
                Int32.MaxValue,
                (fun count -> Tensor.zeros [| count; List.sum config.Sizes; 2 |]),
                LearnedTemplates.cost config learned
            )

        fun scenes ->
            let found = ref [||]

            inference.Over(
                scenes.Points.shape[0],
                fun part ->
                    Rows.load scenes.Points part.First part.Batch
                    part.Run()
                    found.Value <- part.Output.toArray<float32>() |> Array.map float
            )

            found.Value

    /// The restart of least residual; one that isn't a number loses against any other.
    let private least (costs: float[]) : int =
        costs
        |> Array.indexed
        |> Array.minBy (fun (_, cost) -> if Double.IsNaN cost then infinity else cost)
        |> fst

    let private read
        (settings: LearnedConstellationsSettings)
        (scenes: ConstellationsData)
        (learned: LearnedTemplates)
        =
        let costsOf = ofRestarts settings.Templates learned

        fun (split: Split) ->
            let costs = costsOf scenes.Validation
            let chosen = least costs
            let measured = ConstellationsData.scenes split scenes
            let one = { settings.Templates with Restarts = 1 }
            let alone: LearnedTemplates = { Points = learned.Points.slice (0, chosen, chosen + 1) }

            {
                Scenes = measured
                Chosen = chosen
                Templates = LearnedTemplates.templates one alone.Points |> List.exactlyOne
                Costs = costs
                Residual =
                    match split with
                    | Validation -> costs[chosen]
                    | Test ->
                        // Only the chosen restart is searched, since all together take as many times as long.
                        (ofRestarts one alone measured)[0]
            }

    // A restart has succeeded if its mean squared residual is below this: then only rounding and the noise of the last steps
    // are left.
    [<Literal>]
    let private Success = 1e-3

    let private measure
        (solve: Template list -> Tensor -> Tensor * float)
        (reading: LearnedConstellationsReading)
        : Metrics =
        let { Templates = templates; Scenes = scenes; Costs = costs } = reading
        let matched, distances = LearnedTemplates.matching data.Templates templates
        let drawn = solve templates scenes.Points |> fst |> ConstellationCapsules.decode templates
        let predicted = ConstellationCapsules.assign templates drawn scenes.Points

        for i in 0 .. predicted.Length - 1 do
            predicted[i] <- matched[predicted[i]]

        let score = Recovery.evaluate templates.Length (Template.pointCount templates) scenes.Labels predicted

        [
            "residual", reading.Residual
            "procrustes_distance", Array.average distances
            "largest_procrustes_distance", Array.max distances
            "recovery", score.Best
            "raw_recovery", score.Raw
            "starts_that_succeed",
            float (costs |> Array.filter (fun cost -> cost < Success) |> Array.length) / float costs.Length
        ]

    /// The chosen restart, found from the last snapshot, because the animation has no model.
    let private chosenAtTheEnd config (scenes: ConstellationsData) (history: History) : int =
        match List.tryLast history.Snapshots with
        | None -> 0
        | Some snapshot -> least (ofRestarts config { Points = snd snapshot.Values.Head } scenes.Validation)

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition
        : Definition<
            LearnedConstellationsSettings,
            ConstellationsData,
            LearnedTemplates,
            LearnedTemplatesBatch,
            LearnedConstellationsReading
           > =
        {
            Defaults = defaults
            Resolve = resolve
            Dependences = Definition.independent
            Load = fun settings _ keys -> Ok(ConstellationsData.generate data settings.Training keys)
            Init = fun settings -> LearnedTemplates.init settings.Templates
            Allocate = allocate
            Fill = fill
            Loss = fun settings learned batch -> LearnedTemplates.loss settings.Templates learned batch |> Loss.ofTotal
            Checked = Definition.checkedAsItIs
            Read = read
            Metrics = fun settings -> measure (ExactConstellations.solver settings.Templates.Sizes)
            Probes = Definition.noProbes
            Baselines = []
            Snapshot = fun _ _ learned () -> [ "templates", learned.Points.clone () ]
            Figures =
                fun settings _ _ read history ->
                    let reading: LearnedConstellationsReading = read Validation

                    LearnedConstellationsFigures.all
                        settings.Templates
                        data.Templates
                        reading.Chosen
                        reading.Templates
                        history
            Animation =
                fun settings scenes history ->
                    LearnedConstellationsFigures.animation
                        settings.Templates
                        data.Templates
                        (chosenAtTheEnd settings.Templates scenes history)
                        history
        }

    /// The model of the preset "learned".
    let variant: Variant = Variant.ofDefinition definition

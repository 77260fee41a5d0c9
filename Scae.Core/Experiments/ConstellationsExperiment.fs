namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of the small constellations program; the defaults are the published ones.
type ConstellationsSettings = { Training: TrainingSettings; Capsules: ConstellationCapsulesConfig }

/// Point sets of transformed templates, grouped by capsules.
[<RequireQualifiedAccess>]
module ConstellationsExperiment =
    /// The published small program.
    let defaults: ConstellationsSettings =
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
            Capsules = ConstellationCapsules.published
        }

    let private data: ConstellationsConfig = Constellations.published

    /// The settings and the plan of the training. The error is one line.
    let resolve (settings: ConstellationsSettings) : Result<ConstellationsSettings * Plan, string> =
        let width, heads = settings.Capsules.Width, settings.Capsules.Heads

        if width % heads <> 0 then
            Error $"--heads {heads}: must divide the width, which is {width}"
        else
            Ok(settings, TrainingSettings.plan { Metric = "recovery"; Larger = true } settings.Training)

    // How many of many scenes are drawn at once: enough to fill the kernels, few enough to stay in the cache.
    [<Literal>]
    let private ScenesAtOnce = 256

    /// Points [b, n, 2] → the points [b, M, 2] that the capsules draw onto them.
    let private draw (settings: ConstellationsSettings) (capsules: ConstellationCapsules) : Tensor -> Tensor =
        ConstellationCapsules.reconstruct settings.Capsules capsules |> Inference.ofRows ScenesAtOnce

    let private read settings (data: ConstellationsData) capsules : Split -> ConstellationsReading =
        let draw = draw settings capsules

        fun split ->
            let scenes = ConstellationsData.scenes split data
            { Scenes = scenes; Drawn = draw scenes.Points }

    let private snapshot settings (data: ConstellationsData) capsules =
        let draw = draw settings capsules
        fun () -> [ "decoded", draw data.Shown.Points ]

    let private style: ConstellationsStyle = { Loss = "chamfer"; Relabelled = true }

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition
        : Definition<
            ConstellationsSettings,
            ConstellationsData,
            ConstellationCapsules,
            Constellations,
            ConstellationsReading
           > =
        {
            Defaults = defaults
            Resolve = resolve
            Dependences = Definition.independent
            Load = fun settings _ keys -> Ok(ConstellationsData.generate data settings.Training keys)
            Init = fun settings -> ConstellationCapsules.init settings.Capsules
            Allocate = fun _ count -> Constellations.allocate data count
            Fill = fun _ _ key _ batch -> Constellations.fill data key batch
            Loss =
                fun settings capsules batch ->
                    ConstellationCapsules.loss settings.Capsules capsules batch.Points |> Loss.ofTotal
            Checked = Definition.checkedAsItIs
            Read = read
            Metrics =
                fun settings ->
                    let measure = ConstellationsMeasures.ofDrawn settings.Capsules.Templates
                    fun reading -> measure reading.Scenes reading.Drawn
            Probes = Definition.noProbes
            Baselines =
                [
                    "exact",
                    fun settings scenes split ->
                        ConstellationsData.scenes split scenes
                        |> ConstellationsMeasures.exact settings.Capsules.Templates
                        |> Ok
                ]
            Snapshot = snapshot
            Figures = fun _ scenes _ read history -> ConstellationsFigures.all style scenes read history
            Animation = fun _ scenes history -> ConstellationsFigures.animation style scenes history
        }

    let private smallProgram: Variant = Variant.ofDefinition definition

    /// The experiment: the small program, and capsules of other kinds.
    let experiment: Experiment =
        Experiment.ofVariants
            "constellations"
            [
                "small", smallProgram
                "routing", RoutingExperiment.variant
                "variable", VariableConstellationsExperiment.variant
                "learned", LearnedConstellationsExperiment.variant
            ]

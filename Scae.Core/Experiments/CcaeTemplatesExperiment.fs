namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of the capsules that learn templates.
type TemplateCapsulesSettings =
    {
        Training: TrainingSettings
        Descent: DescentSettings
        [<Setting("first steps, which learn from scenes alone that one object explains", Min = 0.0)>]
        SingleSteps: int
        [<Setting("whether the patterns are told, so that noise and scales alone are learned")>]
        Told: bool
        Scenes: CcaeScenesSettings
        Capsules: TemplateCapsulesConfig
    }

/// The paper's constellations, explained by capsules that learn a template each, without a network.
[<RequireQualifiedAccess>]
module CcaeTemplatesExperiment =
    /// Templates that are learned, without noise.
    let defaults: TemplateCapsulesSettings =
        {
            Training =
                {
                    Epochs = 10
                    StepsPerEpoch = 60
                    BatchSize = 256
                    LearningRate = 0.03
                    ValidationSize = 1280
                    TestSize = 10000
                    SnapshotEvery = 20
                }
            Descent = { FinalRate = 0.03; Clip = 0.0 }
            SingleSteps = 180
            Told = false
            Scenes = { CcaeScenes.paper with Normalised = SceneScale.Fixed }
            Capsules = TemplateCapsules.standard
        }

    // An explanation is searched among all divisions of a scene's points.
    [<Literal>]
    let private MostPoints = PatternSearch.MostTried

    let private refusal (settings: TemplateCapsulesSettings) : string option =
        let patterns = (CcaeScenes.config settings.Scenes).Patterns
        let largest = patterns |> Array.map _.Length |> Array.max
        let points = Array.sumBy Array.length patterns
        let { Objects = objects; Votes = votes } = settings.Capsules

        if objects < patterns.Length then
            Some $"--objects {objects}: must be at least {patterns.Length}, one for each of the patterns"
        elif settings.Told && objects > patterns.Length then
            Some $"--objects {objects}: must be {patterns.Length} where the patterns are told, one for each of them"
        elif votes < largest then
            Some $"--votes {votes}: must be at least {largest}, the points of the largest pattern"
        elif points > MostPoints then
            Some $"--patterns: {points} points; must be at most {MostPoints} for the exact search"
        else
            None

    /// The settings and the plan. Epochs are chosen by likelihood, which knows no owners. The error is one line.
    let resolve (settings: TemplateCapsulesSettings) : Result<TemplateCapsulesSettings * Plan, string> =
        match refusal settings with
        | Some message -> Error message
        | None ->
            let training = settings.Training
            let plan = TrainingSettings.plan { Metric = "likelihood"; Larger = true } training

            Ok(
                settings,
                { plan with
                    Groups =
                        [
                            Kept "counts"
                            if settings.Told then
                                Kept "points"
                        ]
                    Rule = TrainingSettings.rule Optimizer.adam 1 settings.Descent training
                }
            )

    let private init (settings: TemplateCapsulesSettings) (dtype: Dtype) (key: Key) : TemplateCapsules =
        let capsules = TemplateCapsules.init settings.Capsules dtype key

        if settings.Told then
            TemplateCapsules.told (CcaeScenes.config settings.Scenes).Patterns capsules
        else
            capsules

    let private allocate (settings: TemplateCapsulesSettings) (count: int) : TemplateCapsulesBatch =
        TemplateCapsules.allocate (PatternScenes.pointCount (CcaeScenes.config settings.Scenes)) count

    let private fill
        (settings: TemplateCapsulesSettings)
        (data: CcaeData)
        _
        (step: int)
        (batch: TemplateCapsulesBatch)
        =
        data.Train.Fill(step, batch.Points, batch.Presence)

        batch.Most.Elements<float32>()[0] <-
            (if step < settings.SingleSteps then
                 1.0f
             else
                 float32 settings.Capsules.Objects)

    let private loss (settings: TemplateCapsulesSettings) (capsules: TemplateCapsules) (batch: TemplateCapsulesBatch) =
        let total, counts = TemplateCapsules.loss settings.Capsules capsules batch
        { Total = total; Terms = []; Next = [ capsules.Counts, counts ] }

    let private read (settings: TemplateCapsulesSettings) (capsules: TemplateCapsules) (measured: CcaeTestScenes) =
        TemplateCapsules.explain settings.Capsules capsules measured.Scenes

    /// The mean Procrustes distance of the learned templates from the patterns of as many points that they are matched to, NaN
    /// where there are none; and the deviation of points relative to an object's root mean squared radius.
    let private learned (settings: TemplateCapsulesSettings) (capsules: TemplateCapsules) : Metrics =
        let truth =
            [
                for pattern in (CcaeScenes.config settings.Scenes).Patterns ->
                    Template.create "" [ for struct (x, y) in pattern -> x, y ]
            ]

        let _, distances =
            LearnedTemplates.matching truth (TemplateCapsules.templates settings.Capsules capsules)

        [
            "procrustes_distance",
            (match Array.filter Double.IsFinite distances with
             | [||] -> nan
             | known -> Array.average known)
            "deviation", Array.average (TemplateCapsules.objects settings.Capsules capsules).Deviations
        ]

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<TemplateCapsulesSettings, CcaeData, TemplateCapsules, TemplateCapsulesBatch, CcaeReading> =
        {
            Defaults = defaults
            Resolve = resolve
            Dependences = Definition.independent
            Load = fun settings _ keys -> Ok(CcaeScenes.load settings.Scenes settings.Training keys)
            Init = init
            Allocate = allocate
            Fill = fill
            Loss = loss
            Checked = Definition.checkedAsItIs
            Read = fun settings data capsules split -> read settings capsules (CcaeScenes.ofSplit data split)
            Metrics = fun settings -> CcaeMeasures.ofReading (CcaeScenes.config settings.Scenes)
            Probes =
                fun settings data capsules _ ->
                    learned settings capsules @ CcaeMeasures.overNoise data.Config (read settings capsules) data.Noisy
            Baselines = CcaeBaselines.all |> List.map (fun (name, measure) -> name, (fun _ -> measure))
            Snapshot = fun settings data capsules () -> CcaeFigures.snapshot (read settings capsules data.Shown)
            Figures =
                fun settings data capsules reading history ->
                    CcaeFigures.all data (read settings capsules) (reading Test) history
            Animation = fun _ -> CcaeFigures.animation
        }

    /// The model of the presets that learn templates.
    let variant: Variant = Variant.ofDefinition definition

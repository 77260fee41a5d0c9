namespace Scae.Core.Experiments

open System
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// What sequences show.
[<RequireQualifiedAccess>]
type TvaeSource =
    | Digits
    | Sprites

/// How topographic autoencoders are trained.
[<RequireQualifiedAccess>]
type TvaeSchedule =
    /// Gradient descent with momentum 0.9 and a constant step size, as published.
    | Published
    /// Adam over a tenth of the epochs. The step size grows, then falls along a cosine; the weight of the KL terms grows to 1.
    | Fast

/// Every hyperparameter of topographic autoencoders; the defaults are the published experiment tvae_Lpartial_mnist.
type TvaeSettings =
    {
        Training: TrainingSettings
        [<Setting("published: momentum 0.9; fast: Adam over a tenth of the epochs, step size and KL terms growing at first")>]
        Schedule: TvaeSchedule
        [<Setting("largest step size of the schedule fast, in place of learning-rate", Min = 0.0)>]
        FastRate: float
        [<Setting("steps until the schedule fast has its largest step size", Min = 1.0)>]
        WarmUp: int
        [<Setting("steps of the schedule fast over which both KL terms grow to their full weight, 0 for none", Min = 0.0)>]
        KlWarmUp: int
        [<Setting("schedule fast: weights that tell frames apart from the start, and a decoder that sees T less its prior mean over its deviation")>]
        Standardised: bool
        [<Setting("largest norm of the gradients, 0 for no limit", Min = 0.0)>]
        Clip: float
        [<Setting("what sequences show")>]
        Source: TvaeSource
        [<Setting("what moves in sequences of digits that are trained with")>]
        Motion: DigitMotion
        [<Setting("what moves in sequences that are measured", Measuring = true)>]
        TestMotion: DigitMotion
        [<Setting("where single digits come from; auto is mnist where it can be had, else strokes")>]
        Digits: DigitSource
        [<Setting("where sprites come from; auto is dSprites' file where it is, else our own drawings")>]
        Sprites: SpriteSource
        [<Setting("draws of each importance-sampled likelihood", Min = 1.0, Max = 100000.0, Measuring = true)>]
        Draws: int
        [<Setting("temperatures of the annealed likelihood at the end, 0 to leave it out",
                  Min = 0.0,
                  Max = 100000.0,
                  Measuring = true)>]
        Annealing: int
        [<Setting("test sequences, or single images, whose likelihood is annealed",
                  Min = 1.0,
                  Max = 1000000.0,
                  Measuring = true)>]
        AnnealedSize: int
        Model: TopographicVaeConfig
    }

/// What follows from the hyperparameters of topographic autoencoders.
[<RequireQualifiedAccess>]
module TvaeSettings =
    /// The experiment tvae_Lpartial_mnist: 600,000 steps.
    let published: TvaeSettings =
        {
            Training =
                {
                    Epochs = 100
                    StepsPerEpoch = 6000
                    BatchSize = 8
                    LearningRate = 1e-4
                    ValidationSize = 500
                    TestSize = 10000
                    SnapshotEvery = 6000
                }
            Schedule = TvaeSchedule.Published
            FastRate = 5e-4
            WarmUp = 200
            KlWarmUp = 5000
            Standardised = true
            Clip = 0.0
            Source = TvaeSource.Digits
            Motion = DigitMotion.Single
            TestMotion = DigitMotion.Single
            Digits = DigitSource.Auto
            Sprites = SpriteSource.Auto
            Draws = 10
            Annealing = 100
            AnnealedSize = 50
            Model = TopographicVae.published
        }

    // The published momentum; how much shorter the schedule fast is; and its last step size as a share of the largest.
    [<Literal>]
    let private Momentum = 0.9

    [<Literal>]
    let private Shorter = 10

    [<Literal>]
    let private LastShare = 0.02

    // The weight of the KL terms in the first step of the schedule fast.
    [<Literal>]
    let private FirstKl = 0.05

    /// The weight of the KL terms in a step, which is counted from 0.
    let klWeight (settings: TvaeSettings) (step: int) : float =
        match settings.Schedule with
        | TvaeSchedule.Published -> 1.0
        | TvaeSchedule.Fast when settings.KlWarmUp = 0 -> 1.0
        | TvaeSchedule.Fast -> min 1.0 (FirstKl + (1.0 - FirstKl) * float step / float settings.KlWarmUp)

    /// The settings with the shape and the number of frames that the source has. Only the schedule fast is standardised.
    let private shaped (settings: TvaeSettings) : TvaeSettings =
        let channels, side, frames =
            match settings.Source with
            | TvaeSource.Sprites -> 1, Sprites.Side, SpriteSequences.Steps
            | TvaeSource.Digits ->
                DigitSequences.channels settings.Motion, Digits.Side, DigitSequences.frames settings.Motion

        { settings with
            Model.Channels = channels
            Model.Side = side
            Model.Frames = frames
            Model.Standardised = settings.Standardised && settings.Schedule = TvaeSchedule.Fast
        }

    let private refusalOfData (settings: TvaeSettings) : string option =
        let { Motion = motion; TestMotion = test } = settings
        let text (motion: DigitMotion) = Settings.kebab (string motion)
        let isStill motion = (motion = DigitMotion.Still)

        if settings.Source = TvaeSource.Sprites && (motion, test) <> (DigitMotion.Single, DigitMotion.Single) then
            Some "--motion: is of digits; with --source sprites it must be single, as --test-motion must"
        elif isStill motion <> isStill test then
            Some $"--test-motion {text test}: must be still where --motion is, which is {text motion}, and there alone"
        else
            None

    /// Why a model can't have its grouping.
    let private refusalOfGrouping (model: TopographicVaeConfig) : string option =
        let { Kernel = kernel; Width = width; Frames = frames; Entries = entries } = model
        let edge = int (sqrt (float (TopographicVae.latents model)))
        let struct (mean, _) = TopographicVae.priorMoments model

        match model.Grouping with
        | Grouping.Plain -> None
        | _ when model.Standardised && Double.IsInfinity mean ->
            Some $"--kernel {kernel}: fewer than three latents share a scale, which needs --standardised false"
        | Grouping.Torus when edge * edge <> TopographicVae.latents model ->
            Some $"--entries {entries}: a torus needs a square number of latents, not {TopographicVae.latents model}"
        | Grouping.Torus when kernel > edge -> Some $"--kernel {kernel}: must be at most {edge}, the torus' edge"
        | Grouping.Torus when width > edge -> Some $"--width {width}: must be at most {edge}, the torus' edge"
        | Grouping.Shifting when width % 2 = 0 -> Some $"--width {width}: must be odd with --grouping shifting"
        | Grouping.Shifting when kernel > min frames entries ->
            Some $"--kernel {kernel}: must be at most {min frames entries}, the fewer of frames and entries"
        | Grouping.Box when kernel > frames ->
            Some $"--kernel {kernel}: must be at most {frames}, the frames of a sequence"
        | Grouping.Box when width > entries ->
            Some $"--width {width}: must be at most {entries}, the entries of a capsule"
        | _ -> None

    /// Each schedule, family of W and source has hyperparameters of its own.
    let dependences (settings: TvaeSettings) : Dependence list =
        let { Schedule = schedule; Source = source } = settings

        [
            Dependence.needs
                "--schedule fast"
                (schedule = TvaeSchedule.Fast)
                [ "fast-rate"; "warm-up"; "kl-warm-up"; "standardised" ]
            Dependence.needs
                "--schedule published; fast has --fast-rate in its place"
                (schedule = TvaeSchedule.Published)
                [ "learning-rate" ]
            Dependence.needs
                "a --grouping other than plain"
                (settings.Model.Grouping <> Grouping.Plain)
                [ "kernel"; "width"; "mu"; "epsilon" ]
            Dependence.needs "--source digits" (source = TvaeSource.Digits) [ "digits" ]
            Dependence.needs "--source sprites" (source = TvaeSource.Sprites) [ "sprites" ]
            Dependence.needs "--annealing above 0" (settings.Annealing > 0) [ "annealed-size" ]
        ]

    let private rule (settings: TvaeSettings) (steps: int) : UpdateRule =
        let optimizer, rate =
            match settings.Schedule with
            | TvaeSchedule.Published -> Optimizer.Momentum Momentum, Schedule.constant settings.Training.LearningRate
            | TvaeSchedule.Fast ->
                Optimizer.adam,
                {
                    Largest = settings.FastRate
                    WarmUp = settings.WarmUp
                    Decay = Cosine(LastShare, steps)
                }

        {
            Optimizer = optimizer
            LearningRate = rate
            Clip = TrainingSettings.unlessZero settings.Clip
        }

    // What a reading keeps of a sequence: for each frame both KL terms, the reconstruction and a weight for every draw, in
    // float64; T of a single image; and some numbers of the whole sequence.
    let private sceneBytes (settings: TvaeSettings) : float =
        let frames = settings.Model.Frames

        let units =
            if frames = 1 then
                4 * TopographicVae.latents settings.Model
            else
                0

        float (8 * frames * (3 + settings.Draws) + units + 100)

    /// The settings with the frames of the source, and the plan of the training. The error is one line.
    let resolve (settings: TvaeSettings) : Result<TvaeSettings * Plan, string> =
        let settled = shaped settings

        let refusal = refusalOfData settled |> Option.orElse (refusalOfGrouping settled.Model)

        match refusal with
        | Some message -> Error message
        | None ->
            let plan = TrainingSettings.plan { Metric = "loss"; Larger = false } settled.Training

            let epochs =
                match settled.Schedule with
                | TvaeSchedule.Published -> plan.Epochs
                | TvaeSchedule.Fast -> (plan.Epochs + Shorter - 1) / Shorter

            Ok(
                settled,
                { plan with
                    Epochs = epochs
                    KeepsScenes = false
                    SceneBytes = sceneBytes settled
                    Rule = rule settled (epochs * plan.StepsPerEpoch)
                }
            )

namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// A batch of sequences with the weight of the KL terms, a scalar.
type TvaeBatch = { Sequences: TopographicVaeBatch; KlWeight: Tensor }

/// Sequences of digits or sprites that transform, explained by capsules that roll: topographic autoencoders.
[<RequireQualifiedAccess>]
module TvaeExperiment =
    // One in so many training digits is set aside for validation: 12,000 of MNIST's 60,000.
    [<Literal>]
    let private HeldOut = 5

    /// `count` sequences: one of each image in order, over and over.
    let private inOrder (motion: DigitMotion) (images: TvaeImages) (count: int) (key: Key) : TvaeScenes =
        {
            Images = images
            Motion = motion
            Chosen = Array.init count (fun i -> i % TvaeScenes.count images)
            Key = key
        }

    /// `count` sequences of images in random order.
    let private shuffled (motion: DigitMotion) (images: TvaeImages) (count: int) (key: Key) : TvaeScenes =
        let chosen = Array.zeroCreate count
        Passes(TvaeScenes.count images, key).Choose(0, Span chosen)
        { inOrder motion images 0 key with Chosen = chosen }

    /// Why there can't be as many test or validation images as are wanted. Still images are the digits themselves, so each would
    /// be measured several times; sequences are drawn anew. By default at most 10,000 are measured, and all if there are fewer.
    let private refusalOfSizes (settings: TvaeSettings) (held: int) (digits: DigitSets) : string option =
        let { Training = training; TestMotion = motion } = settings
        let test = Digits.count digits.Test

        if motion <> DigitMotion.Still then
            None
        elif training.ValidationSize > held then
            Some
                $"--validation-size {training.ValidationSize}: must be at most {held}, the digits set aside for validation"
        elif training.TestSize > test && training.TestSize <> TvaeSettings.published.Training.TestSize then
            Some $"--test-size {training.TestSize}: must be at most {test}, the test digits that there are"
        else
            None

    /// Digits to train with and to measure. The error is one line.
    let internal ofDigits (settings: TvaeSettings) (keys: Keys) (digits: DigitSets) : Result<TvaeData, string> =
        let held = Digits.count digits.Train / HeldOut
        let rest = Digits.count digits.Train - held

        match refusalOfSizes settings held digits with
        | Some message -> Error message
        | None when held = 0 ->
            Error $"--digits: {Digits.count digits.Train} training images; must be at least {HeldOut}"
        | None ->
            let { Motion = motion; TestMotion = testMotion; Training = training } = settings
            let struct (train, validation) = Digits.split rest digits.Train
            let train, test = TvaeImages.Digits train, TvaeImages.Digits digits.Test

            let testSize =
                if testMotion = DigitMotion.Still then
                    min training.TestSize (TvaeScenes.count test)
                else
                    training.TestSize

            Ok
                {
                    Train = train
                    Order = Passes(rest, keys.Train)
                    Validation =
                        inOrder testMotion (TvaeImages.Digits validation) training.ValidationSize keys.Validation
                    Test = inOrder testMotion test testSize keys.Test
                    Trained = shuffled motion train training.TestSize (keys.Validation.Named "trained")
                    Unseen =
                        if motion = DigitMotion.Single then
                            let key = keys.Test.Named "unseen"
                            Some(inOrder DigitMotion.RotationColour test training.TestSize key)
                        else
                            None
                    Levels = keys.Validation.Named "levels"
                }

    let private ofSprites (settings: TvaeSettings) (keys: Keys) (sprites: Sprites) : TvaeData =
        let images = TvaeImages.Sprites sprites
        let scenes count key = shuffled settings.Motion images count key

        {
            Train = images
            Order = Passes(Sprites.Count, keys.Train)
            Validation = scenes settings.Training.ValidationSize keys.Validation
            Test = scenes settings.Training.TestSize keys.Test
            Trained = scenes settings.Training.TestSize (keys.Validation.Named "trained")
            Unseen = None
            Levels = keys.Validation.Named "levels"
        }

    let private load (settings: TvaeSettings) (resources: Resources) (keys: Keys) : Result<TvaeData, string> =
        match settings.Source with
        | TvaeSource.Digits -> DigitSource.load settings.Digits resources |> Result.bind (ofDigits settings keys)
        | TvaeSource.Sprites -> SpriteSource.load settings.Sprites resources |> Result.map (ofSprites settings keys)

    let private allocate (settings: TvaeSettings) (count: int) : TvaeBatch =
        {
            Sequences = TopographicVae.allocate settings.Model count
            KlWeight = Tensor.zeros [||]
        }

    let private fill (settings: TvaeSettings) (data: TvaeData) (key: Key) (step: int) (batch: TvaeBatch) : unit =
        let frames = batch.Sequences.Frames
        let chosen = Array.zeroCreate<int>(frames.shape[0] / settings.Model.Frames)
        data.Order.Choose(step, Span chosen)
        TvaeScenes.fill data.Train settings.Motion (ReadOnlySpan chosen) (key.Named "frames") frames
        TopographicVae.fillNoise (key.Named "noise") batch.Sequences
        batch.KlWeight.Elements<float32>()[0] <- float32 (TvaeSettings.klWeight settings step)

    let private loss (settings: TvaeSettings) (model: TopographicVae) (batch: TvaeBatch) : Loss =
        let loss = TopographicObjective.loss settings.Model model batch.Sequences
        let kl = Option.fold (+) loss.KlZ loss.KlU

        {
            Total =
                match settings.Schedule with
                | TvaeSchedule.Published -> loss.Total
                | TvaeSchedule.Fast -> loss.Reconstruction + batch.KlWeight * kl
            Terms =
                [
                    "reconstruction", loss.Reconstruction
                    "kl_z", loss.KlZ
                    match loss.KlU with
                    | Some kl -> "kl_u", kl
                    | None -> ()
                ]
            Next = []
        }

    // A slope found by differences of 10⁻⁶ is off by 10⁻⁷, since a loss of 1,600 nats is rounded. At the start encoders and T
    // matter little to the loss, and slopes of weights are as small as that. So weights are enlarged by these factors.
    [<Literal>]
    let private EncoderGain = 3.0

    [<Literal>]
    let private DecoderGain = 4.0

    /// Gradients are checked away from the published start, with larger weights, so that they aren't lost in the loss's rounding.
    let private checked' (settings: TvaeSettings) (_: Key) (model: TopographicVae) : TvaeSettings * TopographicVae =
        let enlarged (name: string) (tensor: Tensor) =
            match name.Split('.')[0] with
            | "mu" -> tensor
            | "decoder" -> tensor * DecoderGain
            | _ -> tensor * EncoderGain

        settings,
        if settings.Model.Standardised then
            model
        else
            Parameters.mapi enlarged model

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<TvaeSettings, TvaeData, TopographicVae, TvaeBatch, TvaeReading> =
        {
            Defaults = TvaeSettings.published
            Resolve = TvaeSettings.resolve
            Dependences = TvaeSettings.dependences
            Load = load
            Init = fun settings -> TopographicVae.init settings.Model
            Allocate = allocate
            Fill = fill
            Loss = loss
            Checked = checked'
            Read = TvaeReading.read
            Metrics = TvaeMeasures.ofReading
            Probes = TvaeMeasures.probes
            Baselines = []
            Snapshot = TvaeGallery.snapshot
            Figures = TvaeGallery.all
            Animation = fun settings _ -> TvaeGallery.animation settings
        }

    /// The experiment.
    let experiment: Experiment = Experiment.define "tvae" definition

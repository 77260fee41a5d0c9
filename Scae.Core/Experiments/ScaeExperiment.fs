namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Losses
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// What a model infers from a split, what that tells of classes, and metrics under other noise.
type ScaeExamination =
    {
        Reading: ScaeReading
        /// Found when it is asked for.
        Probed: Lazy<ScaeProbed>
        /// Found when it is asked for.
        UnderOtherNoise: Lazy<Metrics>
    }

/// Digits on canvases, explained as objects made of parts by a stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeExperiment =
    let private scenes (settings: ScaeSettings) (count: int) (digits: Digits) (key: Key) : ScaeScenes =
        {
            Canvases = CanvasDigits.shifted settings.Model.Canvas (Digits.first count digits) (key.Named "places")
            Noise = key.Named "noise"
        }

    /// The same digits from viewpoints that training needn't have shown.
    let private viewpoints (settings: ScaeSettings) (digits: Digits) (key: Key) : ScaeScenes =
        {
            Canvases =
                AffineDigits.sample
                    AffineDigits.published
                    settings.Model.Canvas
                    (Digits.first settings.Training.TestSize digits)
                    (key.Named "places")
            Noise = key.Named "noise"
        }

    let private refusal (settings: ScaeSettings) (digits: DigitSets) : string option =
        let held, all = settings.Training.ValidationSize, Digits.count digits.Train
        let test = settings.Training.TestSize

        let most = Seq.append digits.Train.Labels digits.Test.Labels |> Seq.max

        if int most >= ScaeConfig.Classes then
            Some $"--digits: class {most}; must be from 0 to {ScaeConfig.Classes - 1}"
        elif Digits.count digits.Test < ScaeConfig.Classes then
            Some $"--digits: {Digits.count digits.Test} test images; must be at least {ScaeConfig.Classes}"
        elif all - held < ScaeConfig.Classes then
            Some $"--validation-size {held}: must leave {ScaeConfig.Classes} of {all} digits to train with"
        elif settings.Model.Agreement > 0.0 && settings.Neighbours >= all - held then
            Some $"--neighbours {settings.Neighbours}: must be below {all - held}, the digits to train with"
        elif test > Digits.count digits.Test && test <> ScaeSettings.paper.Training.TestSize then
            Some $"--test-size {test}: must be at most {Digits.count digits.Test}, the test digits that there are"
        elif not (CanvasDigits.canHold (min settings.ProbeSize (all - held)) settings.Model.Canvas) then
            Some
                $"--probe-size {settings.ProbeSize}: {min settings.ProbeSize (all - held)} canvases of {settings.Model.Canvas} × {settings.Model.Canvas} pixels are more than 2 GB; lower it or --canvas"
        else
            None

    /// Canvases of the digits that the settings name. The error is one line.
    let internal load (settings: ScaeSettings) (resources: Resources) (keys: Keys) : Result<ScaeData, string> =
        DigitSource.load settings.Digits resources
        |> Result.bind (fun digits ->
            match refusal settings digits with
            | Some message -> Error message
            | None ->
                let held = settings.Training.ValidationSize
                let struct (train, validation) = Digits.split (Digits.count digits.Train - held) digits.Train

                Ok
                    {
                        Train = train
                        Order = Passes(Digits.count train, keys.Train)
                        Neighbours = lazy (ScaeNeighbours.ofDigits settings.Neighbours settings.SecondLook train)
                        Validation = scenes settings held validation keys.Validation
                        Test = scenes settings settings.Training.TestSize digits.Test keys.Test
                        Probe = lazy (scenes settings settings.ProbeSize train (keys.Validation.Named "probe"))
                        Viewpoints = lazy (viewpoints settings digits.Test (keys.Test.Named "viewpoints"))
                        Clusters = keys.Validation.Named "clusters"
                    })

    /// The batch of a step. Where views must agree, each digit comes twice, the second time perhaps replaced by a neighbour; and
    /// there is what labels are made by.
    let internal fill (settings: ScaeSettings) (data: ScaeData) (key: Key) (step: int) (batch: ScaeBatch) : unit =
        let rows = Array.zeroCreate<int> batch.Images.shape[0]

        if settings.Model.Agreement > 0.0 then
            let half = rows.Length / 2
            data.Order.Choose(step, Span(rows, 0, half))
            Array.blit rows 0 rows half half

            match ScaeSettings.walk settings step with
            | ValueNone -> ()
            | ValueSome walk ->
                ScaeNeighbours.wander data.Neighbours.Value walk (key.Named "neighbours") (Span(rows, half, half))
        else
            data.Order.Choose(step, Span rows)

        let places = key.Named "places"

        match ScaeSettings.views settings step with
        | ValueNone -> CanvasDigits.fill data.Train (ReadOnlySpan rows) places batch.Images batch.Classes
        | ValueSome views ->
            let anywhere = ScaeSettings.isAnywhere settings step
            AffineDigits.fill views anywhere data.Train (ReadOnlySpan rows) places batch.Images batch.Classes

        batch.Power.Elements<float32>()[0] <- float32 (ScaeSettings.power settings step)
        let slack = ScaeSettings.slack settings step
        batch.Balance.Elements<float32>()[0] <- (if slack.IsSome then 1.0f else 0.0f)
        batch.Slack.Elements<float32>()[0] <- float32 (ValueOption.defaultValue 0.0 slack)
        Scae.fillNoise settings.Noise (key.Named "noise") batch

    // How many digits initial weights are scaled on.
    [<Literal>]
    let private Calibrating = 256

    /// Initial parameters. If weights are scaled, they are scaled on stroke digits, since the data may not be known yet.
    let private init (settings: ScaeSettings) (dtype: Dtype) (key: Key) : Scae =
        let config = settings.Model
        let model = Scae.init config dtype key

        if not config.Calibrated then
            model
        else
            let batch = Scae.allocate config Calibrating
            let digits = StrokeDigits.sample Calibrating (key.Named "calibration")
            let all = Array.init Calibrating id
            CanvasDigits.fill digits (ReadOnlySpan all) (key.Named "places") batch.Images batch.Classes

            ScaeCalibration.scaled config (Parameters.map (fun x -> x.cast Dtype.Float32) model) batch
            |> Parameters.map (fun x -> x.cast dtype)

    let private loss (settings: ScaeSettings) (model: Scae) (batch: ScaeBatch) : Loss =
        let loss = Scae.loss settings.Model model batch

        { Total = loss.Total; Terms = loss.Terms; Next = [] }

    /// The settings and the model with which gradients are checked, changed until gradients are the derivative of the loss: none is
    /// stopped, presence counts smoothly in attention, and views make no labels for each other. The model is moved away from its
    /// start, where relus are at their kinks, since a canvas is mostly black.
    let private checked' (settings: ScaeSettings) (key: Key) (model: Scae) : ScaeSettings * Scae =
        let mask =
            match settings.Model.Mask with
            | SetMask.Hard -> SetMask.Log
            | other -> other

        { settings with
            Model.StopGradients = false
            Model.ProbesTeach = true
            Model.Mask = mask
            Model.Views = ViewForm.Information
        },
        Definition.aside key model

    /// What a model infers from a split. What is costly is found only if metrics or pictures ask for it, and then once for both.
    let private examine (settings: ScaeSettings) (data: ScaeData) (model: Scae) : Split -> ScaeExamination =
        let read = ScaeReading.read settings data model

        fun split ->
            let reading = read split

            {
                Reading = reading
                Probed = lazy (ScaeProbes.ofReading settings data model reading)
                UnderOtherNoise = lazy (ScaeProbes.underOtherNoise settings data model)
            }

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<ScaeSettings, ScaeData, Scae, ScaeBatch, ScaeExamination> =
        {
            Defaults = ScaeSettings.paper
            Resolve = ScaeSettings.resolve
            Dependences = ScaeSettings.dependences
            Load = load
            Init = init
            Allocate = fun settings -> Scae.allocate settings.Model
            Fill = fill
            Loss = loss
            Checked = checked'
            Read = examine
            Metrics = fun _ examination -> ScaeMeasures.ofReading examination.Reading
            Probes = fun _ _ _ examination -> examination.Probed.Value.Metrics @ examination.UnderOtherNoise.Value
            Baselines = []
            Snapshot = ScaeFigures.snapshot
            Figures =
                fun settings data model examined history ->
                    let test = examined Test
                    ScaeFigures.all settings data model (test.Reading.Representation, test.Probed.Value) history
            Animation = fun _ _ -> ScaeFigures.animation
        }

    /// The experiment.
    let experiment: Experiment = Experiment.define "scae" definition

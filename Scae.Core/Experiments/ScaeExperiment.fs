namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Digits on canvases, explained as objects made of parts by a stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeExperiment =
    /// Digits from number `first` on.
    let private range (first: int) (count: int) (digits: Digits) : Digits =
        {
            Pixels = Array.sub digits.Pixels (first * Digits.Pixels) (count * Digits.Pixels)
            Labels = Array.sub digits.Labels first count
        }

    let private scenes (settings: ScaeSettings) (count: int) (digits: Digits) (key: Key) : ScaeScenes =
        {
            Canvases =
                CanvasDigits.shifted
                    settings.Model.Canvas
                    (range 0 (min count (Digits.count digits)) digits)
                    (key.Named "places")
            Noise = key.Named "noise"
        }

    let private refusal (settings: ScaeSettings) (digits: DigitSets) : string option =
        let held, all = settings.Training.ValidationSize, Digits.count digits.Train

        let most = Seq.append digits.Train.Labels digits.Test.Labels |> Seq.max

        if int most >= ScaeConfig.Classes then
            Some $"--digits: class {most}; must be from 0 to {ScaeConfig.Classes - 1}"
        elif Digits.count digits.Test < ScaeConfig.Classes then
            Some $"--digits: {Digits.count digits.Test} test images; must be at least {ScaeConfig.Classes}"
        elif all - held < ScaeConfig.Classes then
            Some $"--validation-size {held}: must leave {ScaeConfig.Classes} of {all} digits to train with"
        else
            None

    let private load (settings: ScaeSettings) (resources: Resources) (keys: Keys) : Result<ScaeData, string> =
        DigitSource.load settings.Digits resources
        |> Result.bind (fun digits ->
            match refusal settings digits with
            | Some message -> Error message
            | None ->
                let held = settings.Training.ValidationSize
                let rest = Digits.count digits.Train - held
                let train = range 0 rest digits.Train

                Ok
                    {
                        Train = train
                        Order = Passes(rest, keys.Train)
                        Validation = scenes settings held (range rest held digits.Train) keys.Validation
                        Test = scenes settings settings.Training.TestSize digits.Test keys.Test
                        Probe = lazy (scenes settings settings.ProbeSize train (keys.Validation.Named "probe"))
                        Clusters = keys.Validation.Named "clusters"
                    })

    let private fill (settings: ScaeSettings) (data: ScaeData) (key: Key) (step: int) (batch: ScaeBatch) : unit =
        let rows = Array.zeroCreate<int> batch.Images.shape[0]

        if settings.Model.Agreement > 0.0 then
            let half = rows.Length / 2
            data.Order.Choose(step, Span(rows, 0, half))
            Array.blit rows 0 rows half half
        else
            data.Order.Choose(step, Span rows)

        match ScaeSettings.views settings with
        | ValueNone -> CanvasDigits.fill data.Train (ReadOnlySpan rows) (key.Named "places") batch.Images batch.Classes
        | ValueSome views ->
            AffineDigits.fill views data.Train (ReadOnlySpan rows) (key.Named "places") batch.Images batch.Classes

        Scae.fillNoise settings.Noise (key.Named "noise") batch

    // Digits by which initial weights are scaled.
    [<Literal>]
    let private Calibrating = 256

    /// Where weights are scaled, digits of strokes tell how far, for data may not be known yet.
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
            ScaeCalibration.scaled config (Parameters.mapi (fun _ x -> x.cast Dtype.Float32) model) batch
            |> Parameters.mapi (fun _ x -> x.cast dtype)

    let private loss (settings: ScaeSettings) (model: Scae) (batch: ScaeBatch) : Loss =
        let loss = Scae.loss settings.Model model batch
        { Total = loss.Total; Terms = loss.Terms; Next = [] }

    /// Gradients are checked where they are those of the loss: nothing is held back, and presence counts smoothly. And away
    /// from the start: on a black canvas biases of 0 leave every relu at its kink, where there is no derivative.
    let private checked' (settings: ScaeSettings) (key: Key) (model: Scae) : ScaeSettings * Scae =
        let aside (name: string) (tensor: Tensor) =
            tensor + Initialization.normal 0.05 tensor.dtype (List.ofArray tensor.shape) (key.Named name)

        let mask =
            match settings.Model.Mask with
            | SetMask.Hard -> SetMask.Log
            | other -> other

        { settings with Model.StopGradients = false; Model.Mask = mask }, Parameters.mapi aside model

    /// What is measured of test digits alone.
    let private probes (settings: ScaeSettings) (data: ScaeData) (model: Scae) (reading: ScaeReading) : Metrics =
        ScaeMeasures.probes data.Clusters (ScaeReading.ofScenes settings model data.Probe.Value) reading

    let private snapshot settings data model =
        let show = ScaeFigures.show settings data model
        fun () -> ScaeFigures.snapshot (show ())

    /// The experiment.
    let experiment: Experiment =
        Experiment.define
            "scae"
            {
                Defaults = ScaeSettings.paper
                Resolve = ScaeSettings.resolve
                Load = load
                Init = init
                Allocate = fun settings -> Scae.allocate settings.Model
                Fill = fill
                Loss = loss
                Checked = checked'
                Read = ScaeReading.read
                Metrics = fun _ -> ScaeMeasures.ofReading
                Probes = probes
                Baselines = []
                Snapshot = snapshot
                Figures =
                    fun settings data model _ history ->
                        ScaeFigures.all (ScaeFigures.show settings data model ()) history
                Animation = fun _ _ -> ScaeFigures.animation
            }

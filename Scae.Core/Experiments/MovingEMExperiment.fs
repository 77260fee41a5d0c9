namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Moving objects, grouped by neural expectation maximization that predicts the next frame.
[<RequireQualifiedAccess>]
module MovingEMExperiment =
    // How many sequences the pictures show.
    [<Literal>]
    let private Shown = 3

    // One digit in so many of the training set, the last ones, is for validation and isn't trained with.
    [<Literal>]
    let private ValidationShare = 12

    /// The masks of training, validation and test objects.
    let private masks (settings: MovingEMSettings) (resources: Resources) : Result<ObjectMask[][], string> =
        match settings.Objects.Source with
        | MovingSource.Shapes -> Ok(Array.create 3 (MovingObjects.masksOfShapes settings.Objects))
        | MovingSource.Digits ->
            DigitSource.load settings.Digits resources
            |> Result.bind (fun sets ->
                match Digits.count sets.Train with
                | count when count < 2 -> Error $"--digits: {count} training images; must be at least 2"
                | count ->
                    let struct (train, validation) = Digits.split (count - max 1 (count / ValidationShare)) sets.Train
                    Ok([| train; validation; sets.Test |] |> Array.map MovingObjects.masksOfDigits))

    let private sample (objects: MovingObjectsConfig) masks count (key: Key) =
        {
            Frames = objects.Frames
            Shapes = MovingObjects.sample objects masks count (key.Named "objects")
            Noise = key.Named "noise"
        }

    let private load (settings: MovingEMSettings) (resources: Resources) (keys: Keys) : Result<MovingEMData, string> =
        masks settings resources
        |> Result.map (fun masks ->
            let { Objects = objects; Training = training } = settings
            let validation = sample objects masks[1] training.ValidationSize keys.Validation

            {
                Masks = masks[0]
                Unread = MovingObjects.allocate objects settings.Model.TrainedFrames training.BatchSize
                Validation = validation
                Test = sample objects masks[2] training.TestSize keys.Test
                Others =
                    [
                        for count in settings.TestedObjects ->
                            let objects = (MovingEMSettings.withObjects count settings).Objects
                            count, lazy (sample objects masks[2] training.TestSize (keys.Test.Fold(int64 count)))
                    ]
                Shown =
                    { validation with
                        Shapes = Shapes.range 0 (Shown * objects.Frames) validation.Shapes
                    }
            })

    let private fill (settings: MovingEMSettings) (data: MovingEMData) : Key -> int -> MovingEMBatch -> unit =
        let start = MovingEM.start settings.Model
        let frames = settings.Model.TrainedFrames

        fun key _ batch ->
            // A check of gradients may have a batch of another size.
            let truth =
                if data.Unread.Labels.Length >= batch.Target.nelement then
                    data.Unread
                else
                    MovingObjects.allocate settings.Objects frames batch.Target.shape[0]

            MovingObjects.fill
                settings.Objects
                frames
                data.Masks
                (key.Named "objects")
                { truth with Images = batch.Target }

            Disturbances.flip settings.FlipProbability (key.Named "flips") batch.Target batch.Input
            start (key.Named "noise") batch
            Disturbances.fillStates settings.Model.Core.StateNoise (key.Named "states") batch.StateNoise

    /// Gradients that stop at the responsibilities aren't the loss's derivative, so a check lets them pass.
    let private checkedConfig (settings: MovingEMSettings) (_: Key) (model: MovingEM) =
        { settings with Model.Core.ThroughResponsibilities = true }, model

    let private probes (settings: MovingEMSettings) data model (reading: MovingEMReading) : Metrics =
        [
            "copy_surprise", MovingEMMeasures.copy settings.ScoredFrom reading.Scenes
            yield! MovingEMMeasures.ofOthers settings.ScoredFrom (MovingEMReading.readOthers settings data model)
        ]

    let private copyBaseline (settings: MovingEMSettings) (data: MovingEMData) (split: Split) : Metrics =
        let scenes = Split.choose data.Validation data.Test split
        [ "surprise", MovingEMMeasures.copy settings.ScoredFrom scenes ]

    let private snapshot settings data model =
        let show = MovingEMReading.show settings data model
        fun () -> MovingEMFigures.snapshot (show ())

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<MovingEMSettings, MovingEMData, MovingEM, MovingEMBatch, MovingEMReading> =
        {
            Defaults = MovingEMSettings.standard
            Resolve = MovingEMSettings.resolve
            Dependences = MovingEMSettings.dependences
            Load = load
            Init = fun settings -> MovingEM.init settings.Model
            Allocate = fun settings -> MovingEM.allocate settings.Model
            Fill = fill
            Loss = fun settings model batch -> MovingEM.loss settings.Model model batch |> Loss.ofTotal
            Checked = checkedConfig
            Read = MovingEMReading.read
            Metrics = fun settings -> MovingEMMeasures.ofReading settings.ScoredFrom
            Probes = probes
            Baselines = [ "copy", (fun settings data -> copyBaseline settings data >> Ok) ]
            Snapshot = snapshot
            Figures =
                fun settings data model read history ->
                    MovingEMFigures.all
                        settings
                        data
                        (MovingEMReading.show settings data model ())
                        (read Test)
                        (MovingEMReading.readOthers settings data model)
                        history
            Animation = MovingEMFigures.animation
        }

    /// The model of the presets that have moving objects.
    let variant: Variant = Variant.ofDefinition definition

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
    let private masks (config: MovingEMSettings) (resources: Resources) : Result<ObjectMask[][], string> =
        match config.Objects.Source with
        | MovingSource.Shapes -> Ok(Array.create 3 (MovingObjects.masksOfShapes config.Objects))
        | MovingSource.Digits ->
            DigitSource.load config.Digits resources
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

    let private load (config: MovingEMSettings) (resources: Resources) (keys: Keys) : Result<MovingEMData, string> =
        masks config resources
        |> Result.map (fun masks ->
            let { Objects = objects; Training = training } = config
            let validation = sample objects masks[1] training.ValidationSize keys.Validation

            {
                Masks = masks[0]
                Unread = MovingObjects.allocate objects config.Model.TrainedFrames training.BatchSize
                Validation = validation
                Test = sample objects masks[2] training.TestSize keys.Test
                Others =
                    [
                        for count in config.TestedObjects ->
                            let objects = (MovingEMSettings.withObjects count config).Objects
                            count, lazy (sample objects masks[2] training.TestSize (keys.Test.Fold(int64 count)))
                    ]
                Shown =
                    { validation with
                        Shapes = Shapes.range 0 (Shown * objects.Frames) validation.Shapes
                    }
            })

    let private fill (config: MovingEMSettings) (data: MovingEMData) : Key -> int -> MovingEMBatch -> unit =
        let start = MovingEM.start config.Model
        let frames = config.Model.TrainedFrames

        fun key _ batch ->
            // A check of gradients may have a batch of another size.
            let truth =
                if data.Unread.Labels.Length >= batch.Target.nelement then
                    data.Unread
                else
                    MovingObjects.allocate config.Objects frames batch.Target.shape[0]

            MovingObjects.fill
                config.Objects
                frames
                data.Masks
                (key.Named "objects")
                { truth with Images = batch.Target }

            Disturbances.flip config.FlipProbability (key.Named "flips") batch.Target batch.Input
            start (key.Named "noise") batch
            Disturbances.fillStates config.Model.Core.StateNoise (key.Named "states") batch.StateNoise

    /// Gradients that stop at the responsibilities aren't the loss's derivative, so a check lets them pass.
    let private checkedConfig (config: MovingEMSettings) (_: Key) (model: MovingEM) =
        { config with Model.Core.ThroughResponsibilities = true }, model

    let private probes (config: MovingEMSettings) data model (reading: MovingEMReading) : Metrics =
        [
            "copy_surprise", MovingEMMeasures.copy config.ScoredFrom reading.Scenes
            yield! MovingEMMeasures.ofOthers config.ScoredFrom (MovingEMReading.readOthers config data model)
        ]

    let private copyBaseline (config: MovingEMSettings) (data: MovingEMData) (split: Split) : Metrics =
        let scenes = Split.choose data.Validation data.Test split
        [ "surprise", MovingEMMeasures.copy config.ScoredFrom scenes ]

    let private snapshot config data model =
        let show = MovingEMReading.show config data model
        fun () -> MovingEMFigures.snapshot (show ())

    /// The model of the presets that have moving objects.
    let variant: Variant =
        Variant.ofDefinition
            {
                Defaults = MovingEMSettings.standard
                Resolve = MovingEMSettings.resolve
                Dependences = MovingEMSettings.dependences
                Load = load
                Init = fun config -> MovingEM.init config.Model
                Allocate = fun config -> MovingEM.allocate config.Model
                Fill = fill
                Loss = fun config model batch -> MovingEM.loss config.Model model batch |> Loss.ofTotal
                Checked = checkedConfig
                Read = MovingEMReading.read
                Metrics = fun config -> MovingEMMeasures.ofReading config.ScoredFrom
                Probes = probes
                Baselines = [ "copy", copyBaseline ]
                Snapshot = snapshot
                Figures =
                    fun config data model read history ->
                        MovingEMFigures.all
                            config
                            data
                            (MovingEMReading.show config data model ())
                            (read Test)
                            (MovingEMReading.readOthers config data model)
                            history
                Animation = MovingEMFigures.animation
            }

namespace Scae.Core.Experiments

open System
open System.Buffers
open System.Numerics.Tensors
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Objects in binary images, grouped by neural expectation maximization.
[<RequireQualifiedAccess>]
module NeuralEMExperiment =
    // How many images the pictures show.
    [<Literal>]
    let private Shown = 6

    /// Images for measuring, which all have the same number of shapes.
    let private sample (settings: NeuralEMSettings) count (key: Key) : NeuralEMScenes =
        {
            Shapes = Shapes.sample { settings.Shapes with Fewest = 0 } count (key.Named "shapes")
            Noise = key.Named "noise"
        }

    // The most images of each further kind. Each costs as much as a test image, and is measured twice, with the final and with
    // the best parameters.
    [<Literal>]
    let private MostOthers = 200

    /// Tests beyond what the model was trained with: new images with other numbers of shapes, and the first test images with
    /// other numbers of slots.
    let private others (settings: NeuralEMSettings) (keys: Keys) (test: NeuralEMScenes) : NeuralEMTest list =
        let most = min MostOthers settings.Training.TestSize

        [
            for count in settings.TestedShapes do
                let settings = NeuralEMSettings.withShapes count settings

                {
                    Name = string count
                    Settings = settings
                    Scenes = lazy (sample settings most (keys.Test.Fold(int64 count)))
                }
            for slots in settings.TestedSlots do
                {
                    Name = $"{slots}_slots"
                    Settings = { settings with Model.Core.Slots = slots }
                    Scenes = lazy { test with Shapes = Shapes.range 0 most test.Shapes }
                }
        ]

    let private load (settings: NeuralEMSettings) (_: Resources) (keys: Keys) : Result<NeuralEMData, string> =
        let validation = sample settings settings.Training.ValidationSize keys.Validation
        let test = sample settings settings.Training.TestSize keys.Test
        let trained = (NeuralEMSettings.trained settings).Shapes

        Ok
            {
                Train =
                    if settings.TrainSize > 0 then
                        let shapes = Shapes.sample trained settings.TrainSize (keys.Train.Named "shapes")
                        Some(TrainingSet.Of(shapes.Images, keys.Train))
                    else
                        None
                Unread =
                    Shapes.allocate
                        trained
                        (if settings.TrainSize > 0 then
                             0
                         else
                             settings.Training.BatchSize)
                Validation = validation
                Test = test
                Others = others settings keys test
                Shown = { validation with Shapes = Shapes.range 0 Shown validation.Shapes }
            }

    /// Makes each pixel of the inputs dark with a probability.
    let private drop (probability: float) (key: Key) (batch: NeuralEMBatch) =
        let input = batch.Input.Elements<float32>()
        let kept = ArrayPool<float32>.Shared.Rent input.Length

        try
            key.FillBernoulli(Span(kept, 0, input.Length), 1.0 - probability)
            TensorPrimitives.Multiply(input, ReadOnlySpan(kept, 0, input.Length), input)
        finally
            ArrayPool<float32>.Shared.Return kept

    /// Draws the images of a step in place.
    let private drawShapes (settings: NeuralEMSettings) (data: NeuralEMData) (key: Key) (batch: NeuralEMBatch) =
        // A check of gradients has a smaller batch or, where one image is a batch, a larger one.
        let truth =
            if data.Unread.Labels.Length >= batch.Target.nelement then
                data.Unread
            else
                Shapes.allocate settings.Shapes batch.Target.shape[0]

        Shapes.fill settings.Shapes key { truth with Images = batch.Target }

    /// The batch of a step: images, disturbed as the settings say, and noise.
    let internal fill (settings: NeuralEMSettings) (data: NeuralEMData) : Key -> int -> NeuralEMBatch -> unit =
        let start = NeuralEMStarts.fill settings.Model

        fun key step batch ->
            match data.Train with
            | Some train -> train.Fill(step, batch.Target)
            | None -> drawShapes settings data (key.Named "shapes") batch

            Disturbances.flip settings.FlipProbability (key.Named "flips") batch.Target batch.Input

            if settings.FlipTarget then
                batch.Input.CopyTo(batch.Target.Elements<float32>())

            if settings.DropProbability > 0.0 then
                drop settings.DropProbability (key.Named "drops") batch

            start (key.Named "noise") batch
            Disturbances.fillStates settings.Model.Core.StateNoise (key.Named "states") batch.StateNoise

    let private snapshot settings data model =
        let show = NeuralEMReading.show settings data model
        fun () -> NeuralEMFigures.snapshot (show ())

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<NeuralEMSettings, NeuralEMData, NeuralEM, NeuralEMBatch, NeuralEMReading> =
        {
            Defaults = NeuralEMSettings.published
            Resolve = NeuralEMSettings.resolve
            Dependences = NeuralEMSettings.dependences
            Load = load
            Init = fun settings -> NeuralEM.init settings.Model
            Allocate = fun settings -> NeuralEM.allocate (NeuralEMSettings.trained settings).Model
            Fill = fun settings -> fill (NeuralEMSettings.trained settings)
            Loss =
                fun settings model batch ->
                    NeuralEM.loss (NeuralEMSettings.trained settings).Model model batch |> Loss.ofTotal
            // Gradients that stop at the responsibilities aren't the loss's derivative.
            Checked = fun settings _ model -> { settings with Model.Core.ThroughResponsibilities = true }, model
            Read = NeuralEMReading.read
            Metrics = fun _ reading -> NeuralEMMeasures.ofReading reading
            Probes = fun _ data model _ -> NeuralEMReading.readOthers data model |> NeuralEMMeasures.ofOthers
            Baselines = []
            Snapshot = snapshot
            Figures =
                fun settings data model _ history ->
                    NeuralEMFigures.all settings data (NeuralEMReading.show settings data model ()) history
            Animation = NeuralEMFigures.animation
        }

    let private images: Variant = Variant.ofDefinition definition

    /// The experiment: single images, and sequences of moving objects.
    let experiment: Experiment =
        Experiment.ofVariants "neural-em" [ "images", images; "moving", MovingEMExperiment.variant ]

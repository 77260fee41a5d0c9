namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of neural expectation maximization of moving objects.
type MovingEMSettings =
    {
        Training: TrainingSettings
        Descent: DescentSettings
        [<Setting("steps before the first with the whole step size, which grows until then", Min = 0.0)>]
        WarmUp: int
        Objects: MovingObjectsConfig
        [<Setting("where single digits come from; auto is mnist where it can be had, else strokes")>]
        Digits: DigitSource
        [<Setting("probability that a pixel is flipped in training", Min = 0.0, Max = 0.5)>]
        FlipProbability: float
        Model: MovingEMConfig
        [<Setting("starts of each sequence in evaluations and pictures, of which the likeliest counts",
                  Min = 1.0,
                  Max = 1000.0,
                  Measuring = true)>]
        MeasuredStarts: int
        [<Setting("the first frame that counts in figures of merit; frames are counted from 1",
                  Min = 2.0,
                  Measuring = true)>]
        ScoredFrom: int
        [<Setting("other numbers of objects that test sequences are measured with, as many slots more",
                  Min = 1.0,
                  Max = 64.0,
                  MayBeNone = true,
                  Measuring = true)>]
        TestedObjects: int list
    }

/// What follows from the hyperparameters of neural expectation maximization of moving objects.
[<RequireQualifiedAccess>]
module MovingEMSettings =
    /// Three of the paper's flying shapes.
    let standard: MovingEMSettings =
        {
            Training =
                {
                    Epochs = 24
                    StepsPerEpoch = 1000
                    BatchSize = 8
                    LearningRate = 4e-3
                    ValidationSize = 100
                    TestSize = 500
                    SnapshotEvery = 3000
                }
            Descent = { FinalRate = 0.03; Clip = 0.0 }
            WarmUp = 100
            Objects = MovingObjects.paper
            Digits = DigitSource.Auto
            FlipProbability = 0.02
            Model = MovingEM.standard
            MeasuredStarts = 9
            ScoredFrom = 10
            TestedObjects = [ 5 ]
        }

    /// The metric that chooses the best epoch: adjusted mutual information without the pixels of several objects.
    [<Literal>]
    let BestBy = "ami_distinct"

    /// The same task with another number of objects, and with as many slots more or fewer as there are objects more or fewer.
    let withObjects (count: int) (settings: MovingEMSettings) : MovingEMSettings =
        { settings with
            Objects.Count = count
            Model.Core.Slots = max 1 (settings.Model.Slots + count - settings.Objects.Count)
        }

    /// What belongs to shapes, to digits, or to one M-step.
    let dependences (settings: MovingEMSettings) : Dependence list =
        let moving = settings.Objects.Source

        [
            Dependence.needs "--source shapes" (moving = MovingSource.Shapes) [ "kinds"; "half-size" ]
            Dependence.needs "--source digits" (moving = MovingSource.Digits) [ "digits" ]
            yield! NeuralEM.dependences settings.Model.Core
        ]

    let private refusal (settings: MovingEMSettings) : string option =
        let objects, model = settings.Objects, settings.Model
        let least = MovingObjects.leastCanvas objects

        if objects.Slowest > objects.Fastest then
            Some $"--slowest {objects.Slowest}: must be at most the fastest, which is {objects.Fastest}"
        elif objects.Canvas < least then
            Some $"--canvas {objects.Canvas}: must be at least {least}, for the largest object"
        elif settings.ScoredFrom > objects.Frames then
            Some $"--scored-from {settings.ScoredFrom}: must be at most the frames, which are {objects.Frames}"
        elif List.distinct settings.TestedObjects <> settings.TestedObjects then
            Some "--tested-objects: each number may be said once"
        elif model.Core.MStep = MStep.Gradient && model.Core.DecoderLayers > 0 then
            // At the first state, which is all zeros, no rectified unit has a slope.
            Some
                $"--decoder-layers {model.Core.DecoderLayers}: must be 0 with --m-step gradient, whose states would never leave 0"
        elif model.Core.MStep = MStep.Gradient && model.EncoderUnits > 0 then
            Some $"--encoder-units {model.EncoderUnits}: must be 0 with --m-step gradient, which has no input weights"
        elif model.Core.MStep = MStep.Gradient && model.SeesFrame then
            Some "--sees-frame true: must be false with --m-step gradient, which is the gradient of the residual"
        else
            None

    /// The settings with the size of a frame in the model, and the plan of the training. The error is one line.
    let resolve (settings: MovingEMSettings) : Result<MovingEMSettings * Plan, string> =
        match refusal settings with
        | Some message -> Error message
        | None ->
            let training = settings.Training

            Ok(
                { settings with
                    Model.Core.Pixels = settings.Objects.Canvas * settings.Objects.Canvas
                },
                { TrainingSettings.plan { Metric = BestBy; Larger = true } training with
                    Rule = TrainingSettings.rule Optimizer.adam (settings.WarmUp + 1) settings.Descent training
                }
            )

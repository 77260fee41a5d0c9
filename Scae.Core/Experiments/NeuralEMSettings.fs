namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// The metric by which the best epoch is chosen, on validation images.
[<RequireQualifiedAccess>]
type GroupingMeasure =
    | Nmi
    /// Adjusted mutual information without the pixels that several shapes cover.
    | Ami

/// Every hyperparameter of neural expectation maximization; the defaults are the published small program's.
type NeuralEMSettings =
    {
        Training: TrainingSettings
        Descent: DescentSettings
        [<Setting("steps before the first with the whole step size, which grows until then", Min = 0.0)>]
        WarmUp: int
        Shapes: ShapesConfig
        [<Setting("training images, 0 for new ones each step", Min = 0.0)>]
        TrainSize: int
        [<Setting("most shapes of a training image, 0 for --shapes, which test images have", Min = 0.0, Max = 64.0)>]
        TrainedShapes: int
        [<Setting("slots in training, 0 for --slots, with which test images are grouped", Min = 0.0, Max = 64.0)>]
        TrainedSlots: int
        [<Setting("probability that a pixel is flipped in training", Min = 0.0, Max = 0.5)>]
        FlipProbability: float
        [<Setting("whether the flipped image is what is explained, too")>]
        FlipTarget: bool
        [<Setting("probability that a pixel is dark for the M-step in training, after flips", Min = 0.0, Max = 0.99)>]
        DropProbability: float
        Model: NeuralEMConfig
        [<Setting("EM iterations in evaluations and pictures, 0 for as many as in training",
                  Min = 0.0,
                  Max = 1000.0,
                  Measuring = true)>]
        MeasuredIterations: int
        [<Setting("starts of each image in evaluations and pictures, of which the likeliest counts",
                  Min = 1.0,
                  Max = 1000.0,
                  Measuring = true)>]
        MeasuredStarts: int
        [<Setting("random swaps after these starts: the likeliest grouping so far, but for one slot, which starts again",
                  Min = 0.0,
                  Max = 1000.0,
                  Measuring = true)>]
        MeasuredSwaps: int
        [<Setting("the metric that chooses the best epoch")>]
        BestBy: GroupingMeasure
        [<Setting("other numbers of shapes that at most 200 test images are measured with, as many slots more",
                  Min = 1.0,
                  Max = 64.0,
                  MayBeNone = true,
                  Measuring = true)>]
        TestedShapes: int list
        [<Setting("other numbers of slots that at most 200 test images are measured with",
                  Min = 1.0,
                  Max = 64.0,
                  MayBeNone = true,
                  Measuring = true)>]
        TestedSlots: int list
    }

/// What follows from the hyperparameters of neural expectation maximization.
[<RequireQualifiedAccess>]
module NeuralEMSettings =
    /// The hyperparameters of the published small program.
    let published: NeuralEMSettings =
        {
            Training =
                {
                    Epochs = 30
                    StepsPerEpoch = 32
                    BatchSize = 32
                    LearningRate = 3e-3
                    ValidationSize = 512
                    TestSize = 1000
                    SnapshotEvery = 64
                }
            Descent = { FinalRate = 1.0; Clip = 5.0 }
            WarmUp = 0
            Shapes = Shapes.published
            TrainSize = 1024
            TrainedShapes = 0
            TrainedSlots = 0
            FlipProbability = 0.1
            FlipTarget = true
            DropProbability = 0.0
            Model = NeuralEM.published
            MeasuredIterations = 0
            MeasuredStarts = 1
            MeasuredSwaps = 0
            BestBy = GroupingMeasure.Nmi
            TestedShapes = []
            TestedSlots = []
        }

    /// The model as it is measured and drawn: without the disturbances of training, and with MeasuredIterations if they are set.
    let measured (settings: NeuralEMSettings) : NeuralEMConfig =
        let model = NeuralEM.undisturbed settings.Model

        if settings.MeasuredIterations > 0 then
            { model with Iterations = settings.MeasuredIterations }
        else
            model

    /// Whether measuring tries more than one start of an image.
    let searches (settings: NeuralEMSettings) : bool = settings.MeasuredStarts > 1 || settings.MeasuredSwaps > 0

    /// The name of the metric that chooses the best epoch.
    let bestBy (settings: NeuralEMSettings) : string =
        match settings.BestBy with
        | GroupingMeasure.Nmi -> "nmi"
        | GroupingMeasure.Ami -> "ami_distinct"

    /// The settings of training, which may have other numbers of shapes and slots: the parameters fit any number of slots.
    let trained (settings: NeuralEMSettings) : NeuralEMSettings =
        let given value otherwise = if value > 0 then value else otherwise

        { settings with
            Shapes.Count = given settings.TrainedShapes settings.Shapes.Count
            Model.Core.Slots = given settings.TrainedSlots settings.Model.Slots
        }

    /// The same task with another number of shapes, the same in every image, and with as many slots more or fewer as there are
    /// shapes more or fewer.
    let withShapes (count: int) (settings: NeuralEMSettings) : NeuralEMSettings =
        { settings with
            Shapes.Count = count
            Shapes.Fewest = 0
            Model.Core.Slots = max 1 (settings.Model.Slots + count - settings.Shapes.Count)
        }

    /// What belongs to one likelihood, objective, start or M-step.
    let dependences (settings: NeuralEMSettings) : Dependence list =
        let model = settings.Model

        [
            Dependence.needs "--likelihood gaussian" (model.Likelihood = Likelihood.Gaussian) [ "sigma" ]
            Dependence.needs "--objective expected" (model.Objective = Objective.Expected) [ "inter-cluster" ]
            Dependence.needs
                "--symmetry-breaking learned"
                (model.SymmetryBreaking = SymmetryBreaking.Learned)
                [ "start-noise" ]
            yield! NeuralEM.dependences model.Core
        ]

    // A learned start has a row for each slot that was trained, so the number of slots can't change.
    let private refusalOfSlots (settings: NeuralEMSettings) : string option =
        let given =
            [
                "trained-slots", [ settings.TrainedSlots ] |> List.filter ((<>) 0)
                "tested-shapes", settings.TestedShapes
                "tested-slots", settings.TestedSlots
            ]
            |> List.tryFind (snd >> List.isEmpty >> not)

        match settings.Model.SymmetryBreaking, given with
        | SymmetryBreaking.Learned, Some(name, values) ->
            let values = values |> List.map string |> String.concat ","

            Some
                $"--{name} {values}: needs --symmetry-breaking random or spread, since learned starts have a number of slots"
        | SymmetryBreaking.Learned, None when settings.MeasuredSwaps > 0 ->
            Some
                $"--measured-swaps {settings.MeasuredSwaps}: needs --symmetry-breaking random or spread, since learned starts aren't groupings"
        | _ -> None

    // Where no slot explains a pixel, gaussian densities vanish in float32, and responsibilities are the floor over its sum,
    // whose gradient has its square.
    [<Literal>]
    let private LeastFloor = 1e-15

    let private refusal (settings: NeuralEMSettings) : string option =
        let shapes = settings.Shapes
        let least = Shapes.leastCanvas shapes

        if shapes.Smallest > shapes.Largest then
            Some $"--smallest {shapes.Smallest}: must be at most the largest, which is {shapes.Largest}"
        elif shapes.Fewest > (trained settings).Shapes.Count then
            Some
                $"--fewest-shapes {shapes.Fewest}: must be at most the shapes of a training image, which are {(trained settings).Shapes.Count}"
        elif shapes.Darkest < 1.0 && settings.Model.Likelihood = Likelihood.Bernoulli then
            Some $"--darkest {shapes.Darkest}: grey images need --likelihood gaussian"
        elif shapes.Canvas < least then
            Some $"--canvas {shapes.Canvas}: must be at least {least}, for shapes of half-size {shapes.Largest}"
        elif
            settings.Model.Core.MStep = MStep.Gradient
            && settings.Model.Core.DecoderLayers > 0
            && settings.Model.SymmetryBreaking <> SymmetryBreaking.Learned
            && settings.Model.Core.StateNoise = 0.0
        then
            // At the first state, which is all zeros, no rectified unit has a slope.
            Some
                $"--decoder-layers {settings.Model.Core.DecoderLayers}: must be 0 with --m-step gradient and neither a learned start nor --state-noise, whose states would never leave 0"
        elif List.distinct settings.TestedShapes <> settings.TestedShapes then
            Some "--tested-shapes: each number may be said once"
        elif List.distinct settings.TestedSlots <> settings.TestedSlots then
            Some "--tested-slots: each number may be said once"
        elif settings.Model.FreshInput && settings.FlipTarget then
            Some "--flip-anew true: needs --flip-target false, since several flipped images can't be one target"
        elif
            settings.Model.Likelihood = Likelihood.Gaussian
            && settings.Model.Core.Floor > 0.0
            && settings.Model.Core.Floor < LeastFloor
        then
            Some $"--floor {settings.Model.Core.Floor}: must be 0 or at least {LeastFloor} with --likelihood gaussian"
        else
            refusalOfSlots settings

    /// The settings with the size of an image in the model, and the plan of the training. The error is one line.
    let resolve (settings: NeuralEMSettings) : Result<NeuralEMSettings * Plan, string> =
        match refusal settings with
        | Some message -> Error message
        | None ->
            let training = settings.Training

            Ok(
                { settings with
                    Model.Core.Pixels = settings.Shapes.Canvas * settings.Shapes.Canvas
                },
                { TrainingSettings.plan { Metric = bestBy settings; Larger = true } training with
                    Rule = TrainingSettings.rule Optimizer.adam (settings.WarmUp + 1) settings.Descent training
                }
            )

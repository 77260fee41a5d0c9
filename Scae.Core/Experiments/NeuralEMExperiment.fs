namespace Scae.Core.Experiments

open System
open System.Numerics.Tensors
open Scae.Tensors
open Scae.Core.Layers
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
type NeuralEMHyperparameters =
    {
        Training: TrainingSettings
        [<Setting("the step size at the end as a share of the first, approached geometrically", Min = 1e-6, Max = 1.0)>]
        FinalRate: float
        [<Setting("steps over which the step size grows to its first value", Min = 0.0)>]
        WarmUp: int
        [<Setting("largest norm of the gradients, 0 for no limit", Min = 0.0)>]
        Clip: float
        [<Setting("width and height of an image in pixels", Min = 8.0, Max = 256.0)>]
        Canvas: int
        [<Setting("shapes an image", Min = 1.0, Max = 64.0)>]
        Shapes: int
        [<Setting("of square, disc, wide-triangle, triangle-up, triangle-down, and the last two and square with outlined- before, separated by commas")>]
        Kinds: string
        [<Setting("least half-size of a shape in pixels", Min = 1.0)>]
        Smallest: int
        [<Setting("largest half-size of a shape in pixels", Min = 1.0)>]
        Largest: int
        [<Setting("largest share of a shape's bounding square that others may take", Min = 0.0, Max = 1.0)>]
        MostTaken: float
        [<Setting("least grey level of a shape, 1 for binary images", Min = 0.05, Max = 1.0)>]
        Darkest: float
        [<Setting("training images, 0 for new ones each step", Min = 0.0)>]
        TrainSize: int
        [<Setting("probability that a pixel is flipped in training", Min = 0.0, Max = 0.5)>]
        FlipProbability: float
        [<Setting("whether the flipped image is what is explained, too")>]
        FlipTarget: bool
        [<Setting("probability that a pixel is dark for the M-step in training, after flips", Min = 0.0, Max = 0.99)>]
        DropProbability: float
        [<Setting("whether each EM iteration sees flips of its own")>]
        FlipAnew: bool
        [<Setting("K, slots without the background's", Min = 1.0, Max = 64.0)>]
        Slots: int
        [<Setting("H, size of a slot's state", Min = 1.0, Max = 4096.0)>]
        Hidden: int
        [<Setting("T, EM iterations", Min = 1.0, Max = 1000.0)>]
        Iterations: int
        [<Setting("EM iterations in evaluations and pictures, 0 for as many as in training", Min = 0.0, Max = 1000.0)>]
        MeasuredIterations: int
        [<Setting("how a slot's state follows from its residual")>]
        MStep: MStep
        [<Setting("starts of each image in evaluations and pictures, of which the likeliest counts",
                  Min = 1.0,
                  Max = 1000.0)>]
        MeasuredStarts: int
        [<Setting("what makes slots differ at the start")>]
        SymmetryBreaking: SymmetryBreaking
        [<Setting("deviation of the noise on a learned start", Min = 0.0)>]
        StartNoise: float
        [<Setting("what a pixel is given its mean; grey images need gaussian")>]
        Likelihood: Likelihood
        [<Setting("σ of the gaussian likelihood", Min = 1e-3)>]
        Sigma: float
        [<Setting("the loss of an iteration: evidence of the mixture, or expected over slots")>]
        Objective: Objective
        [<Setting("which iterations' losses count")>]
        StepWeights: StepWeights
        [<Setting("λ, weight of what a slot pays for pixels it doesn't answer for", Min = 0.0)>]
        InterCluster: float
        [<Setting("whether gradients pass through the responsibilities")>]
        ThroughResponsibilities: bool
        [<Setting("one more slot for the background: its mean zero or learned")>]
        Background: BackgroundSlot
        [<Setting("added to each probability in the E-step", Min = 0.0)>]
        Floor: float
        [<Setting("deviation of noise on the states in training", Min = 0.0)>]
        StateNoise: float
        [<Setting("layers of rectified units between a state and its mean", Min = 0.0, Max = 16.0)>]
        DecoderLayers: int
        [<Setting("units of each of these layers", Min = 1.0, Max = 4096.0)>]
        DecoderUnits: int
        [<Setting("at the start the input weights are uniform in ± this / √pixels", Min = 0.0)>]
        InputGain: float
        [<Setting("at the start the decoder's bias")>]
        StartLogit: float
        [<Setting("at the start what is added to the diagonal of the recurrent weights", Min = 0.0)>]
        Memory: float
        [<Setting("the metric that chooses the best epoch")>]
        BestBy: GroupingMeasure
    }

/// Objects in binary images, grouped by neural expectation maximization.
[<RequireQualifiedAccess>]
module NeuralEMExperiment =
    /// How many images the pictures show.
    [<Literal>]
    let Shown = 6

    let private defaults: NeuralEMHyperparameters =
        {
            Training =
                {
                    Epochs = 30
                    StepsPerEpoch = 32
                    BatchSize = 32
                    LearningRate = 3e-3
                    ValidationSize = 128
                    TestSize = 128
                    SnapshotEvery = 64
                }
            FinalRate = 1.0
            WarmUp = 0
            Clip = 5.0
            Canvas = 24
            Shapes = 3
            Kinds = "square,disc,wide-triangle"
            Smallest = 2
            Largest = 4
            MostTaken = 0.6
            Darkest = 1.0
            TrainSize = 1024
            FlipProbability = 0.1
            FlipTarget = true
            DropProbability = 0.0
            FlipAnew = false
            Slots = 3
            Hidden = 24
            Iterations = 4
            MeasuredIterations = 0
            MeasuredStarts = 1
            MStep = MStep.Tanh
            SymmetryBreaking = SymmetryBreaking.Learned
            StartNoise = 0.1
            Likelihood = Likelihood.Bernoulli
            Sigma = 0.25
            Objective = Objective.Evidence
            StepWeights = StepWeights.All
            InterCluster = 1.0
            ThroughResponsibilities = true
            Background = BackgroundSlot.None
            Floor = 0.0
            StateNoise = 0.0
            DecoderLayers = 0
            DecoderUnits = 250
            InputGain = 1.0
            StartLogit = 0.0
            Memory = 0.0
            BestBy = GroupingMeasure.Nmi
        }

    let private model (config: NeuralEMHyperparameters) : NeuralEMConfig =
        {
            Pixels = config.Canvas * config.Canvas
            Slots = config.Slots
            Hidden = config.Hidden
            Iterations = config.Iterations
            MStep = config.MStep
            SymmetryBreaking = config.SymmetryBreaking
            Likelihood = config.Likelihood
            Sigma = config.Sigma
            Objective = config.Objective
            StepWeights = config.StepWeights
            InterCluster = config.InterCluster
            ThroughResponsibilities = config.ThroughResponsibilities
            Background = config.Background
            Floor = config.Floor
            FreshInput = config.FlipAnew
            StateNoise = config.StateNoise
            DecoderLayers = config.DecoderLayers
            DecoderUnits = config.DecoderUnits
            InputGain = config.InputGain
            StartLogit = config.StartLogit
            Memory = config.Memory
        }

    /// The model as it is measured and drawn.
    let private measured (config: NeuralEMHyperparameters) : NeuralEMConfig =
        let model = model config

        if config.MeasuredIterations > 0 then
            { model with Iterations = config.MeasuredIterations }
        else
            model

    let private shapes (config: NeuralEMHyperparameters) : Result<ShapesConfig, string> =
        if config.Smallest > config.Largest then
            Error $"--smallest {config.Smallest}: must be at most the largest, which is {config.Largest}"
        elif config.Darkest < 1.0 && config.Likelihood = Likelihood.Bernoulli then
            Error $"--darkest {config.Darkest}: grey images need --likelihood gaussian"
        else
            ShapeKind.parse config.Kinds
            |> Result.bind (fun kinds ->
                let shapes: ShapesConfig =
                    {
                        Canvas = config.Canvas
                        Count = config.Shapes
                        Kinds = kinds
                        Smallest = config.Smallest
                        Largest = config.Largest
                        MostTaken = config.MostTaken
                        Darkest = config.Darkest
                    }

                let least = Shapes.leastCanvas shapes

                if config.Canvas < least then
                    Error
                        $"--canvas {config.Canvas}: must be at least {least}, for shapes of half-size {config.Largest}"
                else
                    Ok shapes)

    /// The metric's name.
    let private bestBy (config: NeuralEMHyperparameters) : string =
        match config.BestBy with
        | GroupingMeasure.Nmi -> "nmi"
        | GroupingMeasure.Ami -> "ami_distinct"

    let private plan (config: NeuralEMHyperparameters) : Result<Plan, string> =
        shapes config
        |> Result.map (fun _ ->
            let training = config.Training

            { TrainingSettings.plan { Metric = bestBy config; Larger = true } training with
                LearningRate = Schedule.geometric training.LearningRate config.FinalRate config.WarmUp training.Steps
                Clip =
                    if config.Clip > 0.0 then
                        ValueSome config.Clip
                    else
                        ValueNone
            })

    let private load (config: NeuralEMHyperparameters) (_: Resources) (keys: Keys) =
        shapes config
        |> Result.map (fun shapes ->
            let sample name count (key: Key) =
                {
                    Shapes = Shapes.sample shapes count (key.Named "shapes")
                    Noise = key.Named $"{name}noise"
                }

            let validation = sample "" config.Training.ValidationSize keys.Validation

            {
                Shapes = shapes
                Measured = measured config
                StartNoise = config.StartNoise
                Starts = config.MeasuredStarts
                Train =
                    if config.TrainSize > 0 then
                        Some(Shapes.sample shapes config.TrainSize (keys.Train.Named "shapes"))
                    else
                        None
                TrainKey = keys.Train
                Validation = validation
                Test = sample "" config.Training.TestSize keys.Test
                Shown = { validation with Shapes = Shapes.range 0 Shown validation.Shapes }
            })

    /// Copies each image to the input, as often as the input has room for it, with some pixels flipped.
    let private flip (probability: float) (key: Key) (batch: NeuralEMBatch) =
        let pixels = batch.Target.shape[1]
        let copies = batch.Input.shape[1]
        let input = batch.Input.Elements<float32>()
        let target = batch.Target.Elements<float32>()
        key.FillBernoulli(input, probability)

        for i in 0 .. input.Length / pixels - 1 do
            let copy = input.Slice(i * pixels, pixels)
            // A flipped pixel is |x − 1|.
            TensorPrimitives.Subtract(target.Slice(i / copies * pixels, pixels), copy, copy)
            TensorPrimitives.Abs(copy, copy)

    let private fill
        (config: NeuralEMHyperparameters)
        (data: NeuralEMData)
        (key: Key)
        (step: int)
        (batch: NeuralEMBatch)
        =
        match data.Train with
        | Some train -> TrainingSet.choose train.Images data.TrainKey step batch.Target
        | None ->
            // The images are drawn in place; room for their truth, which nobody reads, is what this allocates.
            let pixels = batch.Target.nelement

            let shapes: Shapes =
                {
                    Images = batch.Target
                    Labels = Array.zeroCreate pixels
                    Overlap = Array.zeroCreate pixels
                }

            Shapes.fill data.Shapes (key.Named "shapes") shapes

        flip config.FlipProbability (key.Named "flips") batch

        if config.FlipTarget then
            batch.Input.CopyTo(batch.Target.Elements<float32>())

        if config.DropProbability > 0.0 then
            let input = batch.Input.Elements<float32>()
            let kept = Array.zeroCreate<float32> input.Length
            (key.Named "drops").FillBernoulli(Span kept, 1.0 - config.DropProbability)
            TensorPrimitives.Multiply(input, ReadOnlySpan kept, input)

        NeuralEMData.fillNoise data.Measured data.StartNoise (key.Named "noise") batch

        batch.StateNoise
        |> Option.iter (fun noise ->
            (key.Named "states").FillNormal(noise.Elements<float32>(), 0.0f, float32 config.StateNoise))

    let private evaluate (_: NeuralEMHyperparameters) (data: NeuralEMData) (model: NeuralEM) =
        let frozen = Parameters.frozen model

        function
        | Validation -> NeuralEMData.measure data data.Validation frozen
        | Test -> NeuralEMData.measure data data.Test frozen

    /// The experiment.
    let experiment: Experiment =
        Experiment.define
            {
                Specification = Specification.embedded "neural-em"
                Defaults = defaults
                Plan = plan
                Load = load
                Init = fun config -> NeuralEM.init (model config)
                Allocate = fun config -> NeuralEM.allocate (model config)
                Fill = fill
                Loss = fun config -> NeuralEM.loss (model config)
                Evaluate = evaluate
                Snapshot = fun _ data model -> NeuralEMFigures.snapshot data model
                Figures = fun config data model history -> NeuralEMFigures.all (bestBy config) data model history
                Animation = fun config data history -> NeuralEMFigures.animation (bestBy config) data history
            }

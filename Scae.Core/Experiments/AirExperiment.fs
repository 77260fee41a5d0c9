namespace Scae.Core.Experiments

open System
open System.Globalization
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Where single digits come from.
[<RequireQualifiedAccess>]
type DigitSource =
    | Mnist
    /// A stroke font: needs no data.
    | Strokes

/// The law of digits' sizes in a scene.
[<RequireQualifiedAccess>]
type DigitSizeLaw =
    /// Uniform in smallest..largest pixels.
    | Uniform
    /// 28 / N(1.3, 0.1) pixels.
    | Shrunk

/// Every hyperparameter of attend-infer-repeat; the defaults are the published small program's.
type AirHyperparameters =
    {
        Training: TrainingSettings
        [<Setting("the step size at the end as a share of the first, approached geometrically", Min = 1e-6, Max = 1.0)>]
        FinalRate: float
        [<Setting("largest norm of the gradients, 0 for no limit", Min = 0.0)>]
        Clip: float
        [<Setting("where single digits come from")>]
        Digits: DigitSource
        [<Setting("training scenes, 0 for new ones each step", Min = 0.0)>]
        TrainSize: int
        [<Setting("scenes from which the probe learns classes", Min = 1.0)>]
        ProbeSize: int
        [<Setting("width and height of a scene in pixels", Min = 16.0, Max = 256.0)>]
        Canvas: int
        [<Setting("digits a scene at most", Min = 1.0, Max = 9.0)>]
        Most: int
        [<Setting("law of the digits' sizes; shrunk is 28 / N(1.3, 0.1) pixels")>]
        Sizes: DigitSizeLaw
        [<Setting("least side of a digit under the uniform law", Min = 2.0)>]
        Smallest: int
        [<Setting("largest side of a digit under the uniform law", Min = 2.0)>]
        Largest: int
        [<Setting("whether digits may lie on each other")>]
        Overlap: Overlap
        [<Setting("T, objects that are inferred at most", Min = 1.0, Max = 16.0)>]
        Objects: int
        [<Setting("dimensions of z_what", Min = 1.0, Max = 1024.0)>]
        What: int
        [<Setting("width and height of a patch and of a glimpse", Min = 4.0, Max = 128.0)>]
        Patch: int
        [<Setting("one look at the whole scene, or a look a step at what isn't explained yet")>]
        Encoding: AirEncoding
        [<Setting("units of the first layer over the scene", Min = 1.0)>]
        Hidden: int
        [<Setting("units of the second layer, or of the recurrent cell", Min = 1.0)>]
        Features: int
        [<Setting("units over a glimpse", Min = 1.0)>]
        GlimpseHidden: int
        [<Setting("side of the picture that the recurrent cell sees, 0 for the scene's", Min = 0.0)>]
        Overview: int
        [<Setting("channels of the map that finds where to look, 0 for none", Min = 0.0, Max = 64.0)>]
        Finder: int
        [<Setting("whether presence is inferred from how much the patch would explain")>]
        Evidence: bool
        [<Setting("units over a wider glimpse from which presence is inferred, 0 for none", Min = 0.0)>]
        Context: int
        [<Setting("whether gradients pass through the pictures that later steps and looks see of earlier ones")>]
        ThroughInputs: bool
        [<Setting("what draws a patch")>]
        Decoding: AirDecoding
        [<Setting("units of the decoder's hidden layer, or channels", Min = 1.0)>]
        DecoderHidden: int
        [<Setting("how what several steps draw makes one picture")>]
        Composition: AirComposition
        [<Setting("how gradients pass the choice of presence")>]
        Presence: AirPresence
        [<Setting("whether z_where is drawn, with a prior")>]
        WhereDrawn: bool
        [<Setting("logarithm of a digit's scale: mean of the prior, and the start")>]
        LogScale: float
        [<Setting("deviation of the scale's logarithm in the prior", Min = 1e-6)>]
        LogScaleDeviation: float
        [<Setting("deviation of the place in the prior", Min = 1e-6)>]
        PlaceDeviation: float
        [<Setting("σ of the pixels", Min = 1e-6)>]
        Sigma: float
        [<Setting("weight of the KL of z_what and z_where", Min = 0.0)>]
        WhatWeight: float
        [<Setting("weight of the KL of z_pres", Min = 0.0)>]
        PresenceWeight: float
        [<Setting("bias of presence's logit at the start")>]
        PresenceBias: float
        [<Setting("scenes a step, at most, made of two that seem to have one object each, 0 for none", Min = 0.0)>]
        Recombined: int
        [<Setting("weight of the count's log-probability in those", Min = 0.0)>]
        RecombinedWeight: float
        [<Setting("prior probability of each step's presence given the step before, separated by commas; the last repeats")>]
        Prior: string
        [<Setting("the same at the start, for all steps, 0 for no annealing", Min = 0.0, Max = 0.999999)>]
        PriorStart: float
        [<Setting("steps over which the prior falls geometrically", Min = 0.0)>]
        AnnealSteps: int
        [<Setting("temperature of relaxed presence at the start", Min = 0.01)>]
        TemperatureStart: float
        [<Setting("and at the end, approached linearly", Min = 0.01)>]
        TemperatureEnd: float
        [<Setting("epochs over which the KL terms come in", Min = 1.0)>]
        WarmEpochs: int
    }

/// Scenes of several digits, counted, located and identified by attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirExperiment =
    /// How many scenes the pictures show.
    [<Literal>]
    let Shown = 8

    let private defaults: AirHyperparameters =
        {
            Training =
                {
                    Epochs = 8
                    StepsPerEpoch = 46
                    BatchSize = 32
                    LearningRate = 2e-3
                    ValidationSize = 300
                    TestSize = 10000
                    SnapshotEvery = 35
                }
            FinalRate = 1.0
            Clip = 0.0
            Digits = DigitSource.Mnist
            TrainSize = 1500
            ProbeSize = 2000
            Canvas = 32
            Most = 2
            Sizes = DigitSizeLaw.Uniform
            Smallest = 12
            Largest = 18
            Overlap = Overlap.Allowed
            Objects = 3
            What = 20
            Patch = 16
            Encoding = AirEncoding.Global
            Hidden = 200
            Features = 100
            GlimpseHidden = 200
            Overview = 0
            Finder = 0
            Evidence = false
            Context = 0
            ThroughInputs = true
            Decoding = AirDecoding.Mlp
            DecoderHidden = 100
            Composition = AirComposition.Sum
            Presence = AirPresence.Relaxed
            WhereDrawn = false
            LogScale = -0.7
            LogScaleDeviation = 0.3
            PlaceDeviation = 1.0
            // Σ(x − y)² / 2σ² is then the small program's squared error.
            Sigma = 0.7071067811865476
            WhatWeight = 0.05
            PresenceWeight = 0.3
            PresenceBias = 0.0
            Recombined = 0
            RecombinedWeight = 1.0
            Prior = "0.5,0.4,0.2"
            PriorStart = 0.0
            AnnealSteps = 0
            TemperatureStart = 1.0
            TemperatureEnd = 0.2
            WarmEpochs = 2
        }

    let private scenes (config: AirHyperparameters) : Result<MultiMnistConfig, string> =
        let scenes: MultiMnistConfig =
            {
                Canvas = config.Canvas
                Most = config.Most
                Sizes =
                    match config.Sizes with
                    | DigitSizeLaw.Uniform -> DigitSizes.Uniform(config.Smallest, config.Largest)
                    | DigitSizeLaw.Shrunk -> MultiMnist.paper.Sizes
                Overlap = config.Overlap
            }

        let largest = MultiMnist.largestSide scenes

        if config.Smallest > config.Largest then
            Error $"--smallest {config.Smallest}: must be at most the largest, which is {config.Largest}"
        elif config.Canvas < largest then
            Error $"--canvas {config.Canvas}: must be at least {largest}, for the largest digits"
        else
            Ok scenes

    // A finder has weights from every pixel of its picture to every other.
    [<Literal>]
    let private LargestFound = 64

    let private model (config: AirHyperparameters) : Result<AirConfig, string> =
        let overview =
            if config.Overview = 0 then
                config.Canvas
            else
                config.Overview

        let recurrentOnly =
            [
                if config.Overview > 0 then
                    $"overview {config.Overview}"
                if config.Finder > 0 then
                    $"finder {config.Finder}"
                if config.Evidence then
                    "evidence true"
                if config.Context > 0 then
                    $"context {config.Context}"
                if not config.ThroughInputs then
                    "through-inputs false"
            ]

        if config.Decoding = AirDecoding.Convolutional && config.Patch % 4 <> 0 then
            Error $"--patch {config.Patch}: must be a multiple of 4 for a convolutional decoder"
        elif config.Recombined > 0 && config.Objects < 2 then
            Error $"--recombined {config.Recombined}: needs --objects 2 or more, which is {config.Objects}"
        elif config.Encoding = AirEncoding.Global && recurrentOnly <> [] then
            Error $"--{recurrentOnly.Head}: needs --encoding recurrent"
        elif config.PriorStart > 0.0 && config.AnnealSteps = 0 then
            Error $"--prior-start {config.PriorStart}: needs --anneal-steps above 0"
        elif overview > config.Canvas then
            Error $"--overview {config.Overview}: must be at most the canvas, which is {config.Canvas}"
        elif config.Finder > 0 && (overview < 2 || overview > LargestFound) then
            Error
                $"--overview {config.Overview}: must be from 2 to {LargestFound} for a finder (0 is the canvas, {config.Canvas})"
        else
            Ok
                {
                    Canvas = config.Canvas
                    Steps = config.Objects
                    What = config.What
                    Patch = config.Patch
                    Encoding = config.Encoding
                    Hidden = config.Hidden
                    Features = config.Features
                    GlimpseHidden = config.GlimpseHidden
                    Overview = overview
                    Finder = config.Finder
                    Evidence = config.Evidence
                    Context = config.Context
                    ThroughInputs = config.ThroughInputs
                    Decoding = config.Decoding
                    DecoderHidden = config.DecoderHidden
                    Composition = config.Composition
                    Presence = config.Presence
                    WhereDrawn = config.WhereDrawn
                    LogScale = config.LogScale, config.LogScaleDeviation
                    Place = 0.0, config.PlaceDeviation
                    Sigma = config.Sigma
                    WhatWeight = config.WhatWeight
                    PresenceWeight = config.PresenceWeight
                    PresenceBias = config.PresenceBias
                    Recombined = config.Recombined
                    RecombinedWeight = config.RecombinedWeight
                }

    // Neither a prior nor its complement may vanish in float32.
    [<Literal>]
    let private LeastPrior = 1e-6

    /// The prior's values at the end, one a step.
    let private prior (config: AirHyperparameters) : Result<float[], string> =
        let parsed =
            config.Prior.Split ','
            |> Array.map (fun text ->
                match Double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture) with
                | true, p when p >= LeastPrior && p <= 1.0 - LeastPrior -> Some p
                | _ -> None)

        if parsed |> Array.contains None then
            Error
                $"--prior {config.Prior}: must be numbers from {LeastPrior} to {1.0 - LeastPrior}, separated by commas"
        else
            let known = Array.choose id parsed
            Ok(Array.init config.Objects (fun t -> known[min t (known.Length - 1)]))

    /// The model of a configuration that was found to make sense.
    let private settled (config: AirHyperparameters) : AirConfig =
        match model config with
        | Ok model -> model
        | Error message -> invalidOp message

    let private plan (config: AirHyperparameters) : Result<Plan, string> =
        scenes config
        |> Result.bind (fun _ -> model config)
        |> Result.bind (fun _ -> prior config)
        |> Result.map (fun _ ->
            let training = config.Training

            { TrainingSettings.plan { Metric = "count_accuracy"; Larger = true } training with
                LearningRate = Schedule.geometric training.LearningRate config.FinalRate 0 training.Steps
                Clip =
                    if config.Clip > 0.0 then
                        ValueSome config.Clip
                    else
                        ValueNone
            })

    let private load (config: AirHyperparameters) (resources: Resources) (keys: Keys) : Result<AirData, string> =
        let digits =
            match config.Digits with
            | DigitSource.Strokes -> Ok(StrokeDigits.sets ())
            | DigitSource.Mnist -> MnistFiles.load resources.DataFolder

        scenes config
        |> Result.bind (fun scenes ->
            digits
            |> Result.map (fun digits ->
                let sample digits count (key: Key) = MultiMnist.sample scenes digits count (key.Named "scenes")

                let validation = sample digits.Train config.Training.ValidationSize keys.Validation

                {
                    Scenes = scenes
                    Model = settled config
                    Digits = digits
                    Train =
                        if config.TrainSize > 0 then
                            Some(sample digits.Train config.TrainSize keys.Train)
                        else
                            None
                    TrainKey = keys.Train
                    Validation = validation
                    Test = sample digits.Test config.Training.TestSize keys.Test
                    Probe = lazy (sample digits.Train config.ProbeSize (keys.Validation.Named "probe"))
                    Shown = MultiMnist.range 0 Shown validation
                }))

    let private logistic (key: Key) (into: Span<float32>) : unit =
        // Away from 0 and 1, as in the small program.
        key.FillUniform(into, 1e-6f, 1.0f - 1e-6f)

        for i in 0 .. into.Length - 1 do
            into[i] <- MathF.Log(into[i]) - MathF.Log(1.0f - into[i])

    /// The prior at a step: from the start's value geometrically to the end's.
    let private annealed (config: AirHyperparameters) (step: int) (final: float) : float =
        if config.PriorStart = 0.0 || step >= config.AnnealSteps then
            final
        else
            let share = float step / float config.AnnealSteps
            config.PriorStart ** (1.0 - share) * final ** share

    let private fill (config: AirHyperparameters) (data: AirData) (key: Key) (step: int) (batch: AirBatch) : unit =
        match data.Train with
        | Some train -> TrainingSet.choose train.Images data.TrainKey step batch.Images
        | None ->
            let scenes: Scenes = { Images = batch.Images; Truth = Array.create batch.Images.shape[0] [||] }

            MultiMnist.fill data.Scenes data.Digits.Train (key.Named "scenes") scenes

        logistic (key.Named "presence") (batch.PresenceNoise.Elements<float32>())
        (key.Named "where").FillNormal(batch.WhereNoise.Elements<float32>())
        (key.Named "what").FillNormal(batch.WhatNoise.Elements<float32>())
        let last = max 1 (config.Training.Steps - 1)
        let share = min 1.0 (float step / float last)

        batch.Temperature.Elements<float32>()[0] <-
            float32 (config.TemperatureStart + share * (config.TemperatureEnd - config.TemperatureStart))

        batch.Warmth.Elements<float32>()[0] <-
            float32 (min 1.0 (float (1 + step / config.Training.StepsPerEpoch) / float config.WarmEpochs))

        // Which scenes have one object is known once the prior no longer wants them all.
        batch.Recombination.Elements<float32>()[0] <- (if step >= config.AnnealSteps then 1.0f else 0.0f)

        let final =
            match prior config with
            | Ok values -> values
            | Error message -> invalidOp message

        let priors = batch.Prior.Elements<float32>()

        for t in 0 .. final.Length - 1 do
            priors[t] <- float32 (annealed config step final[t])

    /// Parameters at the start. Gradients are checked in float64, and away from the start: on an empty scene biases of 0
    /// leave every relu at its kink, where there is no derivative.
    let private init (config: AirHyperparameters) (dtype: Dtype) (key: Key) : Air =
        let model = Air.init (settled config) dtype key

        if dtype = Dtype.Float64 then
            model
            |> Parameters.mapi (fun name tensor ->
                tensor + Initialization.normal 0.05 dtype (List.ofArray tensor.shape) (key.Named name))
        else
            model

    /// The loss. Where gradients are checked, in float64, the expectation stands for the draw, whose gradient is the same
    /// on average (a test compares them) while its value means nothing, and gradients pass through all inputs.
    let private loss (config: AirHyperparameters) (model: Air) (batch: AirBatch) : Tensor =
        let settled = settled config

        let settled =
            if batch.Images.dtype = Dtype.Float64 then
                { settled with
                    ThroughInputs = true
                    Presence =
                        match settled.Presence with
                        | AirPresence.Discrete -> AirPresence.Expected
                        | other -> other
                }
            else
                settled

        AirObjective.loss settled model batch

    let private evaluate (_: AirHyperparameters) (data: AirData) (model: Air) =
        let frozen = Parameters.frozen model
        AirData.measure data frozen

    /// The experiment.
    let experiment: Experiment =
        Experiment.define
            {
                Specification = Specification.embedded "air"
                Defaults = defaults
                Plan = plan
                Load = load
                Init = init
                Allocate = fun config -> Air.allocate (settled config)
                Fill = fill
                Loss = loss
                Evaluate = evaluate
                Snapshot = fun _ data model -> AirFigures.snapshot data model
                Figures = fun _ data model history -> AirFigures.all data model history
                Animation = fun _ data history -> AirFigures.animation data history
            }

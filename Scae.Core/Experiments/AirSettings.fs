namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of attend-infer-repeat; the defaults are the published small program's.
type AirSettings =
    {
        Training: TrainingSettings
        Descent: DescentSettings
        [<Setting("decay of the averaged parameters with which is measured; 0 measures with the last",
                  Min = 0.0,
                  Max = 0.99999)>]
        Average: float
        [<Setting("where single digits come from; auto is mnist where it can be had, else strokes")>]
        Digits: DigitSource
        [<Setting("training scenes, 0 for new ones each step", Min = 0.0)>]
        TrainSize: int
        [<Setting("scenes from which the probe learns classes", Min = 1.0, Measuring = true)>]
        ProbeSize: int
        [<Setting("objects are counted by the mean presence in a scene and in itself moved by so many pixels up, down, left and right, 0 for the scene alone",
                  Min = 0.0,
                  Max = 16.0,
                  Measuring = true)>]
        MeasuredShift: int
        Scenes: MultiMnistConfig
        Conditions: SceneConditions
        [<Setting("scenes of each condition that are counted at the end, 0 for none", Min = 0.0, Measuring = true)>]
        ConditionsSize: int
        Model: AirConfig
        // Neither a prior nor its complement may vanish in float32.
        [<Setting("prior probability of each step's presence given the step before; the last repeats",
                  Min = 1e-6,
                  Max = 0.999999)>]
        Prior: float list
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

/// What follows from the hyperparameters of attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirSettings =
    /// The published small program's.
    let published: AirSettings =
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
            Descent = DescentSettings.constant
            Average = 0.0
            Digits = DigitSource.Auto
            TrainSize = 1500
            ProbeSize = 2000
            MeasuredShift = 0
            Scenes = MultiMnist.published
            Conditions = SceneConditions.plain
            ConditionsSize = 0
            Model = Air.published
            Prior = [ 0.5; 0.4; 0.2 ]
            PriorStart = 0.0
            AnnealSteps = 0
            TemperatureStart = 1.0
            TemperatureEnd = 0.2
            WarmEpochs = 2
        }

    let private refusalOfScenes (scenes: MultiMnistConfig) : string option =
        let largest = MultiMnist.largestSide scenes

        if scenes.Sizes = DigitSizes.Uniform && scenes.Smallest > scenes.Largest then
            Some $"--smallest {scenes.Smallest}: must be at most the largest, which is {scenes.Largest}"
        elif scenes.Canvas < largest then
            Some $"--canvas {scenes.Canvas}: must be at least {largest}, for the largest digits"
        else
            None

    /// What is wrong with the hyperparameters that may be one number or two.
    let private refusalOfExtents (settings: AirSettings) : string option =
        let refusal (name: string) (extent: float list) =
            let said () = extent |> List.map string |> String.concat ","
            Extent.refusal extent |> Option.map (fun why -> $"--{name} {said ()}: {why}")

        refusal "zoom" settings.Scenes.Zoom
        |> Option.orElse (refusal "background-strength" settings.Conditions.BackgroundStrength)
        |> Option.orElse (refusal "contrast" settings.Conditions.Contrast)

    // A finder's map has all its channels at every pixel of its picture, at every step of inference.
    [<Literal>]
    let private LargestFound = 64

    /// Why a model can't have the given configuration.
    let private refusalOfModel (model: AirConfig) : string option =
        let overview = Air.overview model

        let recurrentOnly =
            [
                if model.Overview > 0 then
                    $"overview {model.Overview}"
                if model.Finder > 0 then
                    $"finder {model.Finder}"
                if model.Evidence then
                    "evidence true"
                if model.Context > 0 then
                    $"context {model.Context}"
                if not model.ThroughInputs && model.Restorer = 0 then
                    "through-inputs false"
            ]

        if model.Decoding = AirDecoding.Convolutional && model.Patch % 4 <> 0 then
            Some $"--patch {model.Patch}: must be a multiple of 4 for a convolutional decoder"
        elif model.Recombined > 0 && model.Steps < 2 then
            Some $"--recombined {model.Recombined}: needs --objects 2 or more, which is {model.Steps}"
        elif model.Recombined > 0 && not model.SecondFromBound && model.Presence <> AirPresence.Expected then
            Some "--second-from-bound false: needs --presence expected"
        elif model.Recombined > 0 && not model.ThirdFromBound && model.Presence <> AirPresence.Expected then
            Some "--third-from-bound false: needs --presence expected"
        elif model.Encoding = AirEncoding.Global && not recurrentOnly.IsEmpty then
            Some $"--{recurrentOnly.Head}: needs --encoding recurrent"
        elif overview > model.Canvas then
            Some $"--overview {model.Overview}: must be at most the canvas, which is {model.Canvas}"
        elif model.Finder > 0 && (overview < 2 || overview > LargestFound) then
            Some
                $"--overview {model.Overview}: must be from 2 to {LargestFound} for a finder (0 is the canvas, {model.Canvas})"
        else
            None

    /// What belongs to recombined scenes, to relaxed presence, and to other parts that a model or its scenes may lack.
    let dependences (settings: AirSettings) : Dependence list =
        let { Model = model; Scenes = scenes } = settings

        [
            Dependence.needs
                "--recombined above 0"
                (model.Recombined > 0)
                [
                    "recombined-partners"
                    "recombined-doubt"
                    "recombined-apart"
                    "recombined-weight"
                    "second-learning"
                    "second-from-bound"
                    "third-from-bound"
                ]
            Dependence.needs "--objects 3 or more" (model.Steps > 2) [ "third-from-bound" ]
            Dependence.needs
                "--counter and --recombined above 0"
                (model.Counter > 0 && model.Recombined > 0)
                [ "counter-late" ]
            Dependence.needs "--restorer above 0" (model.Restorer > 0) [ "restorer-target" ]
            Dependence.needs
                "--presence relaxed"
                (model.Presence = AirPresence.Relaxed)
                [ "temperature-start"; "temperature-end" ]
            Dependence.needs "--where-drawn true" model.WhereDrawn [ "log-scale-deviation"; "place-deviation" ]
            // The baseline of discrete presence has as many units.
            Dependence.needs
                "--encoding recurrent or --presence discrete"
                (model.Encoding = AirEncoding.Recurrent || model.Presence = AirPresence.Discrete)
                [ "glimpse-hidden" ]
            Dependence.needs
                "--prior-start or --recombined above 0"
                (settings.PriorStart > 0.0 || model.Recombined > 0)
                [ "anneal-steps" ]
            Dependence.needs "--sizes uniform" (scenes.Sizes = DigitSizes.Uniform) [ "smallest"; "largest" ]
            Dependence.needs
                "a --background other than none"
                (settings.Conditions.Background <> Background.None)
                [ "background-strength" ]
        ]

    // The least prior, as that of a step.
    [<Literal>]
    let private LeastPrior = 1e-6

    let private refusal (settings: AirSettings) : string option =
        // All conditions but those of size show digits unzoomed.
        let unzoomed = MultiMnist.largestSide { settings.Scenes with Zoom = [ 1.0 ] }

        if settings.ConditionsSize > 0 && settings.Scenes.Canvas < unzoomed then
            Some
                $"--conditions-size {settings.ConditionsSize}: needs --canvas {unzoomed} or more, for digits that aren't zoomed"
        elif settings.PriorStart > 0.0 && settings.AnnealSteps = 0 then
            Some $"--prior-start {settings.PriorStart}: needs --anneal-steps above 0"
        elif settings.PriorStart > 0.0 && settings.PriorStart < LeastPrior then
            Some $"--prior-start {settings.PriorStart}: must be 0 or at least {LeastPrior}"
        else
            refusalOfExtents settings
            |> Option.orElseWith (fun () -> refusalOfScenes settings.Scenes)
            |> Option.orElseWith (fun () -> refusalOfModel settings.Model)

    /// The settings, with the scenes' size copied into the model, a prior for every step and nothing late that would never come,
    /// and the plan of the training. An error is one line.
    let resolve (settings: AirSettings) : Result<AirSettings * Plan, string> =
        let { Training = training; Model = model } = settings
        let prior = Array.ofList settings.Prior

        let settled =
            { settings with
                Model.Canvas = settings.Scenes.Canvas
                // Without recombined scenes no step comes from which on the network has its say.
                Model.CounterLate = model.CounterLate && model.Recombined > 0
                Prior = List.init model.Steps (fun t -> prior[min t (prior.Length - 1)])
            }

        match refusal settled with
        | Some message -> Error message
        | None ->
            let plan = TrainingSettings.plan { Metric = "count_accuracy"; Larger = true } training

            Ok(
                settled,
                { plan with
                    Rule = TrainingSettings.rule Optimizer.adam 1 settings.Descent training
                    Average = TrainingSettings.unlessZero settings.Average
                    // Only relaxed presence has a temperature.
                    EndMatters =
                        settings.Model.Presence = AirPresence.Relaxed
                        && settings.TemperatureStart <> settings.TemperatureEnd
                }
            )

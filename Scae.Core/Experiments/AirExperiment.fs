namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Scenes of several digits, counted, located and identified by attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirExperiment =
    // How many scenes the pictures show.
    [<Literal>]
    let private Shown = 8

    /// Scenes of the digits that the settings name. The error is one line.
    let internal load (config: AirSettings) (resources: Resources) (keys: Keys) : Result<AirData, string> =
        DigitSource.load config.Digits resources
        |> Result.bind (fun digits ->
            if MultiMnist.findsRoom config.Scenes digits.Train then
                Ok digits
            else
                Error
                    $"--most {config.Scenes.Most}: so many digits don't find room on --canvas {config.Scenes.Canvas} with --overlap avoided")
        |> Result.map (fun digits ->
            let sample digits count (key: Key) = AirConditions.sample config.Scenes config.Conditions digits count key

            // They are kept unlit, since each step lights them anew.
            let train () =
                MultiMnist.sample config.Scenes digits.Train config.TrainSize (keys.Train.Named "scenes")

            let validation = sample digits.Train config.Training.ValidationSize keys.Validation

            {
                Digits = digits
                Train =
                    if config.TrainSize > 0 then
                        Some(TrainingSet.Of((train ()).Images, keys.Train))
                    else
                        None
                Validation = validation
                Test = sample digits.Test config.Training.TestSize keys.Test
                Probe = lazy (sample digits.Train config.ProbeSize (keys.Validation.Named "probe"))
                Shown = MultiMnist.range 0 Shown validation
                Conditions =
                    if config.ConditionsSize > 0 then
                        AirConditions.all config resources digits.Test keys.Test
                    else
                        []
            })

    let private logistic (key: Key) (into: Span<float32>) : unit =
        // Away from 0 and 1, as in the small program.
        key.FillUniform(into, 1e-6f, 1.0f - 1e-6f)

        for i in 0 .. into.Length - 1 do
            into[i] <- MathF.Log(into[i]) - MathF.Log(1.0f - into[i])

    /// The prior at a step, which goes geometrically from the start's value to the final one.
    let private annealed (config: AirSettings) (step: int) (final: float) : float =
        if config.PriorStart = 0.0 || step >= config.AnnealSteps then
            final
        else
            let share = float step / float config.AnnealSteps
            config.PriorStart ** (1.0 - share) * final ** share

    /// Sets what changes over the training: temperature, the KL terms' share, whether recombined scenes count, and the prior.
    let private schedule (config: AirSettings) (step: int) (batch: AirBatch) : unit =
        let last = max 1 (config.Training.Steps - 1)
        let share = min 1.0 (float step / float last)

        batch.Temperature.Elements<float32>()[0] <-
            float32 (config.TemperatureStart + share * (config.TemperatureEnd - config.TemperatureStart))

        batch.Warmth.Elements<float32>()[0] <-
            float32 (min 1.0 (float (1 + step / config.Training.StepsPerEpoch) / float config.WarmEpochs))

        // While the prior is annealed, it asks for objects everywhere, so inferred counts don't yet tell which scenes have one.
        batch.Recombination.Elements<float32>()[0] <- (if step >= config.AnnealSteps then 1.0f else 0.0f)
        let priors = batch.Prior.Elements<float32>()
        let mutable t = 0

        for final in config.Prior do
            priors[t] <- float32 (annealed config step final)
            t <- t + 1

    /// Lights the drawn scenes, and puts what the restorer should draw into another light or none.
    let private light (config: AirSettings) (key: Key) (batch: AirBatch) : unit =
        let put (name: string) = SceneConditions.light config.Conditions config.Scenes.Canvas (key.Named name)

        match batch.Target with
        | Some target ->
            batch.Images.CopyTo(target.Elements<float32>())

            if config.Model.RestorerTarget = RestorerTarget.Other then
                put "other light" target
        | None -> ()

        put "light" batch.Images

    /// The batch of a step: scenes in their light, noise, and what changes over the training.
    let internal fill (config: AirSettings) (data: AirData) (key: Key) (step: int) (batch: AirBatch) : unit =
        match data.Train with
        | Some train -> train.Fill(step, batch.Images)
        | None ->
            let scenes: Scenes = { Images = batch.Images; Truth = Array.create batch.Images.shape[0] [||] }
            MultiMnist.fill config.Scenes data.Digits.Train (key.Named "scenes") scenes

        light config key batch
        logistic (key.Named "presence") (batch.PresenceNoise.Elements<float32>())
        (key.Named "where").FillNormal(batch.WhereNoise.Elements<float32>())
        (key.Named "what").FillNormal(batch.WhatNoise.Elements<float32>())
        schedule config step batch

    /// The settings and the model with which gradients are checked: those whose gradient is the derivative of the loss in every
    /// draw. The expectation replaces drawn presence, whose gradient is right on average alone (a test compares them), and no
    /// gradient is stopped. The model is moved away from its start, where on an empty scene biases of 0 leave every relu at its
    /// kink, which has no derivative.
    let private checked' (config: AirSettings) (key: Key) (model: Air) : AirSettings * Air =
        let presence =
            match config.Model.Presence with
            | AirPresence.Discrete -> AirPresence.Expected
            | other -> other

        { config with
            Model.ThroughInputs = true
            Model.SecondFromBound = true
            Model.ThirdFromBound = true
            Model.Presence = presence
        },
        Definition.aside key model

    let private snapshot config data model =
        let show = AirFigures.show config data model
        fun () -> AirFigures.snapshot config (show ())

    /// What is measured on test scenes alone: counts of scenes with overlapping digits, classes, and counts under each condition.
    let private probes (config: AirSettings) (data: AirData) model (reading: AirReading) : Metrics =
        let ofProbe = AirReading.ofScenes config model data.Probe.Value

        AirMeasures.crowding reading
        @ AirMeasures.identifying ofProbe reading
        @ AirMeasures.underConditions reading.Conditions.Value

    let private figures (config: AirSettings) (data: AirData) model (read: Split -> AirReading) (history: History) =
        AirFigures.all config data (AirFigures.show config data model ()) (read Validation) history
        @ if data.Conditions.IsEmpty then
              []
          else
              AirConditionFigures.all config data model (read Test).Conditions.Value

    /// The experiment.
    let experiment: Experiment =
        Experiment.define
            "air"
            {
                Defaults = AirSettings.published
                Resolve = AirSettings.resolve
                Dependences = AirSettings.dependences
                Load = load
                Init = fun config -> Air.init config.Model
                Allocate = fun config -> Air.allocate config.Model
                Fill = fill
                Loss = fun config model batch -> AirObjective.loss config.Model model batch |> Loss.ofTotal
                Checked = checked'
                Read = AirReading.read
                Metrics = AirMeasures.ofReading
                Probes = probes
                Baselines = []
                Snapshot = snapshot
                Figures = figures
                Animation = AirFigures.animation
            }

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
    let internal load (settings: AirSettings) (resources: Resources) (keys: Keys) : Result<AirData, string> =
        DigitSource.load settings.Digits resources
        |> Result.bind (fun digits ->
            if MultiMnist.findsRoom settings.Scenes digits.Train then
                Ok digits
            else
                Error
                    $"--most {settings.Scenes.Most}: so many digits don't find room on --canvas {settings.Scenes.Canvas} with --overlap avoided")
        |> Result.map (fun digits ->
            let sample digits count (key: Key) =
                AirConditions.sample settings.Scenes settings.Conditions digits count key

            // They are kept unlit, since each step lights them anew.
            let train () =
                MultiMnist.sample settings.Scenes digits.Train settings.TrainSize (keys.Train.Named "scenes")

            let validation = sample digits.Train settings.Training.ValidationSize keys.Validation

            {
                Digits = digits
                Train =
                    if settings.TrainSize > 0 then
                        Some(TrainingSet.Of((train ()).Images, keys.Train))
                    else
                        None
                Validation = validation
                Test = sample digits.Test settings.Training.TestSize keys.Test
                Probe = lazy (sample digits.Train settings.ProbeSize (keys.Validation.Named "probe"))
                Shown = MultiMnist.range 0 Shown validation
                Conditions =
                    if settings.ConditionsSize > 0 then
                        AirConditions.all settings resources digits.Test keys.Test
                    else
                        []
            })

    let private logistic (key: Key) (into: Span<float32>) : unit =
        // Away from 0 and 1, as in the small program.
        key.FillUniform(into, 1e-6f, 1.0f - 1e-6f)

        for i in 0 .. into.Length - 1 do
            into[i] <- MathF.Log(into[i]) - MathF.Log(1.0f - into[i])

    /// The prior at a step, which goes geometrically from the start's value to the final one.
    let private annealed (settings: AirSettings) (step: int) (final: float) : float =
        if settings.PriorStart = 0.0 || step >= settings.AnnealSteps then
            final
        else
            let share = float step / float settings.AnnealSteps
            settings.PriorStart ** (1.0 - share) * final ** share

    /// Sets what changes over the training: temperature, the KL terms' share, whether recombined scenes count, and the prior.
    let private schedule (settings: AirSettings) (step: int) (batch: AirBatch) : unit =
        let last = max 1 (settings.Training.Steps - 1)
        let share = min 1.0 (float step / float last)

        batch.Temperature.Elements<float32>()[0] <-
            float32 (settings.TemperatureStart + share * (settings.TemperatureEnd - settings.TemperatureStart))

        batch.Warmth.Elements<float32>()[0] <-
            float32 (min 1.0 (float (1 + step / settings.Training.StepsPerEpoch) / float settings.WarmEpochs))

        // While the prior is annealed, it asks for objects everywhere, so inferred counts don't yet tell which scenes have one.
        batch.Recombination.Elements<float32>()[0] <- (if step >= settings.AnnealSteps then 1.0f else 0.0f)
        let priors = batch.Prior.Elements<float32>()
        let mutable t = 0

        for final in settings.Prior do
            priors[t] <- float32 (annealed settings step final)
            t <- t + 1

    /// Lights the drawn scenes, and puts what the restorer should draw into another light or none.
    let private light (settings: AirSettings) (key: Key) (batch: AirBatch) : unit =
        let put (name: string) =
            SceneConditions.light settings.Conditions settings.Scenes.Canvas (key.Named name)

        match batch.Target with
        | Some target ->
            batch.Images.CopyTo(target.Elements<float32>())

            if settings.Model.RestorerTarget = RestorerTarget.Other then
                put "other light" target
        | None -> ()

        put "light" batch.Images

    /// The batch of a step: scenes in their light, noise, and what changes over the training.
    let internal fill (settings: AirSettings) (data: AirData) (key: Key) (step: int) (batch: AirBatch) : unit =
        match data.Train with
        | Some train -> train.Fill(step, batch.Images)
        | None ->
            let scenes: Scenes = { Images = batch.Images; Truth = Array.create batch.Images.shape[0] [||] }
            MultiMnist.fill settings.Scenes data.Digits.Train (key.Named "scenes") scenes

        light settings key batch
        logistic (key.Named "presence") (batch.PresenceNoise.Elements<float32>())
        (key.Named "where").FillNormal(batch.WhereNoise.Elements<float32>())
        (key.Named "what").FillNormal(batch.WhatNoise.Elements<float32>())
        schedule settings step batch

    /// The settings and the model with which gradients are checked: those whose gradient is the derivative of the loss in every
    /// draw. The expectation replaces drawn presence, whose gradient is right on average alone (a test compares them), and no
    /// gradient is stopped. The model is moved away from its start, where on an empty scene biases of 0 leave every relu at its
    /// kink, which has no derivative.
    let private checked' (settings: AirSettings) (key: Key) (model: Air) : AirSettings * Air =
        let presence =
            match settings.Model.Presence with
            | AirPresence.Discrete -> AirPresence.Expected
            | other -> other

        { settings with
            Model.ThroughInputs = true
            Model.SecondFromBound = true
            Model.ThirdFromBound = true
            Model.Presence = presence
        },
        Definition.aside key model

    let private snapshot settings data model =
        let show = AirFigures.show settings data model
        fun () -> AirFigures.snapshot settings (show ())

    /// What is measured on test scenes alone: counts of scenes with overlapping digits, classes, and counts under each condition.
    let private probes (settings: AirSettings) (data: AirData) model (reading: AirReading) : Metrics =
        let ofProbe = AirReading.ofScenes settings model data.Probe.Value

        AirMeasures.crowding reading
        @ AirMeasures.identifying ofProbe reading
        @ AirMeasures.underConditions reading.Conditions.Value

    let private figures (settings: AirSettings) (data: AirData) model (read: Split -> AirReading) (history: History) =
        AirFigures.all settings data (AirFigures.show settings data model ()) (read Validation) history
        @ if data.Conditions.IsEmpty then
              []
          else
              AirConditionFigures.all settings data model (read Test).Conditions.Value

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<AirSettings, AirData, Air, AirBatch, AirReading> =
        {
            Defaults = AirSettings.published
            Resolve = AirSettings.resolve
            Dependences = AirSettings.dependences
            Load = load
            Init = fun settings -> Air.init settings.Model
            Allocate = fun settings -> Air.allocate settings.Model
            Fill = fill
            Loss = fun settings model batch -> AirObjective.loss settings.Model model batch |> Loss.ofTotal
            Checked = checked'
            Read = AirReading.read
            Metrics = AirMeasures.ofReading
            Probes = probes
            Baselines = []
            Snapshot = snapshot
            Figures = figures
            Animation = AirFigures.animation
        }

    /// The experiment.
    let experiment: Experiment = Experiment.define "air" definition

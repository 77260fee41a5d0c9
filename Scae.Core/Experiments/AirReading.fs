namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// What training, evaluation and pictures of attend-infer-repeat share.
type AirData =
    {
        Digits: DigitSets
        /// None where every step draws new scenes.
        Train: TrainingSet option
        Validation: Scenes
        Test: Scenes
        /// Scenes of training digits from which the probe learns classes.
        Probe: Lazy<Scenes>
        /// The first validation scenes, which the pictures show.
        Shown: Scenes
        /// Conditions under which scenes are counted as well; empty unless the settings ask for them.
        Conditions: AirCondition list
    }

/// How a model counts the scenes of a condition.
type ConditionCounts =
    {
        Condition: AirCondition
        /// How many digits each scene has.
        True: int[]
        Inferred: int[]
    }

/// What a model infers from scenes, without noise.
type AirReading =
    {
        Scenes: Scenes
        /// How many digits each scene has: steps whose cumulative presence exceeds ½.
        Counts: int[]
        /// The probability that each step and all before it are present, [b][T].
        Presence: float32[][]
        /// Where each step of each scene looks, [b][T].
        Windows: Square[][]
        /// The same windows, centred on the ink that the step draws, which is where the model says that something is; [b][T].
        Squares: Square[][]
        /// z_what of each step of each scene, [b][T][Z].
        What: float[][][]
        /// Σ(x − y)² of each scene x and its drawing y. If the model has a restorer, x is the restored scene.
        Errors: float[]
        /// Counts under each condition. They are made when asked for, which must be before the parameters change.
        Conditions: Lazy<ConditionCounts list>
    }

/// What is inferred from some scenes: cumulative presence [b, T], where each step looks [b, T, 3], the mean of z_what
/// [b, T, Z], what the steps draw [b, T, D], and Σ(x − y)² [b].
type private AirFindings =
    {
        Presence: Tensor
        Where: Tensor
        What: Tensor
        Renders: Tensor
        Errors: Tensor
    }

/// What pictures show of scenes: what is inferred of the scenes as they are, and the cumulative presence by which their
/// objects are counted, [b, T] (see AirReading.presence).
type AirShown = { Inference: AirInference; Presence: Tensor }

/// Inference by attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirReading =
    // How many scenes are read at once.
    [<Literal>]
    let private ScenesAtOnce = 100

    /// Room for scenes that are read or shown. Where presence is relaxed, a recurrent encoder sees a residual from which objects
    /// are taken as far as they are present; the temperature is that with which training ends.
    let allocate (settings: AirSettings) (count: int) : AirBatch =
        { Air.allocate settings.Model count with
            Temperature = Tensor.scalar settings.TemperatureEnd
        }

    /// The batch of some scenes without noise.
    let batch (settings: AirSettings) (images: Tensor) : AirBatch =
        let batch = allocate settings images.shape[0]
        images.CopyTo(batch.Images.Elements<float32>())
        batch

    /// The square at (log s, t_x, t_y): the outermost pixels' centres are at −1 and 1.
    let square (canvas: int) (logScale: float) (x: float) (y: float) : Square =
        let half = float (canvas - 1) / 2.0
        let centre t = (t + 1.0) * half + 0.5

        {
            X = centre x
            Y = centre y
            Side = exp (Math.Clamp(logScale, Air.LeastLogScale, Air.MostLogScale)) * 2.0 * half + 1.0
        }

    /// The square that a digit of a scene fills.
    let trueSquare (digit: PlacedDigit) : Square =
        let side = float digit.Side

        {
            X = float digit.Left + side / 2.0
            Y = float digit.Top + side / 2.0
            Side = side
        }

    // With less ink than a thousandth of a white pixel nothing counts as drawn.
    [<Literal>]
    let private LeastInk = 1e-3

    /// A window centred on the ink that is drawn, C² values: on the mean of the pixels' places, weighed by their values. That
    /// needn't be the window's centre, since a decoder may draw anywhere in its patch; MNIST's digits have their centre of mass
    /// in the middle of their frames. Where nothing is drawn, it is the window itself.
    let centredOnInk (canvas: int) (window: Square) (drawn: ReadOnlySpan<float32>) : Square =
        let mutable ink, x, y = 0.0, 0.0, 0.0

        for i in 0 .. drawn.Length - 1 do
            let here = float drawn[i]
            ink <- ink + here
            x <- x + here * (float (i % canvas) + 0.5)
            y <- y + here * (float (i / canvas) + 0.5)

        if ink < LeastInk then
            window
        else
            { window with X = x / ink; Y = y / ink }

    /// How much each step's render counts: cumulative presence, which is hard unless the model's is relaxed; [b, T].
    let weights (config: AirConfig) (inference: AirInference) : Tensor =
        let cumulative = AirObjective.cumulativePresence inference

        match config.Presence with
        | AirPresence.Relaxed -> cumulative
        | _ -> cumulative.gt 0.5

    /// Scenes [b, C²] moved by a number of rows and columns; what leaves the canvas is lost.
    let private moved (canvas: int) (rows: int, columns: int) (images: Tensor) : Tensor =
        let room = max (abs rows) (abs columns)
        let within (by: int) = room - by, room - by + canvas
        let top, bottom = within rows
        let left, right = within columns
        let wider = (images.view (-1, canvas, canvas)).pad(0, room, room)
        ((wider.slice (1, top, bottom)).slice(2, left, right)).contiguous().flatten 1

    /// Cumulative presence [b, T] by which objects are counted. With MeasuredShift it is the mean over the scene and four moved
    /// copies of it. Patches and filters sample a scene at whole pixels, and where strokes of two digits meet, what they see
    /// changes from pixel to pixel. So the mean over a few places is right more often.
    let presence (settings: AirSettings) (model: Air) (batch: AirBatch) (inference: AirInference) : Tensor =
        let here = AirObjective.cumulativePresence inference
        let far = settings.MeasuredShift

        let at place =
            { batch with Images = moved settings.Model.Canvas place batch.Images }
            |> AirEncoder.infer settings.Model model
            |> AirObjective.cumulativePresence

        if far = 0 then
            here
        else
            let places = [ far, 0; -far, 0; 0, far; 0, -far ]
            List.fold (fun sum place -> sum + at place) here places / float (1 + places.Length)

    let private infer (settings: AirSettings) (model: Air) (batch: AirBatch) : AirFindings =
        let config = settings.Model
        let inference = AirEncoder.infer config model batch
        let drawn = Air.compose config (weights config inference) inference.Renders
        let difference = drawn - (AirEncoder.withRestored config inference.Restored batch).Images

        {
            Presence = presence settings model batch inference
            Where = inference.Where
            What = inference.WhatMean
            Renders = inference.Renders
            Errors = (difference * difference).sum 1
        }

    /// Arrays for a reading of scenes.
    let private room (config: AirConfig) (scenes: Scenes) : AirReading =
        let count = scenes.Images.shape[0]
        let ofSteps () = Array.init count (fun _ -> Array.zeroCreate config.Steps)

        {
            Scenes = scenes
            Counts = Array.zeroCreate count
            Presence = ofSteps ()
            Windows = ofSteps ()
            Squares = ofSteps ()
            What = Array.init count (fun _ -> Array.init config.Steps (fun _ -> Array.zeroCreate config.What))
            Errors = Array.zeroCreate count
            Conditions = lazy []
        }

    /// Writes what was found in row i of a part into the reading of a scene.
    let private take (config: AirConfig) (reading: AirReading) (found: AirFindings) (i: int) (scene: int) : unit =
        let pixels, z = Air.pixels config, config.What
        let where = Rows.span i found.Where
        let what = Rows.span i found.What
        let renders = Rows.span i found.Renders
        let presence = Rows.span i found.Presence
        let windows, squares, codes = reading.Windows[scene], reading.Squares[scene], reading.What[scene]
        reading.Errors[scene] <- float (found.Errors.Elements<float32>()[i])
        reading.Counts[scene] <- 0

        for t in 0 .. config.Steps - 1 do
            let window = square config.Canvas (float where[3 * t]) (float where[3 * t + 1]) (float where[3 * t + 2])

            reading.Presence[scene][t] <- presence[t]
            windows[t] <- window
            squares[t] <- centredOnInk config.Canvas window (renders.Slice(t * pixels, pixels))

            if presence[t] > 0.5f then
                reading.Counts[scene] <- reading.Counts[scene] + 1

            for j in 0 .. z - 1 do
                codes[t][j] <- float what[t * z + j]

    let private recorded (settings: AirSettings) (model: Air) =
        Inference(ScenesAtOnce, allocate settings, infer settings model)

    let private over (config: AirConfig) (inference: Inference<AirBatch, AirFindings>) (reading: AirReading) : unit =
        inference.Over(
            reading.Counts.Length,
            fun part ->
                Rows.load reading.Scenes.Images part.First part.Batch.Images
                part.Run()

                for i in 0 .. part.Batch.Images.shape[0] - 1 do
                    take config reading part.Output i (part.First + i)
        )

    /// Reads any scenes.
    let ofScenes (settings: AirSettings) (model: Air) : Scenes -> AirReading =
        let inference = recorded settings model

        fun scenes ->
            let reading = room settings.Model scenes
            over settings.Model inference reading
            reading

    /// Counts the scenes of every condition.
    let private underConditions
        (settings: AirSettings)
        inference
        (conditions: AirCondition list)
        : ConditionCounts list =
        [
            for condition in conditions do
                let reading = room settings.Model (condition.Sample settings.ConditionsSize)
                over settings.Model inference reading

                {
                    Condition = condition
                    True = reading.Scenes.Truth |> Array.map _.Length
                    Inferred = reading.Counts
                }
        ]

    /// Reads the scenes of a split; the next reading of the same split overwrites it.
    let read (settings: AirSettings) (data: AirData) (model: Air) : Split -> AirReading =
        let inference = recorded settings model
        // Lazy, since the test scenes may never be asked for.
        let validation, test = lazy (room settings.Model data.Validation), lazy (room settings.Model data.Test)

        fun split ->
            let reading = (Split.choose validation test split).Value
            over settings.Model inference reading

            { reading with
                Conditions = lazy (underConditions settings inference data.Conditions)
            }

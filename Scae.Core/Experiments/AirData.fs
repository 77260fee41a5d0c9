namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models

/// What training, evaluation and pictures of attend-infer-repeat share.
type AirData =
    {
        Scenes: MultiMnistConfig
        Model: AirConfig
        Digits: DigitSets
        /// None where every step draws new scenes.
        Train: Scenes option
        TrainKey: Key
        Validation: Scenes
        Test: Scenes
        /// Scenes of training digits from which the probe learns classes.
        Probe: Lazy<Scenes>
        /// The first validation scenes, which the pictures show.
        Shown: Scenes
    }

/// What a model says of scenes, without noise.
type AirReading =
    {
        /// How many digits each scene has: steps whose cumulative presence exceeds ½.
        Counts: int[]
        /// Where each step of each scene looks, [b][T].
        Windows: Square[][]
        /// The same windows, centred on the ink of what the step draws: where the model says that something is, [b][T].
        Squares: Square[][]
        /// z_what of each step of each scene, [b][T][Z].
        What: float[][][]
        /// Σ(x − y)² of each scene.
        Errors: float[]
    }

/// Measures of attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirData =
    // Scenes at once in an evaluation.
    [<Literal>]
    let private Chunk = 100

    // The weight of the probe's penalty.
    [<Literal>]
    let private Ridge = 1e-3

    /// The batch of some scenes without noise.
    let batch (config: AirConfig) (images: Tensor) : AirBatch =
        let batch = Air.allocate config images.shape[0]
        images.CopyTo(batch.Images.Elements<float32>())
        batch

    /// The square at (log s, t_x, t_y): the outermost pixels' centres are at −1 and 1.
    let square (canvas: int) (logScale: float) (x: float) (y: float) : Square =
        let half = float (canvas - 1) / 2.0
        let centre t = (t + 1.0) * half + 0.5

        {
            X = centre x
            Y = centre y
            Side = exp (Math.Clamp(logScale, -3.0, 1.5)) * 2.0 * half + 1.0
        }

    /// The square that a digit of a scene fills.
    let trueSquare (digit: PlacedDigit) : Square =
        let side = float digit.Side

        {
            X = float digit.Left + side / 2.0
            Y = float digit.Top + side / 2.0
            Side = side
        }

    // Less ink than a thousandth of a pixel's is no place.
    [<Literal>]
    let private LeastInk = 1e-3

    /// A window centred on the ink that is drawn: the mean of pixels' places weighed by what is drawn there, C² values. It
    /// need not be the window's centre, since a decoder may draw anywhere in its patch; MNIST's digits lie in their frames
    /// with the centre of mass in the middle. The window itself where nothing is drawn.
    let centredOnInk (canvas: int) (window: Square) (drawn: ReadOnlySpan<float>) : Square =
        let mutable ink, x, y = 0.0, 0.0, 0.0

        for i in 0 .. drawn.Length - 1 do
            ink <- ink + drawn[i]
            x <- x + drawn[i] * (float (i % canvas) + 0.5)
            y <- y + drawn[i] * (float (i / canvas) + 0.5)

        if ink < LeastInk then
            window
        else
            { window with X = x / ink; Y = y / ink }

    let private numbers (x: Tensor) = (x.cast Dtype.Float64).toArray<double>()

    /// How much each step's render counts: cumulative presence, which is hard unless the model's is relaxed; [b, T].
    let weights (config: AirConfig) (inference: AirInference) : Tensor =
        let cumulative = AirObjective.cumulativePresence inference

        match config.Presence with
        | AirPresence.Relaxed -> cumulative
        | _ -> cumulative.gt 0.5

    /// What a model says of some scenes.
    let read (config: AirConfig) (model: Air) (images: Tensor) : AirReading =
        let steps, z = config.Steps, config.What

        let parts =
            [|
                for first in 0..Chunk .. images.shape[0] - 1 do
                    let part = images.slice (0, first, min images.shape[0] (first + Chunk))
                    let inference = AirEncoder.infer config model (batch config part)
                    let cumulative = numbers (AirObjective.cumulativePresence inference)
                    let where = numbers inference.Where
                    let what = numbers inference.WhatMean
                    let renders = numbers inference.Renders
                    let pixels = Air.pixels config
                    let difference = Air.compose config (weights config inference) inference.Renders - part
                    let errors = numbers ((difference * difference).sum 1)

                    for i in 0 .. errors.Length - 1 do
                        let count =
                            [ 0 .. steps - 1 ] |> List.filter (fun t -> cumulative[i * steps + t] > 0.5) |> List.length

                        let windows =
                            Array.init steps (fun t ->
                                let at = 3 * (i * steps + t)
                                square config.Canvas where[at] where[at + 1] where[at + 2])

                        let squares =
                            windows
                            |> Array.mapi (fun t window ->
                                centredOnInk
                                    config.Canvas
                                    window
                                    (ReadOnlySpan(renders, (i * steps + t) * pixels, pixels)))

                        let latents = Array.init steps (fun t -> Array.sub what ((i * steps + t) * z) z)
                        count, windows, squares, latents, errors[i]
            |]

        {
            Counts = parts |> Array.map (fun (count, _, _, _, _) -> count)
            Windows = parts |> Array.map (fun (_, windows, _, _, _) -> windows)
            Squares = parts |> Array.map (fun (_, _, squares, _, _) -> squares)
            What = parts |> Array.map (fun (_, _, _, what, _) -> what)
            Errors = parts |> Array.map (fun (_, _, _, _, error) -> error)
        }

    let private mean (values: float seq) =
        if Seq.isEmpty values then
            Double.NaN
        else
            Seq.average values

    let private median (values: float[]) =
        match Array.sort values with
        | [||] -> Double.NaN
        | sorted -> (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2.0

    /// Scenes by true and inferred count, [most + 1, T + 1].
    let confusion (most: int) (steps: int) (scenes: Scenes) (reading: AirReading) : int[,] =
        let table = Array2D.zeroCreate (most + 1) (steps + 1)

        Array.iter2
            (fun (truth: PlacedDigit[]) count -> table[truth.Length, count] <- table[truth.Length, count] + 1)
            scenes.Truth
            reading.Counts

        table

    /// The share of scenes counted right, among those whose truth is chosen.
    let private countedRight (scenes: Scenes) (reading: AirReading) (chosen: PlacedDigit[] -> bool) : float =
        Seq.zip scenes.Truth reading.Counts
        |> Seq.filter (fun (truth, _) -> chosen truth)
        |> Seq.map (fun (truth, count) -> if truth.Length = count then 1.0 else 0.0)
        |> mean

    /// Accuracy over all scenes and by true count, and the mean absolute error.
    let counting (most: int) (scenes: Scenes) (reading: AirReading) : Metrics =
        let right = countedRight scenes reading

        [
            "count_accuracy", right (fun _ -> true)
            for count in 0..most do
                $"count_accuracy_{count}", right (fun truth -> truth.Length = count)
            "count_mae",
            Seq.map2 (fun (t: PlacedDigit[]) c -> abs (float (t.Length - c))) scenes.Truth reading.Counts
            |> mean
        ]

    /// The present steps of a scene that match a digit, with it.
    let private found (scenes: Scenes) (reading: AirReading) (i: int) : (int * PlacedDigit) list =
        let truth = scenes.Truth[i]

        [
            for step, digit in
                Boxes.matched (Array.truncate reading.Counts[i] reading.Squares[i]) (Array.map trueSquare truth) do
                step, truth[digit]
        ]

    /// Mean intersection over union and centre error of what was found, and the median error where one digit stands
    /// and one was inferred; window_error_single is the same of the window's centre, whatever is drawn in it.
    let locating (scenes: Scenes) (reading: AirReading) : Metrics =
        let pairs =
            [|
                for i in 0 .. scenes.Truth.Length - 1 do
                    for step, digit in found scenes reading i do
                        i, step, trueSquare digit
            |]

        let distances (chosen: int -> bool) (squares: Square[][]) =
            pairs
            |> Array.filter (fun (i, _, _) -> chosen i)
            |> Array.map (fun (i, step, truth) -> Boxes.centreDistance (squares[i][step]) truth)

        let single i = scenes.Truth[i].Length = 1 && reading.Counts[i] = 1

        [
            "iou",
            pairs
            |> Seq.map (fun (i, step, truth) -> Boxes.intersectionOverUnion (reading.Squares[i][step]) truth)
            |> mean
            "centre_error", distances (fun _ -> true) reading.Squares |> mean
            "centre_error_single", distances single reading.Squares |> median
            "window_error_single", distances single reading.Windows |> median
        ]

    let private latents (scenes: Scenes) (reading: AirReading) =
        [|
            for i in 0 .. scenes.Truth.Length - 1 do
                for step, digit in found scenes reading i do
                    reading.What[i][step], digit.Class
        |]
        |> Array.unzip

    /// Accuracy of a linear function from z_what to the digit's class, learned from other scenes; NaN when nothing was
    /// found in them.
    let identifying (train: Scenes * AirReading) (test: Scenes * AirReading) : Metrics =
        let features, labels = latents <|| train

        let accuracy =
            if features.Length = 0 then
                Double.NaN
            else
                let weights = LinearProbe.fit 10 Ridge features labels
                latents <|| test ||> LinearProbe.accuracy weights

        [ "class_probe", accuracy ]

    let private overlaps (a: PlacedDigit) (b: PlacedDigit) =
        a.Left < b.Left + b.Side
        && b.Left < a.Left + a.Side
        && a.Top < b.Top + b.Side
        && b.Top < a.Top + a.Side

    /// Count accuracy of scenes with at least two digits whose boxes overlap, and of all other scenes.
    let crowding (scenes: Scenes) (reading: AirReading) : Metrics =
        let crowded (truth: PlacedDigit[]) =
            Array.allPairs (Array.indexed truth) (Array.indexed truth)
            |> Array.exists (fun ((i, a), (j, b)) -> i < j && overlaps a b)

        let right = countedRight scenes reading
        [ "count_accuracy_apart", right (crowded >> not); "count_accuracy_crowded", right crowded ]

    /// Every measure of a model; classes only on test scenes.
    let measure (data: AirData) (model: Air) (split: Split) : Metrics =
        let scenes =
            match split with
            | Validation -> data.Validation
            | Test -> data.Test

        let reading = read data.Model model scenes.Images

        counting data.Scenes.Most scenes reading
        @ [ "mse", mean reading.Errors / float (Air.pixels data.Model) ]
        @ locating scenes reading
        @ match split with
          | Validation -> []
          | Test ->
              let probe = data.Probe.Value

              crowding scenes reading @ identifying (probe, read data.Model model probe.Images) (scenes, reading)

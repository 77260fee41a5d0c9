namespace Scae.Core.Experiments

open System
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Training

/// Measures of attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirMeasures =
    // The weight of the probe's penalty.
    [<Literal>]
    let private Ridge = 1e-3

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
    let confusion (most: int) (steps: int) (reading: AirReading) : int[,] =
        let table = Array2D.zeroCreate (most + 1) (steps + 1)

        Array.iter2
            (fun (truth: PlacedDigit[]) count -> table[truth.Length, count] <- table[truth.Length, count] + 1)
            reading.Scenes.Truth
            reading.Counts

        table

    /// The share of scenes counted right, among those whose truth is chosen.
    let private countedRight (reading: AirReading) (chosen: PlacedDigit[] -> bool) : float =
        Seq.zip reading.Scenes.Truth reading.Counts
        |> Seq.filter (fun (truth, _) -> chosen truth)
        |> Seq.map (fun (truth, count) -> if truth.Length = count then 1.0 else 0.0)
        |> mean

    /// Accuracy over all scenes and by true count, and the mean absolute error.
    let counting (most: int) (reading: AirReading) : Metrics =
        let right = countedRight reading

        [
            "count_accuracy", right (fun _ -> true)
            for count in 0..most do
                $"count_accuracy_{count}", right (fun truth -> truth.Length = count)
            "count_mae",
            Seq.map2 (fun (t: PlacedDigit[]) c -> abs (float (t.Length - c))) reading.Scenes.Truth reading.Counts
            |> mean
        ]

    /// The present steps of scene i that are matched with a digit, each with its digit: as many as can be, however far away,
    /// at the least distance altogether. So measures of these pairs are of places only where counts are right.
    let private found (reading: AirReading) (i: int) : (int * PlacedDigit) list =
        let truth = reading.Scenes.Truth[i]

        [
            for step, digit in
                Boxes.matched
                    (Array.truncate reading.Counts[i] reading.Squares[i])
                    (Array.map AirReading.trueSquare truth) do
                step, truth[digit]
        ]

    /// Mean intersection over union and mean centre error, in pixels, of the digits that were found; and the median centre error
    /// in scenes where one digit stands and one was inferred. window_error_single is that of the window's centre instead of the
    /// drawn ink's.
    let locating (reading: AirReading) : Metrics =
        let pairs =
            [|
                for i in 0 .. reading.Scenes.Truth.Length - 1 do
                    for step, digit in found reading i do
                        i, step, AirReading.trueSquare digit
            |]

        let distances (chosen: int -> bool) (squares: Square[][]) =
            pairs
            |> Array.filter (fun (i, _, _) -> chosen i)
            |> Array.map (fun (i, step, truth) -> Boxes.centreDistance (squares[i][step]) truth)

        let single i = reading.Scenes.Truth[i].Length = 1 && reading.Counts[i] = 1

        [
            "iou",
            pairs
            |> Seq.map (fun (i, step, truth) -> Boxes.intersectionOverUnion (reading.Squares[i][step]) truth)
            |> mean
            "centre_error", distances (fun _ -> true) reading.Squares |> mean
            "centre_error_single", distances single reading.Squares |> median
            "window_error_single", distances single reading.Windows |> median
        ]

    let private latents (reading: AirReading) =
        [|
            for i in 0 .. reading.Scenes.Truth.Length - 1 do
                for step, digit in found reading i do
                    reading.What[i][step], digit.Class
        |]
        |> Array.unzip

    /// Accuracy of a linear function from z_what to the digit's class, learned from other scenes; NaN when nothing was
    /// found in them.
    let identifying (train: AirReading) (test: AirReading) : Metrics =
        let features, labels = latents train

        let accuracy =
            if features.Length = 0 then
                Double.NaN
            else
                // Ten digits, or as many classes as other images have.
                let weights = LinearProbe.fit (max 10 (1 + Array.max labels)) Ridge features labels
                latents test ||> LinearProbe.accuracy weights

        [ "class_probe", accuracy ]

    let private overlaps (a: PlacedDigit) (b: PlacedDigit) =
        a.Left < b.Left + b.Side
        && b.Left < a.Left + a.Side
        && a.Top < b.Top + b.Side
        && b.Top < a.Top + a.Side

    /// Count accuracy of scenes with at least two digits whose boxes overlap, and of all other scenes.
    let crowding (reading: AirReading) : Metrics =
        let crowded (truth: PlacedDigit[]) =
            Array.allPairs (Array.indexed truth) (Array.indexed truth)
            |> Array.exists (fun ((i, a), (j, b)) -> i < j && overlaps a b)

        let right = countedRight reading
        [ "count_accuracy_apart", right (crowded >> not); "count_accuracy_crowded", right crowded ]

    /// The share of scenes counted right under each condition: noise_0.30_count_accuracy and so on.
    let underConditions (conditions: ConditionCounts list) : Metrics =
        [
            for counts in conditions ->
                $"{counts.Condition.Name}_count_accuracy",
                Seq.map2 (fun truth inferred -> if truth = inferred then 1.0 else 0.0) counts.True counts.Inferred
                |> mean
        ]

    /// Counting, squared error a pixel, and locating.
    let ofReading (settings: AirSettings) (reading: AirReading) : Metrics =
        let pixels = settings.Scenes.Canvas * settings.Scenes.Canvas

        counting settings.Scenes.Most reading
        @ [ "mse", mean reading.Errors / float pixels ]
        @ locating reading

namespace Scae.Core.Experiments

open System
open Scae.Core.Metrics
open Scae.Core.Training

/// How well slots and moving objects agree, and how well the next frame is predicted. Frames are counted from 0 here.
[<RequireQualifiedAccess>]
module MovingEMMeasures =
    /// A measure of the foreground pixels of each of the given frames, averaged over sequences. Pixels of several objects count
    /// only with `overlap`.
    let private overFrames
        (reading: MovingEMReading)
        (overlap: bool)
        (frames: int list)
        (measure: Contingency -> float)
        =
        let { Shapes = shapes; Frames = perSequence } = reading.Scenes
        let pixels = shapes.Images.shape[1]
        let sequences = shapes.Images.shape[0] / perSequence
        let truth, found = Array.zeroCreate<int> pixels, Array.zeroCreate<int> pixels
        let table = Contingency()

        [|
            for frame in frames do
                let mutable sum = 0.0

                for sequence in 0 .. sequences - 1 do
                    let image = sequence * perSequence + frame
                    let count = NeuralEMMeasures.foreground shapes reading.Slots overlap image truth found
                    table.Count(ReadOnlySpan(truth, 0, count), ReadOnlySpan(found, 0, count))
                    sum <- sum + measure table

                sum / float sequences
        |]

    let private ami (table: Contingency) = table.AdjustedMutualInformation Normalizer.Arithmetic

    let private ari (table: Contingency) = table.AdjustedRandIndex

    /// Adjusted mutual information of every frame from the second on, without the pixels of several objects.
    let agreementOverTime (reading: MovingEMReading) : float[] =
        overFrames reading false [ 1 .. reading.Scenes.Frames - 1 ] ami

    /// The frames that count, beginning with frame `from`, which is counted from 1.
    let private scored (from: int) (reading: MovingEMReading) : int list =
        [ max 1 (from - 1) .. reading.Scenes.Frames - 1 ]

    /// Agreement in the frames that count, beginning with `from` (counted from 1): ami_distinct and ari_distinct without the
    /// pixels of several objects, then ami and ari with them.
    let agreement (from: int) (reading: MovingEMReading) : Metrics =
        let mean overlap measure = overFrames reading overlap (scored from reading) measure |> Array.average

        [
            "ami_distinct", mean false ami
            "ari_distinct", mean false ari
            "ami", mean true ami
            "ari", mean true ari
        ]

    let private meanOf (from: int) (reading: MovingEMReading) (values: float[]) : float =
        scored from reading |> List.averageBy (fun t -> values[t])

    /// Loss, agreement, and the cost of predicting the next frame in nats, all means over the frames that count. With several
    /// starts ami_distinct_first is the agreement of the first start alone.
    let ofReading (from: int) (reading: MovingEMReading) : Metrics =
        [
            "loss", meanOf from reading reading.Losses
            yield! agreement from reading
            "surprise", meanOf from reading reading.Surprises

            match reading.OfFirstStart with
            | Some slots ->
                let ofFirst = overFrames { reading with Slots = slots } false (scored from reading) ami
                "ami_distinct_first", Array.average ofFirst
            | None -> ()
        ]

    /// The cost of predicting each frame as a copy of the last one, in nats a frame. A lit pixel stays lit with one probability,
    /// and a dark one stays dark with another. Both are the shares in these very frames, which favours this baseline. Element
    /// 0 is 0.
    let copyOverTime (scenes: MovingScenes) : float[] =
        let { Shapes = shapes; Frames = frames } = scenes
        let pixels = shapes.Images.shape[1]
        let sequences = shapes.Images.shape[0] / frames
        let images = shapes.Images.toArray<float32>()

        // [before, after]: how many pixels were lit (1) or dark (0) in frame t − 1 and are so in frame t.
        let counts t =
            let counts = Array2D.zeroCreate<float> 2 2

            for sequence in 0 .. sequences - 1 do
                let now = (sequence * frames + t) * pixels

                for i in now .. now + pixels - 1 do
                    let before, after = int images[i - pixels], int images[i]
                    counts[before, after] <- counts[before, after] + 1.0

            counts

        let byFrame = Array.init frames (fun t -> if t = 0 then Array2D.zeroCreate 2 2 else counts t)
        let total before after = byFrame |> Array.sumBy (fun counts -> counts[before, after])

        let nats before after =
            let lit = total before after

            if lit = 0.0 then
                0.0
            else
                -log(lit / (total before 0 + total before 1))

        let price = Array2D.init 2 2 nats

        byFrame
        |> Array.map (fun counts ->
            let mutable sum = 0.0

            for before in 0..1 do
                for after in 0..1 do
                    sum <- sum + counts[before, after] * price[before, after]

            sum / float sequences)

    /// The mean cost of copying the last frame, over the frames that count.
    let copy (from: int) (scenes: MovingScenes) : float =
        copyOverTime scenes |> Array.skip (max 1 (from - 1)) |> Array.average

    /// Metrics for other numbers of objects: ami_distinct_5, ari_distinct_5 and surprise_5 are those of five.
    let ofOthers (from: int) (readings: (int * MovingEMReading) list) : Metrics =
        [
            for count, reading in readings do
                for name, value in ofReading from reading do
                    if name <> "loss" && name <> "ami" && name <> "ari" then
                        $"{name}_{count}", value
        ]

namespace Scae.Core.Experiments

open System
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Training

/// How well slots and shapes agree.
[<RequireQualifiedAccess>]
module NeuralEMMeasures =
    /// Writes truth and prediction of one image's foreground pixels into `truth` and `found`, and returns their number. Pixels of
    /// several shapes are included only with `overlap`.
    let internal foreground (shapes: Shapes) (predicted: int[]) overlap image (truth: int[]) (found: int[]) : int =
        let pixels = truth.Length
        let mutable count = 0

        for at in image * pixels .. (image + 1) * pixels - 1 do
            if shapes.Labels[at] > 0 && (overlap || not shapes.Overlap[at]) then
                truth[count] <- shapes.Labels[at]
                found[count] <- predicted[at]
                count <- count + 1

        count

    /// Measures of the foreground pixels of each image, averaged over images.
    let private means
        (shapes: Shapes)
        predicted
        overlap
        (names: string list)
        (measures: (Contingency -> float) list)
        : Metrics =
        let images, pixels = shapes.Images.shape[0], shapes.Images.shape[1]
        let truth, found = Array.zeroCreate<int> pixels, Array.zeroCreate<int> pixels
        let table = Contingency()
        let measures = Array.ofList measures
        let sums = Array.zeroCreate<float> measures.Length

        for image in 0 .. images - 1 do
            let count = foreground shapes predicted overlap image truth found
            table.Count(ReadOnlySpan(truth, 0, count), ReadOnlySpan(found, 0, count))

            for i in 0 .. measures.Length - 1 do
                sums[i] <- sums[i] + measures[i] table

        names |> List.mapi (fun i name -> name, sums[i] / float images)

    /// Agreement of slots and shapes over the foreground of each image, averaged over images; the background is never scored,
    /// and an image without foreground counts as 1. Names that end with _distinct are of the pixels that exactly one shape
    /// covers. The others are of all that any shape covers; the shape drawn last owns the pixel. So ari (Hubert & Arabie 1985,
    /// "Comparing Partitions") is what later papers call ARI-FG, FG-ARI or ARI-BG, and ari_distinct is what the program of
    /// Löwe et al. 2023, "Rotating Features for Object Discovery", measures, which leaves out background and overlap.
    let agreement (shapes: Shapes) (predicted: int[]) : Metrics =
        let nmi (table: Contingency) = table.NormalizedMutualInformation Normalizer.Arithmetic
        let ami (table: Contingency) = table.AdjustedMutualInformation Normalizer.Arithmetic
        let amiMax (table: Contingency) = table.AdjustedMutualInformation Normalizer.Max
        let ari (table: Contingency) = table.AdjustedRandIndex

        means shapes predicted true [ "nmi"; "ami"; "ari" ] [ nmi; ami; ari ]
        @ means
            shapes
            predicted
            false
            [ "nmi_distinct"; "ami_distinct"; "ami_max_distinct"; "ari_distinct" ]
            [ nmi; ami; amiMax; ari ]

    /// The loss of the last iteration; NMI, AMI and ARI over all foreground pixels; and the same as _distinct without the pixels
    /// that several shapes cover. ami_max_distinct is normalised by the greater of the two entropies, the others by their mean. With
    /// several starts ami_distinct_first, ari_distinct_first and ari_first are those of the first start alone.
    let ofReading (reading: NeuralEMReading) : Metrics =
        [
            "loss", reading.Loss
            yield! agreement reading.Shapes reading.Slots

            match reading.OfFirstStart with
            | Some slots ->
                let ofFirst = agreement reading.Shapes slots |> Map.ofList

                for name in [ "ami_distinct"; "ari_distinct"; "ari" ] do
                    $"{name}_first", ofFirst[name]
            | None -> ()
        ]

    /// Agreement beyond what the model was trained with. A metric's name ends with that of its test: ari_distinct_5 is of five
    /// shapes, or of as many as find room, ari_distinct_6_slots of six slots.
    let ofOthers (readings: (string * NeuralEMReading) list) : Metrics =
        let measured = Set [ "ari"; "ari_distinct"; "ami_distinct"; "ari_distinct_first"; "ami_distinct_first" ]

        [
            for test, reading in readings do
                for name, value in ofReading reading do
                    if measured.Contains name then
                        $"{name}_{test}", value
        ]

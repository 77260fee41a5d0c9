namespace Scae.Core.Experiments

open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Training

/// How well slots and shapes agree.
[<RequireQualifiedAccess>]
module NeuralEMMeasures =
    /// Truth and prediction of the foreground pixels of one image, with or without those of several shapes.
    let foreground (shapes: Shapes) (predicted: int[]) (overlap: bool) (image: int) : int[] * int[] =
        let pixels = shapes.Images.shape[1]

        let chosen =
            [|
                for at in image * pixels .. (image + 1) * pixels - 1 do
                    if shapes.Labels[at] > 0 && (overlap || not shapes.Overlap[at]) then
                        at
            |]

        chosen |> Array.map (fun at -> shapes.Labels[at]), chosen |> Array.map (fun at -> predicted[at])

    /// Agreement of slots and shapes over the foreground pixels of each image, averaged over images.
    let agreement (shapes: Shapes) (predicted: int[]) : Metrics =
        let images = shapes.Images.shape[0]

        let mean overlap (measure: int[] -> int[] -> float) =
            Array.init images (fun image -> foreground shapes predicted overlap image ||> measure)
            |> Array.average

        [
            "nmi", mean true (Clustering.normalizedMutualInformation Normalizer.Arithmetic)
            "ami", mean true (Clustering.adjustedMutualInformation Normalizer.Arithmetic)
            "ari", mean true Clustering.adjustedRandIndex
            "nmi_distinct", mean false (Clustering.normalizedMutualInformation Normalizer.Arithmetic)
            "ami_distinct", mean false (Clustering.adjustedMutualInformation Normalizer.Arithmetic)
            "ami_max_distinct", mean false (Clustering.adjustedMutualInformation Normalizer.Max)
            "ari_distinct", mean false Clustering.adjustedRandIndex
        ]

    /// loss (of the last iteration), then NMI, AMI and ARI over all foreground pixels, then _distinct without the pixels
    /// that several shapes cover; ami_max has the greater entropy as its bound, the others the mean. With several starts
    /// ami_distinct_first is what the first alone gives.
    let ofReading (reading: NeuralEMReading) : Metrics =
        [
            "loss", reading.Loss
            yield! agreement reading.Shapes reading.Slots

            match reading.OfFirstStart with
            | Some slots ->
                let ofFirst = agreement reading.Shapes slots
                "ami_distinct_first", ofFirst |> List.find (fun (name, _) -> name = "ami_distinct") |> snd
            | None -> ()
        ]

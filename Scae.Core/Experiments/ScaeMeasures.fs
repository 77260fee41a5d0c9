namespace Scae.Core.Experiments

open Scae.Core.Training

/// Measures of the stacked capsule autoencoder after every epoch; ScaeProbes has those that cost more.
[<RequireQualifiedAccess>]
module ScaeMeasures =
    /// The share of digits whose class is found.
    let agreement (labels: int[]) (classes: int[]) : float =
        Array.map2 (fun label found -> if label = found then 1.0 else 0.0) labels classes |> Array.average

    /// Likelihoods in nats an image, squared error a pixel, accuracy of the online probes, and how many parts and capsules
    /// are there.
    let ofReading (reading: ScaeReading) : Metrics =
        [
            "reconstruction", Array.average reading.Reconstruction
            "mse", Array.average reading.Errors
            "part_likelihood", Array.average reading.PartLikelihood
            "posterior_probe", agreement reading.Labels reading.PosteriorClasses
            "prior_probe", agreement reading.Labels reading.PriorClasses
            "parts", Array.average reading.Parts
            "objects", reading.Prior |> Array.averageBy Array.sum
        ]

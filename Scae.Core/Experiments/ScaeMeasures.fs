namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Metrics
open Scae.Core.Training

/// Measures of the stacked capsule autoencoder after every epoch; ScaeProbes has those that cost more.
[<RequireQualifiedAccess>]
module ScaeMeasures =
    /// The share of digits whose class is found.
    let agreement (labels: int[]) (classes: int[]) : float =
        Array.map2 (fun label found -> if label = found then 1.0 else 0.0) labels classes |> Array.average

    // The same key for every evaluation, so that clusters start alike.
    let private ofEvery = (Key.OfSeed 0L).Named "clusters"

    let private normalized (mass: float[]) : float[] =
        let sum = Array.sum mass + 1e-8
        mass |> Array.map (fun x -> x / sum)

    let private entropy (q: float[]) : float = -(q |> Array.sumBy (fun x -> if x > 0.0 then x * log x else 0.0))

    /// Entropies, in nats, of the capsules' shares of presence or of explained mass: those within a digit, averaged over digits,
    /// and that of the mean shares over all digits. The first is low and the second high if each digit is one object.
    let private entropies (name: string) (mass: float[][]) : Metrics =
        let shares = mass |> Array.map normalized
        let mean = Array.init shares[0].Length (fun k -> shares |> Array.averageBy (fun q -> q[k]))

        [
            $"{name}_entropy_within", shares |> Array.averageBy entropy
            $"{name}_entropy_between", entropy mean
        ]

    /// Likelihoods in nats an image, squared error a pixel, accuracy of the online probes, LIN-MATCH fitted to and matched with
    /// these very digits, and how many parts and capsules are present in a digit.
    let ofReading (reading: ScaeReading) : Metrics =
        let told = reading.Representation

        [
            "reconstruction", Array.average reading.Reconstruction
            "mse", Array.average reading.Errors
            "part_likelihood", Array.average reading.PartLikelihood
            "posterior_probe", agreement told.Labels told.PosteriorClasses
            "prior_probe", agreement told.Labels told.PriorClasses
            "prior_match_refitted", ClusterMatching.refitted ofEvery KMeans.digits (told.Prior, told.Labels)
            "posterior_match_refitted", ClusterMatching.refitted ofEvery KMeans.digits (told.Posterior, told.Labels)
            "parts", Array.average reading.Parts
            "objects", told.Prior |> Array.averageBy Array.sum
        ]
        @ entropies "prior" told.Prior
        @ entropies "posterior" told.Posterior

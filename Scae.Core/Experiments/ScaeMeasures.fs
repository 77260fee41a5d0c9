namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Measures of the stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeMeasures =
    // The penalty of the fitted probe's weights.
    [<Literal>]
    let private Ridge = 1e-4

    let private agreement (labels: int[]) (classes: int[]) : float =
        Array.map2 (fun label found -> if label = found then 1.0 else 0.0) labels classes |> Array.average

    // The clusters of every evaluation start alike.
    let private ofEvery = (Key.OfSeed 0L).Named "clusters"

    let private normalized (mass: float[]) : float[] =
        let sum = Array.sum mass + 1e-8
        mass |> Array.map (fun x -> x / sum)

    let private entropy (q: float[]) : float =
        -(q |> Array.sumBy (fun x -> if x > 0.0 then x * log x else 0.0))

    /// Nats by which explained mass differs within a digit and over all digits: few and many where a digit is one object.
    let private entropies (name: string) (presence: float[][]) : Metrics =
        let shares = presence |> Array.map normalized
        let mean = Array.init shares[0].Length (fun k -> shares |> Array.averageBy (fun q -> q[k]))
        [ $"{name}_within", shares |> Array.averageBy entropy; $"{name}_between", entropy mean ]

    /// Likelihoods in nats an image, squared error a pixel, accuracy of the online probes, LIN-MATCH of these digits
    /// alone, and how many parts and capsules are there.
    let ofReading (reading: ScaeReading) : Metrics =
        [
            "reconstruction", Array.average reading.Reconstruction
            "mse", Array.average reading.Errors
            "part_likelihood", Array.average reading.PartLikelihood
            "posterior_probe", agreement reading.Labels reading.PosteriorClasses
            "prior_probe", agreement reading.Labels reading.PriorClasses
            "prior_match_refitted", ClusterMatching.refitted ofEvery KMeans.digits (reading.Prior, reading.Labels)
            "posterior_match_refitted", ClusterMatching.refitted ofEvery KMeans.digits (reading.Posterior, reading.Labels)
            "parts", Array.average reading.Parts
            "objects", reading.Prior |> Array.averageBy Array.sum
        ]
        @ entropies "prior" reading.Prior
        @ entropies "posterior" reading.Posterior

    /// LIN-MATCH of a representation in its three forms, NMI of its clusters, and a logistic probe, clusters and probe from
    /// training digits.
    let private ofRepresentation
        (name: string)
        (key: Key)
        (train: float[][], trainLabels: int[])
        (test: float[][], testLabels: int[])
        : Metrics =
        let score =
            ClusterMatching.evaluate (key.Named name) KMeans.digits (train, trainLabels) (test, testLabels)

        let weights = LogisticProbe.fit ScaeConfig.Classes Ridge train trainLabels

        [
            $"{name}_match", score.Strict
            $"{name}_match_on_test", score.MatchedOnTest
            $"{name}_match_refitted", score.RefittedOnTest
            $"{name}_nmi", score.Information
            $"{name}_logistic", LinearProbe.accuracy weights test testLabels
        ]

    /// What takes clusters and fits: of explained mass, and of presence.
    let probes (key: Key) (train: ScaeReading) (test: ScaeReading) : Metrics =
        let of' (name: string) (representation: ScaeReading -> float[][]) =
            ofRepresentation name key (representation train, train.Labels) (representation test, test.Labels)

        of' "posterior" _.Posterior @ of' "prior" _.Prior

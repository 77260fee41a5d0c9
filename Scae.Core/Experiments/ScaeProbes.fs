namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Representations of the digits from which clusters and probes are learned, and of those on which they are measured, under
/// one treatment of noise.
type ScaeSamples =
    {
        /// Digits that the model was trained with.
        Train: ScaeRepresentation
        Test: ScaeRepresentation
        /// Affine views of test digits.
        Viewpoints: ScaeRepresentation
    }

/// The results for one kind of representation.
type ScaeFinding =
    {
        /// "posterior" for explained mass, "prior" for presence.
        Name: string
        Clusters: ClusterMatchingScore
        Metrics: Metrics
    }

/// All results that need clusters and fits, for the parameters at the time when they were asked for.
type ScaeProbed = { Findings: ScaeFinding list; Metrics: Metrics }

/// How well classes can be told from what object capsules say. These measures are too costly for every epoch.
[<RequireQualifiedAccess>]
module ScaeProbes =
    // The penalty of the fitted probe's weights.
    [<Literal>]
    let private Ridge = 1e-4

    /// The results for one kind of representation: LIN-MATCH in its three forms, the information in its clusters, the accuracies
    /// of a fitted probe and of the nearest training digit, and LIN-MATCH of affine viewpoints with the clusters and the matching
    /// of training digits.
    let private finding
        (key: Key)
        (name: string)
        (representation: ScaeRepresentation -> float[][])
        (samples: ScaeSamples)
        : ScaeFinding =
        let of' (sample: ScaeRepresentation) = representation sample, sample.Labels
        let train, trainLabels = of' samples.Train
        let test = of' samples.Test
        let score = ClusterMatching.evaluate (key.Named name) KMeans.digits (train, trainLabels) test
        let weights = LogisticProbe.fit ScaeConfig.Classes Ridge train trainLabels

        {
            Name = name
            Clusters = score
            Metrics =
                [
                    $"{name}_match", score.Strict
                    $"{name}_match_on_test", score.MatchedOnTest
                    $"{name}_match_refitted", score.RefittedOnTest
                    $"{name}_nmi", score.Information
                    $"{name}_logistic", test ||> LinearProbe.accuracy weights
                    $"{name}_nearest", NearestNeighbours.accuracy (train, trainLabels) test
                    $"{name}_match_viewpoints", ClusterMatching.ofOthers score (of' samples.Viewpoints)
                ]
        }

    /// The accuracy of the online probes, which have learned from the views of training, on affine viewpoints.
    let private online (samples: ScaeSamples) : Metrics =
        let seen = samples.Viewpoints

        [
            "posterior_probe_viewpoints", ScaeMeasures.agreement seen.Labels seen.PosteriorClasses
            "prior_probe_viewpoints", ScaeMeasures.agreement seen.Labels seen.PriorClasses
        ]

    let private findings (key: Key) (samples: ScaeSamples) : ScaeFinding list =
        [ finding key "posterior" _.Posterior samples; finding key "prior" _.Prior samples ]

    /// All measures of samples; a pure function of the key.
    let ofSamples (key: Key) (samples: ScaeSamples) : ScaeProbed =
        let findings = findings key samples

        {
            Findings = findings
            Metrics = (findings |> List.collect _.Metrics) @ online samples
        }

    // The measures that are reported for the other treatment of noise.
    let private told = [ "match"; "logistic"; "nearest"; "match_viewpoints"; "probe"; "probe_viewpoints" ]

    let private mostTelling (samples: ScaeSamples) (probed: ScaeProbed) : Metrics =
        let test = samples.Test

        let probes =
            [
                "posterior_probe", ScaeMeasures.agreement test.Labels test.PosteriorClasses
                "prior_probe", ScaeMeasures.agreement test.Labels test.PriorClasses
            ]

        probes @ probed.Metrics
        |> List.filter (fun (name, _) -> told |> List.contains (name.Substring(name.IndexOf '_' + 1)))

    let private represented
        (data: ScaeData)
        (represent: ScaeScenes -> ScaeRepresentation)
        (test: ScaeRepresentation)
        : ScaeSamples =
        {
            Train = represent data.Probe.Value
            Test = test
            Viewpoints = represent data.Viewpoints.Value
        }

    /// All measures of test digits that were read.
    let ofReading (settings: ScaeSettings) (data: ScaeData) (model: Scae) (reading: ScaeReading) : ScaeProbed =
        reading.Representation
        |> represented data (ScaeRepresentation.ofScenes settings model)
        |> ofSamples data.Clusters

    /// The most telling of these measures, and the online probes' accuracy, under the other treatment of noise. Names begin with
    /// noiseless_ if there is noise when measuring, as in the released program, and with noisy_ if there is none. Nothing for a
    /// model that is trained without noise.
    let underOtherNoise (settings: ScaeSettings) (data: ScaeData) (model: Scae) : Metrics =
        if settings.Noise = 0.0 then
            []
        else
            let treatment = if settings.EvaluationNoise then "noiseless" else "noisy"
            let other = { settings with EvaluationNoise = not settings.EvaluationNoise }
            let represent = ScaeRepresentation.ofScenes other model
            let samples = represented data represent (represent data.Test)

            ofSamples data.Clusters samples
            |> mostTelling samples
            |> List.map (fun (name, value) -> $"{treatment}_{name}", value)

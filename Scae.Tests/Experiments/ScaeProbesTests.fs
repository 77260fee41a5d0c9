module Scae.Tests.Experiments.ScaeProbesTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Experiments.SmallScae

/// Capsules that are classes.
let private perfect (count: int) : ScaeRepresentation =
    let labels = Array.init count (fun i -> i % 10)
    let hot = labels |> Array.map (fun label -> Array.init 10 (fun k -> if k = label then 1.0 else 0.0))

    {
        Labels = labels
        Prior = hot
        Posterior = hot
        PriorClasses = labels
        PosteriorClasses = labels
    }

let private renamed (representation: ScaeRepresentation) : ScaeRepresentation =
    { representation with
        Labels = representation.Labels |> Array.map (fun label -> (label + 1) % 10)
    }

let private measured (samples: ScaeSamples) : Map<string, float> =
    (ScaeProbes.ofSamples (Key.OfSeed 1L) samples).Metrics |> Map.ofList

[<Tests>]
let tests =
    testList
        "Experiments.ScaeProbes"
        [
            testCase "perfect knowledge is measured as such, of both representations"
            <| fun () ->
                let all = perfect 100
                let found = ScaeProbes.ofSamples (Key.OfSeed 1L) { Train = all; Test = all; Viewpoints = all }

                found.Findings |> List.map _.Name |> shouldEqual [ "posterior"; "prior" ]

                for name, value in found.Metrics do
                    if not (value >= 1.0 - 1e-9) then
                        failtest $"{name}: {value}"

                for finding in found.Findings do
                    finding.Clusters.Confusion |> shouldEqual (Array2D.init 10 10 (fun i j -> if i = j then 10 else 0))

            testCase "what tells nothing is measured as such, under its own name"
            <| fun () ->
                let all = perfect 100
                let dull = Array.create 100 (Array.create 10 0.1)
                let classes = Array.zeroCreate 100

                for knowing, dull, sample in
                    [
                        "prior", "posterior", { all with Posterior = dull; PosteriorClasses = classes }
                        "posterior", "prior", { all with Prior = dull; PriorClasses = classes }
                    ] do
                    let found = measured { Train = sample; Test = sample; Viewpoints = sample }

                    for name in
                        [
                            "match"
                            "match_on_test"
                            "match_refitted"
                            "nmi"
                            "logistic"
                            "nearest"
                            "match_viewpoints"
                            "probe_viewpoints"
                        ] do
                        found[$"{knowing}_{name}"] |> shouldBeAtLeast (1.0 - 1e-9)
                        found[$"{dull}_{name}"] |> shouldBeIn (0.0, 0.2)

            testCase "only what is matched on test labels follows them when they are renamed"
            <| fun () ->
                let all = perfect 100
                let found = measured { Train = all; Test = renamed all; Viewpoints = all }

                for name in [ "posterior"; "prior" ] do
                    found[$"{name}_match"] |> shouldEqual 0.0
                    found[$"{name}_match_on_test"] |> shouldEqual 1.0
                    found[$"{name}_match_refitted"] |> shouldEqual 1.0
                    found[$"{name}_nmi"] |> shouldBeNear 1e-12 1.0
                    found[$"{name}_logistic"] |> shouldEqual 0.0
                    found[$"{name}_nearest"] |> shouldEqual 0.0
                    found[$"{name}_match_viewpoints"] |> shouldEqual 1.0
                    found[$"{name}_probe_viewpoints"] |> shouldEqual 1.0

            testCase "affine viewpoints are judged by clusters, matching and probes of training digits"
            <| fun () ->
                let all = perfect 100
                let found = measured { Train = all; Test = all; Viewpoints = renamed all }

                for name in [ "posterior"; "prior" ] do
                    found[$"{name}_match"] |> shouldEqual 1.0
                    found[$"{name}_match_viewpoints"] |> shouldEqual 0.0
                    found[$"{name}_probe_viewpoints"] |> shouldEqual 0.0

            testCase "a representation has the numbers of a reading, and none but those"
            <| fun () ->
                for evaluationNoise in [ true; false ] do
                    let settings, data, model = small evaluationNoise
                    let reading = ScaeReading.read settings data model Test
                    let found = ScaeRepresentation.ofScenes settings model data.Test
                    found |> shouldEqual reading.Representation
                    // The model isn't so dull that every digit looks the same.
                    found.Posterior |> Array.distinct |> Array.length |> shouldBeGreaterThan 20

            testCase "the other treatment of noise is told under its own name, and is what the setting gives"
            <| fun () ->
                let ofNoise (evaluationNoise: bool) =
                    let settings, data, model = small evaluationNoise
                    let reading = ScaeReading.read settings data model Test

                    (ScaeProbes.ofReading settings data model reading).Metrics
                    @ ScaeProbes.underOtherNoise settings data model
                    |> Map.ofList,
                    ScaeMeasures.ofReading reading |> Map.ofList

                let noisy, noisyPlain = ofNoise true
                let quiet, quietPlain = ofNoise false

                for name in [ "posterior_match"; "prior_match"; "posterior_logistic"; "prior_match_viewpoints" ] do
                    noisy[$"noiseless_{name}"] |> shouldEqual quiet[name]
                    quiet[$"noisy_{name}"] |> shouldEqual noisy[name]

                noisy["noiseless_posterior_probe"] |> shouldEqual quietPlain["posterior_probe"]
                quiet["noisy_prior_probe"] |> shouldEqual noisyPlain["prior_probe"]
                noisy["noiseless_posterior_match"] |> shouldDiffer noisy["posterior_match"]

            testCase "where there is no noise there is no other treatment of it"
            <| fun () ->
                let settings, data, model = small true
                let settings = { settings with Noise = 0.0 }
                ScaeProbes.underOtherNoise settings data model |> shouldBeEmpty
        ]

/// What capsules that recognise their templates are trained with, and what network and search find, together and alone.
module Scae.Tests.Experiments.RoutingExperimentTests

open Expecto
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Training
open Scae.Tests.Values

/// The settings of a preset, with a small network.
let private settings (preset: string) (overrides: (string * string) list) : RoutingExperimentSettings =
    let preset =
        Experiments.find "constellations"
        |> Result.bind (Experiments.preset (Some preset))
        |> Trained.accepted

    let small = [ "width", "16"; "hidden", "16"; "pairs", "8"; "robustness-size", "0" ]

    Settings.apply (preset.Settings @ small @ overrides) RoutingExperiment.defaults
    |> Result.bind RoutingExperiment.resolve
    |> Result.map fst
    |> Trained.accepted

let private scenes (config: RoutingExperimentSettings) (count: int) : Constellations =
    Constellations.sample (RoutingSettings.scenes config.Routing) count (Key.OfSeed 6L)

/// What an untrained model, drawn from a seed, finds in scenes.
let private reading (config: RoutingExperimentSettings) (seed: int64) (scenes: Constellations) : RoutingReading =
    let data: RoutingData =
        {
            Scenes =
                {
                    Templates = config.Routing.Capsules.Templates
                    Validation = scenes
                    Test = scenes
                    Shown = scenes
                }
            Proposals = Key.OfSeed 8L
        }

    let model = RoutingCapsules.init config.Routing.Capsules Dtype.Float32 (Key.OfSeed seed)
    RoutingExperiment.read config data model Test

let private measured (config: RoutingExperimentSettings) (seed: int64) (count: int) : Map<string, float> =
    reading config seed (scenes config count) |> RoutingExperiment.metrics config |> Map.ofList

/// A training batch of six scenes, always from the same key.
let private batch (config: RoutingExperimentSettings) : RoutingBatch =
    let batch = RoutingCapsules.allocate config.Routing.Capsules (RoutingExperiment.trainingScenes config) 6

    RoutingExperiment.fill config (Key.OfSeed 9L) batch
    batch

let private values (x: Tensor) = x.toArray<float32>()

[<Tests>]
let tests =
    testList
        "Experiments.RoutingExperiment"
        [
            testCase "beyond finds in scenes that are moved and scaled what fits them as well"
            <| fun () ->
                let config = settings "beyond" []
                let templates = config.Routing.Capsules.Templates
                let here = scenes config 12
                let there = { here with Points = here.Points * 40.0 + 7.0 }
                let before, after = reading config 1L here, reading config 1L there

                largestDifference (values before.LogProbabilities) (values after.LogProbabilities)
                |> shouldBeLessThan 1e-3f

                for poses in
                    [
                        fun (reading: RoutingReading) -> fst reading.Found
                        fun reading -> reading.ByNetwork
                        fun reading -> fst reading.BySearch
                    ] do
                    let chamfer scenes reading =
                        Map.ofList(ConstellationsMeasures.ofPoses templates scenes (poses reading))["chamfer"]

                    // Squared distances. Poses themselves may be others: a square that is taken for a triangle has four that fit alike.
                    let expected = 1600.0 * chamfer here before
                    chamfer there after |> shouldBeNear (1e-3 * (1.0 + expected)) expected

            for preset in [ "beyond"; "five-beyond" ] do
                testCase $"scenes are read with as many proposals as the settings say ({preset})"
                <| fun () ->
                    let fits (finalStarts: int) =
                        let measured = measured (settings preset [ "final-starts", string finalStarts ]) 1L 8
                        measured["fits_per_scene"], measured["search_fits_per_scene"]

                    let together, alone = fits 1
                    let manyTogether, manyAlone = fits 16
                    manyTogether |> shouldBeGreaterThan together
                    manyAlone |> shouldBeGreaterThan alone
                    // Without a number of their own, with that of training.
                    fits 0 |> shouldEqual (fits (settings preset []).Routing.Capsules.Search.Starts)

            testCase "network and search are measured each alone, too"
            <| fun () ->
                let config = settings "routing" [ "starts", "8" ]
                let one, other = measured config 1L 40, measured config 2L 40
                // The network's first proposal isn't improved.
                one["network_raw_recovery"] |> shouldBeLessThan one["raw_recovery"]
                one["network_recovery"] |> shouldBeLessThan one["recovery"]
                one["network_raw_recovery"] |> shouldDiffer other["network_raw_recovery"]
                // The search alone doesn't know the network.
                one["fits_per_scene"] |> shouldDiffer other["fits_per_scene"]

                for name in [ "search_recovery"; "search_raw_recovery"; "search_fits_per_scene" ] do
                    one[name] |> shouldEqual other[name]

            testCase "training scenes are crowded as the settings say"
            <| fun () ->
                let points crowding =
                    values (batch (settings "beyond" [ "noise", "0"; "crowding", crowding ])).Scenes.Points

                let expected crowding =
                    let scenes = { Constellations.published with Crowding = crowding }
                    values (Constellations.sample scenes 6 ((Key.OfSeed 9L).Named "scenes")).Points

                points "5" |> shouldEqual (expected 5.0)
                points "1" |> shouldEqual (expected 1.0)
                points "5" |> shouldDiffer (points "1")

            testCase "training scenes have noise up to what the settings say"
            <| fun () ->
                let drawn noise = batch (settings "beyond" [ "noise", noise ])
                let noisy, plain = drawn "0.1", drawn "0"
                values plain.Deviations |> shouldEqual (Array.zeroCreate 6)
                values noisy.Deviations |> Array.max |> float |> shouldBeIn (0.03, 0.1)
                values noisy.Scenes.Points |> shouldDiffer (values plain.Scenes.Points)

                largestDifference (values noisy.Scenes.Points) (values plain.Scenes.Points) |> shouldBeLessThan 0.5f

            testCase "training scenes have the distractors that the settings say"
            <| fun () ->
                for count in [ 0; 2 ] do
                    let drawn = batch (settings "distractors" [ "distractors", string count ])
                    drawn.Scenes.Points.shape |> shouldEqual [| 6; 11 + count; 2 |]

                    for scene in Array.chunkBySize (11 + count) drawn.Scenes.Labels do
                        scene |> Array.filter ((=) 3) |> shouldHaveLength count
        ]

module Scae.Tests.Experiments.TvaeLikelihoodTests

open System
open Expecto
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Layers
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Data
open Scae.Tests.Training

let private settings (overrides: (string * string) list) : TvaeSettings =
    Settings.apply overrides TvaeSettings.published
    |> Result.bind TvaeSettings.resolve
    |> Trained.accepted
    |> fst

let private scenes (motion: DigitMotion) (count: int) : TvaeScenes =
    {
        Images = TvaeImages.Digits TestDigits.sets.Value.Test
        Motion = motion
        Chosen = [| 0 .. count - 1 |]
        Key = Key.OfSeed 5L
    }

let private init (settings: TvaeSettings) : TopographicVae =
    TopographicVae.init settings.Model Dtype.Float32 (Key.OfSeed 4L)

[<Tests>]
let tests =
    testList
        "Experiments.TvaeLikelihood"
        [
            testCase "draws beyond those that are made at once are further ones, and leave the first as they are"
            <| fun () ->
                let reading (draws: int) =
                    let settings = { TvaeSettings.published with Draws = draws; Model.Capsules = 2 }

                    let model = init settings

                    TvaeReading.ofScenes settings model (scenes DigitMotion.Single 3)

                let one, few, many = reading 1, reading 10, reading 23
                one.Weights[0] |> shouldEqual few.Weights[0]
                one.Equivariance |> shouldEqual few.Equivariance
                many.Weights[..9] |> shouldEqual few.Weights
                many.Weights |> shouldHaveLength 23
                many.Weights |> Array.distinct |> shouldHaveLength 23
                many.Weights |> Array.concat |> Array.forall Double.IsFinite |> shouldEqual true
                { many with Weights = few.Weights } |> shouldEqual few

            testCase "the annealed likelihood is that of 20,000 draws where those suffice, and closer where they don't"
            <| fun () ->
                for grouping in [ Grouping.Plain; Grouping.Torus ] do
                    let settings =
                        settings
                            [
                                "motion", "still"
                                "test-motion", "still"
                                "capsules", "1"
                                "entries", "4"
                                "grouping", Settings.kebab (string grouping)
                                "kernel", "2"
                                "width", "2"
                                "draws", "20000"
                                "annealing", "200"
                                "annealed-size", "6"
                            ]

                    let model =
                        init settings
                        |> Parameters.mapi (fun name tensor ->
                            if name.StartsWith "decoder" then tensor * 4.0 else tensor)

                    let reading = TvaeReading.ofScenes settings model (scenes DigitMotion.Still 9)

                    let annealed = TvaeAnnealing.likelihood settings.Model model 200 6 reading.Scenes

                    let first (draws: int) =
                        reading.Weights[.. draws - 1] |> Array.map (Array.truncate 6) |> ImportanceSampling.perFrame

                    let difference = annealed - first 20000

                    match grouping with
                    | Grouping.Plain ->
                        // Four latents.
                        difference |> shouldBeNear 0.5 0.0
                        first 20000 |> shouldBeGreaterThan (first 1 + 2.0)
                    // Eight, and T is small or large with what u happens to be.
                    | _ -> difference |> shouldBeGreaterThan 10.0

                    // That of all images is as much higher than that of draws as it is for the first.
                    TvaeMeasures.annealed settings model reading
                    |> shouldEqual
                        [ "likelihood_annealed", ImportanceSampling.perFrame reading.Weights + annealed - first 20000 ]

                    TvaeMeasures.annealed { settings with Annealing = 0 } model reading |> shouldEqual []

            testCase "whole sequences are annealed where frames share scales, whatever the number read at once"
            <| fun () ->
                let settings = { TvaeSettings.published with Draws = 10; Model.Capsules = 2 }
                let model = init settings

                let few = scenes DigitMotion.Single 10

                let reading = TvaeReading.ofScenes settings model few
                let sampled = ImportanceSampling.perSequence settings.Model.Frames reading.Weights
                let annealed count = TvaeAnnealing.likelihood settings.Model model 20 count few
                let all = annealed 10
                all |> shouldBeGreaterThan sampled
                all |> shouldBeLessThan 0.0
                annealed 50 |> shouldEqual all
                annealed 8 |> shouldDiffer all

            testCase "the likelihood is of frames where they don't depend on each other, otherwise of sequences"
            <| fun () ->
                for grouping, kernel, ofFrames in
                    [
                        Grouping.Plain, 13, true
                        Grouping.Box, 1, true
                        Grouping.Box, 2, false
                        Grouping.Shifting, 13, false
                        Grouping.Shifting, 1, true
                    ] do
                    let settings =
                        { TvaeSettings.published with
                            Draws = 3
                            Model.Capsules = 2
                            Model.Grouping = grouping
                            Model.Kernel = kernel
                        }

                    let reading = TvaeReading.ofScenes settings (init settings) (scenes DigitMotion.Single 3)

                    let metrics = TvaeMeasures.ofReading settings reading |> Map.ofList
                    let ofSequences = ImportanceSampling.perSequence settings.Model.Frames reading.Weights
                    ofSequences |> shouldBeLessThan (metrics["likelihood_frame"] - 1e-3)

                    metrics["likelihood"]
                    |> shouldEqual (
                        if ofFrames then
                            metrics["likelihood_frame"]
                        else
                            ofSequences
                    )
        ]

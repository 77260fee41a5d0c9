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

            testCase "the annealed likelihood is that of very many draws, where those suffice"
            <| fun () ->
                let still = [ "motion", "still"; "test-motion", "still"; "entries", "4" ]

                for grouping, gain, overrides in
                    [
                        // Four latents.
                        Grouping.Plain, 4.0, still
                        // Two z and two u a frame, whose scales are shared by three frames.
                        Grouping.Box, 3.0, [ "entries", "2"; "kernel", "3"; "width", "1" ]
                        // Four and four.
                        Grouping.Torus, 4.0, still @ [ "kernel", "2"; "width", "2" ]
                    ] do
                    let settings =
                        settings (
                            [ "capsules", "1"; "draws", "5000"; "grouping", Settings.kebab (string grouping) ]
                            @ overrides
                        )

                    let model =
                        TopographicVae.init { settings.Model with Mu = 1.0 } Dtype.Float32 (Key.OfSeed 4L)
                        |> Parameters.mapi (fun name tensor ->
                            if name.StartsWith "decoder" then tensor * gain else tensor)

                    let reading = TvaeReading.ofScenes settings model (scenes settings.Motion 3)

                    let ofDraws (count: int) =
                        TvaeMeasures.ofReading settings { reading with Weights = reading.Weights[.. count - 1] }
                        |> List.find (fun (name, _) -> name = "likelihood")
                        |> snd

                    let annealed = TvaeAnnealing.estimates settings.Model model 200 3 reading.Scenes |> Array.average

                    let tolerance = if grouping = Grouping.Box then 0.08 else 0.5
                    annealed |> shouldBeNear tolerance (ofDraws 5000)
                    ofDraws 5000 |> shouldBeGreaterThan (ofDraws 1 + 2.0 * tolerance)

            testCase "what annealing adds to the first sequences is added to all"
            <| fun () ->
                let settings = settings [ "capsules", "2"; "draws", "10"; "annealing", "20"; "annealed-size", "9" ]

                let model = init settings
                let reading = TvaeReading.ofScenes settings model (scenes DigitMotion.Single 11)
                let frames = settings.Model.Frames
                let estimates count = TvaeAnnealing.estimates settings.Model model 20 count reading.Scenes

                let drawn sequences =
                    reading.Weights
                    |> Array.map (Array.truncate (sequences * frames))
                    |> ImportanceSampling.perSequence frames

                // Eight are annealed at once.
                estimates 9 |> shouldHaveLength 9
                (estimates 9)[..7] |> shouldEqual (estimates 8)
                let gain = Array.average (estimates 9) - drawn 9
                gain |> shouldBeGreaterThan 0.0

                match TvaeMeasures.annealed settings model reading with
                | [ "likelihood_annealed", value; "likelihood_annealed_uncertainty", error ] ->
                    value |> shouldBeNear 1e-9 (drawn 11 + gain)

                    let gains =
                        estimates 9
                        |> Array.mapi (fun i estimate ->
                            let own = reading.Weights |> Array.map (fun draw -> Array.sub draw (i * frames) frames)
                            estimate - ImportanceSampling.perSequence frames own)

                    let deviation = sqrt ((gains |> Array.sumBy (fun each -> (each - gain) ** 2.0)) / 8.0)
                    error |> shouldBeNear 1e-9 (deviation / 3.0)
                | other -> failtest $"%A{other}"

                TvaeMeasures.annealed { settings with Annealing = 0 } model reading |> shouldBeEmpty

                // More than there are: all.
                match TvaeMeasures.annealed { settings with AnnealedSize = 1_000_000 } model reading with
                | ("likelihood_annealed", value) :: _ -> value |> shouldBeNear 1e-9 (Array.average (estimates 11))
                | other -> failtest $"%A{other}"

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

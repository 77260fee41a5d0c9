module Scae.Tests.Experiments.AirExperimentTests

open System
open Scae.Tests
open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Data
open Scae.Tests.Training

let private resources: Resources = TestDigits.resources

let private preset (name: string) =
    AirExperiment.experiment.Specification.Presets |> List.find (fun preset -> preset.Name = name)

let private small =
    [
        "digits", (if TestDigits.folder.IsSome then "mnist" else "strokes")
        "train-size", "40"
        "batch-size", "8"
        "validation-size", "12"
        "test-size", "10"
        "probe-size", "12"
    ]

let private session (name: string) (overrides: (string * string) list) (seed: int) =
    AirExperiment.experiment.Configure (preset name) (small @ overrides)
    |> Result.bind (fun task -> task.Open resources (Keys.ofSeed seed))
    |> function
        | Ok session -> session
        | Error message -> failwith message

/// Fewer scenes of each condition, where there are any.
let private fewer (preset: string) =
    if preset = "bad-light" then
        [ "conditions-size", "3" ]
    else
        []

let private lit = [ "background", "mixed"; "contrast", "0.4,0.8"; "zoom", "0.8,1.2" ]

let private refusal (overrides: (string * string) list) =
    match Experiment.configure AirExperiment.experiment (preset "published") overrides with
    | Error message -> message
    | Ok _ -> failwith "accepted"

let private scenes =
    lazy (MultiMnist.sample MultiMnist.published TestDigits.sets.Value.Test 60 (Key.OfSeed 1L))

[<Tests>]
let tests =
    testList
        "Experiments.AirExperiment"
        [
            testCase "hyperparameters that don't fit each other are refused in one line"
            <| fun () ->
                refusal [ "smallest", "19" ]
                |> shouldEqual "--smallest 19: must be at most the largest, which is 18"

                refusal [ "canvas", "17" ] |> shouldEqual "--canvas 17: must be at least 18, for the largest digits"

                refusal [ "encoding", "recurrent"; "overview", "33" ]
                |> shouldEqual "--overview 33: must be at most the canvas, which is 32"

                refusal [ "decoding", "convolutional"; "patch", "18" ]
                |> shouldEqual "--patch 18: must be a multiple of 4 for a convolutional decoder"

                refusal [ "recombined", "12"; "objects", "1" ]
                |> shouldEqual "--recombined 12: needs --objects 2 or more, which is 1"

                for name, value in
                    [
                        "recombined-partners", "2"
                        "recombined-weight", "5"
                        "recombined-doubt", "0.25"
                        "recombined-apart", "true"
                        "second-learning", "likelihood"
                        "second-learning", "non-negative"
                        "second-from-bound", "false"
                    ] do
                    refusal [ name, value ] |> shouldEqual $"--{name} {value}: needs --recombined above 0"

                refusal [ "restorer-target", "plain" ]
                |> shouldEqual "--restorer-target plain: needs --restorer above 0"

                // Conditions show digits as they are, however small those of training are.
                refusal [ "canvas", "16"; "zoom", "0.5"; "conditions-size", "10" ]
                |> shouldEqual "--conditions-size 10: needs --canvas 18 or more, for digits that aren't zoomed"

                refusal [ "recombined", "12"; "second-from-bound", "false" ]
                |> shouldEqual "--second-from-bound false: needs --presence expected"

                for others in [ []; [ "counter", "4" ]; [ "recombined", "12" ] ] do
                    refusal (("counter-late", "true") :: others)
                    |> shouldEqual "--counter-late true: needs --counter and --recombined above 0"

                refusal [ "recombined", "12"; "recombined-doubt", "0.6" ]
                |> shouldEqual "--recombined-doubt 0.6: must be a number from 0.001 to 0.5"

                refusal [ "prior", "0.5,1" ]
                |> shouldEqual "--prior 0.5,1: must be numbers from 1E-06 to 0.999999, separated by commas"

                refusal [ "finder", "1" ] |> shouldEqual "--finder 1: needs --encoding recurrent"

                for name, value in [ "temperature-start", "2"; "temperature-end", "0.5" ] do
                    refusal [ "presence", "expected"; name, value ]
                    |> shouldEqual $"--{name} {value}: needs --presence relaxed"

                refusal [ "prior-start", "0.9" ] |> shouldEqual "--prior-start 0.9: needs --anneal-steps above 0"

                refusal [ "prior-start", "1e-50"; "anneal-steps", "10" ]
                |> shouldEqual "--prior-start 1E-50: must be 0 or at least 1E-06"

                refusal [ "encoding", "recurrent"; "finder", "1"; "overview", "1" ]
                |> shouldEqual "--overview 1: must be from 2 to 64 for a finder (0 is the canvas, 32)"

                refusal [ "contrast", "0" ]
                |> shouldEqual "--contrast 0: must be numbers from 0.01 to 1, separated by commas"

                refusal [ "contrast", "1,0.5" ]
                |> shouldEqual "--contrast 1,0.5: must be one number, or two of which the second isn't the smaller"

                refusal [ "zoom", "1,1.1,1.2" ]
                |> shouldEqual "--zoom 1,1.1,1.2: must be one number, or two of which the second isn't the smaller"

                refusal [ "background-strength", "0.4,0.1" ]
                |> shouldEqual
                    "--background-strength 0.4,0.1: must be one number, or two of which the second isn't the smaller"

                refusal [ "background", "fog" ]
                |> shouldEqual "--background fog: must be one of none, noise, stripes, clouds, mixed"

                refusal [ "zoom", "2" ] |> shouldEqual "--canvas 32: must be at least 36, for the largest digits"

                refusal [ "encoding", "recurrent"; "finder", "1"; "canvas", "256" ]
                |> shouldEqual "--overview 0: must be from 2 to 64 for a finder (0 is the canvas, 256)"

            testCase "a folder without MNIST is refused in one line with the ways out"
            <| fun () ->
                let folder = IO.Directory.CreateTempSubdirectory "scae-air"

                try
                    AirExperiment.experiment.Configure (preset "published") [ "digits", "mnist" ]
                    |> Result.bind (fun task ->
                        task.Open (Scae.Cli.Data.MnistFiles.Resources folder.FullName) (Keys.ofSeed 0))
                    |> function
                        | Ok _ -> failtest "accepted"
                        | Error message ->
                            message
                            |> shouldEqual
                                $"train-images-idx3-ubyte.gz isn't in {folder.FullName} (which --data names): put the four MNIST files there, name their folder with --data or SCAE_DATA, or use --digits strokes"
                finally
                    folder.Delete true

            testCase "every preset can be trained, measured and drawn"
            <| fun () ->
                for preset in AirExperiment.experiment.Specification.Presets do
                    let session = session preset.Name ([ "train-size", "0"; "batch-size", "2" ] @ fewer preset.Name) 1
                    session.Learner.Fill 0
                    let recording = Recording.Of(fun () -> Seq.singleton (session.Learner.Loss()).Total)
                    recording.Forward()
                    recording.Reverse()
                    Double.IsFinite(recording.Outputs[0].toScalar()) |> shouldEqual true
                    let metrics = Trained.metrics session Validation
                    metrics |> List.map fst |> shouldContain "count_accuracy"

                    let history =
                        {
                            Evaluations =
                                [ { Epoch = 1; Step = 46; TrainLoss = 2.0; TrainTerms = []; Metrics = metrics } ]
                            Snapshots = [ { Step = 0; Values = session.Learner.Snapshot() } ]
                        }

                    (session.Inspect()).Figures history
                    |> List.map _.Name
                    |> shouldEqual
                        [
                            "dataset-examples"
                            "training-curves"
                            "attention-boxes"
                            "reconstructions"
                            "patches"
                            "count-confusion"
                            "miscounted"
                            if preset.Name = "bad-light" then
                                "conditions"
                                "conditions-examples"
                        ]

                    match session.Animation history with
                    | Some animation -> animation.Frames.Length |> shouldEqual 1
                    | None -> failtest "no animation"

            testCase "pictures count as is measured, and say what the weights of steps are"
            <| fun () ->
                let figures overrides seed =
                    let session = session "quick" ([ "validation-size", "8" ] @ overrides) seed
                    (session.Inspect()).Figures { Evaluations = []; Snapshots = [] }

                let find (name: string) (figures: Figure list) = figures |> List.find (fun figure -> figure.Name = name)

                let titles name figures = (find name figures).Panels |> List.concat |> List.map _.Title
                let moved = [ "presence", "expected"; "counter", "16"; "measured-shift", "3" ]

                // The counts in the titles, for five models. The wrong ones must be those that the reading counts wrong, too.
                let counted =
                    [
                        for seed in 0..4 ->
                            let figures = figures moved seed
                            let all = titles "attention-boxes" figures

                            let wrong =
                                all
                                |> List.filter (fun title ->
                                    let words = title.Split ' '
                                    words[0] <> words[2])

                            wrong |> shouldEqual (titles "miscounted" figures |> List.filter ((<>) "none"))
                            all
                    ]

                let unmoved =
                    [
                        for seed in 0..4 ->
                            figures [ "presence", "expected"; "counter", "16" ] seed |> titles "attention-boxes"
                    ]

                counted |> shouldDiffer unmoved

                for weighed, presence in [ true, "relaxed"; false, "expected" ] do
                    let figure = figures [ "presence", presence ] 0 |> find "reconstructions"
                    figure.Note.Contains("times its weight", StringComparison.Ordinal) |> shouldEqual weighed

            testCase "every preset's gradients can be checked"
            <| fun () ->
                for preset in AirExperiment.experiment.Specification.Presets do
                    AirExperiment.experiment.Configure
                        preset
                        (small
                         @ [ "hidden", "9"; "features", "8"; "glimpse-hidden", "7"; "decoder-hidden", "6"; "what", "5" ]
                         @ (if List.contains preset.Name [ "published"; "quick" ] then
                                []
                            else
                                [ "context", "5" ]))
                    |> Result.bind (fun task -> task.CheckGradient 2 resources (Keys.ofSeed 0))
                    |> Gradients.shouldBeOfTheLoss 1e-5 _.StartsWith("baseline")

            testCase "gradients are checked in a step in which recombined scenes and the counter count"
            <| fun () ->
                let preset = Trained.accepted (Experiments.preset (Some "bad-light") AirExperiment.experiment)
                // What begins after training has ended never begins.
                let norms (annealSteps: string) =
                    AirExperiment.experiment.Configure
                        preset
                        (small @ [ "hidden", "9"; "features", "8"; "context", "5"; "anneal-steps", annealSteps ])
                    |> Result.bind (fun task -> task.CheckGradient 4 resources (Keys.ofSeed 0))
                    |> Trained.accepted
                    |> List.filter (fun comparison -> comparison.Parameter.StartsWith "counter")
                    |> List.map _.Norm

                norms "1" |> List.sum |> shouldBeGreaterThan 0.0
                norms "1000000000" |> List.sum |> shouldEqual 0.0

            testCase "scenes are counted under each condition, by name"
            <| fun () ->
                let session = session "published" (("conditions-size", "4") :: lit) 1

                let names =
                    Trained.metrics session Test
                    |> List.map fst
                    |> List.filter (fun name -> name.EndsWith "_count_accuracy")

                let other =
                    if TestDigits.folder.IsSome then
                        [ "strokes_count_accuracy" ]
                    else
                        []

                names
                |> shouldEqual (
                    [
                        "plain_count_accuracy"
                        "noise_0.10_count_accuracy"
                        "noise_0.20_count_accuracy"
                        "noise_0.30_count_accuracy"
                        "noise_0.40_count_accuracy"
                        "stripes_0.20_count_accuracy"
                        "stripes_0.40_count_accuracy"
                        "clouds_0.20_count_accuracy"
                        "clouds_0.40_count_accuracy"
                        "contrast_0.50_count_accuracy"
                        "contrast_0.33_count_accuracy"
                        "size_0.70_count_accuracy"
                        "size_1.30_count_accuracy"
                    ]
                    @ other
                )

                Trained.metrics session Validation
                |> List.map fst
                |> List.exists (fun name -> name.EndsWith "_count_accuracy")
                |> shouldEqual false

            testCase "conditions have the same scenes in different light, empty ones too"
            <| fun () ->
                let config = { AirSettings.published with ConditionsSize = 20; Digits = DigitSource.Strokes }

                let samples =
                    AirConditions.all config resources (StrokeDigits.sample 50 (Key.OfSeed 2L)) (Key.OfSeed 3L)
                    |> List.filter (fun condition -> condition.Name <> "mnist")
                    |> List.map (fun condition -> condition.Name, condition.Sample 20)

                let plain = snd samples.Head

                for name, scenes in samples.Tail do
                    scenes.Images.toArray<float32>() |> shouldDiffer (plain.Images.toArray<float32>())

                    if not (name.StartsWith "size") then
                        scenes.Truth |> shouldEqual plain.Truth

                let images (name: string) = (List.find (fst >> (=) name) samples |> snd).Images
                let empty = plain.Truth |> Array.findIndex Array.isEmpty
                let emptyOf name = ((images name).select(0, empty)).toArray<float32>() |> Array.map float

                // What is left of normal noise on black has the mean σ/√2π.
                for strength in [ 0.1; 0.2; 0.3; 0.4 ] do
                    Array.average (emptyOf $"noise_%.2f{strength}") |> shouldBeIn (0.34 * strength, 0.46 * strength)

                // A stripe's neighbours tell it: c(x − 1) + c(x + 1) = 2 cos(k)·c(x) for the same k everywhere.
                let unevenness name strength =
                    let canvas, values = config.Scenes.Canvas, emptyOf name |> Array.map (fun v -> v - 0.5 * strength)

                    let triples =
                        [
                            for i in 1 .. values.Length - 2 do
                                if i % canvas > 0 && i % canvas < canvas - 1 then
                                    values[i - 1] + values[i + 1], values[i]
                        ]

                    let a = List.sumBy (fun (sum, v) -> sum * v) triples / List.sumBy (fun (_, v) -> v * v) triples
                    triples |> List.map (fun (sum, v) -> abs (sum - a * v)) |> List.max

                for strength in [ 0.2; 0.4 ] do
                    unevenness $"stripes_%.2f{strength}" strength |> shouldBeLessThan 1e-5
                    unevenness $"clouds_%.2f{strength}" strength |> shouldBeGreaterThan 1e-3
                    emptyOf $"stripes_%.2f{strength}" |> Array.max |> shouldBeIn (0.9 * strength, strength + 1e-6)
                    emptyOf $"clouds_%.2f{strength}" |> Array.max |> shouldBeIn (0.5 * strength, strength + 1e-6)

                for name, contrast in [ "contrast_0.50", 0.5f; "contrast_0.33", float32 (1.0 / 3.0) ] do
                    (images name).toArray<float32>()
                    |> shouldEqual (plain.Images.toArray<float32>() |> Array.map ((*) contrast))

                let side (scenes: Scenes) =
                    scenes.Truth |> Array.concat |> Array.averageBy (fun digit -> float digit.Side)

                let sizeOf name = side (samples |> List.find (fst >> (=) name) |> snd) / side plain
                sizeOf "size_0.70" |> shouldBeIn (0.6, 0.8)

                // Where the canvas has room for it.
                if samples |> List.exists (fst >> (=) "size_1.30") then
                    sizeOf "size_1.30" |> shouldBeIn (1.2, 1.4)

                let brightest (scenes: Scenes) = (scenes.Images.select (0, empty)).max().toScalar()
                brightest plain |> shouldEqual 0.0

                brightest (snd (samples |> List.find (fun (name, _) -> name = "clouds_0.40")))
                |> shouldBeGreaterThan 0.1

            testCase "without MNIST everything runs on strokes"
            <| fun () ->
                let session = session "published" [ "digits", "strokes" ] 1
                Trained.metrics session Test |> List.map fst |> shouldContain "count_accuracy"

            testCase "validation and test scenes differ, and both are the same each time"
            <| fun () ->
                // As many of both, since errors of more scenes differ in any case.
                let session = session "published" [ "test-size", "12" ] 3
                let counting split = Trained.metrics session split |> List.filter (fun (name, _) -> name = "mse")
                counting Validation |> shouldEqual (counting Validation)
                counting Validation |> shouldDiffer (counting Test)

            testCase "relaxed presence is read at the temperature with which training ends, where it matters"
            <| fun () ->
                for recurrent in [ true; false ] do
                    let encoding =
                        if recurrent then
                            AirEncoding.Recurrent
                        else
                            AirEncoding.Global

                    let settings = { AirSettings.published with Model.Encoding = encoding }
                    let model = Air.init settings.Model Dtype.Float32 (Key.OfSeed 4L)

                    let presence temperature =
                        { settings with TemperatureEnd = temperature }
                        |> fun settings -> (AirReading.ofScenes settings model scenes.Value).Presence
                        |> Array.concat

                    let isSame = presence 0.2 = presence 1.0
                    isSame |> shouldEqual (not recurrent)

            testCase
                "with a shift, presence is the mean of a scene's and of those of the scene moved in four directions"
            <| fun () ->
                let settings = AirSettings.published
                let model = Air.init settings.Model Dtype.Float32 (Key.OfSeed 4L)
                let side = settings.Model.Canvas
                let images = scenes.Value.Images.toArray<float32>()
                let isInside place = place >= 0 && place < side

                let moved (rows, columns) =
                    let pixel i =
                        if isInside (i / side % side - rows) && isInside (i % side - columns) then
                            images[i - rows * side - columns]
                        else
                            0.0f

                    { scenes.Value with
                        Images = Tensor.``of`` (Array.init images.Length pixel, scenes.Value.Images.shape)
                    }

                let presence settings scenes = (AirReading.ofScenes settings model scenes).Presence

                let places = [ 0, 0; 2, 0; -2, 0; 0, 2; 0, -2 ] |> List.map (moved >> presence settings >> Array.concat)

                let found = presence { settings with MeasuredShift = 2 } scenes.Value |> Array.concat
                found |> shouldDiffer places.Head

                for i in 0 .. found.Length - 1 do
                    found[i] |> shouldBeNear 1e-6 (places |> List.averageBy (fun place -> float place[i]))
        ]

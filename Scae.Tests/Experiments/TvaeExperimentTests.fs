module Scae.Tests.Experiments.TvaeExperimentTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Figures
open Scae.Core.Layers
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Data
open Scae.Tests.Training

let private presets = TvaeExperiment.experiment.Specification.Presets

let private preset (name: string) = presets |> List.find (fun preset -> preset.Name = name)

let private small =
    [
        "digits", "strokes"
        "sprites", "drawn"
        "validation-size", "16"
        "test-size", "24"
        "annealing", "0"
    ]

let private configure (name: string) (overrides: (string * string) list) : Result<Task, string> =
    TvaeExperiment.experiment.Configure (preset name) (small @ overrides)

let private task (name: string) (overrides: (string * string) list) : Task =
    configure name overrides |> Trained.accepted

let private session (task: Task) (seed: int64) : Session =
    task.Open TestDigits.resources (Keys.ofSeed seed) |> Trained.accepted

let private refusal (name: string) (overrides: (string * string) list) : string =
    match configure name overrides |> Result.bind (Experiment.unlessUnread overrides) with
    | Error message -> message
    | Ok _ -> failtest "accepted"

let private checkpoint (task: Task) (state: TrainingState) : byte[] =
    Checkpoint.last
        {
            Experiment = "tvae"
            Preset = "quick"
            Seed = 5L
            Settings = task.Settings
            Version = "test"
            Data = None
        }
        state

let private moment (session: Session) (state: TrainingState) : History =
    {
        Evaluations = state.Evaluations
        Snapshots = [ { Step = state.Step; Values = session.Learner.Snapshot() } ]
    }

/// Whether a picture shows different colours.
let private isVaried (figure: Figure) : bool =
    figure.Panels
    |> List.concat
    |> List.collect _.Marks
    |> List.exists (fun mark ->
        match mark with
        | Mark.Image { ImageMark.Pixels = Pixels.Rgb values } ->
            let values = Seq.cast<float> values
            Seq.max values - Seq.min values > 0.1
        | Mark.Image { ImageMark.Pixels = Pixels.Mapped(values, _, _, _) } ->
            let values = Seq.cast<float> values
            Seq.max values > Seq.min values
        | Mark.Line line -> line.Y.Length > 0
        | _ -> false)

let private settings (overrides: (string * string) list) : TvaeSettings =
    Scae.Core.Configuration.Settings.apply overrides TvaeSettings.published
    |> Result.bind TvaeSettings.resolve
    |> Trained.accepted
    |> fst

/// What the curves of likelihoods are called.
let private likelihoods (figures: Figure list) : string list =
    let panel =
        (figures |> List.find (fun figure -> figure.Name = "training-curves")).Panels
        |> List.concat
        |> List.find (fun panel -> panel.Title = "log p(x) a frame")

    panel.Marks
    |> List.choose (fun mark ->
        match mark with
        | Mark.Line line when line.Label <> "" -> Some line.Label
        | Mark.Scatter points when points.Label <> "" -> Some points.Label
        | _ -> None)

/// Sequences of three digits.
let private three =
    lazy
        {
            Images = TvaeImages.Digits TestDigits.sets.Value.Test
            Motion = DigitMotion.Single
            Chosen = [| 3; 1; 2 |]
            Key = Key.OfSeed 5L
        }

[<Tests>]
let tests =
    testList
        "Experiments.TvaeExperiment"
        [
            testCase "the quick preset learns to draw, and is measured and drawn"
            <| fun () ->
                let task = task "quick" [ "epochs", "20" ]
                task.Plan.Epochs |> shouldEqual 2
                let session = session task 1L
                let before = Trained.metrics session Validation |> Map.ofList
                let state = Trained.start task session |> Trained.until task.Plan.Steps
                let after = Trained.metrics session Validation |> Map.ofList
                // The published program's loss is below 500 after 50 steps; a step here has half as many sequences.
                after["loss"] |> shouldBeIn (0.0, 700.0)
                before["loss"] |> shouldBeIn (1600.0, 1800.0)
                after["equivariance"] |> shouldBeGreaterThan 0.0
                let metrics = Trained.metrics session Test |> Map.ofList
                // Six capsules of 18: a third of what 18 have.
                metrics["equivariance_chance"] |> shouldBeNear 200.0 (13270.0 / 3.0)
                metrics["equivariance_prior"] |> shouldBeNear 30.0 (916.0 / 3.0)

                for name in [ "roll_error"; "roll_error_guess"; "unseen_roll_error"; "unseen_roll_error_hidden_guess" ] do
                    metrics[name] |> shouldBeIn (1e-4, 1.0)

                metrics["likelihood_published"] - metrics["likelihood_frame"] |> shouldBeNear 1e-9 (log 3.0)
                let history = moment session state
                let figures = (session.Inspect()).Figures history

                figures
                |> List.map _.Name
                |> shouldEqual
                    [
                        "training-curves"
                        "traversals"
                        "capsule-correlation"
                        "traversals-unseen"
                        "generalization"
                        "samples"
                        "covariance"
                    ]

                likelihoods figures |> shouldEqual [ "of sequences"; "of frames"; "as published" ]

                for figure in figures do
                    if figure.Name <> "training-curves" && not (isVaried figure) then
                        failtest $"{figure.Name} is blank"

                match session.Animation history with
                | Some animation -> animation.Frames.Length |> shouldEqual 18
                | None -> failtest "no animation"

            testCase "single digits have maps, and neither equivariance nor an animation"
            <| fun () ->
                let measuring = [ "draws", "2"; "test-size", "60"; "annealing", "3"; "annealed-size", "4" ]
                let task = task "2d-mnist" (("batch-size", "4") :: measuring)
                let session = session task 1L
                let state = Trained.start task session
                let metrics = Trained.metrics session Test |> List.map fst
                metrics |> List.exists (fun name -> name.StartsWith "equivariance") |> shouldEqual false
                metrics |> shouldContain "likelihood_annealed"
                let history = { Evaluations = state.Evaluations; Snapshots = [] }

                let figures = (session.Inspect()).Figures history

                figures
                |> List.map _.Name
                |> shouldEqual [ "training-curves"; "maximum-activation"; "selectivity"; "samples"; "covariance" ]

                likelihoods figures |> shouldEqual [ "of frames"; "as published" ]

                session.Learner.Snapshot() |> shouldEqual []
                session.Animation history |> shouldEqual None

            testCase "still digits are measured once each, and sequences of fewer digits are drawn anew"
            <| fun () ->
                let digits = StrokeDigits.sets ()
                let there = Digits.count digits.Test
                let wanted = TvaeSettings.published.Training.TestSize
                there |> shouldBeLessThan wanted

                let chosen (motion: DigitMotion) =
                    { TvaeSettings.published with Motion = motion; TestMotion = motion }
                    |> fun settings -> TvaeExperiment.ofDigits settings (Keys.ofSeed 3L) digits
                    |> Trained.accepted
                    |> _.Test.Chosen

                chosen DigitMotion.Still |> shouldEqual [| 0 .. there - 1 |]
                chosen DigitMotion.Single |> shouldHaveLength wanted

            testCase "the labels of frames are those that are drawn"
            <| fun () ->
                let drawn = Sprites.drawn ()

                let scenes =
                    {
                        Images = TvaeImages.Sprites drawn
                        Motion = DigitMotion.Still
                        Chosen = [| 7; 40_000; 123; 50_000; 9_000 |]
                        Key = Key.OfSeed 6L
                    }

                for first, count in [ 0, 2; 2, 3 ] do
                    let frames = Tensor.zeros [| count * SpriteSequences.Steps; Sprites.Pixels |]
                    TvaeScenes.load scenes SpriteSequences.Steps first frames
                    let pixels = frames.toArray<float32>()

                    for i in 0 .. count - 1 do
                        TvaeScenes.labels scenes first i
                        |> Array.iteri (fun t factors ->
                            let image = Sprites.index factors
                            let frame = i * SpriteSequences.Steps + t

                            Array.sub pixels (frame * Sprites.Pixels) Sprites.Pixels
                            |> shouldEqual (
                                Array.sub drawn.Pixels (image * Sprites.Pixels) Sprites.Pixels |> Array.map float32
                            ))

            testCase "errors of rolled capsules and of the three guesses are those of the frames, one by one"
            <| fun () ->
                let config = { TvaeSettings.published.Model with Capsules = 2; Kernel = 5 }
                let settings = { TvaeSettings.published with Model = config }
                let model = TopographicVae.init config Dtype.Float32 (Key.OfSeed 4L)

                // It draws grey of ½, whatever T is.
                let model = { model with Decoder = Parameters.map _.zerosLike() model.Decoder }

                let scenes = three.Value
                let all = Tensor.zeros [| 3 * config.Frames; TopographicVae.inputs config |]
                TvaeScenes.load scenes config.Frames 0 all

                let pixels =
                    all.toArray<float32>() |> Array.map float |> Array.chunkBySize (TopographicVae.inputs config)

                let frame b t = pixels[b * config.Frames + t]

                let mean (images: float[] list) =
                    images |> List.reduce (Array.map2 (+)) |> Array.map (fun x -> x / float images.Length)

                let apart x y = Array.map2 (fun a b -> (a - b) ** 2.0) x y |> Array.average
                let overSequences f = List.averageBy f [ 0..2 ]
                let errors = TvaeRolling.errors settings model scenes
                let seen = [ 0; 1; 2; 16; 17 ]

                for t in 0 .. config.Frames - 1 do
                    errors.IsSeen[t] |> shouldEqual (List.contains t seen)

                    for found, expected in
                        [
                            errors.Rolled[t],
                            overSequences (fun b -> frame b t |> Array.averageBy (fun x -> (x - 0.5) ** 2.0))
                            errors.RolledMean[t], errors.Rolled[t]
                            errors.Still[t], overSequences (fun b -> apart (frame b 0) (frame b t))
                            errors.MeanSeen[t],
                            overSequences (fun b -> apart (mean (List.map (frame b) seen)) (frame b t))
                            errors.Mean[t],
                            (let average = mean [ for b in 0..2 -> frame b t ] in
                             overSequences (fun b -> apart average (frame b t)))
                        ] do
                        found |> shouldBeNear 1e-6 expected

            testCase "the mean of rolled capsules is that of what ten draws decode to"
            <| fun () ->
                let config = { TvaeSettings.published.Model with Capsules = 2; Kernel = 5 }
                let settings = { TvaeSettings.published with Model = config }
                let model = TopographicVae.init config Dtype.Float32 (Key.OfSeed 4L)

                let scenes = three.Value
                let inputs, draws = ResizeArray<float32[]>(), ResizeArray<float32[]>()

                TvaeRolling.over settings model 10 scenes (fun _ input _ rolled ->
                    inputs.Add(input.toArray ())
                    draws.Add(rolled.toArray ()))

                (draws[1] = draws[0]) |> shouldEqual false
                let mean = Array.init draws[0].Length (fun i -> draws |> Seq.averageBy (fun draw -> float draw[i]))
                let squares = Array.map2 (fun m (x: float32) -> (m - float x) ** 2.0) mean inputs[0]
                let errors = TvaeRolling.errors settings model scenes
                let size = TopographicVae.inputs config

                for t in 0 .. config.Frames - 1 do
                    [ 0..2 ]
                    |> List.averageBy (fun b ->
                        Array.sub squares ((b * config.Frames + t) * size) size |> Array.average)
                    |> shouldBeNear 1e-6 errors.RolledMean[t]

            testCase "the roll error is the mean over frames ahead, and hidden frames have a mean of their own"
            <| fun () ->
                let errors =
                    {
                        Rolled = [| 9.0; 1.0; 2.0; 6.0 |]
                        RolledMean = [| 8.0; 1.0; 1.0; 4.0 |]
                        Still = [| 0.0; 4.0; 5.0; 6.0 |]
                        MeanSeen = [| 0.0; 1.0; 1.0; 1.5 |]
                        Mean = [| 0.0; 2.0; 9.0; 1.0 |]
                        IsSeen = [| true; true; false; false |]
                    }

                TvaeMeasures.rolls "error" errors
                |> shouldEqual
                    [
                        "error", 3.0
                        "error_of_mean", 2.0
                        "error_guess", 3.5 / 3.0
                        "error_hidden", 4.0
                        "error_hidden_of_mean", 2.5
                        "error_hidden_guess", 1.25
                    ]

                TvaeMeasures.rolls "error" { errors with IsSeen = Array.create 4 true }
                |> shouldEqual [ "error", 3.0; "error_of_mean", 2.0; "error_guess", 3.5 / 3.0 ]

            testCase "presets have the published sizes"
            <| fun () ->
                for preset in presets do
                    if preset.Name <> "quick" then
                        let settings = settings preset.Settings
                        let model, name = settings.Model, preset.Name
                        let isSprites, isFlat = name.EndsWith "dsprites", name = "2d-mnist"
                        let edge = if isSprites then 15 else 18
                        model.Frames |> shouldEqual (if isFlat then 1 else edge)
                        model.Capsules |> shouldEqual (if isFlat then 1 else edge)
                        model.Entries |> shouldEqual (if isFlat then 324 else edge)
                        model.Channels |> shouldEqual (if isSprites || isFlat then 1 else 3)
                        model.Side |> shouldEqual (if isSprites then 64 else 28)
                        settings.Training.BatchSize |> shouldEqual (if isFlat then 128 else 8)
                        settings.Draws |> shouldEqual 10

                        if not (name.StartsWith "nontvae") then
                            model.Mu |> shouldEqual (if isFlat then 10.0 else 30.0)
                            model.Epsilon |> shouldEqual (if name = "l0-dsprites" then 1e-3 else 1e-6)

            testCase "sprites have the correlation of every factor"
            <| fun () ->
                let task = task "lpartial-dsprites" [ "batch-size", "2"; "draws", "1"; "test-size", "200" ]
                let metrics = Trained.metrics (session task 1L) Test |> Map.ofList
                metrics["capcorr_scale_chance"] |> shouldBeIn (0.3, 0.7)
                metrics["capcorr_x_chance"] |> shouldBeIn (-0.15, 0.45)
                // W alone makes capsules roll, before anything is learned.
                metrics["capcorr_x_prior"] |> shouldBeIn (0.99, 1.0)
                metrics["capcorr_y_trained"] |> shouldBeIn (0.9, 1.0)
                metrics["equivariance_prior"] |> shouldBeNear 20.0 929.0

            testCase "a resumed run ends with the bytes of an uninterrupted one, under both schedules"
            <| fun () ->
                for schedule in [ "published"; "fast" ] do
                    let task =
                        task
                            "quick"
                            [
                                "epochs", (if schedule = "fast" then "20" else "2")
                                "steps-per-epoch", "4"
                                "capsules", "2"
                                "draws", "1"
                                "schedule", schedule
                            ]

                    let start () = Trained.start task (session task 5L)
                    let file = Safetensors.parse (checkpoint task (Trained.until 5 (start ()))) |> Trained.accepted
                    let resumed = Checkpoint.restore file task.Plan (session task 5L).Learner |> Trained.accepted
                    resumed.Step |> shouldEqual 5

                    checkpoint task (Trained.until 8 resumed)
                    |> shouldEqual (checkpoint task (Trained.until 8 (start ())))

            testCase "every family's gradients are those of the loss"
            <| fun () ->
                for name in [ "quick"; "bubbles-mnist"; "nontvae-mnist"; "l0-mnist"; "2d-mnist"; "lpartial-dsprites" ] do
                    let fewer = if name = "2d-mnist" then [] else [ "capsules", "2" ]

                    // A few entries that are nearly 0 have little but rounding.
                    (task name fewer).CheckGradient 2 TestDigits.resources (Keys.ofSeed 0L)
                    |> Gradients.shouldBeOfTheLoss 1e-4 (fun _ -> false)

            testCase "presets are the sixteen published experiments and a quick one: 100 epochs of gradient descent"
            <| fun () ->
                presets |> shouldHaveLength 17

                for preset in presets do
                    if preset.Name <> "quick" then
                        let plan = (task preset.Name []).Plan
                        plan.Epochs |> shouldEqual (if preset.Name = "2d-mnist" then 250 else 100)
                        plan.Rule.Optimizer |> shouldEqual (Optimizer.Momentum 0.9)
                        Schedule.at plan.Rule.LearningRate 300_000 |> shouldEqual 1e-4

            testCase "the schedule fast takes a tenth of the epochs, and its KL terms come in by degrees"
            <| fun () ->
                (task "lpartial-mnist" [ "schedule", "fast" ]).Plan.Steps |> shouldEqual 60_000
                let fast = settings [ "schedule", "fast"; "kl-warm-up", "100" ]
                TvaeSettings.klWeight fast 0 |> shouldBeNear 1e-12 0.05
                TvaeSettings.klWeight fast 50 |> shouldBeNear 1e-12 0.525
                TvaeSettings.klWeight fast 100 |> shouldEqual 1.0
                TvaeSettings.klWeight (settings [ "schedule", "fast"; "kl-warm-up", "0" ]) 0 |> shouldEqual 1.0
                TvaeSettings.klWeight (settings []) 0 |> shouldEqual 1.0

            testCase "capsules with fewer entries than frames have no correlation, and pictures do without"
            <| fun () ->
                let task = task "quick" [ "entries", "6"; "kernel", "5"; "epochs", "10"; "steps-per-epoch", "1" ]
                let session = session task 2L
                let state = Trained.start task session |> Trained.until 1

                Trained.metrics session Test |> List.map fst |> List.filter _.StartsWith("capcorr") |> shouldBeEmpty

                let names = (session.Inspect()).Figures(moment session state) |> List.map _.Name
                names |> shouldContain "traversals"
                names |> List.contains "capsule-correlation" |> shouldEqual false

            testCase "what doesn't fit is refused in one line"
            <| fun () ->
                refusal "lpartial-mnist" [ "kernel", "19" ]
                |> shouldEqual "--kernel 19: must be at most 18, the fewer of frames and entries"

                refusal "lpartial-mnist" [ "width", "4" ]
                |> shouldEqual "--width 4: must be odd with --grouping shifting"

                refusal "lpartial-mnist" [ "kernel", "1"; "schedule", "fast" ]
                |> shouldEqual "--kernel 1: fewer than three latents share a scale, which needs --standardised false"

                (task "lpartial-mnist" [ "kernel", "1"; "schedule", "fast"; "standardised", "false" ]).Plan.Steps
                |> shouldEqual 60_000

                refusal "lpartial-mnist" [ "learning-rate", "1e-3"; "schedule", "fast" ]
                |> shouldEqual "--learning-rate 1e-3: needs --schedule published; fast has --fast-rate in its place"

                refusal "lpartial-mnist" [ "fast-rate", "1e-3" ]
                |> shouldEqual "--fast-rate 1e-3: needs --schedule fast"

                refusal "bubbles-mnist" [ "width", "20" ]
                |> shouldEqual "--width 20: must be at most 18, the entries of a capsule"

                refusal "2d-mnist" [ "entries", "323" ]
                |> shouldEqual "--entries 323: a torus needs a square number of latents, not 323"

                refusal "lpartial-mnist" [ "test-motion", "still" ]
                |> shouldEqual "--test-motion still: must be still where --motion is, which is single, and there alone"

                refusal "lpartial-dsprites" [ "motion", "rotation-colour" ]
                |> shouldEqual "--motion: is of digits; with --source sprites it must be single, as --test-motion must"

            testCase "sprites come from the file where it is, and are drawn elsewhere"
            <| fun () ->
                let open' = [ "source", "sprites"; "digits", "auto"; "sprites", "auto" ]
                SpriteSource.settle Resources.none open' |> shouldEqual [ "sprites", "drawn" ]

                let found =
                    { Resources.none with
                        Sprites = fun () -> Ok { Pixels = [| 1uy |] }
                        SpritesMissing = fun () -> None
                    }

                SpriteSource.settle found open' |> shouldEqual [ "sprites", "file" ]
                SpriteSource.load SpriteSource.Auto found |> shouldEqual (Ok { Pixels = [| 1uy |] })
                SpriteSource.settle found [ "source", "digits"; "sprites", "auto" ] |> shouldEqual []
                // Digits aren't asked for.
                DigitSource.settle Resources.none open' |> shouldEqual ([], None)

                match SpriteSource.load SpriteSource.File Resources.none with
                | Error message -> message |> shouldEqual $"{SpriteArchive.FileName}: there is no data here"
                | Ok _ -> failtest "accepted"

            testCase "rolled capsules are T of frame 0, entry c at c + t"
            <| fun () ->
                let config =
                    { TopographicVae.published with
                        Frames = 3
                        Capsules = 2
                        Entries = 3
                        Kernel = 1
                        Width = 1
                    }

                let t = Tensor.``of`` (Array.init 36 float32, [| 6; 6 |])
                let rolled = (TvaeRolling.roll config t).toArray<float32>()
                rolled[0..5] |> shouldEqual [| 0f; 1f; 2f; 3f; 4f; 5f |]
                rolled[6..11] |> shouldEqual [| 2f; 0f; 1f; 5f; 3f; 4f |]
                rolled[12..17] |> shouldEqual [| 1f; 2f; 0f; 4f; 5f; 3f |]
                rolled[18..23] |> shouldEqual [| 18f; 19f; 20f; 21f; 22f; 23f |]

            testCase "T of a frame depends on the frames that share its scale"
            <| fun () ->
                let seen overrides =
                    TvaeRolling.seen (settings overrides).Model |> Array.map Convert.ToInt32 |> Array.sum

                seen [] |> shouldEqual 13
                seen [ "grouping", "plain" ] |> shouldEqual 1
                seen [ "grouping", "box"; "kernel", "5" ] |> shouldEqual 5
                seen [ "kernel", "18" ] |> shouldEqual 18
                let model = (settings [ "kernel", "4"; "width", "1" ]).Model
                // Offsets −1 … 2 of an even kernel.
                [ 0..17 ] |> List.filter (fun t -> (TvaeRolling.seen model)[t]) |> shouldEqual [ 0; 1; 2; 17 ]
        ]

module Scae.Tests.Experiments.MovingEMExperimentTests

open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Training

let private configure (preset: string) (overrides: (string * string) list) =
    let experiment = NeuralEMExperiment.experiment
    let preset = experiment.Specification.Presets |> List.find (fun known -> known.Name = preset)
    experiment.Configure preset overrides

let private small =
    [
        "hidden", "8"
        "decoder-units", "8"
        "encoder-units", "8"
        "batch-size", "2"
        "validation-size", "3"
        "test-size", "3"
        "frames", "8"
        "scored-from", "4"
        "trained-frames", "4"
    ]

let private session (overrides: (string * string) list) =
    Experiment.openSeed (configure "flying" (small @ overrides) |> Trained.accepted) Resources.none 1L
    |> Trained.accepted

let private refusal (overrides: (string * string) list) =
    match configure "flying" overrides with
    | Error message -> message
    | Ok _ -> failtest "accepted"

let private paper = MovingObjects.paper

let private scenes count : MovingScenes =
    let key = Key.OfSeed 4L

    {
        Frames = paper.Frames
        Shapes = MovingObjects.sample paper (MovingObjects.masksOfShapes paper) count key
        Noise = key
    }

let private reading (scenes: MovingScenes) (slots: int[]) : MovingEMReading =
    {
        Scenes = scenes
        Losses = Array.init scenes.Frames float
        Surprises = Array.init scenes.Frames (fun t -> 2.0 * float t)
        Slots = slots
        OfFirstStart = None
    }

[<Tests>]
let tests =
    testList
        "Experiments.MovingEMExperiment"
        [
            testCase "what can't be is refused in one line"
            <| fun () ->
                refusal [ "tested-objects", "2,2" ] |> shouldEqual "--tested-objects: each number may be said once"

                refusal [ "slowest", "3" ] |> shouldEqual "--slowest 3: must be at most the fastest, which is 1.5"

                refusal [ "canvas", "11" ] |> shouldEqual "--canvas 11: must be at least 12, for the largest object"

                refusal [ "scored-from", "21" ]
                |> shouldEqual "--scored-from 21: must be at most the frames, which are 20"

                refusal [ "m-step", "gradient"; "decoder-layers", "0"; "encoder-units", "5" ]
                |> shouldEqual "--encoder-units 5: must be 0 with --m-step gradient, which has no input weights"

                refusal [ "m-step", "gradient"; "decoder-layers", "1" ]
                |> shouldEqual "--decoder-layers 1: must be 0 with --m-step gradient, whose states would never leave 0"

                refusal [ "m-step", "gradient"; "decoder-layers", "0"; "encoder-units", "0"; "sees-frame", "true" ]
                |> shouldEqual
                    "--sees-frame true: must be false with --m-step gradient, which is the gradient of the residual"

                refusal [ "m-step", "tanh-ish" ] |> shouldStartWith "--m-step tanh-ish: must be "
                refusal [ "fastest", "NaN" ] |> shouldStartWith "--fastest NaN: must be "

            testCase "test sequences are measured with other numbers of objects, too"
            <| fun () ->
                let metrics = Trained.metrics (session [ "tested-objects", "1,5" ]) Test |> Map.ofList

                for name in [ "ami_distinct"; "ami_distinct_1"; "ami_distinct_5"; "surprise_5"; "copy_surprise" ] do
                    metrics |> Map.containsKey name |> shouldEqual true

                // A single object has no group to be told from.
                Map.forall (fun _ value -> System.Double.IsFinite value) metrics |> shouldEqual true

            testCase "as many slots are added as objects"
            <| fun () ->
                let more = MovingEMSettings.withObjects 5 MovingEMSettings.standard
                more.Objects.Count |> shouldEqual 5
                more.Model.Slots |> shouldEqual (MovingEMSettings.standard.Model.Slots + 2)
                (MovingEMSettings.withObjects 1 more).Model.Slots |> shouldEqual 2
                (MovingEMSettings.withObjects 1 { more with Model.Core.Slots = 2 }).Model.Slots |> shouldEqual 1

            testCase "validation and test sequences differ, and both are the same each time"
            <| fun () ->
                let session = session []
                let again = Trained.metrics session Validation
                Trained.metrics session Validation |> shouldEqual again
                Trained.metrics session Test |> List.truncate again.Length |> shouldDiffer again

            testCase "sequences that don't fill the last part are read as the others are"
            <| fun () ->
                let settings =
                    { MovingEMSettings.standard with
                        Model.Core.Hidden = 8
                        Model.Core.DecoderUnits = 8
                        Model.Core.Slots = 3
                    }

                let model = MovingEM.init settings.Model Dtype.Float32 (Key.OfSeed 1L)
                let read count = MovingEMReading.ofScenes settings model (scenes count) ()
                let few, more = read 32, read 33
                more.Slots[.. few.Slots.Length - 1] |> shouldEqual few.Slots
                more.Losses.Length |> shouldEqual paper.Frames
                more.Losses[0] |> shouldEqual 0.0
                more.Losses |> shouldDiffer few.Losses

            testCase "of several starts each sequence keeps its likeliest"
            <| fun () ->
                let config =
                    { MovingEM.standard with
                        Core.Hidden = 8
                        EncoderUnits = 8
                        Core.DecoderUnits = 8
                        Core.Slots = 3
                    }

                let model = MovingEM.init config Dtype.Float32 (Key.OfSeed 1L)
                let scenes = scenes 3

                let read starts =
                    let settings = { MovingEMSettings.standard with Model = config; MeasuredStarts = starts }

                    MovingEMReading.ofScenes settings model scenes ()

                let one, several = read 1, read 6
                one.OfFirstStart |> shouldEqual None
                several.OfFirstStart |> shouldEqual (Some one.Slots)
                several.Surprises |> shouldEqual one.Surprises
                several.Losses |> shouldDiffer one.Losses
                several.Slots |> shouldDiffer one.Slots
                let names reading = MovingEMMeasures.ofReading 10 reading |> List.map fst
                names several |> shouldEqual (names one @ [ "ami_distinct_first" ])

                // What each start amounts to, from the stream that the reading takes them from.
                let batch = MovingEM.allocateFrames config 20 3
                Rows.load (scenes.Shapes.Images.view [| 3; 20; 784 |]) 0 batch.Target
                Rows.load (scenes.Shapes.Images.view [| 3; 20; 784 |]) 0 batch.Input
                let noise = scenes.Noise.Fold 0L

                let starts =
                    [
                        for number in 0..5 ->
                            let key =
                                if number = 0 then
                                    noise
                                else
                                    (noise.Named "again").Fold(int64 number)

                            MovingEM.start config key batch
                            let found = MovingEM.unroll config model batch
                            let quality = MovingEM.expectedLogLikelihood config batch found
                            let last = List.last found
                            quality.toArray<float32>(), (last.Responsibilities.argmax 1).toArray<int>()
                    ]

                for sequence in 0..2 do
                    let _, slots = starts |> List.maxBy (fun (quality, _) -> quality[sequence])

                    several.Slots[(sequence * 20 + 19) * 784 .. (sequence * 20 + 20) * 784 - 1]
                    |> shouldEqual slots[sequence * 784 .. (sequence + 1) * 784 - 1]

            testCase "a perfect grouping scores 1 in every frame and one group nothing"
            <| fun () ->
                let scenes = scenes 5
                let perfect = reading scenes scenes.Shapes.Labels
                let single = reading scenes (Array.zeroCreate scenes.Shapes.Labels.Length)

                for value in MovingEMMeasures.agreementOverTime perfect do
                    value |> shouldBeNear 1e-9 1.0

                MovingEMMeasures.agreementOverTime perfect |> shouldHaveLength 19

                for _, value in MovingEMMeasures.agreement 10 perfect do
                    value |> shouldBeNear 1e-9 1.0

                for _, value in MovingEMMeasures.agreement 10 single do
                    value |> shouldBeNear 1e-9 0.0

            testCase "a frame that is partly right has the scores of an image, and frames and sequences their mean"
            <| fun () ->
                // As the hand-counted pixels of single images: two frames of two sequences, of which the last is partly right.
                let labels = [| 1; 1; 1; 2; 2; 2; 2; 0; 0 |]
                let partly = [| 0; 0; 1; 1; 1; 2; 2; 5; 0 |]

                let scenes: MovingScenes =
                    {
                        Frames = 2
                        Shapes =
                            {
                                Images = Tensor.zeros [| 4; 9 |]
                                Labels = Array.replicate 4 labels |> Array.concat
                                Overlap = Array.init 36 (fun i -> i % 9 = 3)
                            }
                        Noise = Key.OfSeed 1L
                    }

                let scores slots =
                    MovingEMMeasures.ofReading 2 (reading scenes (Array.concat slots)) |> Map.ofList

                let found = scores [ partly; labels; labels; partly ]

                for name, expected in
                    [
                        "ami_distinct", 0.29879245817089023
                        "ari_distinct", 0.8 / 3.3
                        "ami", 0.2846616084402985
                        "ari", 0.17647058823529413
                    ] do
                    found[name] |> shouldBeNear 1e-12 ((1.0 + expected) / 2.0)

                let first =
                    { reading scenes (Array.concat [ labels; labels; labels; labels ]) with
                        OfFirstStart = Some(Array.concat [ labels; partly; labels; partly ])
                    }

                let both = MovingEMMeasures.ofReading 2 first |> Map.ofList
                both["ami_distinct"] |> shouldBeNear 1e-12 1.0
                both["ami_distinct_first"] |> shouldBeNear 1e-12 0.29879245817089023

            testCase "frames before the first one that is scored don't count"
            <| fun () ->
                let scenes = scenes 3
                let pixels = paper.Canvas * paper.Canvas

                // Right from frame 10 on, frames being counted from 1.
                let slots =
                    scenes.Shapes.Labels
                    |> Array.mapi (fun i label -> if i / pixels % paper.Frames >= 9 then label else 0)

                let reading = reading scenes slots
                (MovingEMMeasures.agreement 10 reading)[0] |> snd |> shouldBeNear 1e-9 1.0
                (MovingEMMeasures.agreement 9 reading)[0] |> snd |> shouldBeNear 1e-9 (11.0 / 12.0)
                let metrics = MovingEMMeasures.ofReading 10 reading |> Map.ofList
                metrics["loss"] |> shouldEqual 14.0
                metrics["surprise"] |> shouldEqual 28.0

            testCase "copying costs nothing where nothing moves, and what its errors cost elsewhere"
            <| fun () ->
                let still = { paper with Slowest = 0.0; Fastest = 0.0 }
                let shapes = MovingObjects.sample still (MovingObjects.masksOfShapes still) 2 (Key.OfSeed 1L)
                let scenes = { Frames = 20; Shapes = shapes; Noise = Key.OfSeed 1L }
                MovingEMMeasures.copy 10 scenes |> shouldBeNear 1e-12 0.0

                // One sequence of two frames of four pixels: of two lit pixels one stays, of two dark ones none lights up.
                let two: MovingScenes =
                    {
                        Frames = 2
                        Shapes =
                            {
                                Images = Tensor.``of`` ([| 1.0f; 1.0f; 0.0f; 0.0f; 1.0f; 0.0f; 0.0f; 0.0f |], 2, 4)
                                Labels = Array.zeroCreate 8
                                Overlap = Array.zeroCreate 8
                            }
                        Noise = Key.OfSeed 1L
                    }

                MovingEMMeasures.copyOverTime two
                |> Array.iter2 (fun expected found -> found |> shouldBeNear 1e-12 expected) [| 0.0; 2.0 * log 2.0 |]

                // The same sequence twice costs as much a frame.
                let images = two.Shapes.Images.toArray<float32>()

                let twice =
                    { two with
                        Shapes =
                            {
                                Images = Tensor.``of`` (Array.append images images, 4, 4)
                                Labels = Array.zeroCreate 16
                                Overlap = Array.zeroCreate 16
                            }
                    }

                MovingEMMeasures.copy 2 twice |> shouldBeNear 1e-12 (2.0 * log 2.0)

            testCase "figures and animation can be drawn from a history"
            <| fun () ->
                let session = session []

                let history =
                    {
                        Evaluations =
                            [
                                {
                                    Epoch = 1
                                    Step = 32
                                    TrainLoss = 2.0
                                    TrainTerms = []
                                    Metrics = Trained.metrics session Validation
                                }
                            ]
                        Snapshots = [ { Step = 0; Values = session.Learner.Snapshot() } ]
                    }

                (session.Inspect()).Figures history
                |> List.map _.Name
                |> shouldEqual
                    [ "dataset-examples"; "learning-curves"; "agreement-over-time"; "next-frame"; "slot-assignments" ]

                // A frame of the animation for each that was predicted.
                match session.Animation history with
                | Some animation -> animation.Frames.Length |> shouldEqual 7
                | None -> failtest "no animation"

                session.Animation { history with Snapshots = [] } |> shouldEqual None

            testCase "flying digits are strokes where there is no MNIST"
            <| fun () ->
                let session digits =
                    let task = configure "flying-digits" (small @ [ "digits", digits ]) |> Trained.accepted
                    Experiment.openSeed task Resources.none 1L |> Trained.accepted

                let measured = Trained.metrics (session "auto") Test
                measured |> shouldEqual (Trained.metrics (session "strokes") Test)

                for name in [ "ami_distinct"; "ami_distinct_3" ] do
                    measured |> List.map fst |> shouldContain name

            testCase "moving shapes leave nothing open about digits"
            <| fun () ->
                let settle preset =
                    DigitSource.settle Resources.none (configure preset [] |> Trained.accepted).Settings

                settle "flying" |> shouldEqual ([], None)
                fst (settle "flying-digits") |> shouldEqual [ "digits", "strokes" ]

            testCase "MNIST that is asked for and missing is an error of one line"
            <| fun () ->
                let task = configure "flying-digits" [ "digits", "mnist" ] |> Trained.accepted

                match Experiment.openSeed task Resources.none 1L with
                | Error message -> message |> shouldEndWith "there is no data here"
                | Ok _ -> failtest "opened"
        ]

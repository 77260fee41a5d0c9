module Scae.Tests.Experiments.ScaeExperimentTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Data
open Scae.Tests.Training

let private preset (name: string) =
    ScaeExperiment.experiment.Specification.Presets |> List.find (fun preset -> preset.Name = name)

let private small =
    [ "digits", "strokes"; "validation-size", "60"; "test-size", "50"; "probe-size", "70" ]

let private task (name: string) (overrides: (string * string) list) : Task =
    ScaeExperiment.experiment.Configure (preset name) (small @ overrides) |> Trained.accepted

let private session (task: Task) (seed: int64) : Session =
    task.Open TestDigits.resources (Keys.ofSeed seed) |> Trained.accepted

let private refusal (resources: Resources) (overrides: (string * string) list) : string =
    ScaeExperiment.experiment.Configure (preset "quick") (small @ overrides)
    |> Result.bind (Experiment.unlessUnread overrides)
    |> Result.bind (fun task -> task.Open resources (Keys.ofSeed 0L))
    |> function
        | Error message -> message
        | Ok _ -> failtest "accepted"

let private checkpoint (task: Task) (state: TrainingState) : byte[] =
    Checkpoint.last
        {
            Experiment = "scae"
            Preset = "quick"
            Seed = 5L
            Settings = task.Settings
            Version = "test"
            Data = None
        }
        state

/// Shapes as small as they can be, where values aren't looked at.
let private narrow =
    [
        "channels", "4"
        "parts", "3"
        "objects", "3"
        "features", "2"
        "template-side", "4"
        "colour", "3"
        "canvas", "28"
        "set-width", "4"
        "set-layers", "1"
        "set-outputs", "5"
        "capsule-hidden", "4"
        "capsule-code", "3"
        "batch-size", "4"
    ]

/// What a model would say whose capsules are classes.
let private perfect (count: int) : ScaeReading =
    let labels = Array.init count (fun i -> i % 10)
    let hot = labels |> Array.map (fun label -> Array.init 10 (fun k -> if k = label then 1.0 else 0.0))

    {
        Representation =
            {
                Labels = labels
                Prior = hot
                Posterior = hot
                PriorClasses = labels
                PosteriorClasses = labels
            }
        Reconstruction = Array.create count -1.0
        PartLikelihood = Array.create count 2.0
        Errors = Array.create count 0.25
        Parts = Array.create count 3.0
    }

[<Tests>]
let tests =
    testList
        "Experiments.ScaeExperiment"
        [
            testCase "the quick preset learns to draw, and is measured and drawn"
            <| fun () ->
                let task = task "quick" [ "epochs", "2" ]
                let session = session task 1L
                let before = Trained.metrics session Validation |> Map.ofList
                let state = Trained.start task session |> Trained.until task.Plan.Steps
                let after = Trained.metrics session Validation |> Map.ofList
                // What a perfect drawing has on 28 × 28 pixels is −720.45.
                after["reconstruction"] |> shouldBeIn (before["reconstruction"] + 1.0, -720.45)
                after["mse"] |> shouldBeLessThan before["mse"]
                let history = { Evaluations = state.Evaluations; Snapshots = [] }
                let metrics = Trained.metrics session Test
                List.distinct (List.map fst metrics) |> shouldEqual (List.map fst metrics)

                let accuracies =
                    metrics
                    |> List.filter (fun (name, _) -> [ "_match"; "_probe"; "_nearest" ] |> List.exists name.Contains)

                accuracies |> shouldHaveSome

                for _, value in accuracies do
                    value |> shouldBeIn (0.0, 1.0)

                (session.Inspect()).Figures history
                |> List.map _.Name
                |> shouldEqual [ "training-curves"; "reconstructions"; "templates"; "favourites"; "confusion"; "t-sne" ]

                match
                    session.Animation
                        { history with
                            Snapshots = [ { Step = 0; Values = session.Learner.Snapshot() } ]
                        }
                with
                | Some animation -> animation.Frames.Length |> shouldEqual 1
                | None -> failtest "no animation"

            testCase "a resumed run ends with the bytes of an uninterrupted one"
            <| fun () ->
                let task = task "quick" (narrow @ [ "epochs", "2"; "steps-per-epoch", "6"; "optimizer", "rms-prop" ])
                let start () = Trained.start task (session task 5L)
                let file = Safetensors.parse (checkpoint task (Trained.until 8 (start ()))) |> Trained.accepted
                let resumed = Checkpoint.restore file task.Plan (session task 5L).Learner |> Trained.accepted
                resumed.Step |> shouldEqual 8

                checkpoint task (Trained.until 12 resumed)
                |> shouldEqual (checkpoint task (Trained.until 12 (start ())))

            testCase "every preset's gradients are those of the loss"
            <| fun () ->
                // A hundred digits are left to train with, among which neighbours are soon found.
                let few = narrow @ [ "validation-size", "9900" ]

                for preset in ScaeExperiment.experiment.Specification.Presets do
                    (task preset.Name few).CheckGradient 2 TestDigits.resources (Keys.ofSeed 0L)
                    |> Gradients.shouldBeOfTheLoss 1e-4 Gradients.isOfKeys

            testCase "paper is the released configuration: 300,000 steps of RMSProp, one rule for probes too"
            <| fun () ->
                let settings, plan = ScaeSettings.resolve ScaeSettings.paper |> Trained.accepted
                settings.Model |> shouldEqual ScaeConfig.paper
                plan.Steps |> shouldEqual 300_000
                plan.BatchSize |> shouldEqual 128

                for name in [ "encoder.position"; "priorProbe.weight"; "posteriorProbe.bias" ] do
                    match Plan.rule plan name with
                    | Some { Optimizer = RmsProp rule; LearningRate = rate } ->
                        Schedule.at rate 299_999 |> shouldEqual 3e-5
                        (rule.Decay, rule.Momentum, rule.Start) |> shouldEqual (0.9, 0.9, 1.0)
                        // 0.01 / B².
                        rule.Epsilon |> shouldBeNear 1e-15 (0.01 / (128.0 * 128.0))
                        rule.EpsilonInsideRoot |> shouldEqual true
                    | other -> failtest $"{name}: %A{other}"

                Plan.rule plan "dummy" |> shouldEqual None

            testCase
                "labels settle after some epochs, come freely and from nearer digits after more, and are sharp at last, each digit for itself"
            <| fun () ->
                let settings =
                    { ScaeSettings.paper with
                        Training = { ScaeSettings.paper.Training with StepsPerEpoch = 10 }
                        Neighbours = 5
                        Wander = 20
                        NearAfter = 4
                        SettledAfter = 3
                        Power = 1.25
                        FreeAfter = 4
                        SharpAfter = 5
                    }

                let far = ValueSome { Neighbours = 5; Steps = 20 }
                let near = ValueSome { Neighbours = 3; Steps = 2 }

                [ 0; 29; 30; 39; 40; 49; 50; 99 ]
                |> List.map (fun step -> ScaeSettings.power settings step, ScaeSettings.walk settings step)
                |> shouldEqual
                    [ 0.0, far; 0.0, far; 1.25, far; 1.25, far; 1.25, near; 1.25, near; 2.5, ValueNone; 2.5, ValueNone ]

                [ 0; 39; 40; 99 ]
                |> List.map (ScaeSettings.slack settings)
                |> shouldEqual [ ValueSome 0.0; ValueSome 0.0; ValueNone; ValueNone ]

                [ 39; 40 ]
                |> List.map (ScaeSettings.slack { settings with FreeWithin = 0.25 })
                |> shouldEqual [ ValueSome 0.0; ValueSome 0.25 ]

                [ 0; 59; 60 ]
                |> List.map (ScaeSettings.isAnywhere { settings with AnywhereAfter = 6 })
                |> shouldEqual [ false; false; true ]

                // So many steps that integers can't count them.
                ScaeSettings.isAnywhere { settings with AnywhereAfter = 300_000_000 } 0 |> shouldEqual false

                [ 0; 59; 60 ]
                |> List.map (
                    ScaeSettings.views { settings with MildAfter = 6; Rotation = 20.0; Shear = 0.3; Zoom = 0.25 }
                )
                |> List.map (ValueOption.map (fun views -> views.Rotation, views.Shear, views.Scale))
                |> shouldEqual
                    [
                        ValueSome(20.0, 0.3, struct (0.75, 1.25))
                        ValueSome(20.0, 0.3, struct (0.75, 1.25))
                        ValueSome(8.0, 0.12, struct (0.9, 1.1))
                    ]

                let never =
                    { settings with
                        Neighbours = 0
                        NearAfter = 0
                        SettledAfter = 0
                        FreeAfter = 0
                        SharpAfter = 0
                    }

                (ScaeSettings.power never 99, ScaeSettings.walk never 99, ScaeSettings.slack never 99)
                |> shouldEqual (0.0, ValueNone, ValueSome 0.0)

            testCase "coupled is the program's coupled configuration"
            <| fun () ->
                let values = (task "coupled" []).Settings |> Map.ofList

                let expected, _ =
                    ScaeSettings.resolve { ScaeSettings.paper with Model = Models.ScaeTests.coupled }
                    |> Trained.accepted

                for name, value in Scae.Core.Configuration.Settings.values expected do
                    if not (List.exists (fun (other, _) -> other = name) small) then
                        values[name] |> shouldEqual value

            testCase "what doesn't fit is refused in one line"
            <| fun () ->
                refusal TestDigits.resources [ "validation-size", "9991" ]
                |> shouldEqual "--validation-size 9991: must leave 10 of 10000 digits to train with"

                refusal TestDigits.resources [ "test-size", "9" ]
                |> shouldEqual "--test-size 9: must be at least 10, a digit for each of the clusters"

                refusal TestDigits.resources [ "agreement", "1"; "neighbours", "9940" ]
                |> shouldEqual "--neighbours 9940: must be below 9940, the digits to train with"

                refusal TestDigits.resources [ "settled-after", "3" ]
                |> shouldEqual "--settled-after 3: needs --agreement above 0 and --views assignment"

                for given in [ [ "sharpness", "9" ]; [ "balanced-together", "true" ] ] do
                    for others in [ []; [ "agreement", "1"; "views", "information" ] ] do
                        let name, value = given.Head

                        refusal TestDigits.resources (given @ others)
                        |> shouldEqual $"--{name} {value}: needs --agreement above 0 and --views assignment"

                refusal TestDigits.resources [ "power", "3" ]
                |> shouldEqual "--power 3: needs --agreement above 0 and --views assignment"

                refusal TestDigits.resources [ "power", "3"; "agreement", "1" ]
                |> shouldEqual "--power 3: needs --settled-after above 0"

                refusal TestDigits.resources [ "momentum", "0.5" ]
                |> shouldEqual "--momentum 0.5: needs --optimizer rms-prop"

                refusal
                    TestDigits.resources
                    [ "agreement", "1"; "neighbours", "5"; "settled-after", "2"; "near-after", "9"; "sharp-after", "7" ]
                |> shouldEqual
                    "--near-after 9: must be 0, or come before --sharp-after 7, when digits stand for themselves alone"

                refusal TestDigits.resources [ "template-side", "300" ]
                |> shouldEqual "--template-side 300: must be an integer from 2 to 40"

                refusal TestDigits.resources [ "second-look", "true" ]
                |> shouldEqual "--second-look true: needs --agreement and --neighbours above 0"

                refusal TestDigits.resources [ "test-size", "20000" ]
                |> shouldEqual "--test-size 20000: must be at most 2000, the test digits that there are"

                refusal TestDigits.resources [ "mild-after", "3" ]
                |> shouldEqual "--mild-after 3: needs --rotation, --shear or --zoom above 0"

                refusal TestDigits.resources [ "wander", "20" ]
                |> shouldEqual "--wander 20: needs --agreement and --neighbours above 0"

                refusal TestDigits.resources [ "neighbours", "5" ]
                |> shouldEqual "--neighbours 5: needs --agreement above 0"

                refusal TestDigits.resources [ "near-after", "5" ]
                |> shouldEqual "--near-after 5: needs --agreement and --neighbours above 0"

                refusal TestDigits.resources [ "free-after", "3"; "agreement", "1" ]
                |> shouldEqual "--free-after 3: must be 0, or come after --settled-after 0, which must be set"

                refusal TestDigits.resources [ "free-within", "0.2"; "agreement", "1" ]
                |> shouldEqual "--free-within 0.2: needs --free-after above 0"

                // Where views make no labels, nothing settles.
                let unlabelled = [ "agreement", "1"; "views", "information"; "neighbours", "5"; "sharp-after", "3" ]
                (task "quick" unlabelled).Settings |> shouldContain ("sharp-after", "3")

                refusal TestDigits.resources [ "sharp-after", "3"; "settled-after", "3"; "agreement", "1" ]
                |> shouldEqual "--sharp-after 3: must be 0, or come after --settled-after 3, which must be set"

                let digits = StrokeDigits.sets ()
                let letters = { digits with Train.Labels = digits.Train.Labels |> Array.map ((+) 2uy) }

                refusal { Resources.none with Pairs = fun () -> Ok letters } [ "digits", "idx" ]
                |> shouldEqual "--digits: class 11; must be from 0 to 9"

            testCase "perfect knowledge is measured as such, and chance as chance"
            <| fun () ->
                let reading = perfect 100
                let metrics = ScaeMeasures.ofReading reading |> Map.ofList
                metrics["posterior_probe"] |> shouldEqual 1.0
                metrics["reconstruction"] |> shouldEqual -1.0
                metrics["parts"] |> shouldEqual 3.0
                metrics["objects"] |> shouldEqual 1.0

                // Labels moved by one: online probes are wrong.
                let moved =
                    { reading with
                        Representation.Labels =
                            reading.Representation.Labels |> Array.map (fun label -> (label + 1) % 10)
                    }

                (ScaeMeasures.ofReading moved |> Map.ofList)["prior_probe"] |> shouldEqual 0.0

            testCase "entropies within digits and between them are those of capsules' shares"
            <| fun () ->
                let reading = perfect 100
                let sure = ScaeMeasures.ofReading reading |> Map.ofList

                for name in [ "prior"; "posterior" ] do
                    sure[$"{name}_entropy_within"] |> shouldBeNear 1e-6 0.0
                    sure[$"{name}_entropy_between"] |> shouldBeNear 1e-6 (log 10.0)

                let uneven = Array.init 100 (fun i -> if i % 2 = 0 then [| 0.5; 0.5 |] else [| 0.25; 0.75 |])
                let equal = Array.create 100 [| 3.0; 3.0 |]

                for name, representation in
                    [
                        "prior", { reading.Representation with Prior = uneven; Posterior = equal }
                        "posterior", { reading.Representation with Prior = equal; Posterior = uneven }
                    ] do
                    let found = ScaeMeasures.ofReading { reading with Representation = representation } |> Map.ofList
                    // ½ (ln 2 + H(¼, ¾)), and H(⅜, ⅝) of the mean.
                    found[$"{name}_entropy_within"] |> shouldBeNear 1e-6 0.627741
                    found[$"{name}_entropy_between"] |> shouldBeNear 1e-6 0.661563

            testCase "probes and clusters after each epoch are those of the representation that they name"
            <| fun () ->
                let reading = perfect 100
                let dull, classes = Array.create 100 (Array.create 10 0.1), Array.zeroCreate 100

                for knowing, dull, representation in
                    [
                        "prior",
                        "posterior",
                        { reading.Representation with Posterior = dull; PosteriorClasses = classes }
                        "posterior", "prior", { reading.Representation with Prior = dull; PriorClasses = classes }
                    ] do
                    let found = ScaeMeasures.ofReading { reading with Representation = representation } |> Map.ofList

                    for name in [ "probe"; "match_refitted" ] do
                        found[$"{knowing}_{name}"] |> shouldEqual 1.0
                        found[$"{dull}_{name}"] |> shouldBeIn (0.0, 0.2)

            testCase "a reading has what the model says of its digits"
            <| fun () ->
                let settings, data, model = SmallScae.small false
                let reading = ScaeReading.read settings data model Validation
                let canvases = data.Validation.Canvases
                let batch = Scae.allocate settings.Model (CanvasDigits.count canvases)
                CanvasDigits.load canvases 0 batch.Images
                let inference = Scae.infer settings.Model model batch
                let parts = inference.Parts

                Array.average reading.PartLikelihood
                |> shouldBeNear 1e-4 ((ObjectCapsules.logLikelihood parts.Presence inference.Objects).toScalar())

                Array.average reading.Reconstruction
                |> shouldBeNear
                    1e-2
                    ((PartDecoder.logLikelihood settings.Model model.Decoder parts batch.Images).mean().toScalar())

                let told = reading.Representation
                let ofPrior, ofPosterior = Scae.classify settings.Model model inference.Objects
                told.PriorClasses |> shouldEqual ((ofPrior.argmax 1).toArray<int>())
                told.PosteriorClasses |> shouldEqual ((ofPosterior.argmax 1).toArray<int>())

                for found, expected in [ told.Prior, inference.Objects.Prior; told.Posterior, inference.Objects.Mass ] do
                    Array.concat found
                    |> Array.iter2
                        (fun expected found -> found |> shouldBeNear 1e-5 (float expected))
                        (expected.toArray<float32>())

                told.Prior |> shouldDiffer told.Posterior

                let mean = PartDecoder.mean (PartDecoder.draw settings.Model model.Decoder parts)
                let difference = mean - batch.Images.squeeze 1
                Array.average reading.Errors |> shouldBeNear 1e-6 ((difference * difference).mean().toScalar())

                let present = parts.Presence.toArray<float32>() |> Array.chunkBySize settings.Model.Parts
                reading.Parts.Length |> shouldEqual present.Length

                for found, presence in Array.zip reading.Parts present do
                    found |> shouldBeNear 1e-5 (Array.sum presence)
        ]

module Scae.Tests.Experiments.NeuralEMExperimentTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training
open Scae.Core.Figures
open Scae.Tests.Training
open Scae.Tensors

let private configure (overrides: (string * string) list) =
    let experiment = NeuralEMExperiment.experiment
    let preset = experiment.Specification.Presets |> List.find (fun preset -> preset.Name = "published")
    experiment.Configure preset overrides

let private small = [ "train-size", "40"; "batch-size", "16"; "validation-size", "6"; "test-size", "5" ]

let private session (overrides: (string * string) list) (seed: int) =
    match configure (small @ overrides) with
    | Error message -> failwith message
    | Ok task ->
        match task.Open Resources.none (Keys.ofSeed seed) with
        | Ok session -> session
        | Error message -> failwith message

/// One image of a row of pixels.
let private scene (labels: int[]) (overlap: bool[]) : Shapes =
    let lit = labels |> Array.map (fun label -> if label > 0 then 1.0f else 0.0f)

    {
        Images = Tensor.``of`` (lit, [| 1; labels.Length |])
        Labels = labels
        Overlap = overlap
    }

[<Tests>]
let tests =
    testList
        "Experiments.NeuralEMExperiment"
        [
            testCase "shapes that don't fit the canvas are refused in one line"
            <| fun () ->
                match configure [ "canvas", "8"; "largest", "5" ] with
                | Error message -> message |> shouldEqual "--canvas 8: must be at least 11, for shapes of half-size 5"
                | Ok _ -> failtest "accepted"

            testCase "sizes in the wrong order are refused in one line"
            <| fun () ->
                match configure [ "smallest", "5" ] with
                | Error message -> message |> shouldEqual "--smallest 5: must be at most the largest, which is 4"
                | Ok _ -> failtest "accepted"

            testCase "kinds are read by name, and a wrong one is named"
            <| fun () ->
                (Trained.accepted (configure [ "kinds", "square, disc" ])).Settings
                |> shouldContain ("kinds", "square,disc")

                match configure [ "kinds", "square,disk" ] with
                | Error message ->
                    message |> shouldStartWith "--kinds square,disk: must be some of square, disc, wide-triangle, "
                    message |> shouldEndWith ", separated by commas; did you mean disc?"
                | Ok _ -> failtest "a disk was accepted"

            testCase "several flipped images can't be one target"
            <| fun () ->
                match configure [ "flip-anew", "true" ] with
                | Error message ->
                    message
                    |> shouldEqual
                        "--flip-anew true: needs --flip-target false, since several flipped images can't be one target"
                | Ok _ -> failtest "accepted"

            testCase "a floor that would vanish beside gaussian densities is refused"
            <| fun () ->
                match configure [ "likelihood", "gaussian"; "floor", "1e-20" ] with
                | Error message ->
                    message |> shouldEqual "--floor 1E-20: must be 0 or at least 1E-15 with --likelihood gaussian"
                | Ok _ -> failtest "accepted"

                configure [ "floor", "1e-20" ] |> Trained.accepted |> ignore
                configure [ "likelihood", "gaussian"; "floor", "1e-15" ] |> Trained.accepted |> ignore

            testCase "every preset can be trained and measured"
            <| fun () ->
                for preset in NeuralEMExperiment.experiment.Specification.Presets do
                    let overrides = [ "validation-size", "2"; "test-size", "2"; "hidden", "8"; "batch-size", "2" ]

                    match NeuralEMExperiment.experiment.Configure preset overrides with
                    | Error message -> failtest message
                    | Ok task ->
                        match task.Open Resources.none (Keys.ofSeed 1) with
                        | Error message -> failtest message
                        | Ok session ->
                            let state = Trained.start task session |> Trained.until 1
                            state.Step |> shouldEqual 1
                            let metrics = Trained.metrics session Validation

                            for _, value in metrics do
                                System.Double.IsFinite value |> shouldEqual true

                            metrics |> List.map fst |> shouldContain task.Plan.BestBy.Metric

            testCase "validation and test images differ, and both are the same each time"
            <| fun () ->
                // As many of both, since metrics of more images differ in any case.
                let session = session [ "test-size", "6" ] 3
                let again = Trained.metrics session Validation
                Trained.metrics session Validation |> shouldEqual again
                Trained.metrics session Validation |> shouldDiffer (Trained.metrics session Test)

            testCase "a perfect grouping scores 1 and one group nothing"
            <| fun () ->
                let shapes = Shapes.sample Shapes.published 20 (Key.OfSeed 1L)
                let perfect = NeuralEMMeasures.agreement shapes shapes.Labels |> Map.ofList
                let single = NeuralEMMeasures.agreement shapes (Array.zeroCreate shapes.Labels.Length) |> Map.ofList

                for measure in [ "nmi"; "ami"; "ari"; "ami_distinct"; "ami_max_distinct" ] do
                    perfect[measure] |> shouldBeNear 1e-9 1.0
                    single[measure] |> shouldBeNear 1e-9 0.0

            testCase "random slots score about 0 adjusted for chance"
            <| fun () ->
                let shapes = Shapes.sample Shapes.published 200 (Key.OfSeed 1L)
                let slots = Array.zeroCreate<int> shapes.Labels.Length
                (Key.OfSeed 2L).FillIntegers(System.Span slots, 0, 3)
                let scores = NeuralEMMeasures.agreement shapes slots |> Map.ofList
                scores["ami"] |> shouldBeNear 0.005 0.0
                scores["ari"] |> shouldBeNear 0.005 0.0
                scores["nmi"] |> shouldBeGreaterThan 0.01

            testCase "the index of the foreground is that of hand-counted pixels, with and without overlap"
            <| fun () ->
                // Seven lit pixels, of which two shapes cover the fourth, and two dark ones.
                let shapes =
                    scene
                        [| 1; 1; 1; 2; 2; 2; 2; 0; 0 |]
                        [| false; false; false; true; false; false; false; false; false |]

                let slots = [| 0; 0; 1; 1; 1; 2; 2; 5; 0 |]
                let scores = NeuralEMMeasures.agreement shapes slots |> Map.ofList
                // Without the fourth: pairs together in both 2, in shapes 6, in slots 3, of 15; scikit-learn's 0.2424….
                scores["ari_distinct"] |> shouldBeNear 1e-12 (0.8 / 3.3)
                // With it: rows 2 1 0 and 0 2 2, so 3 pairs; in shapes 3 + 6, in slots 1 + 3 + 1, of 21.
                let chance = 9.0 * 5.0 / 21.0
                scores["ari"] |> shouldBeNear 1e-12 ((3.0 - chance) / (7.0 - chance))

                // From the definitions (Vinh et al. 2010), written down independently of the program.
                for name, expected in
                    [
                        "nmi", 0.4655386180031002
                        "ami", 0.2846616084402985
                        "nmi_distinct", 0.5158037429793888
                        "ami_distinct", 0.29879245817089023
                        "ami_max_distinct", 0.22504228319830902
                    ] do
                    scores[name] |> shouldBeNear 1e-12 expected

                // Of several starts, the likeliest counts, and the first is told beside it.
                let reading: NeuralEMReading =
                    {
                        Shapes = shapes
                        Loss = 3.0
                        Slots = shapes.Labels
                        OfFirstStart = Some slots
                    }

                let both = NeuralEMMeasures.ofReading reading |> Map.ofList
                both["loss"] |> shouldEqual 3.0

                for name in [ "ami_distinct"; "ari_distinct"; "ari" ] do
                    both[name] |> shouldBeNear 1e-12 1.0
                    both[$"{name}_first"] |> shouldEqual scores[name]

            testCase "names of slots and shapes don't matter, nor what slots do with the background"
            <| fun () ->
                let shapes = Shapes.sample { Shapes.published with Count = 5 } 30 (Key.OfSeed 3L)
                let slots = Array.zeroCreate<int> shapes.Labels.Length
                (Key.OfSeed 4L).FillIntegers(System.Span slots, 0, 4)
                // Half of the pixels are right, so that there is something to score.
                let slots = slots |> Array.mapi (fun i slot -> if i % 2 = 0 then shapes.Labels[i] % 4 else slot)
                let scores = NeuralEMMeasures.agreement shapes slots
                Map.ofList(scores)["ari_distinct"] |> shouldBeGreaterThan 0.1
                let same = List.iter2 (fun (_, a: float) (_, b) -> b |> shouldBeNear 1e-9 a) scores

                slots |> Array.map (fun slot -> [| 7; 2; 0; 5 |][slot]) |> NeuralEMMeasures.agreement shapes |> same

                let renamed =
                    { shapes with
                        Labels = shapes.Labels |> Array.map (fun label -> if label = 0 then 0 else 6 - label)
                    }

                NeuralEMMeasures.agreement renamed slots |> same

                Array.map2 (fun label slot -> if label = 0 then 3 else slot) shapes.Labels slots
                |> NeuralEMMeasures.agreement shapes
                |> same

            testCase "images without foreground, with one shape, or all overlap, have scores of their own"
            <| fun () ->
                let ari (labels: int[]) (overlap: bool[]) slots =
                    let scores = NeuralEMMeasures.agreement (scene labels overlap) slots |> Map.ofList
                    scores["ari"], scores["ari_distinct"]

                let nowhere = Array.create 4 false
                // Nothing to group.
                ari [| 0; 0; 0; 0 |] nowhere [| 0; 1; 2; 3 |] |> shouldEqual (1.0, 1.0)
                // One shape in one slot, and cut in two.
                ari [| 1; 1; 1; 1 |] nowhere [| 2; 2; 2; 2 |] |> shouldEqual (1.0, 1.0)
                ari [| 1; 1; 1; 1 |] nowhere [| 0; 0; 1; 1 |] |> shouldEqual (0.0, 0.0)
                // No background, two shapes in one slot.
                ari [| 1; 1; 2; 2 |] nowhere [| 0; 0; 0; 0 |] |> shouldEqual (0.0, 0.0)
                // Several shapes everywhere: nothing is left without overlap.
                ari [| 1; 1; 2; 2 |] (Array.create 4 true) [| 0; 0; 0; 0 |] |> shouldEqual (0.0, 1.0)

            testCase "slots take the shapes that they share most pixels with"
            <| fun () ->
                let nowhere = Array.create 6 false

                NeuralEMFigures.matched 3 [| 1; 1; 2; 2; 0; 2 |] nowhere [| 2; 2; 0; 0; 1; 1 |]
                |> shouldEqual [| 1; 2; 0 |]
                // Fewer slots than shapes, and overlap that doesn't count.
                NeuralEMFigures.matched 1 [| 1; 2; 2 |] (Array.create 3 false) [| 0; 0; 0 |] |> shouldEqual [| 1 |]
                NeuralEMFigures.matched 1 [| 1; 2; 2 |] [| false; true; true |] [| 0; 0; 0 |] |> shouldEqual [| 0 |]

            testCase "test images are measured with other numbers of shapes and slots, too"
            <| fun () ->
                let overrides =
                    [
                        "symmetry-breaking", "spread"
                        "tested-shapes", "1,5"
                        "tested-slots", "3,7"
                        "measured-starts", "2"
                        "canvas", "30"
                    ]

                let metrics = Trained.metrics (session overrides 1) Test
                Map.forall (fun _ value -> System.Double.IsFinite value) (Map.ofList metrics) |> shouldEqual true

                for test in [ ""; "_1"; "_5"; "_3_slots"; "_7_slots" ] do
                    for name in [ "ari"; "ari_distinct"; "ari_distinct_first"; "ami_distinct_first" ] do
                        metrics |> List.map fst |> shouldContain (name + test)

                // As many slots as were trained, on the same images: the same figures.
                let metrics = Map.ofList metrics
                metrics["ari_distinct_3_slots"] |> shouldEqual metrics["ari_distinct"]
                metrics["ari_distinct_first_3_slots"] |> shouldEqual metrics["ari_distinct_first"]

            testCase "validation and test images always have all shapes"
            <| fun () ->
                let all = Trained.metrics (session [] 3) Test

                for fewer in [ [ "fewest-shapes", "1" ]; [ "trained-shapes", "1" ] ] do
                    Trained.metrics (session fewer 3) Test |> shouldEqual all

            testCase "fewer slots in training are the same parameters, and training differs"
            <| fun () ->
                let trained overrides =
                    let overrides = ("symmetry-breaking", "spread") :: overrides
                    let session = session overrides 3

                    match configure (small @ overrides) with
                    | Error message -> failwith message
                    | Ok task ->
                        let before = Trained.metrics session Test
                        let state = Trained.start task session |> Trained.until 2
                        before, state.Step, Trained.metrics session Test

                let before, _, after = trained [ "slots", "4" ]
                let beforeFew, step, afterFew = trained [ "slots", "4"; "trained-slots", "2"; "trained-shapes", "1" ]
                step |> shouldEqual 2
                beforeFew |> shouldEqual before
                afterFew |> shouldDiffer after

            testCase "as many slots are added as shapes"
            <| fun () ->
                let more = NeuralEMSettings.withShapes 5 { NeuralEMSettings.published with Shapes.Fewest = 2 }
                more.Shapes.Count |> shouldEqual 5
                more.Shapes.Fewest |> shouldEqual 0
                more.Model.Slots |> shouldEqual (NeuralEMSettings.published.Model.Slots + 2)
                (NeuralEMSettings.withShapes 1 { more with Model.Core.Slots = 2 }).Model.Slots |> shouldEqual 1

            testCase "evaluations have iterations of their own, or as many as training"
            <| fun () ->
                let iterations measured =
                    let settings =
                        { NeuralEMSettings.published with
                            Model.Iterations = 6
                            MeasuredIterations = measured
                        }

                    (NeuralEMSettings.measured settings).Iterations

                iterations 15 |> shouldEqual 15
                iterations 0 |> shouldEqual 6
                // And they are what is measured with.
                let loss measured =
                    Map.ofList(Trained.metrics (session [ "measured-iterations", measured ] 3) Validation)["loss"]

                loss "4" |> shouldEqual (loss "0")
                loss "7" |> shouldDiffer (loss "0")

            testCase "numbers of shapes and slots that can't be are refused in one line"
            <| fun () ->
                let refusal overrides =
                    match configure overrides with
                    | Error message -> message
                    | Ok _ -> failtest $"%A{overrides} was accepted"

                refusal [ "symmetry-breaking", "spread"; "m-step", "gradient"; "decoder-layers", "1" ]
                |> shouldStartWith "--decoder-layers 1: must be 0 with --m-step gradient"

                refusal [ "symmetry-breaking", "spread"; "tested-shapes", "2,2" ]
                |> shouldEqual "--tested-shapes: each number may be said once"

                refusal [ "fewest-shapes", "4" ]
                |> shouldEqual "--fewest-shapes 4: must be at most the shapes of a training image, which are 3"

                refusal [ "fewest-shapes", "3"; "trained-shapes", "2" ]
                |> shouldEqual "--fewest-shapes 3: must be at most the shapes of a training image, which are 2"

                refusal [ "trained-slots", "2" ]
                |> shouldEqual
                    "--trained-slots 2: needs --symmetry-breaking random or spread, since learned starts have a number of slots"

                refusal [ "tested-shapes", "2,5" ]
                |> shouldEqual
                    "--tested-shapes 2,5: needs --symmetry-breaking random or spread, since learned starts have a number of slots"

                refusal [ "tested-slots", "6" ]
                |> shouldEqual
                    "--tested-slots 6: needs --symmetry-breaking random or spread, since learned starts have a number of slots"

                refusal [ "measured-swaps", "3" ]
                |> shouldEqual
                    "--measured-swaps 3: needs --symmetry-breaking random or spread, since learned starts aren't groupings"

                for name, value in
                    [
                        "measured-swaps", "-1"
                        "fewest-shapes", "-1"
                        "fewest-shapes", "65"
                        "fewest-shapes", "two"
                        "tested-shapes", "0"
                        "tested-shapes", "2,x"
                        "tested-slots", "65"
                        "trained-shapes", "-1"
                        "trained-slots", "65"
                    ] do
                    let message = refusal [ "symmetry-breaking", "spread"; name, value ]
                    message |> shouldStartWith $"--{name} {value}: must be "
                    message.Contains '\n' |> shouldEqual false

            testCase "a swap starts one slot again where a lit pixel was explained worst"
            <| fun () ->
                let config =
                    { NeuralEM.published with
                        Core.Pixels = 64
                        Core.Slots = 3
                        SymmetryBreaking = SymmetryBreaking.Spread
                    }

                // Two images of 8×8, all lit; slot 1 of the first and slot 2 of the second answer for nothing.
                let images = Tensor.ones [| 2; 64 |]
                let share = [| [| 0.7f; 0.0f; 0.3f |]; [| 0.4f; 0.6f; 0.0f |] |]
                let gamma = Array.init (2 * 3 * 64) (fun i -> share[i / 192][i / 64 % 3])
                let worst = [| 9; 54 |]

                let unexplained = Array.init 128 (fun i -> if i % 64 = worst[i / 64] then 0.5f else 0.0f)

                let noise = Tensor.zeros [| 2; 3; 64 |]
                let swap = NeuralEMStarts.swap config
                // An empty slot is drawn 14 times as often as the others of these images together, or more.
                let emptied = [| 0; 0 |]

                for number in 0..49 do
                    swap ((Key.OfSeed 1L).Fold(int64 number)) images gamma unexplained noise
                    let found = noise.toArray<float32>()
                    let at image slot pixel = float found[image * 192 + slot * 64 + pixel]

                    for image in 0..1 do
                        let empty = 1 + image

                        for pixel in 0..63 do
                            Seq.sumBy (fun slot -> at image slot pixel) [ 0..2 ] |> shouldBeNear 1e-5 1.0

                        if at image empty worst[image] > 0.5 then
                            emptied[image] <- emptied[image] + 1
                            // 3 near the centre against 1 for all others.
                            at image empty worst[image] |> shouldBeNear 1e-3 0.75

                            for pixel in 0..63 do
                                at image empty pixel |> shouldBeAtMost (at image empty worst[image])

                for count in emptied do
                    count |> shouldBeAtLeast 40

            testCase "shown iterations begin with the first and end with the last"
            <| fun () ->
                NeuralEMFigures.shownIterations 6 4 |> shouldEqual [ 1; 2; 3; 4 ]
                NeuralEMFigures.shownIterations 6 15 |> shouldEqual [ 1; 2; 3; 5; 9; 15 ]
                NeuralEMFigures.shownIterations 3 4 |> shouldEqual [ 1; 2; 4 ]

            testCase "figures and animation can be drawn from a history"
            <| fun () ->
                let session = session [] 2

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
                    [
                        "dataset-examples"
                        "learning-curves"
                        "grouping-curve"
                        "grouping"
                        "slot-assignments"
                        "slot-reconstructions"
                    ]

                match session.Animation history with
                | Some animation -> animation.Frames.Length |> shouldEqual 1
                | None -> failtest "no animation"
        ]

module Scae.Tests.Models.RoutingCapsulesTests

open System
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Scae.Tests.Values
open Expecto
open Scae.Core.Layers
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors

let private config = SmallRouting.config

let private batch (seed: int) (count: int) =
    let batch = RoutingCapsules.allocate config Constellations.published count
    RoutingCapsules.fill Constellations.published (Key.OfSeed(int64 seed)) batch
    batch

let private model (seed: int) = RoutingCapsules.init config Dtype.Float32 (Key.OfSeed(int64 seed))

let private values (x: Tensor) = x.toArray<float32>()

[<Tests>]
let tests =
    testList
        "Models.RoutingCapsules"
        [
            testPropertyWithConfig (samples 20) "routing follows the order of the points"
            <| fun (seed: int) ->
                let points = (batch seed 3).Scenes.Points
                let order = Array.zeroCreate 11
                (Key.OfSeed(int64 seed)).FillPermutation(Span order)

                let moved (x: Tensor) = Tensor.cat (order |> Array.map (fun i -> x.slice (1, i, i + 1)), 1)

                let model = model (seed % 5)
                let routing = RoutingCapsules.route config model points

                largestDifference (values (moved routing)) (values (RoutingCapsules.route config model (moved points))) <
                    1e-3f

            testPropertyWithConfig (samples 20) "routing doesn't see where the whole scene lies"
            <| fun (seed: int) ->
                let points = (batch seed 3).Scenes.Points
                let model = model 1
                let here = RoutingCapsules.route config model points
                largestDifference (values here) (values (RoutingCapsules.route config model (points + 2.0))) < 1e-3f

            testPropertyWithConfig
                (samples 20)
                "normalised, routing doesn't see how large the whole scene is; else it does"
            <| fun (seed: int) ->
                let points = (batch seed 3).Scenes.Points

                let change config =
                    let routing points = RoutingCapsules.route config (model 1) points |> values
                    largestDifference (routing points) (routing (points * 3.0))

                change { config with Normalised = true } < 1e-3f && change config > 1e-2f

            testCase "normalised, padding doesn't count towards the size of a scene"
            <| fun () ->
                let config = { config with Normalised = true }
                let points = (batch 3 3).Scenes.Points
                let mask = Tensor.``of`` (Array.init 33 (fun i -> if i % 11 < 7 then 1.0f else 0.0f), 3, 11, 1)

                let encode points =
                    RoutingCapsules.encode config (model 1) (Some(mask, Tensor.ones [| 16 |])) points

                largestDifference (values (encode points)) (values (encode (points * mask * 5.0 + 3.0 * (1.0 - mask))))
                |> shouldBeLessThan 1e-3f

            testCase "trained with distractors, the network has a column for nothing, and targets may use it"
            <| fun () ->
                let config = { config with Search.Distractors = 2 }
                let scenes = { Constellations.published with Distractors = 2 }
                let model = RoutingCapsules.init config Dtype.Float32 (Key.OfSeed 2L)
                let batch = RoutingCapsules.allocate config scenes 40
                RoutingCapsules.fill scenes (Key.OfSeed 3L) batch
                let routing = RoutingCapsules.route config model batch.Scenes.Points
                routing.shape |> shouldEqual [| 40; 13; 4 |]
                let targets = values (RoutingCapsules.targets config batch routing) |> Array.chunkBySize 52

                let solved =
                    targets
                    |> Array.indexed
                    |> Array.filter (fun (_, scene) -> scene |> Array.exists (fun w -> w > 0.999f))

                solved.Length |> shouldBeGreaterThan 0

                for index, scene in solved do
                    for i in 0..12 do
                        Array.findIndex (fun w -> w > 0.999f) scene[4 * i .. 4 * i + 3]
                        |> shouldEqual batch.Scenes.Labels[13 * index + i]

                let dreams = RoutingCapsules.targets { config with Teacher = RoutingTeacher.Dreams } batch routing
                (dreams.argmax 2).toArray<int>() |> shouldEqual batch.Scenes.Labels
                let poses = RoutingCapsules.posesAmong config (Key.OfSeed 1L) batch.Scenes.Points routing
                let metrics = ConstellationsMeasures.ofPoses Template.published batch.Scenes poses |> Map.ofList
                metrics["raw_recovery"] |> shouldBeGreaterThan 0.3

            testCase "a residual that noise alone explains doesn't lower the trust in a division"
            <| fun () ->
                for credit, expected in [ RoutingCredit.Template, 4.0; RoutingCredit.Scene, 10.0 ] do
                    let config = { config with Credit = credit }
                    let trust residual = RoutingCapsules.trustUnder config 0.2 4 residual residual
                    trust (expected * 0.04) |> shouldEqual 1.0f
                    trust 0.0 |> shouldEqual 1.0f
                    float (trust (expected * 0.04 + 0.1)) |> shouldBeNear 1e-6 (exp -1.0)
                    // Without noise it is what it was.
                    RoutingCapsules.trustUnder config 0.0 4 0.03 0.03
                    |> shouldEqual (RoutingCapsules.trust config 0.03 0.03)

            testCase "noise moves points by as much as it says, and nothing else"
            <| fun () ->
                let plain, noisy = batch 3 400, RoutingCapsules.allocate config Constellations.published 400
                RoutingCapsules.fillNoisy Constellations.published 0.5 (Key.OfSeed 3L) noisy
                noisy.Scenes.Labels |> shouldEqual plain.Scenes.Labels
                values noisy.Noise |> shouldEqual (values plain.Noise)
                let moved = values (noisy.Scenes.Points - plain.Scenes.Points) |> Array.chunkBySize 22
                let deviations = values noisy.Deviations
                Array.min deviations |> shouldBeAtMost 0.01f
                Array.max deviations |> shouldBeAtLeast 0.49f
                Array.max deviations |> shouldBeAtMost 0.5f

                // χ² of 8,800 draws: 6 deviations of its mean.
                (moved, deviations)
                ||> Array.map2 (fun moved deviation -> moved |> Array.sumBy (fun m -> float (m / deviation) ** 2.0))
                |> Array.sum
                |> shouldBeNear (6.0 * sqrt (2.0 * 8800.0)) 8800.0

            testPropertyWithConfig (samples 20) "routing probabilities sum to one"
            <| fun (seed: int) ->
                let routing = RoutingCapsules.route config (model seed) (batch seed 2).Scenes.Points
                values ((routing.exp ()).sum 2) |> Array.forall (fun total -> abs (total - 1.0f) < 1e-5f)

            testCase "targets weigh each point once, by how well the division explains the scene"
            <| fun () ->
                let batch = batch 3 40
                let routing = RoutingCapsules.route config (model 2) batch.Scenes.Points
                let weights = (RoutingCapsules.targets config batch routing).sum 2 |> values |> Array.chunkBySize 11

                for scene in weights do
                    for weight in scene do
                        weight |> shouldBeNear 1e-6 scene[0]
                        weight |> shouldBeAtLeast 0.0f
                        weight |> shouldBeAtMost 1.0f

                // Even an untrained network's proposals, improved, explain some scenes and fail at others.
                weights |> Array.exists (fun scene -> scene[0] > 0.999f) |> shouldEqual true
                weights |> Array.exists (fun scene -> scene[0] < 0.5f) |> shouldEqual true

            testCase "targets of least residual never look at the truth"
            <| fun () ->
                let batch = batch 3 20
                let routing = RoutingCapsules.route config (model 2) batch.Scenes.Points
                let before = values (RoutingCapsules.targets config batch routing)
                Array.Clear batch.Scenes.Labels
                batch.Scenes.Poses.Elements<float32>().Clear()
                values (RoutingCapsules.targets config batch routing) |> shouldEqual before

            testCase "targets of dreams are the truth"
            <| fun () ->
                let config = { config with Teacher = RoutingTeacher.Dreams }
                let batch = batch 3 5
                let routing = RoutingCapsules.route config (model 2) batch.Scenes.Points
                let targets = RoutingCapsules.targets config batch routing
                (targets.argmax 2).toArray<int>() |> shouldEqual batch.Scenes.Labels
                targets.sum().toScalar() |> shouldEqual 55.0

            testCase "the loss is the cross-entropy of a point: ln 3 where the network knows nothing"
            <| fun () ->
                let config = { config with Teacher = RoutingTeacher.Dreams }
                let model = RoutingCapsules.init config Dtype.Float64 (Key.OfSeed 3L)
                let batch = inDoubles (batch 5 3)

                let loss (biases: float list) =
                    let routing = { Weight = model.Routing.Weight.zerosLike (); Bias = ofList biases [ 3 ] }
                    (RoutingCapsules.loss config { model with Routing = routing } batch).toScalar()

                loss [ 0.0; 0.0; 0.0 ] |> shouldBeNear 1e-12 (log 3.0)

                // Probabilities of 1/6, 2/6 and 3/6, where the templates have 4, 4 and 3 points.
                loss [ 0.0; log 2.0; log 3.0 ]
                |> shouldBeNear 1e-12 (log 6.0 - (4.0 * log 2.0 + 3.0 * log 3.0) / 11.0)

            testCase "gradients agree with central differences within 1e-6, since targets only jump"
            <| fun () ->
                let model = RoutingCapsules.init config Dtype.Float64 (Key.OfSeed 3L) |> Parameters.trainable
                let batch = inDoubles (batch 5 3)

                Parameters.named model
                |> shouldHaveTrueGradients 1e-6 (fun () -> RoutingCapsules.loss config model batch)

            testCase "a recorded step computes targets anew at every replay"
            <| fun () ->
                let model = model 4 |> Parameters.trainable
                let batch = batch 1 4

                let recording = Recording.Of(fun () -> Seq.singleton (RoutingCapsules.loss config model batch))

                RoutingCapsules.fill Constellations.published (Key.OfSeed 2L) batch
                recording.Forward()

                (RoutingCapsules.loss config model batch).toScalar()
                |> shouldBeNear 1e-6 (recording.Outputs[0].toScalar())

            testCase "many scenes are routed as a few are"
            <| fun () ->
                let points = (batch 1 260).Scenes.Points
                let route = Inference.ofRows RoutingCapsules.ScenesAtOnce (RoutingCapsules.route config (model 1))
                let all = route points
                let last = RoutingCapsules.route config (model 1) (points.slice (0, 255, 260))
                largestDifference (values (all.slice (0, 255, 260))) (values last) |> shouldBeLessThan 1e-4f

            testCase "one scene of coincident points has finite routing"
            <| fun () ->
                let routing = RoutingCapsules.route config (model 1) (Tensor.zeros [| 1; 11; 2 |])
                values routing |> Array.forall Single.IsFinite |> shouldEqual true

            testPropertyWithConfig (samples 10) "padding changes nothing but through its own vector"
            <| fun (seed: int) ->
                let model = model 1
                let points = (batch seed 3).Scenes.Points
                let mask = Array.init 33 (fun i -> if i % 11 < 7 then 1.0f else 0.0f)
                let mask = Tensor.``of`` (mask, 3, 11, 1)
                let vector = Tensor.ones [| config.Width |]
                let encode points = RoutingCapsules.encode config model (Some(mask, vector)) points

                largestDifference (values (encode points)) (values (encode (points + 3.0 * (1.0 - mask)))) < 1e-4f

            testCase "with nothing padded, padding has no effect"
            <| fun () ->
                let points = (batch 2 3).Scenes.Points
                let padding = Some(Tensor.ones [| 3; 11; 1 |], Tensor.ones [| config.Width |])

                largestDifference
                    (values (RoutingCapsules.encode config (model 1) padding points))
                    (values (RoutingCapsules.encode config (model 1) None points))
                |> shouldBeLessThan 1e-4f

            testCase "a template that fits teaches, whatever the others do, where credit is the template's"
            <| fun () ->
                let batch = batch 3 40
                let routing = RoutingCapsules.route config (model 2) batch.Scenes.Points
                let credit = { config with Credit = RoutingCredit.Template }
                let byScene = values (RoutingCapsules.targets config batch routing)
                let byTemplate = values (RoutingCapsules.targets credit batch routing)

                Array.forall2 (<=) byScene byTemplate |> shouldEqual true
                Array.sum byTemplate |> shouldBeGreaterThan (Array.sum byScene)

            testCase "without layer norm there are no parameters of layer norms"
            <| fun () ->
                let without = RoutingCapsules.init { config with LayerNorm = false } Dtype.Float32 (Key.OfSeed 1L)

                let names model = Parameters.named model |> List.map fst

                names (model 1) |> List.except (names without) |> List.length |> shouldEqual 10

                values (RoutingCapsules.route config without (batch 1 2).Scenes.Points)
                |> Array.forall Single.IsFinite
                |> shouldEqual true

            testCase "a scene without a point is routed and divided"
            <| fun () ->
                let scenes = ConstellationsMeasures.without 5 1 (batch 4 5).Scenes
                let routing = RoutingCapsules.route config (model 1) scenes.Points
                let poses = RoutingCapsules.posesOfRemnants config (Key.OfSeed 1L) scenes.Points routing
                poses.shape |> shouldEqual [| 5; 3; 4 |]
                let metrics = ConstellationsMeasures.ofPoses Template.published scenes poses |> Map.ofList
                metrics["recovery"] |> shouldBeGreaterThan 0.5

            testPropertyWithConfig (samples 10) "attention of each capsule sums to one"
            <| fun (seed: int) ->
                match RoutingCapsules.attention config (model seed) (batch seed 2).Scenes.Points with
                | Some weights ->
                    weights.shape = [| 2; 3; 11 |]
                    && values (weights.sum 2) |> Array.forall (fun total -> abs (total - 1.0f) < 1e-4f)
                | None -> false

            testCase "without blocks there is no attention to show"
            <| fun () ->
                let config = { config with Blocks = 0 }
                let model = RoutingCapsules.init config Dtype.Float32 (Key.OfSeed 1L)

                RoutingCapsules.attention config model (batch 1 2).Scenes.Points
                |> Option.isNone
                |> shouldEqual true
        ]

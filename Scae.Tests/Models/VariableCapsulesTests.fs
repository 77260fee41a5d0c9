module Scae.Tests.Models.VariableCapsulesTests

open System
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Scae.Tests.Threads
open Scae.Tests.Values
open Expecto
open Scae.Tests.Turns
open Scae.Core.Layers
open Scae.Core.Experiments
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors

let private config = { SmallRouting.config with Credit = RoutingCredit.Template }

let private batch (seed: int) (count: int) =
    let batch = VariableCapsules.allocate config Constellations.published count
    VariableCapsules.fill Constellations.published (Key.OfSeed(int64 seed)) batch
    batch

let private model (seed: int) = VariableCapsules.init config Dtype.Float32 (Key.OfSeed(int64 seed))

let private values (x: Tensor) = x.toArray<float32>()

let private believe (model: VariableCapsules) (batch: VariableBatch) =
    VariableCapsules.believe config model batch.Scenes.Points batch.Scenes.Mask

[<Tests>]
let tests =
    testList
        "Models.VariableCapsules"
        [
            testCase "a scene without points teaches nothing, and others beside it what they would alone"
            <| fun () ->
                let whole = batch 3 2
                let emptied = batch 3 2
                emptied.Scenes.Mask.Elements<float32>().Slice(0, 11).Clear()
                let routing, presence = believe (model 1) whole
                let targets batch = values (VariableCapsules.targets config batch routing presence)
                let all, rest = targets whole, targets emptied
                let size = all.Length / 2
                rest[.. size - 1] |> Array.distinct |> shouldEqual [| 0.0f |]
                rest[size..] |> shouldEqual all[size..]

            testPropertyWithConfig (samples 20) "presence doesn't see the order of the points, routing follows it"
            <| fun (seed: int) ->
                let batch = batch seed 4
                let order = Array.init 11 (fun i -> 10 - i)
                let moved (x: Tensor) = Tensor.cat (order |> Array.map (fun i -> x.slice (1, i, i + 1)), 1)
                let routing, presence = believe (model 1) batch

                let routing', presence' =
                    VariableCapsules.believe config (model 1) (moved batch.Scenes.Points) (moved batch.Scenes.Mask)

                largestDifference (values presence) (values presence') < 1e-3f
                && largestDifference (values (moved routing)) (values routing') < 1e-3f

            testCase "what is found has as many points of each present template as the template has"
            <| fun () ->
                let batch = batch 2 60
                let scenes = batch.Scenes

                let found =
                    VariableCapsules.explain
                        config
                        (Key.OfSeed 1L)
                        scenes.Points
                        scenes.Mask
                        (ValueSome(believe (model 1) batch))

                for scene in 0..59 do
                    found[scene].Labels.Length |> shouldEqual (VariableConstellations.pointCount scene scenes)

                    for k in 0..2 do
                        let points = found[scene].Labels |> Array.filter ((=) k) |> Array.length

                        points
                        |> shouldEqual (
                            if found[scene].Presence[k] then
                                config.Templates[k].Points.Length
                            else
                                0
                        )

            testCase "certain and true beliefs are found right"
            <| fun () ->
                let scenes = (batch 3 40).Scenes
                let certain (right: bool) = if right then 0.0f else -20.0f

                let routing =
                    Array.init (40 * 33) (fun i -> certain (scenes.Labels[i / 3] = i % 3 || scenes.Labels[i / 3] < 0))

                let presence = scenes.Presence |> Array.map (fun there -> if there then 9.0f else -9.0f)

                let found =
                    VariableCapsules.explain
                        config
                        (Key.OfSeed 1L)
                        scenes.Points
                        scenes.Mask
                        (ValueSome(Tensor.``of`` (routing, 40, 11, 3), Tensor.``of`` (presence, 40, 3)))

                let metrics = VariableConstellationsMeasures.ofExplained 3 scenes found |> Map.ofList
                metrics["raw_recovery"] |> shouldEqual 1.0
                metrics["recovery"] |> shouldEqual 1.0
                metrics["presence_accuracy"] |> shouldEqual 1.0
                metrics["scene_presence_accuracy"] |> shouldEqual 1.0
                found |> Array.forall (fun explained -> explained.Cost < 1e-6) |> shouldEqual true

            testCase "targets never look at the truth"
            <| fun () ->
                let batch = batch 4 20
                let routing, presence = believe (model 2) batch
                let before = values (VariableCapsules.targets config batch routing presence)
                Array.Fill(batch.Scenes.Labels, -1)
                Array.Clear batch.Scenes.Presence
                batch.Scenes.Whole.Points.Elements<float32>().Clear()
                batch.Scenes.Whole.Poses.Elements<float32>().Clear()
                values (VariableCapsules.targets config batch routing presence) |> shouldEqual before

            testCase "targets of dreams are the truth"
            <| fun () ->
                let batch = batch 4 20
                let routing, presence = believe (model 2) batch

                let targets =
                    VariableCapsules.targets { config with Teacher = RoutingTeacher.Dreams } batch routing presence

                let rows = values (targets.slice (1, 0, 11)) |> Array.chunkBySize 3

                for i in 0 .. rows.Length - 1 do
                    rows[i] |> shouldEqual (Array.init 3 (fun k -> if batch.Scenes.Labels[i] = k then 1.0f else 0.0f))

                values (targets.select (1, 11))
                |> shouldEqual (batch.Scenes.Presence |> Array.map (fun there -> if there then 1.0f else 0.0f))

            testCase
                "the loss is the cross-entropy of a row, of which padding has none, and that of a capsule's presence"
            <| fun () ->
                let config = { config with Teacher = RoutingTeacher.Dreams }
                let model = VariableCapsules.init config Dtype.Float64 (Key.OfSeed 3L)
                let batch = inDoubles (batch 5 4)
                let biased (layer: Linear) biases = { Weight = layer.Weight.zerosLike (); Bias = ofList biases [ 3 ] }

                let loss routing presence =
                    let model =
                        { model with
                            Capsules.Routing = biased model.Capsules.Routing routing
                            Presence = biased model.Presence presence
                        }

                    (VariableCapsules.loss config model batch).toScalar()

                let labels = batch.Scenes.Labels |> Array.filter (fun label -> label >= 0)
                // Otherwise no row is padding, and the mean over rows would be that over points.
                labels.Length |> shouldBeLessThan 44
                let none = [ 0.0; 0.0; 0.0 ]
                loss none none |> shouldBeNear 1e-12 (float labels.Length / 44.0 * log 3.0 + log 2.0)

                let logits = [ 1.0; -2.0; 0.5 ]

                let ofPresence =
                    batch.Scenes.Presence
                    |> Array.mapi (fun i there ->
                        let logit = logits[i % 3]
                        log (1.0 + exp logit) - (if there then logit else 0.0))
                    |> Array.average

                // Probabilities of 1/6, 2/6 and 3/6.
                let ofRouting = (labels |> Array.sumBy (fun label -> log 6.0 - log (float (label + 1)))) / 44.0

                loss [ 0.0; log 2.0; log 3.0 ] logits |> shouldBeNear 1e-12 (ofRouting + ofPresence)

            testCase "gradients agree with central differences within 1e-6, since targets only jump"
            <| fun () ->
                // Weights of what was found must not move with the parameters: they don't, for divisions don't.
                let model = VariableCapsules.init config Dtype.Float64 (Key.OfSeed 3L) |> Parameters.trainable
                let batch = inDoubles (batch 5 3)

                Parameters.named model
                |> shouldHaveTrueGradients 1e-6 (fun () -> VariableCapsules.loss config model batch)

            testAlone "results don't depend on the number of threads"
            <| fun () ->
                let batch = batch 6 17

                shouldBeSameOnAnyThreads (fun () ->
                    VariableCapsules.explain
                        config
                        (Key.OfSeed 1L)
                        batch.Scenes.Points
                        batch.Scenes.Mask
                        (ValueSome(believe (model 1) batch)))

            testCase "measures weigh scenes by their points"
            <| fun () ->
                let scenes = VariableConstellations.sample Constellations.published 30 (Key.OfSeed 8L)

                let labels =
                    Array.init 30 (fun scene ->
                        Array.sub scenes.Labels (11 * scene) (VariableConstellations.pointCount scene scenes))

                // One scene wrong altogether.
                labels[0] <- labels[0] |> Array.map (fun label -> (label + 1) % 3)
                let metrics = VariableConstellationsMeasures.recoveries 3 scenes labels |> Map.ofList
                let points = labels |> Array.sumBy _.Length
                metrics["recovery"] |> shouldEqual 1.0
                metrics["raw_recovery"] |> shouldBeNear 1e-9 (1.0 - float labels[0].Length / float points)
                let presence = Array.copy scenes.Presence
                presence[0] <- not presence[0]
                let metrics = VariableConstellationsMeasures.presence 3 scenes presence |> Map.ofList
                metrics["presence_accuracy"] |> shouldBeNear 1e-9 (89.0 / 90.0)
                metrics["scene_presence_accuracy"] |> shouldBeNear 1e-9 (29.0 / 30.0)

            testCase "scenes without points count for nothing beside others"
            <| fun () ->
                let scenes = VariableConstellations.allocate Constellations.published 30
                VariableConstellations.fillFrom Constellations.published 0 (Key.OfSeed 8L) scenes

                let labels =
                    Array.init 30 (fun scene ->
                        Array.sub scenes.Labels (11 * scene) (VariableConstellations.pointCount scene scenes))

                labels |> Array.filter Array.isEmpty |> shouldHaveSome

                VariableConstellationsMeasures.recoveries 3 scenes labels
                |> shouldEqual [ "recovery", 1.0; "raw_recovery", 1.0 ]
        ]

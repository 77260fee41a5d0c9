module Scae.Tests.Models.LearnedTemplatesTests

open System
open Scae.Tests.Claims
open Scae.Tests.Gradients
open Expecto
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Tensors

let private config: LearnedTemplatesConfig = { LearnedTemplates.standard with Restarts = 2 }

let private scenes (seed: int) (count: int) =
    Constellations.sample Constellations.published count (Key.OfSeed(int64 seed))

/// The true templates in every restart.
let private truth: LearnedTemplates =
    let points =
        [|
            for _ in 1 .. config.Restarts do
                for template in Template.published do
                    for struct (x, y) in template.Points do
                        float32 x
                        float32 y
        |]

    { Points = Tensor.``of`` (points, config.Restarts, 11, 2) }

let private moved (scale: float) (angle: float) (template: Template) =
    Template.create
        template.Name
        [
            for struct (x, y) in Array.rev template.Points ->
                scale * (cos angle * x - sin angle * y) + 2.0, scale * (sin angle * x + cos angle * y) - 1.0
        ]

[<Tests>]
let tests =
    testList
        "Models.LearnedTemplates"
        [
            testPropertyWithConfig (samples 30) "Procrustes distance doesn't see scale, angle, place and order"
            <| fun (seed: int) ->
                let stream = (Key.OfSeed(int64 seed)).Stream()
                let scale, angle = 0.2 + stream.NextDouble(), 6.0 * stream.NextDouble()

                // The published triangle is equilateral but for rounding, and then counts as such: 10⁻⁴.
                Template.five
                |> List.forall (fun template -> SimilarityFit.distance template (moved scale angle template) < 1e-3)

            testCase "Procrustes distance of square and triangle with extra is symmetric and not small"
            <| fun () ->
                let there = SimilarityFit.distance Template.square Template.triangleWithExtra
                there |> shouldBeGreaterThan 0.4
                SimilarityFit.distance Template.triangleWithExtra Template.square |> shouldBeNear 1e-9 there

            testCase "shapes of different numbers of points have no distance"
            <| fun () ->
                (fun () -> SimilarityFit.distance Template.square Template.triangle |> ignore)
                |> shouldRaise<ArgumentException>

            testCase "true templates leave nothing"
            <| fun () ->
                (LearnedTemplates.cost config truth (scenes 1 30).Points).max().toScalar() |> shouldBeLessThan 1e-6

            testCase "points are sorted as the templates draw them"
            <| fun () ->
                let scenes = scenes 2 10
                let sorted = (LearnedTemplates.correspond config truth scenes.Points).toArray<float32>()
                let drawn = (ConstellationCapsules.decode Template.published scenes.Poses).toArray<float32>()
                // A square may be drawn in four ways, so that shapes are compared, not points.
                let shape (values: float32[]) scene =
                    Template.create
                        ""
                        [
                            for i in 7..10 ->
                                float values[22 * scene + 2 * (i - 3)], float values[22 * scene + 2 * (i - 3) + 1]
                        ]

                for scene in 0..9 do
                    SimilarityFit.distance (shape sorted scene) (shape drawn scene) |> shouldBeLessThan 1e-3

            testCase "residuals are those of the fits"
            <| fun () ->
                let model = LearnedTemplates.init config Dtype.Float32 (Key.OfSeed 3L)
                let scenes = scenes 3 5

                let residuals =
                    LearnedTemplates.correspond config model scenes.Points |> LearnedTemplates.residuals config model

                residuals.shape |> shouldEqual [| 2; 5; 3 |]
                let totals = residuals.sum(2).toArray<float32>()

                for restart, templates in List.indexed (LearnedTemplates.templates config model.Points) do
                    let scene = Partitions.create templates
                    let search = ExactSearch.Of templates

                    for i in 0..4 do
                        Partitions.load (ReadOnlySpan(scenes.Points.toArray<float32>(), 22 * i, 22)) scene
                        Partitions.cost scene (search.Find scene) |> shouldBeNear 1e-3 totals[5 * restart + i]

            testCase "gradients agree with central differences within 1e-6, since correspondences only jump"
            <| fun () ->
                let model = LearnedTemplates.init config Dtype.Float64 (Key.OfSeed 3L) |> Parameters.trainable

                let batch: LearnedTemplatesBatch =
                    {
                        Scenes = { scenes 3 4 with Points = (scenes 3 4).Points.cast Dtype.Float64 }
                        Tolerance = Tensor.full ([| 1 |], 0.1, Dtype.Float64)
                    }

                Parameters.named model
                |> shouldHaveTrueGradients 1e-6 (fun () -> LearnedTemplates.loss config model batch)

            testCase "matching finds the true template of each learned one"
            <| fun () ->
                let learned =
                    [ moved 2.0 1.0 Template.triangleWithExtra; moved 0.5 3.0 Template.square; Template.triangle ]

                let matched, distances = LearnedTemplates.matching Template.published learned
                matched |> shouldEqual [| 1; 0; 2 |]
                Array.max distances |> shouldBeLessThan 1e-6

            testCase "learned templates have the mean squared radius 1 and are centred"
            <| fun () ->
                let model = LearnedTemplates.init config Dtype.Float32 (Key.OfSeed 1L)

                for template in List.concat (LearnedTemplates.templates config model.Points) do
                    template.Points |> Array.averageBy (fun struct (x, y) -> x * x + y * y) |> shouldBeNear 1e-9 1.0

                    template.Points |> Array.sumBy (fun struct (x, _) -> x) |> shouldBeNear 1e-9 0.0
                    template.Points |> Array.sumBy (fun struct (_, y) -> y) |> shouldBeNear 1e-9 0.0

            testCase "gradient descent finds the true shapes from near ones"
            <| fun () ->
                let noise = Array.zeroCreate<float32> truth.Points.nelement
                (Key.OfSeed 3L).FillNormal(Span noise, 0.0f, 0.05f)

                let model = Parameters.trainable { Points = truth.Points + Tensor.``of`` (noise, truth.Points.shape) }

                let distance () =
                    LearnedTemplates.templates config model.Points
                    |> List.map (LearnedTemplates.matching Template.published >> snd >> Array.max)
                    |> List.max

                let before = distance ()

                for step in 0..39 do
                    let batch: LearnedTemplatesBatch =
                        { Scenes = scenes step 8; Tolerance = Tensor.full ([| 1 |], 0.05) }

                    (LearnedTemplates.loss config model batch).reverse()
                    let gradient = model.Points.derivative.toArray<float32>()
                    let points = model.Points.Elements<float32>()

                    for i in 0 .. gradient.Length - 1 do
                        points[i] <- points[i] - 0.2f * gradient[i]

                before |> shouldBeGreaterThan 0.03
                distance () |> shouldBeLessThan 0.01
        ]

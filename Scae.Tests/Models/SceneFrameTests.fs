module Scae.Tests.Models.SceneFrameTests

open System
open Scae.Tests.Claims
open Scae.Tests.Values
open Expecto
open Scae.Core.Data
open Scae.Core.Models
open Scae.Tensors

let private templates = Template.published

let private scenes (seed: int) = Constellations.sample Constellations.published 4 (Key.OfSeed(int64 seed))

let private values (x: Tensor) = x.toArray<float32>()

[<Tests>]
let tests =
    testList
        "Models.SceneFrame"
        [
            testPropertyWithConfig (samples 20) "scenes have mean 0 and radius 1 in their own coordinates"
            <| fun (seed: int) ->
                let points, _ = SceneFrame.enter (scenes seed).Points
                let means = values (points.mean 1)
                let radii = values (((points * points).sum 2).mean 1)

                largestDifference means (Array.zeroCreate 8) < 1e-5f
                && largestDifference radii (Array.create 4 1.0f) < 1e-5f

            testPropertyWithConfig (samples 20) "a similar scene is the same there"
            <| fun (seed: int) ->
                let points = (scenes seed).Points
                let here, _ = SceneFrame.enter points
                let there, _ = SceneFrame.enter (points * 40.0 + 7.0)
                largestDifference (values here) (values there) < 1e-4f

            testPropertyWithConfig (samples 20) "poses found there come back where the scene was"
            <| fun (seed: int) ->
                let scenes = scenes seed
                let points, frame = SceneFrame.enter scenes.Points
                let poses, _ = ExactConstellations.solve templates points
                let drawn = ConstellationCapsules.decode templates (SceneFrame.leave frame poses)
                values (drawn.chamfer scenes.Points) |> Array.forall (fun distance -> distance < 1e-6f)

            testCase "a scene of coincident points keeps its scale, one with NaN is NaN, and none is none"
            <| fun () ->
                let same, frame = SceneFrame.enter (Tensor.ones [| 1; 11; 2 |])
                values same |> Array.forall ((=) 0.0f) |> shouldEqual true
                frame.Radii |> shouldEqual [| 1.0 |]
                let points = Tensor.ones [| 1; 11; 2 |]
                points.Elements<float32>()[4] <- nanf
                values (fst (SceneFrame.enter points)) |> Array.exists Single.IsNaN |> shouldEqual true
                (fst (SceneFrame.enter (Tensor.zeros [| 0; 11; 2 |]))).shape |> shouldEqual [| 0; 11; 2 |]
        ]

module Scae.Tests.Data.ShapesTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Tensors

let private configs = [ Shapes.published; Shapes.paper ]

let private sample (config: ShapesConfig) (seed: int) (count: int) = Shapes.sample config count (Key.OfSeed(int64 seed))

let private values (shapes: Shapes) = shapes.Images.toArray<float32>()

/// The pixels of a shape alone on a canvas.
let private alone (kind: ShapeKind) (s: int) =
    let config = { Shapes.paper with Kinds = [ kind ]; Count = 1; Smallest = s; Largest = s }

    sample config 3 1

let private rows (shapes: Shapes) =
    values shapes
    |> Array.chunkBySize 28
    |> Array.map (Array.sumBy int)
    |> Array.filter (fun width -> width > 0)

[<Tests>]
let tests =
    testList
        "Data.Shapes"
        [
            testPropertyWithConfig (samples 20) "images are binary, and their light is where a label is"
            <| fun (seed: int) ->
                configs
                |> List.forall (fun config ->
                    let batch = sample config seed 4

                    Array.forall2 (fun x label -> x = (if label > 0 then 1.0f else 0.0f)) (values batch) batch.Labels
                    && batch.Labels |> Array.forall (fun label -> label >= 0 && label <= config.Count))

            testPropertyWithConfig (samples 20) "each grey shape has one level"
            <| fun (seed: int) ->
                let batch = sample { Shapes.paper with Darkest = 0.4 } seed 1

                Array.zip batch.Labels (values batch)
                |> Array.groupBy fst
                |> Array.forall (fun (label, pixels) ->
                    match pixels |> Array.map snd |> Array.distinct with
                    | [| level |] ->
                        if label = 0 then
                            level = 0.0f
                        else
                            level >= 0.4f && level <= 1.0f
                    | _ -> false)

            testPropertyWithConfig (samples 20) "pixels of several shapes are known"
            <| fun (seed: int) ->
                configs
                |> List.forall (fun config ->
                    let batch = sample config seed 4
                    Array.forall2 (fun overlap label -> not overlap || label >= 2) batch.Overlap batch.Labels)

            testCase "shapes have the documented rows"
            <| fun () ->
                rows (alone ShapeKind.Square 2) |> shouldEqual [| 5; 5; 5; 5; 5 |]
                rows (alone ShapeKind.Disc 2) |> shouldEqual [| 1; 3; 5; 3; 1 |]
                rows (alone ShapeKind.TriangleUp 4) |> shouldEqual [| 1; 3; 3; 5; 5; 7; 9; 9; 11 |]
                rows (alone ShapeKind.TriangleDown 4) |> shouldEqual [| 11; 9; 9; 7; 5; 5; 3; 3; 1 |]
                rows (alone ShapeKind.OutlinedSquare 3) |> shouldEqual [| 7; 7; 4; 4; 4; 7; 7 |]
                rows (alone ShapeKind.OutlinedTriangleUp 3) |> shouldEqual [| 2; 4; 6; 6; 6; 12; 12 |]
                rows (alone ShapeKind.OutlinedTriangleDown 3) |> shouldEqual [| 12; 12; 6; 6; 6; 4; 2 |]

            testCase "the published program's images are lit by a fifth"
            <| fun () ->
                let light = values (sample Shapes.published 1 2000) |> Array.averageBy float
                light |> shouldBeNear 0.015 0.21

            testCase "a paper image has three shapes, some of which overlap"
            <| fun () ->
                let batch = sample Shapes.paper 2 500
                batch.Overlap |> Array.exists id |> shouldEqual true
                // A shape may be hidden by later ones, but hardly ever is.
                let counts =
                    batch.Labels
                    |> Array.chunkBySize 784
                    |> Array.map (Array.filter ((<) 0) >> Array.distinct >> Array.length)

                counts |> Array.averageBy float |> shouldBeGreaterThan 2.98

            testCase "every number of shapes from Fewest to Count is equally frequent"
            <| fun () ->
                let config = { Shapes.paper with Canvas = 48; Count = 6; Fewest = 3; MostTaken = 0.1 }
                let pixels, images = 48 * 48, 2000
                let drawn = sample config 1 images

                let counts =
                    Array.init images (fun i -> Array.sub drawn.Labels (i * pixels) pixels |> Array.max)
                    |> Array.countBy id
                    |> Array.sort

                counts |> Array.map fst |> shouldEqual [| 3; 4; 5; 6 |]

                // 500 of each, with a deviation of 19.
                for _, count in counts do
                    abs (count - 500) |> shouldBeLessThan 80

            testCase "where there are always as many shapes, fewest changes no image"
            <| fun () ->
                for config in configs do
                    let always = sample { config with Fewest = config.Count } 4 20
                    let images = sample config 4 20
                    values always |> shouldEqual (values images)
                    always.Labels |> shouldEqual images.Labels

            testCase "ten shapes find room on 40 by 40 pixels"
            <| fun () ->
                let config = { Shapes.paper with Canvas = 40; Count = 10; MostTaken = 0.3 }
                let drawn = sample config 7 300

                for image in 0..299 do
                    Array.sub drawn.Labels (image * 1600) 1600 |> Array.max |> shouldEqual 10

            testCase "filling again leaves nothing of the last images"
            <| fun () ->
                let batch = sample Shapes.paper 1 5
                Shapes.fill Shapes.paper (Key.OfSeed 2L) batch
                let fresh = sample Shapes.paper 2 5
                values batch |> shouldEqual (values fresh)
                batch.Labels |> shouldEqual fresh.Labels
                batch.Overlap |> shouldEqual fresh.Overlap

            testCase "more shapes than the small program has tries are all drawn"
            <| fun () ->
                let config = { Shapes.published with Canvas = 200; Count = 40; MostTaken = 1.0 }

                let drawn = Shapes.sample config 3 (Key.OfSeed 1L)

                for image in 0..2 do
                    // One may be covered by others, all but never many.
                    Array.sub drawn.Labels (image * 40000) 40000 |> Array.max |> shouldBeAtLeast 39
        ]

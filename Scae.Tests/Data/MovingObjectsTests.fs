module Scae.Tests.Data.MovingObjectsTests

open Expecto
open Scae.Core.Data
open Scae.Tensors
open Scae.Tests.Claims

let private paper = MovingObjects.paper

let private sample (config: MovingObjectsConfig) (count: int) (seed: int) =
    MovingObjects.sample config (MovingObjects.masksOfShapes config) count (Key.OfSeed(int64 seed))

let private square: MovingObjectsConfig =
    { paper with
        Kinds = [ ShapeKind.Square ]
        HalfSize = 2
        Count = 1
        Frames = 60
    }

/// Left and top of the only object of each frame of a sequence.
let private corners (config: MovingObjectsConfig) (shapes: Shapes) (sequence: int) =
    let pixels = config.Canvas * config.Canvas

    [|
        for frame in 0 .. config.Frames - 1 do
            let lit =
                [
                    for i in 0 .. pixels - 1 do
                        if shapes.Labels[(sequence * config.Frames + frame) * pixels + i] > 0 then
                            i % config.Canvas, i / config.Canvas
                ]

            lit.Length |> shouldEqual 25
            List.min (List.map fst lit), List.min (List.map snd lit)
    |]

[<Tests>]
let tests =
    testList
        "Data.MovingObjects"
        [
            testPropertyWithConfig (samples 20) "frames are binary, and their light is where a label is"
            <| fun (seed: int) ->
                let shapes = sample paper 2 seed

                Array.forall2
                    (fun x label -> x = (if label > 0 then 1.0f else 0.0f) && label <= paper.Count)
                    (shapes.Images.toArray<float32>())
                    shapes.Labels

            testPropertyWithConfig (samples 20) "pixels of several objects belong to a later one"
            <| fun (seed: int) ->
                let shapes = sample { paper with Count = 5 } 2 seed

                Array.exists id shapes.Overlap
                && Array.forall2 (fun overlap label -> not overlap || label >= 2) shapes.Overlap shapes.Labels

            testPropertyWithConfig (samples 20) "an object keeps its shape and stays on the canvas"
            <| fun (seed: int) ->
                let config = { square with Slowest = 4.0; Fastest = 40.0 }
                let shapes = sample config 2 seed

                for sequence in 0..1 do
                    for x, y in corners config shapes sequence do
                        (min x y, max x y) |> shouldEqual (max 0 (min x y), min (config.Canvas - 5) (max x y))

            testPropertyWithConfig (samples 50) "a coordinate stays between its walls and moves at constant speed"
            <| fun (seed: int) ->
                let random = (Key.OfSeed(int64 seed)).Stream()
                let room = 30.0 * random.NextDouble()

                let bounce =
                    {
                        Start = room * random.NextDouble()
                        Velocity = 80.0 * random.NextDouble() - 40.0
                        Room = room
                    }

                let slow = { bounce with Velocity = 0.3 * room * (2.0 * random.NextDouble() - 1.0) }

                for t in 0..200 do
                    MovingObjects.position bounce t |> shouldBeIn (0.0, room)
                    let before, now = MovingObjects.position slow t, MovingObjects.position slow (t + 1)
                    let speed = abs slow.Velocity

                    if before > speed && before < room - speed then
                        abs (now - before) |> shouldBeNear 1e-9 speed
                    else
                        abs (now - before) |> shouldBeAtMost (speed + 1e-9)

            testCase "a coordinate turns round at a wall, and only there"
            <| fun () ->
                let bounce = { Start = 7.0; Velocity = 2.0; Room = 10.0 }

                [ 0..9 ]
                |> List.map (MovingObjects.position bounce)
                |> shouldEqual [ 7.0; 9.0; 9.0; 7.0; 5.0; 3.0; 1.0; 1.0; 3.0; 5.0 ]

                [ 0..3 ]
                |> List.map (MovingObjects.position { bounce with Velocity = -4.0 })
                |> shouldEqual [ 7.0; 3.0; 1.0; 5.0 ]

            testCase "what has no room to move stands still"
            <| fun () ->
                let bounce = { Start = 0.0; Velocity = 3.0; Room = 0.0 }
                [ 0..3 ] |> List.map (MovingObjects.position bounce) |> shouldEqual [ 0.0; 0.0; 0.0; 0.0 ]
                let config = { square with Canvas = 8; HalfSize = 3; Kinds = [ ShapeKind.Square ] }
                MovingObjects.leastCanvas config |> shouldEqual 7
                let full = sample { config with Canvas = 8; Frames = 3 } 1 1
                full.Labels |> Array.sum |> shouldEqual (3 * 49)

            testCase "speeds are uniform between their limits, directions all round"
            <| fun () ->
                let config = { paper with Slowest = 1.0; Fastest = 2.0 }
                let mask = (MovingObjects.masksOfShapes config)[0]
                let random = (Key.OfSeed 3L).Stream()
                let flights = Array.init 4000 (fun _ -> MovingObjects.fly config mask random)
                let speeds = flights |> Array.map (fun struct (x, y) -> sqrt (x.Velocity ** 2.0 + y.Velocity ** 2.0))

                for speed in speeds do
                    speed |> shouldBeIn (1.0 - 1e-9, 2.0 + 1e-9)

                Array.average speeds |> shouldBeNear 0.02 1.5
                flights |> Array.averageBy (fun struct (x, _) -> x.Velocity) |> shouldBeNear 0.07 0.0
                flights |> Array.averageBy (fun struct (_, y) -> y.Velocity) |> shouldBeNear 0.07 0.0

            testCase "the sequences follow from the key"
            <| fun () ->
                (sample paper 3 5).Labels |> shouldEqual (sample paper 3 5).Labels
                (sample paper 3 5).Labels |> shouldDiffer (sample paper 3 6).Labels

            testCase "filling again leaves nothing of the last sequences"
            <| fun () ->
                let batch, fresh = sample paper 2 1, sample paper 2 2
                MovingObjects.fill paper paper.Frames (MovingObjects.masksOfShapes paper) (Key.OfSeed 2L) batch
                batch.Images.toArray<float32>() |> shouldEqual (fresh.Images.toArray<float32>())
                batch.Labels |> shouldEqual fresh.Labels
                batch.Overlap |> shouldEqual fresh.Overlap

            testCase "shapes are the paper's static ones"
            <| fun () ->
                MovingObjects.masksOfShapes paper
                |> Array.map (fun mask -> mask.Width, mask.Height, mask.Lit |> Array.filter id |> Array.length)
                |> shouldEqual [| 7, 7, 40; 12, 7, 48; 12, 7, 48 |]

                MovingObjects.leastCanvas paper |> shouldEqual 12

            testCase "a digit is halved, cut to what is lit, and a blank one is dark"
            <| fun () ->
                let pixels = Array.zeroCreate<byte>(2 * Digits.Pixels)

                // Two squares of four pixels side by side, the second at half of white; a third is darker.
                for y in 10..11 do
                    for x in 6..7 do
                        pixels[y * Digits.Side + x] <- 255uy
                        pixels[y * Digits.Side + x + 2] <- 128uy
                        pixels[y * Digits.Side + x + 4] <- 127uy

                match MovingObjects.masksOfDigits { Pixels = pixels; Labels = [| 1uy; 2uy |] } with
                | [| digit; blank |] ->
                    digit |> shouldEqual { Width = 2; Height = 1; Lit = [| true; true |] }
                    blank |> shouldEqual { Width = 1; Height = 1; Lit = [| false |] }
                | other -> failtest $"{other.Length} masks"
        ]

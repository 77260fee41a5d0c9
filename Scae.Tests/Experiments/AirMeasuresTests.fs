module Scae.Tests.Experiments.AirMeasuresTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Metrics
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Data

let private scenes =
    lazy (MultiMnist.sample MultiMnist.published TestDigits.sets.Value.Test 60 (Key.OfSeed 1L))

/// What a model would say that knows the truth.
let private perfect () : AirReading =
    let scenes = scenes.Value
    let truth = scenes.Truth
    let nowhere: Square = { X = -99.0; Y = -99.0; Side = 1.0 }

    let filled (digit: PlacedDigit) : Square =
        let side = float digit.Side

        {
            X = float digit.Left + 0.5 * side
            Y = float digit.Top + 0.5 * side
            Side = side
        }

    let squares = truth |> Array.map (fun t -> Array.append (Array.map filled t) [| nowhere; nowhere |])

    {
        Scenes = scenes
        Presence = truth |> Array.map (fun t -> Array.init 3 (fun i -> if i < t.Length then 1.0f else 0.0f))
        Counts = truth |> Array.map _.Length
        Windows = squares
        Squares = squares
        What = truth |> Array.map (Array.map (fun d -> Array.init 10 (fun k -> if k = d.Class then 1.0 else 0.0)))
        Errors = truth |> Array.map (fun _ -> 0.0)
        Conditions = lazy []
    }

/// Four scenes: a digit, two that overlap, two of which the second begins where the first ends, and none.
let private four (second: PlacedDigit) : PlacedDigit[][] =
    let first: PlacedDigit = { Class = 3; Left = 2; Top = 4; Side = 10 }

    [| [| first |]; [| first; { first with Left = 8; Top = 9 } |]; [| first; second |]; [||] |]

[<Tests>]
let tests =
    testList
        "Experiments.AirMeasures"
        [
            testCase "perfect knowledge is measured as such"
            <| fun () ->
                let reading = perfect ()
                let counting = AirMeasures.counting 2 reading |> Map.ofList
                counting["count_accuracy"] |> shouldEqual 1.0
                counting["count_accuracy_2"] |> shouldEqual 1.0
                counting["count_mae"] |> shouldEqual 0.0
                let locating = AirMeasures.locating reading |> Map.ofList
                locating["iou"] |> shouldBeNear 1e-12 1.0
                locating["centre_error_single"] |> shouldEqual 0.0
                locating["window_error_single"] |> shouldEqual 0.0

                AirMeasures.identifying reading reading |> shouldEqual [ "class_probe", 1.0 ]

                // Learned from some scenes and measured on others, whose digits are called otherwise.
                let next (digit: PlacedDigit) = { digit with Class = (digit.Class + 1) % 10 }

                let others =
                    { reading with
                        Scenes =
                            { reading.Scenes with
                                Truth = reading.Scenes.Truth |> Array.map (Array.map next)
                            }
                    }

                AirMeasures.identifying reading others |> shouldEqual [ "class_probe", 0.0 ]
                // Learned from half of the classes, measured on all.
                let few = reading.Scenes.Truth |> Array.map (Array.filter (fun digit -> digit.Class < 5))

                let half =
                    { reading with
                        Scenes = { reading.Scenes with Truth = few }
                        Counts = few |> Array.map _.Length
                        What =
                            few
                            |> Array.map (
                                Array.map (fun d -> Array.init 10 (fun k -> if k = d.Class then 1.0 else 0.0))
                            )
                        Squares = few |> Array.map (Array.map AirReading.trueSquare)
                    }

                AirMeasures.identifying half reading |> List.map snd |> List.exactlyOne |> shouldBeIn (0.2, 0.8)
                AirMeasures.identifying reading half |> shouldEqual [ "class_probe", 1.0 ]

            testCase "errors of places are a mean over all digits, and a median over those that stand alone"
            <| fun () ->
                let digit left top : PlacedDigit = { Class = 1; Left = left; Top = top; Side = 10 }

                let truth = [| [| digit 2 2 |]; [| digit 5 9 |]; [| digit 15 4 |]; [| digit 0 0; digit 20 20 |]; [||] |]

                // How far to the right of its digit each step looks.
                let moved = [| [| 1.0 |]; [| 3.0 |]; [| 5.0 |]; [| 0.0; 2.0 |]; [||] |]
                let square by digit = let found = AirReading.trueSquare digit in { found with X = found.X + by }

                let reading =
                    { perfect () with
                        Scenes = { scenes.Value with Truth = truth }
                        Counts = [| 1; 1; 1; 2; 0 |]
                        Squares = Array.map2 (Array.map2 square) moved truth
                        Windows = truth |> Array.map (Array.map (square 4.0))
                    }

                let locating = AirMeasures.locating reading |> Map.ofList
                let share by = (10.0 - by) / (10.0 + by)
                locating["iou"] |> shouldBeNear 1e-12 (List.averageBy share [ 1.0; 3.0; 5.0; 0.0; 2.0 ])
                locating["centre_error"] |> shouldBeNear 1e-12 2.2
                locating["centre_error_single"] |> shouldBeNear 1e-12 3.0
                locating["window_error_single"] |> shouldBeNear 1e-12 4.0

            testCase "a window beside what is drawn in it is an error of the window alone"
            <| fun () ->
                let perfect = perfect ()
                let beside (square: Square) = { square with X = square.X + 3.0; Y = square.Y - 4.0 }
                let reading = { perfect with Windows = perfect.Windows |> Array.map (Array.map beside) }
                let locating = AirMeasures.locating reading |> Map.ofList
                locating["centre_error_single"] |> shouldEqual 0.0
                locating["window_error_single"] |> shouldBeNear 1e-9 5.0

            testCase "a window is centred on the ink that is drawn, and stays where none is"
            <| fun () ->
                let window: Square = { X = 1.0; Y = 3.0; Side = 3.0 }
                // Ink 1 in the pixel of column 3 and row 0 of 4 × 4, ink 3 in that of column 1 and row 2.
                let drawn =
                    Array.init 16 (fun i ->
                        if i = 3 then 1.0f
                        elif i = 9 then 3.0f
                        else 0.0f)

                AirReading.centredOnInk 4 window (ReadOnlySpan drawn)
                |> shouldEqual { window with X = 2.0; Y = 2.0 }

                AirReading.centredOnInk
                    4
                    window
                    (ReadOnlySpan(Array.map (fun ink -> if ink > 2.0f then ink else 0.0f) drawn))
                |> shouldEqual { window with X = 1.5; Y = 2.5 }

                AirReading.centredOnInk 4 window (ReadOnlySpan(Array.create 16 1e-9f)) |> shouldEqual window

            testCase "counts that are one too many are measured as such"
            <| fun () ->
                let perfect = perfect ()
                let reading = { perfect with Counts = perfect.Counts |> Array.map ((+) 1) }
                let counting = AirMeasures.counting 2 reading |> Map.ofList
                counting["count_accuracy"] |> shouldEqual 0.0
                counting["count_mae"] |> shouldEqual 1.0
                let table = AirMeasures.confusion 2 3 reading
                Seq.sum [ for n in 0..2 -> table[n, n + 1] ] |> shouldEqual 60

            for name, second in
                [
                    "beside", { Class = 5; Left = 12; Top = 4; Side = 10 }
                    "below", { Class = 5; Left = 2; Top = 14; Side = 10 }
                ] do
                testCase $"some counts that are right are measured as such, by true count and by overlap ({name})"
                <| fun () ->
                    let reading =
                        { perfect () with
                            Scenes = { scenes.Value with Truth = four second }
                            Counts = [| 1; 1; 2; 1 |]
                        }

                    AirMeasures.counting 2 reading
                    |> shouldEqual
                        [
                            "count_accuracy", 0.5
                            "count_accuracy_0", 0.0
                            "count_accuracy_1", 1.0
                            "count_accuracy_2", 0.5
                            "count_mae", 0.5
                        ]

                    let crowding = AirMeasures.crowding reading |> Map.ofList
                    crowding["count_accuracy_crowded"] |> shouldEqual 0.0
                    crowding["count_accuracy_apart"] |> shouldBeNear 1e-12 (2.0 / 3.0)

            testCase "digits above each other in other columns don't overlap, nor does a digit with itself"
            <| fun () ->
                let reading =
                    { perfect () with
                        Scenes =
                            { scenes.Value with
                                Truth =
                                    [|
                                        [| { Class = 1; Left = 0; Top = 0; Side = 10 } |]
                                        [|
                                            { Class = 1; Left = 0; Top = 5; Side = 10 }
                                            { Class = 2; Left = 20; Top = 0; Side = 10 }
                                        |]
                                    |]
                            }
                        Counts = [| 1; 2 |]
                    }

                let crowding = AirMeasures.crowding reading |> Map.ofList
                crowding["count_accuracy_apart"] |> shouldEqual 1.0
                crowding["count_accuracy_crowded"] |> shouldEqual nan

            testCase "wrong counts under a condition are measured as such"
            <| fun () ->
                let counts: ConditionCounts =
                    {
                        Condition = { Name = "fog"; Title = "fog"; Sample = fun _ -> scenes.Value }
                        True = [| 0; 1; 2; 2 |]
                        Inferred = [| 0; 2; 2; 1 |]
                    }

                AirMeasures.underConditions [ counts ] |> shouldEqual [ "fog_count_accuracy", 0.5 ]

            testCase "a digit fills the square between its sides, and the window there is that of its place and scale"
            <| fun () ->
                let expected: Square = { X = 10.0; Y = 17.0; Side = 14.0 }

                AirReading.trueSquare { Class = 7; Left = 3; Top = 10; Side = 14 } |> shouldEqual expected
                // The outermost of 32 pixels are 31 apart, and so are ±1.
                let window = AirReading.square 32 (log (13.0 / 31.0)) (-6.0 / 15.5) (1.0 / 15.5)
                window.X |> shouldBeNear 1e-9 expected.X
                window.Y |> shouldBeNear 1e-9 expected.Y
                window.Side |> shouldBeNear 1e-9 expected.Side

            testCase "the square at the origin with scale 1 is the whole canvas"
            <| fun () -> AirReading.square 32 0.0 0.0 0.0 |> shouldEqual { X = 16.0; Y = 16.0; Side = 32.0 }
        ]

/// What is inside pictures: that rows and columns, places and colours stand for what they say.
module Scae.Tests.Experiments.PicturesTests

open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Figures
open Scae.Core.Metrics
open Scae.Tensors
open Scae.Tests.Claims

let private panels (figure: Figure) : Panel list = List.concat figure.Panels

let private heatmap (figure: Figure) : Panel * HeatmapMark =
    let panel = List.exactlyOne (panels figure)

    panel,
    panel.Marks
    |> List.pick (function
        | Mark.Heatmap mark -> Some mark
        | _ -> None)

let private boxes (panel: Panel) : BoxMark list =
    panel.Marks
    |> List.choose (function
        | Mark.Box mark -> Some mark
        | _ -> None)

let private colours (panel: Panel) : Colour[] =
    panel.Marks
    |> List.pick (function
        | Mark.Scatter mark -> Some mark.Colours
        | _ -> None)

/// An AIR reading of scenes with so many digits, which are counted so.
let private counted (scenes: (int * int) list) : AirReading =
    let digit: PlacedDigit = { Class = 1; Left = 0; Top = 0; Side = 10 }

    {
        Scenes =
            {
                Images = Tensor.zeros ([| scenes.Length; 4 |])
                Truth = [| for digits, _ in scenes -> Array.replicate digits digit |]
            }
        Counts = scenes |> List.map snd |> Array.ofList
        Presence = [||]
        Windows = [||]
        Squares = [||]
        What = [||]
        Errors = [||]
        Conditions = lazy []
    }

/// One scene of the published templates, in which nothing is shuffled: point i lies at (10·i, 0).
let private inARow (places: int[]) : Tensor =
    Tensor.``of`` (places |> Array.collect (fun place -> [| 10.0f * float32 place; 0.0f |]), [| 1; places.Length; 2 |])

let private labels: int[] = [| 0; 0; 0; 0; 1; 1; 1; 1; 2; 2; 2 |]

let private scene (places: int[]) : Constellations =
    {
        Points = inARow places
        Labels = labels
        Poses = Tensor.zeros ([| 1; 3; 4 |])
    }

[<Tests>]
let tests =
    testList
        "Experiments.Pictures"
        [
            testCase "AIR's table of counts has a row for each true count and a column for each inferred one"
            <| fun () ->
                let panel, mark =
                    counted [ 1, 2; 1, 2; 1, 1; 1, 2; 2, 0 ] |> AirFigures.counts AirSettings.published |> heatmap

                (panel.X.Label, panel.Y.Label) |> shouldEqual ("inferred", "true")
                mark.Rows |> shouldEqual [ "0 digits"; "1 digit"; "2 digits" ]
                mark.Columns |> shouldEqual [ "0"; "1"; "2"; "3" ]

                mark.Values
                |> shouldEqual (array2D [ [ 0.0; 0.0; 0.0; 0.0 ]; [ 0.0; 0.25; 0.75; 0.0 ]; [ 1.0; 0.0; 0.0; 0.0 ] ])

            testCase "AIR's boxes lie where steps look, dashed where nothing is present"
            <| fun () ->
                let windows: Square[] = [| { X = 10.0; Y = 17.0; Side = 14.0 }; { X = 20.0; Y = 5.0; Side = 4.0 } |]
                let digit: PlacedDigit = { Class = 1; Left = 0; Top = 0; Side = 10 }
                let side = AirSettings.published.Scenes.Canvas

                let panel = AirFigures.look (Array.zeroCreate (side * side)) [| digit; digit |] windows [| 0.9f; 0.2f |]

                panel.Title |> shouldEqual "2 true, 1 inferred"

                boxes panel
                |> List.map (fun box -> (box.X0, box.Y0, box.X1, box.Y1), box.Dashed, box.Colour)
                |> List.sort
                |> shouldEqual (
                    List.sort
                        [
                            (3.0, 10.0, 17.0, 24.0), false, Palette.category 0
                            (18.0, 3.0, 22.0, 7.0), true, Palette.category 1
                        ]
                )

            testCase "neural EM's pixels have the colour of the slot with the largest responsibility"
            <| fun () ->
                // Four pixels in a square, all lit: those of slots 2, 0, 1 and 0.
                let owners = [| 2; 0; 1; 0 |]

                let gamma =
                    [|
                        for slot in 0..2 do
                            for owner in owners -> if owner = slot then 0.6f else 0.2f
                    |]

                let scenes: NeuralEMScenes =
                    {
                        Shapes =
                            {
                                Images = Tensor.ones ([| 1; 4 |])
                                Labels = [| 1; 1; 1; 1 |]
                                Overlap = Array.replicate 4 false
                            }
                        Noise = Key.OfSeed 0L
                    }

                let data =
                    {
                        Train = None
                        Unread = scenes.Shapes
                        Validation = scenes
                        Test = scenes
                        Others = []
                        Shown = scenes
                    }

                let pixels =
                    (NeuralEMFigures.assignment data gamma 0 "").Marks
                    |> List.pick (function
                        | Mark.Image { Pixels = Pixels.Rgb values } -> Some values
                        | _ -> None)

                for pixel, owner in Array.indexed owners do
                    let colour = Palette.categoryOf 3 owner

                    [ for channel in 0..2 -> pixels[pixel / 2, pixel % 2, channel] ]
                    |> shouldEqual [ for value in [ colour.R; colour.G; colour.B ] -> float value / 255.0 ]

            testCase "the table of constellations has shares of each true template's points"
            <| fun () ->
                // The last point of the square lies where the triangle is drawn.
                let given = [| 0; 1; 2; 8; 4; 5; 6; 7; 8; 9; 10 |]

                let panel, mark =
                    { Scenes = scene given; Drawn = inARow [| 0..10 |] }
                    |> ConstellationsFigures.confusion { Loss = "chamfer"; Relabelled = false } Template.published
                    |> heatmap

                (panel.X.Label, panel.Y.Label) |> shouldEqual ("predicted", "true")
                mark.Values |> shouldEqual (array2D [ [ 0.75; 0.0; 0.25 ]; [ 0.0; 1.0; 0.0 ]; [ 0.0; 0.0; 1.0 ] ])

            testCase "what capsules claim and where they look is in the colours of their rows"
            <| fun () ->
                let scenes = scene [| 0..10 |]

                let data: ConstellationsData =
                    {
                        Templates = Template.published
                        Validation = scenes
                        Test = scenes
                        Shown = scenes
                    }

                let claimed =
                    Tensor.``of`` (
                        [|
                            for label in labels do
                                for capsule in 0..2 -> if capsule = label then 0.0f else -200.0f
                        |],
                        [| 1; 11; 3 |]
                    )

                let looked =
                    Tensor.``of`` (
                        [|
                            for capsule in 0..2 do
                                for label in labels -> if capsule = label then 0.25f else 0.0f
                        |],
                        [| 1; 3; 11 |]
                    )

                for figure in [ RoutingFigures.routing data claimed; RoutingFigures.attention data looked ] do
                    panels figure
                    |> List.map colours
                    |> shouldEqual
                        [
                            for capsule in 0..2 ->
                                labels
                                |> Array.map (fun label ->
                                    if label = capsule then
                                        Palette.category capsule
                                    else
                                        Colour.rgb 232 232 232)
                        ]
        ]

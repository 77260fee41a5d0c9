module Scae.Tests.Experiments.TvaeFiguresTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments
open Scae.Core.Figures

let private shape: FrameShape = { Channels = 3; Side = 2 }

let private frames count = Array.init count (fun i -> Array.create 12 (float32 i / float32 count))

let private sequence: Traversal = { Input = frames 5; Reconstruction = frames 5; Rolled = frames 5 }

/// The colours of a panel of one picture.
let private pixels (panel: Panel) =
    panel.Marks
    |> List.pick (fun mark ->
        match mark with
        | Mark.Image { ImageMark.Pixels = Pixels.Rgb values } -> Some values
        | _ -> None)

[<Tests>]
let tests =
    testList
        "Experiments.TvaeFigures"
        [
            testCase "a traversal has three rows a sequence, as long as the sequence"
            <| fun () ->
                let figure = TvaePictures.traversals shape "traversal" "" [ sequence; sequence ]
                figure.Panels |> shouldHaveLength 6
                figure.RowLabels |> shouldHaveLength 6
                Array3D.length2 (pixels figure.Panels.Head.Head) |> shouldEqual (5 * 3 - 1)
                (TvaePictures.traversals shape "traversal" "" []).Panels |> shouldBeEmpty

            testCase "the animation has a picture a frame"
            <| fun () ->
                let animation = TvaePictures.rolling shape "rolling" [ sequence ]
                animation.Frames |> shouldHaveLength 5
                (pixels animation.Frames[2].Panels.Head[2])[0, 0, 0] |> shouldBeNear 1e-6 0.4

            testCase "each unit has the colour of its class"
            <| fun () ->
                let figure = TvaePictures.selectivity 2 [| 3; -1; 3; 0 |]
                figure.Key |> List.map _.Label |> shouldEqual [ "0"; "3"; "none" ]
                let values = pixels figure.Panels.Head.Head
                // As of ten classes, whichever are there.
                values[0, 0, 0] |> shouldEqual (float (Palette.categoryOf 10 3).R / 255.0)
                values[1, 1, 2] |> shouldEqual (float (Palette.categoryOf 10 0).B / 255.0)
                values[0, 0, 0] |> shouldEqual values[1, 0, 0]

            testCase "ten classes have ten colours"
            <| fun () ->
                let values = pixels (TvaePictures.selectivity 4 [| for i in 0..15 -> i % 10 |]).Panels.Head.Head

                [ for i in 0..9 -> values[i / 4, i % 4, 0], values[i / 4, i % 4, 1], values[i / 4, i % 4, 2] ]
                |> List.distinct
                |> shouldHaveLength 10

            testCase "the covariance's diagonal is left out"
            <| fun () ->
                let figure = TvaePictures.covariance (array2D [ [ 1.0; 0.5 ]; [ 0.5; 1.0 ] ])

                let shown =
                    figure.Panels.Head.Head.Marks
                    |> List.pick (fun mark ->
                        match mark with
                        | Mark.Image { ImageMark.Pixels = Pixels.Mapped(values, _, _, _) } -> Some values
                        | _ -> None)

                shown |> shouldEqual (array2D [ [ 0.0; 0.5 ]; [ 0.5; 0.0 ] ])

            testCase "every factor has a bar, and chance beside it"
            <| fun () ->
                let factor name = { Factor = name; Correlation = 0.9; Chance = 0.5; Prior = 0.7 }

                let panel = (TvaeFigures.capsuleCorrelation [ factor "scale"; factor "column" ]).Panels.Head.Head

                let bars =
                    panel.Marks
                    |> List.pick (fun mark ->
                        match mark with
                        | Mark.Bars bars -> Some bars.Heights
                        | _ -> None)

                bars |> shouldEqual [| 0.9; 0.9 |]

                // Both factors have a line for each level, and the legend names it once.
                let levels =
                    panel.Marks
                    |> List.choose (fun mark ->
                        match mark with
                        | Mark.Line line -> Some(line.Label, line.Y[0])
                        | _ -> None)

                levels |> List.map snd |> List.sort |> shouldEqual [ 0.5; 0.5; 0.7; 0.7 ]

                levels |> List.map fst |> List.filter ((<>) "") |> List.sort |> shouldEqual [ "chance"; "prior" ]

            testCase "the guesses about unseen frames have a line each"
            <| fun () ->
                let figure = TvaeFigures.generalization [ "rolled", [| 0.1; 0.2 |]; "mean frame", [| 0.3; 0.3 |] ]

                figure.Panels.Head.Head.Marks |> shouldHaveLength 2
        ]

module Scae.Tests.Figures.PanelTests

open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures

[<Tests>]
let tests =
    testList
        "Figures.Panel"
        [
            testCase "marks keep the order of the pipeline"
            <| fun () ->
                let x = [| 0.0; 1.0 |]

                let panel =
                    Panel.create "Chamfer"
                    |> Panel.axes "epoch" "loss"
                    |> Panel.horizontal "chance" Palette.blue 0.5
                    |> Panel.line "training" Palette.blue x x
                    |> Panel.points "best" Marker.Cross 8.0 Colour.black [| 1.0 |] [| 1.0 |]

                (panel.Title, panel.X.Label, panel.Y.Label) |> shouldEqual ("Chamfer", "epoch", "loss")

                panel.Marks
                |> List.map (function
                    | Mark.Rule rule -> rule.Label
                    | Mark.Line line -> line.Label
                    | Mark.Scatter scatter -> scatter.Label
                    | _ -> "other")
                |> shouldEqual [ "chance"; "training"; "best" ]

            testCase "a picture has pixel coordinates with y pointing down"
            <| fun () ->
                let panel = Panel.create "" |> Panel.grey (0.0, 1.0) (Array2D.zeroCreate 20 30)
                panel.X.Limits |> shouldEqual (Limits.Fixed(0.0, 30.0))
                panel.Y.Limits |> shouldEqual (Limits.Fixed(0.0, 20.0))
                (panel.X.Reversed, panel.Y.Reversed, panel.EqualAspect) |> shouldEqual (false, true, true)

            testCase "a heatmap names its rows and columns at the middle of the cells"
            <| fun () ->
                let panel =
                    Panel.create ""
                    |> Panel.heatmap ColourMap.blues (0.0, 1.0) [ "a"; "b" ] [ "c" ] "P0" (Array2D.zeroCreate 2 1)

                panel.Y.Ticks |> shouldEqual (Ticks.At [ 0.5, "a"; 1.5, "b" ])
                panel.X.Ticks |> shouldEqual (Ticks.At [ 0.5, "c" ])

            testCase "the range of a matrix ignores what isn't finite"
            <| fun () ->
                Panel.range (array2D [ [ nan; 3.0 ]; [ -2.0; infinity ] ]) |> shouldEqual (-2.0, 3.0)
                Panel.range (array2D [ [ nan ] ]) |> shouldEqual (0.0, 1.0)

            testCase "the range of values is a twentieth wider on each side, and ignores what isn't finite"
            <| fun () ->
                let limits values = (Panel.create "" |> Panel.yRangeOf values).Y.Limits
                limits [ 3.0; nan; -1.0; infinity ] |> shouldEqual (Limits.Fixed(-1.0 - 0.2, 3.0 + 0.2))
                limits [ 2.0 ] |> shouldEqual (Limits.Fixed(2.0 - 0.1, 2.0 + 0.1))
                limits [ 0.0 ] |> shouldEqual (Limits.Fixed(-0.05 * 1e-5, 0.05 * 1e-5))
                limits [ nan ] |> shouldEqual (Panel.create "").Y.Limits

            testCase "the axis of a share doesn't go beyond 0 and 1"
            <| fun () ->
                let limits values = (Panel.create "" |> Panel.yRangeOf values |> Panel.yWithin 0.0 1.0).Y.Limits
                limits [ 0.5; 1.0 ] |> shouldEqual (Limits.Fixed(0.5 - 0.025, 1.0))
                limits [ 0.0; 0.5 ] |> shouldEqual (Limits.Fixed(0.0, 0.5 + 0.025))
                limits [ nan ] |> shouldEqual (Panel.create "").Y.Limits

            testCase "an animation at eight frames a second shows each for an eighth"
            <| fun () ->
                let animation = Animation.create "training" 8.0 [||]
                (animation.Delay, animation.Hold) |> shouldEqual (0.125, 2.0)
        ]

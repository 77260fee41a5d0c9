module Scae.Tests.Plots.FigurePictureTests

open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures
open Scae.Cli.Plots
open SkiaSharp

let private bitmap (figure: Figure) (scale: float) : SKBitmap =
    use stream = new System.IO.MemoryStream()
    FigureRenderer.RenderPng(figure, stream, scale)
    SKBitmap.Decode(stream.ToArray())

let private colours (bitmap: SKBitmap) (area: ScottPlot.PixelRect) (inset: int) : Set<uint32> =
    set
        [
            for y in int area.Top + inset .. int area.Bottom - 1 - inset do
                for x in int area.Left + inset .. int area.Right - 1 - inset do
                    uint32 (bitmap.GetPixel(x, y))
        ]

let private square (values: float[,]) = Panel.create "" |> Panel.grey (0.0, 1.0) values

[<Tests>]
let tests =
    testList
        "Plots.FigurePicture"
        [
            for figure in SampleFigures.all do
                testCase $"every panel with marks shows something that it doesn't show without them ({figure.Name})"
                <| fun () ->
                    let bare =
                        { figure with
                            Figure.Panels =
                                [ for row in figure.Panels -> [ for p in row -> { p with Panel.Marks = [] } ] ]
                        }

                    let areas = (FigurePicture figure).Areas
                    use drawn = bitmap figure 1.0
                    use blank = bitmap bare 1.0

                    figure.Panels
                    |> List.iteri (fun i row ->
                        row
                        |> List.iteri (fun j panel ->
                            if not panel.Marks.IsEmpty && figure.Name <> "degenerate" then
                                let area = areas[i][j]
                                let inside = Set.difference (colours drawn area 2) (colours blank area 2)
                                inside.IsEmpty |> shouldEqual false))

            testCase "columns share left and right edges of their drawing areas, rows top and bottom"
            <| fun () ->
                let wide = Panel.create "" |> Panel.yLimits 0.0 1e5
                let small = Panel.create "" |> Panel.yLimits 0.0 1.0 |> Panel.axes "epoch" ""
                let picture = FigurePicture(Figure.create "grid" "" [ [ wide; small ]; [ small; small ] ])
                let areas = picture.Areas

                for i in 0..1 do
                    let left, right, above, below = areas[i][0], areas[i][1], areas[0][i], areas[1][i]
                    (left.Top, left.Bottom) |> shouldEqual (right.Top, right.Bottom)
                    (above.Left, above.Right) |> shouldEqual (below.Left, below.Right)
                    right.Left |> shouldBeGreaterThan left.Right
                    below.Top |> shouldBeGreaterThan above.Bottom

            testCase "the pixels of an image keep their colours and hard edges"
            <| fun () ->
                let figure =
                    Figure.single "image" (square (array2D [ [ 0.0; 1.0; 0.4 ]; [ 1.0; 0.0; 1.0 ]; [ 0.4; 0.4; 0.0 ] ]))

                use drawn = bitmap figure 2.0

                // The image reaches from its first black pixel to its last, and the frame covers its edge.
                let xs, ys =
                    List.unzip
                        [
                            for y in 0 .. drawn.Height - 1 do
                                for x in 0 .. drawn.Width - 1 do
                                    if uint32 (drawn.GetPixel(x, y)) = 0xFF000000u then
                                        float32 x, float32 y
                        ]

                let image = ScottPlot.PixelRect(List.min xs, List.max xs + 1f, List.max ys + 1f, List.min ys)

                image.Width |> shouldBeGreaterThan 300f
                colours drawn image 2 |> shouldEqual (set [ 0xFF000000u; 0xFF666666u; 0xFFFFFFFFu ])

            testCase "images of different extents in one figure are equally large"
            <| fun () ->
                let black n = square (Array2D.zeroCreate n n)

                let figure = Figure.create "sizes" "" [ [ black 16; black 32 ] ] |> Figure.panelSize 150.0 150.0

                use drawn = bitmap figure 1.0

                let runs =
                    [ 0 .. drawn.Width - 1 ]
                    |> List.map (fun x -> uint32 (drawn.GetPixel(x, drawn.Height / 2)) = 0xFF000000u)
                    |> List.countBy id

                let dark = runs |> List.find fst |> snd
                let first = (FigurePicture figure).Areas[0][0]

                let left =
                    [ int first.Left .. int first.Right ]
                    |> List.filter (fun x -> uint32 (drawn.GetPixel(x, drawn.Height / 2)) = 0xFF000000u)

                dark |> shouldEqual (2 * left.Length)

            testCase "what is half transparent lies on the ground once"
            <| fun () ->
                let panel =
                    Panel.create ""
                    |> Panel.frame Frame.Box
                    |> Panel.polygon Colour.black 0.5 [| 0.0; 1.0; 1.0; 0.0 |] [| 0.0; 0.0; 1.0; 1.0 |]

                use drawn = bitmap (Figure.single "veil" panel) 1.0
                int (drawn.GetPixel(drawn.Width / 2, drawn.Height / 2).Red) |> shouldBeNear 1.0 127

            testCase "a point on the limits is drawn whole"
            <| fun () ->
                let panel =
                    Panel.create ""
                    |> Panel.xLimits 0.0 1.0
                    |> Panel.yLimits 0.0 1.0
                    |> Panel.points "" Marker.Circle 8.0 (Colour.rgb 255 0 0) [| 1.0 |] [| 0.5 |]

                let figure = Figure.single "edge" panel
                let area = (FigurePicture figure).Areas[0][0]
                use drawn = bitmap figure 1.0
                let at dx = drawn.GetPixel(int area.Right + dx, int (area.Top + area.Bottom) / 2)
                (at 3).Blue |> shouldBeLessThan 100uy
                (at -3).Blue |> shouldBeLessThan 100uy
        ]

module Scae.Tests.Plots.RasterCanvasTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures
open Scae.Cli.Plots

/// How many pixels are covered with black, parts of pixels counted as parts.
let private ink (draw: RasterCanvas -> unit) : float =
    let canvas = RasterCanvas(100.0, 80.0, 1.0)
    draw canvas
    canvas.Raster.Image.Rgb |> Array.sumBy (fun b -> float (255uy - b) / 255.0 / 3.0)

let private coordinate (b: byte) (limit: float) = 2.0 + (limit - 4.0) * float b / 255.0

[<Tests>]
let tests =
    testList
        "Plots.RasterCanvas"
        [
            testPropertyWithConfig (samples 100) "a triangle covers its area"
            <| fun (a: byte, b: byte) (c: byte, d: byte) (e: byte, f: byte) ->
                let p, q = coordinate a 100.0, coordinate b 80.0
                let r, s = coordinate c 100.0, coordinate d 80.0
                let t, u = coordinate e 100.0, coordinate f 80.0
                let area = abs ((r - p) * (u - q) - (t - p) * (s - q)) / 2.0
                let drawn = ink (fun canvas -> canvas.Fill([| Point(p, q); Point(r, s); Point(t, u) |], Colour.black))
                // A pixel is rounded to 1/255 of its coverage.
                abs (drawn - area) < 0.5 + 0.01 * area

            testPropertyWithConfig (samples 100) "a line covers its length times its width and two round caps"
            <| fun (a: byte, b: byte) (c: byte, d: byte) ->
                let p, q, r, s = 5.0 + float a / 3.0, 5.0 + float b / 4.0, 5.0 + float c / 3.0, 5.0 + float d / 4.0
                let length = sqrt ((r - p) ** 2.0 + (s - q) ** 2.0)
                let drawn = ink (fun canvas -> canvas.Stroke([| Point(p, q); Point(r, s) |], Colour.black, 4.0, false))
                let area = 4.0 * length + Math.PI * 4.0
                abs (drawn - area) < 3.0 + 0.02 * area

            testCase "a disc covers πr²"
            <| fun () ->
                abs (ink (fun c -> c.Disc(Point(50.3, 40.7), 10.0, Colour.black)) - Math.PI * 100.0)
                |> shouldBeLessThan 2.0

            testCase "nothing is painted outside the clip, however far the shapes reach"
            <| fun () ->
                let clip = Rectangle(10.0, 20.0, 30.0, 50.0)

                let drawn =
                    ink (fun canvas ->
                        canvas.PushClip clip

                        canvas.Fill(
                            [| Point(-1e5, -1e5); Point(1e5, -1e5); Point(1e5, 1e5); Point(-1e5, 1e5) |],
                            Colour.black
                        )

                        canvas.Stroke([| Point(-1e5, 30.0); Point(1e5, 31.0) |], Colour.black, 5.0, true)
                        canvas.Disc(Point(30.0, 50.0), 20.0, Colour.black)

                        canvas.Text(
                            TextRun(
                                "wide text here",
                                Point(0.0, 30.0),
                                20.0,
                                Colour.black,
                                TextAlign.Start,
                                false,
                                false
                            )
                        )

                        canvas.PopClip())

                drawn |> shouldBeNear 1e-6 (20.0 * 30.0)

            testCase "crossing strokes of one line are no darker than the line"
            <| fun () ->
                let canvas = RasterCanvas(20.0, 20.0, 1.0)
                let half = Colour.withOpacity 0.5 Colour.black

                canvas.Stroke(
                    [| Point(2.0, 2.0); Point(18.0, 18.0); Point(18.0, 2.0); Point(2.0, 18.0) |],
                    half,
                    3.0,
                    false
                )

                canvas.Raster.Image.Rgb |> Array.min |> shouldBeAtLeast 127uy

            testCase "an image is enlarged by nearest neighbours and shrunk by means"
            <| fun () ->
                let image = PixelImage(2, 1)
                image.Set(1, 0, 200uy, 100uy, 0uy)
                let canvas = RasterCanvas(8.0, 2.0, 1.0)
                canvas.Image(image, Rectangle(0.0, 0.0, 8.0, 1.0))
                canvas.Image(image, Rectangle(0.0, 1.0, 1.0, 2.0))
                let at x y = [ for c in 0..2 -> canvas.Raster.Image.Rgb[(y * 8 + x) * 3 + c] ]

                [ at 0 0; at 3 0; at 4 0; at 7 0 ]
                |> shouldEqual [ [ 0uy; 0uy; 0uy ]; [ 0uy; 0uy; 0uy ]; [ 200uy; 100uy; 0uy ]; [ 200uy; 100uy; 0uy ] ]

                at 0 1 |> shouldEqual [ 100uy; 50uy; 0uy ]

            testPropertyWithConfig (samples 100) "thinning a curve keeps its ends and its extremes in every column"
            <| fun (ys: byte list) ->
                let line = ys |> List.mapi (fun i y -> Point(float i * 0.1, float y)) |> Array.ofList
                let thin = Polygons.Thin(line, 0.5)

                let extent (points: Point[]) =
                    points
                    |> Array.groupBy (fun p -> floor (p.X / 0.5))
                    |> Array.map (fun (column, group) ->
                        column,
                        group[0],
                        Array.last group,
                        group |> Array.map _.Y |> Array.min,
                        group |> Array.map _.Y |> Array.max)

                extent thin = extent line && thin.Length <= 4 * (line.Length / 5 + 1)
        ]

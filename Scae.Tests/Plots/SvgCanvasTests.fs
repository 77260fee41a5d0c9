module Scae.Tests.Plots.SvgCanvasTests

open System
open System.IO
open System.Text
open System.Xml.Linq
open Expecto
open Scae.Tests
open Scae.Tests.Claims
open Scae.Core.Figures
open Scae.Cli.Plots

let private svg (figure: Figure) : string =
    use stream = new MemoryStream()
    FigureRenderer.RenderSvg(figure, stream)
    Encoding.UTF8.GetString(stream.ToArray())

let private texts (document: XDocument) : string list =
    [ for e in document.Descendants(XName.Get("text", "http://www.w3.org/2000/svg")) -> e.Value ]

[<Tests>]
let tests =
    testList
        "Plots.SvgCanvas"
        [
            for name in [ "learning-curves"; "confusion" ] do
                testCase $"an SVG is as expected ({name})"
                <| fun () ->
                    let figure = SampleFigures.all |> List.find (fun f -> f.Name = name)

                    svg figure |> Expectation.shouldHold (name + ".svg")

            testCase "the comparison notices a changed number"
            <| fun () ->
                let document = svg SampleFigures.confusion
                Expectation.difference document document |> Option.isNone |> shouldEqual true

                Expectation.difference document (document.Replace("12.1%", "12.2%"))
                |> Option.isSome
                |> shouldEqual true

            testPropertyWithConfig
                (samples 50)
                "whatever the titles are, the document is well-formed and keeps short ones"
            <| fun (title: string | null) ->
                let title =
                    match title with
                    | null -> ""
                    | text -> text

                let figure = Panel.create "a < b & \"c\"" |> Figure.single "x"
                let document = XDocument.Parse(svg { figure with Figure.Title = title })
                texts document |> List.contains "a < b & \"c\""

            testCase "a large image is embedded and a small one drawn as rectangles"
            <| fun () ->
                let figure size =
                    Panel.create ""
                    |> Panel.grey (0.0, 1.0) (Array2D.init size size (fun i j -> float (i * j % 2)))
                    |> Figure.single "x"

                let count name size =
                    (XDocument.Parse(svg (figure size))).Descendants(XName.Get(name, "http://www.w3.org/2000/svg"))
                    |> Seq.length

                (count "image" 64, count "image" 65) |> shouldEqual (0, 1)
                count "rect" 64 |> shouldBeGreaterThan 64
        ]

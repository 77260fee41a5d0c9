module Scae.Tests.Plots.SampleFiguresTests

open System.IO
open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures
open Scae.Cli.Plots

let private names: string[] = SampleFigures.all |> List.map _.Name |> Array.ofList

let private bytesOf (write: Stream -> unit) : byte[] =
    use stream = new MemoryStream()
    write stream
    stream.ToArray()

[<Tests>]
let tests =
    testList
        "Plots.SampleFigures"
        [
            for name in names do
                testCase $"a sample is drawn as PNG and SVG, the same bytes each time ({name})"
                <| fun () ->
                    let figure = SampleFigures.all |> List.find (fun f -> f.Name = name)
                    let png s = FigureRenderer.RenderPng(figure, s, 1.0)
                    let svg s = FigureRenderer.RenderSvg(figure, s)
                    SamplePictures.keep $"{name}.png" png
                    SamplePictures.keep $"{name}@2.png" (fun s -> FigureRenderer.RenderPng(figure, s, 2.0))
                    SamplePictures.keep $"{name}.svg" svg
                    bytesOf png = bytesOf png |> shouldEqual true
                    bytesOf svg = bytesOf svg |> shouldEqual true

            testCase "an animation has the same bytes each time, although frames are drawn on several threads"
            <| fun () ->
                let gif s = FigureRenderer.RenderGif(SampleFigures.training, s, 1.0)
                SamplePictures.keep "training.gif" gif
                let first = bytesOf gif
                bytesOf gif = first |> shouldEqual true
                first.Length |> shouldBeLessThan 1500000
        ]

module Scae.Tests.Plots.SampleFiguresTests

open System.IO
open NUnit.Framework
open FsUnit
open Scae.Core.Figures
open Scae.Cli.Plots

let private names: string[] = SampleFigures.all |> List.map _.Name |> Array.ofList

let private bytesOf (write: Stream -> unit) : byte[] =
    use stream = new MemoryStream()
    write stream
    stream.ToArray()

[<TestCaseSource(nameof names)>]
let ``a sample is drawn as PNG and SVG, the same bytes each time`` (name: string) =
    let figure = SampleFigures.all |> List.find (fun f -> f.Name = name)
    let png s = FigureRenderer.RenderPng(figure, s, 1.0)
    let svg s = FigureRenderer.RenderSvg(figure, s)
    SamplePictures.keep $"{name}.png" png
    SamplePictures.keep $"{name}@2.png" (fun s -> FigureRenderer.RenderPng(figure, s, 2.0))
    SamplePictures.keep $"{name}.svg" svg
    bytesOf png = bytesOf png |> should equal true
    bytesOf svg = bytesOf svg |> should equal true

[<Test>]
let ``an animation has the same bytes each time, although frames are drawn on several threads`` () =
    let gif s = FigureRenderer.RenderGif(SampleFigures.training, s, 1.0)
    SamplePictures.keep "training.gif" gif
    let first = bytesOf gif
    bytesOf gif = first |> should equal true
    first.Length |> should be (lessThan 1500000)

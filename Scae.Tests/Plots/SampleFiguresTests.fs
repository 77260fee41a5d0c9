module Scae.Tests.Plots.SampleFiguresTests

open System
open System.IO
open NUnit.Framework
open FsUnit
open Scae.Core
open Scae.Cli.Plots

/// With SCAE_PICTURES set to a folder, the samples are written there to be looked at.
let private folder: string | null = Environment.GetEnvironmentVariable "SCAE_PICTURES"

let private keep (name: string) (bytes: byte[]) : unit =
    match folder with
    | null -> ()
    | folder ->
        Directory.CreateDirectory folder |> ignore
        File.WriteAllBytes(Path.Combine(folder, name), bytes)

let private bytesOf (write: Stream -> unit) : byte[] =
    use stream = new MemoryStream()
    write stream
    stream.ToArray()

let private names: string[] = SampleFigures.all |> List.map _.Name |> Array.ofList

[<TestCaseSource(nameof names)>]
let ``every sample is drawn as PNG and SVG, the same bytes each time`` (name: string) =
    let figure = SampleFigures.all |> List.find (fun f -> f.Name = name)
    let png () = bytesOf (fun s -> FigureRenderer.RenderPng(figure, s, 1.0))
    let svg () = bytesOf (fun s -> FigureRenderer.RenderSvg(figure, s))
    let drawn, written = png (), svg ()
    keep $"{name}.png" drawn
    keep $"{name}@2.png" (bytesOf (fun s -> FigureRenderer.RenderPng(figure, s, 2.0)))
    keep $"{name}.svg" written
    png () |> should equal drawn
    svg () |> should equal written

[<Test>]
let ``the training animation is small`` () =
    let gif () = bytesOf (fun s -> FigureRenderer.RenderGif(SampleFigures.training, s, 1.0))
    let clock = Diagnostics.Stopwatch.StartNew()
    let first = gif ()
    let cold = clock.ElapsedMilliseconds
    clock.Restart()
    gif () |> ignore
    let warm = clock.ElapsedMilliseconds
    keep "training.gif" first
    TestContext.Out.WriteLine $"gif {first.Length} bytes, {cold} ms cold, {warm} ms warm"
    for f in SampleFigures.all do
        for s in [ 1.0; 2.0 ] do
            for _ in 1..5 do
                bytesOf (fun o -> FigureRenderer.RenderPng(f, o, s)) |> ignore
            clock.Restart()
            for _ in 1..5 do
                bytesOf (fun o -> FigureRenderer.RenderPng(f, o, s)) |> ignore
            let total = clock.Elapsed.TotalMilliseconds / 5.0
            clock.Restart()
            for _ in 1..5 do
                FigureRenderer.Rasterise(f, s) |> ignore
            TestContext.Out.WriteLine $"{f.Name} x{s}: {total:F1} ms, raster {clock.Elapsed.TotalMilliseconds / 5.0:F1}"
    first.Length |> should be (lessThan 1500000)

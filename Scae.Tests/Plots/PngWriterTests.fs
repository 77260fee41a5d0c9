module Scae.Tests.Plots.PngWriterTests

open System.IO
open Expecto
open Scae.Tests.Claims
open Scae.Cli.Plots

let private write (image: PixelImage) : byte[] =
    use stream = new MemoryStream()
    PngWriter.Write(image, stream)
    stream.ToArray()

/// Noise, a gradient or a flat area, so that each filter has its turn.
let private picture (width: int) (height: int) (seed: int) : PixelImage =
    let image = PixelImage(width, height)

    for i in 0 .. image.Rgb.Length - 1 do
        image.Rgb[i] <-
            match (i / (3 * width) + seed) % 4 with
            | 0 -> byte (i * i * (seed + 7) >>> 3)
            | 1 -> byte (i / 3 * 2)
            | _ -> byte seed

    image

[<Tests>]
let tests =
    testList
        "Plots.PngWriter"
        [
            testPropertyWithConfig (samples 100) "a PNG decodes to the pixels it was written from"
            <| fun (w: byte) (h: byte) (seed: byte) ->
                let image = picture (1 + int w % 70) (1 + int h % 20) (int seed)
                let back = PngDecoder.decode (write image)
                back.Width = image.Width && back.Height = image.Height && back.Rgb = image.Rgb

            testCase "a figure decodes to its raster"
            <| fun () ->
                let raster = FigureRenderer.Rasterise(SampleFigures.attention, 1.0)
                use stream = new MemoryStream()
                FigureRenderer.RenderPng(SampleFigures.attention, stream, 1.0)
                (PngDecoder.decode (stream.ToArray())).Rgb = raster.Rgb |> shouldEqual true

            testCase "the decoder notices a changed byte"
            <| fun () ->
                let bytes = write (picture 9 9 1)
                bytes[50] <- bytes[50] ^^^ 4uy
                (fun () -> PngDecoder.decode bytes |> ignore) |> shouldRaise<exn>
        ]

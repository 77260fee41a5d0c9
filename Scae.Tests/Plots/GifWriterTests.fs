module Scae.Tests.Plots.GifWriterTests

open System
open System.IO
open Expecto
open Scae.Tests.Claims
open Scae.Cli.Plots
open Scae.Core.Figures

let private write (frames: PixelImage[]) : byte[] =
    use stream = new MemoryStream()

    let width, height =
        if frames.Length = 0 then
            1, 1
        else
            frames[0].Width, frames[0].Height

    GifWriter.Write(
        frames.Length,
        width,
        height,
        (fun i image -> frames[i].Rgb.CopyTo(image.Rgb, 0)),
        (fun i -> 5 + i),
        stream
    )

    stream.ToArray()

/// Colours far enough apart that each has a cell of the histogram to itself.
let private picture (width: int) (height: int) (colours: int) (value: int -> int -> int) : PixelImage =
    let image = PixelImage(width, height)

    for y in 0 .. height - 1 do
        for x in 0 .. width - 1 do
            let k = (value x y &&& 0xFFFFFF) % colours
            image.Set(x, y, byte (k % 8 * 32 + 5), byte (k / 8 % 8 * 32 + 3), byte (k / 64 % 4 * 64 + 1))

    image

[<Tests>]
let tests =
    testList
        "Plots.GifWriter"
        [
            testPropertyWithConfig (samples 30) "a GIF of at most 255 colours decodes to its frames"
            <| fun (w: byte) (h: byte) (seed: int) ->
                let width, height = 1 + int w % 40, 1 + int h % 40

                let frames =
                    Array.init 4 (fun i ->
                        picture width height 255 (fun x y -> if x < 10 * i then seed * (x + 3) * (y + i) else y))

                let back = GifDecoder.decode (write frames)

                List.map (fun (f: GifDecoder.Frame) -> f.Image.Rgb) back = [ for f in frames -> f.Rgb ]
                && List.map (fun (f: GifDecoder.Frame) -> f.Delay) back = [ 5; 6; 7; 8 ]

            testCase "a surface of one colour decodes, however large"
            <| fun () ->
                let frames = [| picture 400 300 1 (fun _ _ -> 0); picture 400 300 255 (fun x _ -> x / 399) |]
                let back = GifDecoder.decode (write frames)
                [ for f in back -> f.Image.Rgb ] = [ for f in frames -> f.Rgb ] |> shouldEqual true

            testCase "noise that fills the table of codes several times decodes"
            <| fun () ->
                let noise x y = (x * 7919 + y * 104729) * (x + 31 * y + 17) >>> 5
                let frames = [| picture 200 150 255 noise |]
                let back = GifDecoder.decode (write frames)
                back.Head.Image.Rgb = frames[0].Rgb |> shouldEqual true

            testCase "the comparison notices a changed code and codes that are lost"
            <| fun () ->
                let image = picture 50 50 255 (fun x y -> x * y)
                let bytes = write [| image |]
                // Header, colours, repetition, control, description; then code size, block length, codes.
                let codes = 13 + 768 + 19 + 8 + 10 + 2

                let survives (bytes: byte[]) =
                    try
                        (GifDecoder.decode bytes).Head.Image.Rgb = image.Rgb
                    with _ ->
                        false

                let changed = Array.copy bytes
                changed[codes + 20] <- changed[codes + 20] ^^^ 16uy
                let shorter = Array.append bytes[.. codes + 254] [| 0uy; 0x3Buy |]
                [ survives bytes; survives changed; survives shorter ] |> shouldEqual [ true; false; false ]

            testCase "a frame holds only the rectangle that changed"
            <| fun () ->
                let frame i =
                    picture 60 40 255 (fun x y -> if i > 0 && x >= 20 && x < 25 && y = 7 then 9 else 3)

                let back = GifDecoder.decode (write [| frame 0; frame 1; frame 1 |])
                [ for f in back -> f.Changed ] |> shouldEqual [ 0, 0, 60, 40; 20, 7, 5, 1; 0, 0, 1, 1 ]

            testCase "a training animation keeps its colours and stays small"
            <| fun () ->
                let animation =
                    { SampleFigures.training with
                        Animation.Frames = SampleFigures.training.Frames[..7]
                    }

                use stream = new MemoryStream()
                FigureRenderer.RenderGif(animation, stream, 1.0)
                let bytes = stream.ToArray()
                let back = GifDecoder.decode bytes
                [ for f in back -> f.Delay ] |> shouldEqual [ 12; 12; 12; 12; 12; 12; 12; 200 ]
                let picture = FigurePicture animation.Frames[6]
                let drawn = FigureRenderer.Pixels(picture, picture.Width, picture.Height, 1.0)

                let distance = Array.map2 (fun (a: byte) (b: byte) -> abs (int a - int b)) drawn.Rgb back[6].Image.Rgb

                Array.max distance |> shouldBeLessThan 40
                Array.averageBy float distance |> shouldBeLessThan 0.1
                bytes.Length |> shouldBeLessThan 200000

            testCase "an animation without frames is an error that says so"
            <| fun () -> (fun () -> write [||] |> ignore) |> shouldRaise<ArgumentException>
        ]

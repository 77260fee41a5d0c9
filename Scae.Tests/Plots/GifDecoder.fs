/// Reads the GIF files that GifWriter writes, from the specification of GIF89a: an independent twin for the tests.
module internal Scae.Tests.Plots.GifDecoder

open System
open Scae.Cli.Plots

type Frame = { Delay: int; Image: PixelImage; Changed: int * int * int * int }

/// Codes of growing width, lowest bit first, to indices.
let private inflate (minimum: int) (data: byte[]) : byte[] =
    let clear = 1 <<< minimum
    let mutable width, bit = minimum + 1, 0
    let mutable table = ResizeArray<byte[]>()
    let mutable previous: byte[] option = None
    let result = ResizeArray<byte>()
    let mutable finished = false

    let reset () =
        table <- ResizeArray(Array.init (clear + 2) (fun i -> if i < clear then [| byte i |] else [||]))
        width <- minimum + 1
        previous <- None

    reset ()

    while not finished do
        if bit + width > 8 * data.Length then
            failwith "the data end before their last code"

        let mutable code = 0

        for k in 0 .. width - 1 do
            let at = bit + k
            code <- code ||| ((int data[at / 8] >>> (at % 8) &&& 1) <<< k)

        bit <- bit + width

        if code = clear then
            reset ()
        elif code = clear + 1 then
            finished <- true
        else
            let text =
                match previous with
                | None -> table[code]
                | Some p when code = table.Count -> Array.append p p[..0]
                | Some _ -> table[code]

            match previous with
            | Some p when table.Count < 4096 -> table.Add(Array.append p text[..0])
            | _ -> ()

            if table.Count = (1 <<< width) && width < 12 then
                width <- width + 1

            previous <- Some text
            result.AddRange text

    result.ToArray()

let decode (bytes: byte[]) : Frame list =
    let short at = int bytes[at] + 256 * int bytes[at + 1]

    if Text.Encoding.ASCII.GetString(bytes, 0, 6) <> "GIF89a" then
        failwith "not a GIF"

    let width, height = short 6, short 8
    let palette = bytes[13 .. 13 + 3 * (2 <<< (int bytes[10] &&& 7)) - 1]
    let canvas = PixelImage(width, height)
    let frames = ResizeArray<Frame>()
    let mutable at = 13 + palette.Length
    let mutable delay, transparent = 0, -1

    let subBlocks () =
        let data = ResizeArray<byte>()

        while bytes[at] <> 0uy do
            data.AddRange bytes[at + 1 .. at + int bytes[at]]
            at <- at + 1 + int bytes[at]

        at <- at + 1
        data.ToArray()

    while bytes[at] <> 0x3Buy do
        match bytes[at] with
        | 0x21uy ->
            let kind = bytes[at + 1]
            at <- at + 2
            let data = subBlocks ()

            if kind = 0xF9uy then
                delay <- int data[1] + 256 * int data[2]
                transparent <- if data[0] &&& 1uy = 1uy then int data[3] else -1
        | 0x2Cuy ->
            let x0, y0, w, h = short (at + 1), short (at + 3), short (at + 5), short (at + 7)
            at <- at + 10
            let minimum = int bytes[at]
            at <- at + 1
            let indices = inflate minimum (subBlocks ())

            if indices.Length <> w * h then
                failwith $"a frame of {w} × {h} has {indices.Length} pixels"

            for i in 0 .. indices.Length - 1 do
                if int indices[i] <> transparent then
                    let p = 3 * int indices[i]
                    canvas.Set(x0 + i % w, y0 + i / w, palette[p], palette[p + 1], palette[p + 2])

            let image = PixelImage(width, height)
            canvas.Rgb.CopyTo(image.Rgb, 0)
            frames.Add { Delay = delay; Image = image; Changed = (x0, y0, w, h) }
        | other -> failwith $"unknown block {other:X2}"

    List.ofSeq frames

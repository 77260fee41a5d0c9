/// Reads the PNG files that PngWriter writes, from the standard's text: an independent twin for the tests.
module internal Scae.Tests.Plots.PngDecoder

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Text
open Scae.Cli.Plots

let private crc (bytes: byte[]) : uint32 =
    let step (crc: uint32) (b: byte) =
        Seq.fold
            (fun (c: uint32) _ -> if c &&& 1u = 1u then (c >>> 1) ^^^ 0xEDB88320u else c >>> 1)
            (crc ^^^ uint32 b)
            [ 1..8 ]

    ~~~(Array.fold step 0xFFFFFFFFu bytes)

let rec private chunks (bytes: byte[]) (at: int) : (string * byte[]) list =
    if at = bytes.Length then
        []
    else
        let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan(bytes, at, 4))
        let checkedPart = bytes[at + 4 .. at + 7 + length]

        if BinaryPrimitives.ReadUInt32BigEndian(ReadOnlySpan(bytes, at + 8 + length, 4)) <> crc checkedPart then
            failwith "a chunk's checksum is wrong"

        (Encoding.ASCII.GetString(checkedPart, 0, 4), checkedPart[4..]) :: chunks bytes (at + 12 + length)

let private unfilter (kind: byte) (row: byte[]) (above: byte[]) : byte[] =
    let result = Array.zeroCreate<byte> row.Length

    for i in 0 .. row.Length - 1 do
        let left = if i >= 3 then result[i - 3] else 0uy

        result[i] <-
            match kind with
            | 0uy -> row[i]
            | 1uy -> row[i] + left
            | 2uy -> row[i] + above[i]
            | kind -> failwith $"the writer uses filters 0 to 2, got {kind}"

    result

let decode (bytes: byte[]) : PixelImage =
    if bytes[..7] <> [| 0x89uy; 0x50uy; 0x4Euy; 0x47uy; 0x0Duy; 0x0Auy; 0x1Auy; 0x0Auy |] then
        failwith "not a PNG"

    let parts = chunks bytes 8

    parts
    |> List.map fst
    |> (fun names ->
        if names <> [ "IHDR"; "IDAT"; "IEND" ] then
            failwith $"chunks {names}")

    let header, data = snd parts[0], snd parts[1]
    let width = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan(header, 0, 4))
    let height = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan(header, 4, 4))

    if header[8..] <> [| 8uy; 2uy; 0uy; 0uy; 0uy |] then
        failwith "not 8-bit RGB"

    use inflated = new MemoryStream()
    use zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress)
    zlib.CopyTo inflated
    let raw = inflated.ToArray()
    let image = PixelImage(width, height)
    let stride = 3 * width
    let mutable above = Array.zeroCreate<byte> stride

    for y in 0 .. height - 1 do
        let start = y * (stride + 1)
        above <- unfilter raw[start] raw[start + 1 .. start + stride] above
        above.CopyTo(image.Rgb, y * stride)

    image

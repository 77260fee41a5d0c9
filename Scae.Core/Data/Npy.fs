namespace Scae.Core.Data

open System
open System.Buffers.Binary
open System.Globalization
open System.IO
open System.IO.Compression
open System.Text
open System.Text.RegularExpressions

/// What a .npy file says of its elements.
type NpyHeader =
    {
        /// The elements' type, such as "|u1" for bytes and "<i8" for 64-bit integers.
        Descr: string
        Shape: int64[]
    }

/// Reads NumPy's .npy format (versions 1 to 3), and .npz archives of such files, from streams. Any bytes are allowed:
/// what is wrong with them becomes an error of one line.
[<RequireQualifiedAccess>]
module Npy =
    // NumPy pads headers to multiples of 64 bytes; nobody writes longer ones than this.
    [<Literal>]
    let private LongestHeader = 65_536

    /// Reads `count` bytes, or fewer at the stream's end.
    let private readBytes (stream: Stream) (count: int) : byte[] =
        let bytes = Array.zeroCreate count
        let read = stream.ReadAtLeast(Span bytes, count, false)
        Array.truncate read bytes

    let private parse (name: string) (header: string) : Result<NpyHeader, string> =
        let found pattern = Regex.Match(header, pattern, RegexOptions.CultureInvariant)
        let descr = found "'descr'\s*:\s*'([^']*)'"
        let shape = found "'shape'\s*:\s*\(([0-9,\s]*)\)"
        let order = found "'fortran_order'\s*:\s*(True|False)"

        if not (descr.Success && shape.Success && order.Success) then
            Error $"{name}: its header doesn't say descr, fortran_order and shape"
        elif order.Groups[1].Value = "True" then
            Error $"{name}: stored column by column; must be row by row"
        else
            let sizes =
                shape.Groups[1]
                    .Value.Split(',', StringSplitOptions.TrimEntries ||| StringSplitOptions.RemoveEmptyEntries)
                |> Array.map (fun text -> Int64.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture))

            if sizes |> Array.forall fst then
                Ok { Descr = descr.Groups[1].Value; Shape = Array.map snd sizes }
            else
                Error $"{name}: the shape ({shape.Groups[1].Value}) isn't one"

    /// Reads the header of a .npy stream, after which the first element follows. The error is one line that begins
    /// with the name.
    let header (name: string) (stream: Stream) : Result<NpyHeader, string> =
        let start = readBytes stream 8

        if start.Length < 8 || start[0] <> 0x93uy || Encoding.ASCII.GetString(start, 1, 5) <> "NUMPY" then
            Error $"{name}: doesn't begin as a .npy file"
        elif start[6] < 1uy || start[6] > 3uy then
            Error $"{name}: version {start[6]} of the .npy format; must be 1, 2 or 3"
        else
            let width = if start[6] = 1uy then 2 else 4
            let size = readBytes stream width

            let length =
                if size.Length < width then
                    -1L
                elif width = 2 then
                    int64 (BinaryPrimitives.ReadUInt16LittleEndian(ReadOnlySpan size))
                else
                    int64 (BinaryPrimitives.ReadUInt32LittleEndian(ReadOnlySpan size))

            if length < 0L || length > int64 LongestHeader then
                Error $"{name}: no header"
            else
                let text = readBytes stream (int length)

                if text.Length < int length then
                    Error $"{name}: ends within its header"
                else
                    parse name (Encoding.UTF8.GetString text)

    /// Reads an array of a .npz archive: passes its header and the stream of its elements to a function. A damaged
    /// archive gives an error of one line that begins with the name.
    let entry
        (name: string)
        (archive: ZipArchive)
        (array: string)
        (read: NpyHeader -> Stream -> Result<'a, string>)
        : Result<'a, string> =
        match archive.GetEntry $"{array}.npy" with
        | null -> Error $"{name}: has no array {array}"
        | file ->
            try
                use stream = file.Open()
                header $"{name}, {array}" stream |> Result.bind (fun header -> read header stream)
            with
            | :? InvalidDataException
            | :? EndOfStreamException -> Error $"{name}, {array}: damaged"

    /// Opens an archive and passes it to a function. The error is one line that begins with the name.
    let archive (name: string) (stream: Stream) (read: ZipArchive -> Result<'a, string>) : Result<'a, string> =
        try
            use archive = new ZipArchive(stream, ZipArchiveMode.Read, true)
            read archive
        with
        | :? InvalidDataException
        | :? EndOfStreamException -> Error $"{name}: not a .npz archive"

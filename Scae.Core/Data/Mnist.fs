namespace Scae.Core.Data

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Security.Cryptography

/// One of the four files of MNIST.
type MnistFile =
    {
        /// Its name without .gz.
        Name: string
        /// SHA-256 of the uncompressed bytes, in lower-case hexadecimal digits.
        Sha256: string
    }

/// Reads the four IDX files of MNIST (LeCun, Bottou, Bengio & Haffner 1998) from bytes, plain or gzip. It never
/// raises, whatever the bytes: what is wrong becomes an error of one line.
[<RequireQualifiedAccess>]
module Mnist =
    /// Training images.
    let trainImages: MnistFile =
        {
            Name = "train-images-idx3-ubyte"
            Sha256 = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        }

    /// Training labels.
    let trainLabels: MnistFile =
        {
            Name = "train-labels-idx1-ubyte"
            Sha256 = "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        }

    /// Test images.
    let testImages: MnistFile =
        {
            Name = "t10k-images-idx3-ubyte"
            Sha256 = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        }

    /// Test labels.
    let testLabels: MnistFile =
        {
            Name = "t10k-labels-idx1-ubyte"
            Sha256 = "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        }

    // The largest file has 47,040,016 bytes.
    [<Literal>]
    let private MostBytes = 50_000_000

    /// The names that unpackers give a file: train-images-idx3-ubyte, and train-images.idx3-ubyte.
    let names (file: MnistFile) : string list = [ file.Name; file.Name.Replace("-idx", ".idx") ]

    // Unpacks gzip data from a place on, up to one byte more than is allowed.
    let private inflated (most: int) (bytes: byte[]) (start: int) : byte[] =
        use gzip =
            new GZipStream(new MemoryStream(bytes, start, bytes.Length - start), CompressionMode.Decompress)

        use plain = new MemoryStream()
        let chunk = Array.zeroCreate<byte> 65536
        let mutable read = gzip.Read(chunk, 0, chunk.Length)

        while read > 0 && plain.Length <= int64 most do
            plain.Write(chunk, 0, read)
            read <- gzip.Read(chunk, 0, chunk.Length)

        plain.ToArray()

    // The bytes with which every member of gzip data begins: the magic number, and the method, deflate.
    let private beginning = [| 0x1Fuy; 0x8Buy; 8uy |]

    // The last four bytes are the unpacked size of the last member, modulo 2³². The stream checks them, and the CRC
    // before them, only if all eight bytes are there; data that lost some of them, or the byte before, passes as
    // complete. There may be several members, one after the other, and nothing says where the last one begins.
    let private isWhole (most: int) (bytes: byte[]) (plain: byte[]) : bool =
        let size =
            if bytes.Length >= 18 then
                int64 (BinaryPrimitives.ReadUInt32LittleEndian(ReadOnlySpan(bytes, bytes.Length - 4, 4)))
            else
                -1L

        // The stream accepts an empty member that is cut short; a complete one has at least twenty bytes.
        let isLast (start: int) =
            try
                bytes.Length - start >= 20 && int64 (inflated most bytes start).Length = size
            with :? InvalidDataException ->
                false

        let rec search (until: int) =
            match (ReadOnlySpan(bytes, 0, until)).LastIndexOf(ReadOnlySpan beginning) with
            | start when start > 0 -> isLast start || search (start + beginning.Length - 1)
            | _ -> false

        size = plain.LongLength || (size >= 0L && size < plain.LongLength && search bytes.Length)

    /// Unpacks the bytes if they are gzip; at most `most` bytes may result. The error is one line that begins with
    /// the name.
    let uncompressedTo (most: int) (name: string) (bytes: byte[]) : Result<byte[], string> =
        if bytes.Length < 2 || bytes[0] <> 0x1Fuy || bytes[1] <> 0x8Buy then
            Ok bytes
        else
            try
                let plain = inflated most bytes 0

                if plain.Length > most then
                    Error $"{name}: more than {most} bytes when uncompressed"
                elif not (isWhole most bytes plain) then
                    Error $"{name}: the gzip data is cut off, or something follows it"
                else
                    Ok plain
            with :? InvalidDataException ->
                Error $"{name}: damaged gzip data"

    /// The same with at most 50 MB, more than any file of MNIST has.
    let uncompressed (name: string) (bytes: byte[]) : Result<byte[], string> = uncompressedTo MostBytes name bytes

    /// The sizes and the elements of an IDX file of bytes with the given number of axes. The error is one line.
    let private idx (name: string) (axes: int) (bytes: byte[]) : Result<int[] * byte[], string> =
        let header = 4 + 4 * axes

        if bytes.Length < header then
            Error $"{name}: {bytes.Length} bytes; an IDX file with {axes} axes has at least {header}"
        elif BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan bytes) <> 0x800 + axes then
            let magic = Convert.ToHexStringLower(bytes, 0, 4)
            Error $"{name}: begins with {magic}; an IDX file of bytes with {axes} axes begins with 0000080{axes}"
        else
            let sizes =
                Array.init axes (fun i -> BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan(bytes, 4 + 4 * i, 4)))

            let sizesText = sizes |> Array.map string |> String.concat " × "
            // As decimals: three sizes of 2³¹ don't overflow.
            let promised = (1m, sizes) ||> Array.fold (fun product size -> product * decimal size)

            if sizes |> Array.exists (fun size -> size < 0) then
                Error $"{name}: a negative size in {sizesText}"
            elif promised <> decimal (bytes.Length - header) then
                Error $"{name}: {bytes.Length - header} bytes after the header, but {sizesText} = {promised}"
            else
                Ok(sizes, bytes[header..])

    /// The pixels of an image file, 28 × 28 an image. The error is one line that begins with the name.
    let images (name: string) (bytes: byte[]) : Result<byte[], string> =
        uncompressed name bytes
        |> Result.bind (idx name 3)
        |> Result.bind (fun (sizes, pixels) ->
            if sizes[1] <> Digits.Side || sizes[2] <> Digits.Side then
                Error $"{name}: images of {sizes[1]} × {sizes[2]} pixels; must be 28 × 28"
            else
                Ok pixels)

    /// The classes of a label file. The error is one line that begins with the name.
    let labels (name: string) (bytes: byte[]) : Result<byte[], string> =
        uncompressed name bytes |> Result.bind (idx name 1) |> Result.map snd

    /// Images with their labels from the bytes of two files, MNIST's or any others of 28 × 28 pixels; sizes are checked, not
    /// checksums. The error is one line.
    let digits
        (imageName: string, imageBytes: byte[])
        (labelName: string, labelBytes: byte[])
        : Result<Digits, string> =
        images imageName imageBytes
        |> Result.bind (fun pixels ->
            labels labelName labelBytes
            |> Result.bind (fun labels ->
                if pixels.Length <> labels.Length * Digits.Pixels then
                    Error
                        $"{labelName}: {labels.Length} labels for {pixels.Length / Digits.Pixels} images in {imageName}"
                elif labels.Length = 0 then
                    Error $"{imageName}: no images"
                else
                    Ok { Pixels = pixels; Labels = labels }))

    /// The uncompressed bytes of a file if they are the original ones. The error is one line that begins with the name.
    let verified (file: MnistFile) (name: string) (bytes: byte[]) : Result<byte[], string> =
        uncompressed name bytes
        |> Result.bind (fun plain ->
            let found = Convert.ToHexStringLower(SHA256.HashData plain)

            if found = file.Sha256 then
                Ok plain
            else
                Error
                    $"{name}: SHA-256 {found[..11]}… of the uncompressed bytes, not {file.Sha256[..11]}… as MNIST has")

    /// Both sets from the bytes of the four files. The error is one line.
    let sets (bytes: MnistFile -> Result<byte[], string>) : Result<DigitSets, string> =
        let both (images: MnistFile) (labels: MnistFile) =
            bytes images
            |> Result.bind (fun imageBytes ->
                bytes labels
                |> Result.bind (fun labelBytes -> digits (images.Name, imageBytes) (labels.Name, labelBytes)))

        both trainImages trainLabels
        |> Result.bind (fun train ->
            both testImages testLabels |> Result.map (fun test -> { Train = train; Test = test }))

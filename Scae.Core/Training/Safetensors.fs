namespace Scae.Core.Training

open System
open System.Buffers
open System.Buffers.Binary
open System.Collections.Generic
open System.Security.Cryptography
open System.Text.Json

/// The values of a tensor, row-major, in the types that a file may hold.
[<RequireQualifiedAccess>]
type TensorData =
    | F32 of float32[]
    | F64 of float[]
    | I32 of int[]
    | I64 of int64[]
    | U8 of byte[]

/// A tensor in a file; the product of the shape is the number of values.
type TensorEntry = { Shape: int[]; Data: TensorData }

/// The contents of a file: a map of strings, and tensors by name. Verified tells that the file had a checksum, which
/// was right; a program that reads only its own files can insist on that.
type SafetensorsFile =
    {
        Metadata: Map<string, string>
        Tensors: Map<string, TensorEntry>
        Verified: bool
    }

/// The safetensors format (github.com/huggingface/safetensors): eight bytes with the little-endian length of the
/// header, a header in JSON padded with spaces to a multiple of eight, and the bytes of the tensors without gaps. All
/// functions are pure, from values to bytes and back. A file written here has a SHA-256 of all its other contents in
/// its metadata, under `scae.sha256`, so that damage is noticed; files without it load, too. Half floats of other
/// programs, F16 and BF16, are read as float32, which can hold all their values.
[<RequireQualifiedAccess>]
module Safetensors =

    /// The metadata key of the checksum. It is added on writing and removed on reading.
    [<Literal>]
    let ChecksumKey = "scae.sha256"

    [<Literal>]
    let private MetadataKey = "__metadata__"

    /// The format's own limit on the header.
    [<Literal>]
    let private MaxHeaderLength = 100_000_000

    exception private Refused of string

    let private refuse message = raise (Refused message)

    let private values =
        function
        | TensorData.F32 x -> x :> Array
        | TensorData.F64 x -> x
        | TensorData.I32 x -> x
        | TensorData.I64 x -> x
        | TensorData.U8 x -> x

    let private dtypeName =
        function
        | TensorData.F32 _ -> "F32"
        | TensorData.F64 _ -> "F64"
        | TensorData.I32 _ -> "I32"
        | TensorData.I64 _ -> "I64"
        | TensorData.U8 _ -> "U8"

    let private itemSize dtype =
        match dtype with
        | "F64"
        | "I64" -> Some 8
        | "F32"
        | "I32" -> Some 4
        | "F16"
        | "BF16" -> Some 2
        | "U8" -> Some 1
        | _ -> None

    let private byteLength entry = Buffer.ByteLength(values entry.Data)

    /// The order of tensors in a file: wide types first, so that all values are aligned, and then by name.
    let private inFileOrder tensors =
        let order (nameA, a) (nameB, b) =
            let size entry = itemSize(dtypeName entry.Data).Value

            match compare (size b) (size a) with
            | 0 -> String.CompareOrdinal(nameA, nameB)
            | bySize -> bySize

        List.sortWith order tensors

    let private header (metadata: Map<string, string>) (ordered: (string * TensorEntry) list) : byte[] =
        let buffer = ArrayBufferWriter<byte>()
        use json = new Utf8JsonWriter(buffer)
        json.WriteStartObject()

        if not metadata.IsEmpty then
            json.WriteStartObject MetadataKey

            for KeyValue(key, value) in metadata do
                json.WriteString(key, value)

            json.WriteEndObject()

        let mutable offset = 0

        for name, entry in ordered do
            json.WriteStartObject name
            json.WriteString("dtype", dtypeName entry.Data)
            json.WriteStartArray "shape"

            for extent in entry.Shape do
                json.WriteNumberValue extent

            json.WriteEndArray()
            json.WriteStartArray "data_offsets"
            json.WriteNumberValue offset
            offset <- Checked.(+) offset (byteLength entry)
            json.WriteNumberValue offset
            json.WriteEndArray()
            json.WriteEndObject()

        json.WriteEndObject()
        json.Flush()
        buffer.WrittenSpan.ToArray()

    // The length of a SHA-256 in hexadecimal.
    [<Literal>]
    let private DigestLength = 64

    /// SHA-256 of the header without the checksum, as it is written here, and of the tensors' bytes in the order of
    /// writing. So it depends on the contents of a file, not on how another program may have arranged them.
    let private checksum
        (metadata: Map<string, string>)
        (ordered: (string * TensorEntry) list)
        (bytes: string -> ReadOnlyMemory<byte>)
        =
        use hash = IncrementalHash.CreateHash HashAlgorithmName.SHA256
        hash.AppendData(header metadata ordered)

        for name, _ in ordered do
            hash.AppendData((bytes name).Span)

        Convert.ToHexStringLower(hash.GetHashAndReset())

    /// The bytes of a file. The same metadata and tensors give the same bytes, in whatever order they are listed.
    /// Raises ArgumentException if a name is used twice or is reserved, if a shape doesn't match its number of
    /// values, or if a text isn't valid Unicode.
    let serialize (metadata: Map<string, string>) (tensors: (string * TensorEntry) list) : byte[] =
        if metadata.ContainsKey ChecksumKey then
            invalidArg (nameof metadata) $"safetensors: the metadata key {ChecksumKey} is reserved for the checksum"

        let names = HashSet<string>()

        for name, entry in tensors do
            if name = MetadataKey || not (names.Add name) then
                invalidArg (nameof tensors) $"safetensors: the tensor name '{name}' is reserved or used twice"

            let length = (values entry.Data).Length
            let wanted = entry.Shape |> Array.fold (fun n extent -> n * bigint extent) 1I

            if Array.exists (fun extent -> extent < 0) entry.Shape || wanted <> bigint length then
                invalidArg
                    (nameof tensors)
                    $"safetensors: tensor '{name}' has %d{length} values; its shape %A{entry.Shape} needs {wanted}"

        let ordered = inFileOrder tensors
        let dataLength = ordered |> List.sumBy (fun (_, entry) -> int64 (byteLength entry))
        // The data, which may be hundreds of megabytes, is written directly to its final place. This is possible
        // because the length of the header doesn't depend on the digest.
        let headerOf (digest: string) = header (Map.add ChecksumKey digest metadata) ordered
        let padded = ((headerOf (String('0', DigestLength))).Length + 7) / 8 * 8
        let start = 8 + padded
        let file = Array.zeroCreate<byte>(Checked.int (int64 start + dataLength))
        let places = Dictionary<string, ReadOnlyMemory<byte>>()
        let mutable offset = start

        for name, entry in ordered do
            let length = byteLength entry
            Buffer.BlockCopy(values entry.Data, 0, file, offset, length)
            places[name] <- ReadOnlyMemory(file, offset, length)
            offset <- offset + length

        BinaryPrimitives.WriteInt64LittleEndian(Span file, int64 padded)
        Array.fill file 8 padded (byte ' ')
        (headerOf (checksum metadata ordered (fun name -> places[name]))).CopyTo(file, 8)
        file

    // Reading. Everything is checked before memory is allocated for it. Code below refuses by an exception, which is
    // turned into a Result at the end.

    let private members what (element: JsonElement) =
        if element.ValueKind <> JsonValueKind.Object then
            refuse $"{what} is of kind {element.ValueKind}; it must be an object"

        let seen = HashSet<string>()

        [
            for item in element.EnumerateObject() do
                if not (seen.Add item.Name) then
                    refuse $"{what} has the key '{item.Name}' twice; keys must be unique"

                item.Name, item.Value
        ]

    let private text what (element: JsonElement) =
        if element.ValueKind <> JsonValueKind.String then
            refuse $"{what} is of kind {element.ValueKind}; it must be a string"

        element.GetString() |> Unchecked.nonNull

    let private counts what (element: JsonElement) =
        if element.ValueKind <> JsonValueKind.Array then
            refuse $"{what} is of kind {element.ValueKind}; it must be an array"

        [|
            for item in element.EnumerateArray() do
                match item.ValueKind with
                | JsonValueKind.Number ->
                    match item.TryGetInt32() with
                    | true, n when n >= 0 -> n
                    | _ ->
                        refuse $"{what} contains {item.GetRawText()}; integers from 0 to {Int32.MaxValue} are allowed"
                | kind -> refuse $"{what} contains a value of kind {kind}; integers are allowed"
        |]

    /// The header's description of one tensor, checked against the length of the data section.
    let private described dataLength (name: string, element: JsonElement) =
        let fields = members $"tensor '{name}'" element |> Map.ofList

        for KeyValue(field, _) in fields do
            if field <> "dtype" && field <> "shape" && field <> "data_offsets" then
                refuse $"tensor '{name}' has a field '{field}'; dtype, shape and data_offsets are allowed"

        let field key =
            match fields.TryFind key with
            | Some value -> value
            | None -> refuse $"tensor '{name}' has no {key}; dtype, shape and data_offsets are needed"

        let dtype = field "dtype" |> text $"tensor '{name}': dtype"

        let size =
            match itemSize dtype with
            | Some size -> size
            | None -> refuse $"tensor '{name}' has dtype '{dtype}'; F16, BF16, F32, F64, I32, I64 and U8 can be read"

        let shape = field "shape" |> counts $"tensor '{name}': shape"

        match field "data_offsets" |> counts $"tensor '{name}': data_offsets" with
        | [| first; last |] ->
            if first > last || last > dataLength then
                refuse $"tensor '{name}' lies at [{first}, {last}); it must lie within [0, {dataLength})"

            // The product saturates once it exceeds what any file can hold.
            let wanted =
                if Array.contains 0 shape then
                    0L
                else
                    shape |> Array.fold (fun n extent -> min (n * int64 extent) (1L <<< 31)) (int64 size)

            if wanted <> int64 (last - first) then
                refuse $"tensor '{name}' has {last - first} bytes; its dtype and shape need {wanted}"

            struct (name, dtype, shape, first, last)
        | offsets -> refuse $"tensor '{name}' has {offsets.Length} data_offsets; it must have 2"

    /// Raises unless the tensors cover the data section without overlaps and holes.
    let private checkCover dataLength tensors =
        let mutable covered = 0

        for struct (name, _, _, first, last) in
            List.sortBy (fun struct (_, _, _, first: int, last: int) -> struct (first, last)) tensors do
            if first < covered then
                refuse $"tensor '{name}' begins at {first}, inside another; it must begin at {covered}"

            if first > covered then
                refuse $"tensor '{name}' begins at {first}, after a hole; it must begin at {covered}"

            covered <- last

        if covered <> dataLength then
            refuse $"{dataLength - covered} bytes follow the last tensor; the file must end with it"

    let private entry (file: byte[]) start dtype (shape: int[]) length =
        let copied (array: 'a[]) =
            Buffer.BlockCopy(file, start, array, 0, length)
            array

        let bits i = BinaryPrimitives.ReadInt16LittleEndian(ReadOnlySpan(file, start + 2 * i, 2))

        let data =
            match dtype with
            | "F16" -> TensorData.F32(Array.init (length / 2) (fun i -> float32 (BitConverter.Int16BitsToHalf(bits i))))
            | "BF16" ->
                TensorData.F32(Array.init (length / 2) (fun i -> BitConverter.Int32BitsToSingle(int (bits i) <<< 16)))
            | "F32" -> TensorData.F32(copied (Array.zeroCreate (length / 4)))
            | "F64" -> TensorData.F64(copied (Array.zeroCreate (length / 8)))
            | "I32" -> TensorData.I32(copied (Array.zeroCreate (length / 4)))
            | "I64" -> TensorData.I64(copied (Array.zeroCreate (length / 8)))
            | _ -> TensorData.U8(copied (Array.zeroCreate length))

        { Shape = shape; Data = data }

    /// The length of the header in bytes, checked against the length of the file.
    let private headerLength (file: byte[]) : int =
        if file.Length < 8 then
            refuse $"the file has {file.Length} bytes; it must begin with 8 that hold the length of its header"

        let announced = BinaryPrimitives.ReadUInt64LittleEndian(ReadOnlySpan file)

        if announced > uint64 MaxHeaderLength then
            refuse $"the header is said to have {announced} bytes; at most {MaxHeaderLength} are allowed"

        if announced > uint64 (file.Length - 8) then
            refuse $"the header is said to have {announced} bytes; the file has only {file.Length - 8} after its length"

        if announced = 0UL || file[8] <> byte '{' then
            refuse "the header doesn't begin with '{'; it must be a JSON object"

        int announced

    /// The map of strings and the tensors that a header describes.
    let private parts (dataLength: int) (header: JsonElement) =
        let metadata, tensors = members "the header" header |> List.partition (fst >> (=) MetadataKey)

        let metadata =
            match metadata with
            | [ _, element ] ->
                members MetadataKey element
                |> List.map (fun (key, value) -> key, text $"{MetadataKey}: '{key}'" value)
                |> Map.ofList
            | _ -> Map.empty

        let tensors = tensors |> List.map (described dataLength)
        checkCover dataLength tensors
        metadata, tensors

    let private read (file: byte[]) : SafetensorsFile =
        let headerLength = headerLength file
        let dataStart = 8 + headerLength
        use document = JsonDocument.Parse(ReadOnlyMemory(file, 8, headerLength))
        let metadata, tensors = parts (file.Length - dataStart) document.RootElement
        let said = Map.remove ChecksumKey metadata

        let entries =
            tensors
            |> List.map (fun struct (name, dtype, shape, first, last) ->
                name, entry file (dataStart + first) dtype shape (last - first))

        match metadata.TryFind ChecksumKey with
        | None -> ()
        | Some expected ->
            let places =
                tensors
                |> List.map (fun struct (name, _, _, first, last) ->
                    name, ReadOnlyMemory(file, dataStart + first, last - first))
                |> dict

            if checksum said (inFileOrder entries) (fun name -> places[name]) <> expected then
                refuse "the contents don't match their checksum; the file was damaged or edited, use another copy"

        {
            Metadata = said
            Tensors = Map.ofList entries
            Verified = metadata.ContainsKey ChecksumKey
        }

    /// Turns a message into one line of limited length, whatever names a damaged file may hold.
    let private line (message: string) =
        let message = String.map (fun c -> if Char.IsControl c then ' ' else c) message

        if message.Length > 300 then
            message[..299] + "…"
        else
            message

    /// The contents of a file, or one line that says what is wrong with it and what would be right. Never raises, and
    /// takes no more memory than a small multiple of the file's length.
    let parse (file: byte[]) : Result<SafetensorsFile, string> =
        try
            Ok(read file)
        with
        | Refused message -> Error(line $"safetensors: {message}")
        | :? JsonException as error -> Error(line $"safetensors: the header isn't valid JSON: {error.Message}")
        | :? InvalidOperationException
        | :? ArgumentException -> Error "safetensors: the header contains invalid Unicode; it must be UTF-8"

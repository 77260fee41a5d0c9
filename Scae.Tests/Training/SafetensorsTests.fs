module Scae.Tests.Training.SafetensorsTests

open System
open System.Buffers.Binary
open System.Text
open Expecto
open FsCheck
open FsCheck.FSharp
open Scae.Tests.Claims
open Scae.Core.Training
open Scae.Tensors

/// A file made by hand: a header's text and data.
let private file (header: string) (data: byte[]) =
    let header = Encoding.UTF8.GetBytes header
    let length = Array.zeroCreate<byte> 8
    BinaryPrimitives.WriteInt64LittleEndian(Span length, int64 header.Length)
    Array.concat [ length; header; data ]

/// Values as bits, so that NaN equals itself.
let private bits entry =
    let data =
        match entry.Data with
        | TensorData.F32 x -> "F32", x |> Array.map (BitConverter.SingleToInt32Bits >> int64)
        | TensorData.F64 x -> "F64", x |> Array.map BitConverter.DoubleToInt64Bits
        | TensorData.I32 x -> "I32", Array.map int64 x
        | TensorData.I64 x -> "I64", x
        | TensorData.U8 x -> "U8", Array.map int64 x

    entry.Shape, data

let private says (parsed: SafetensorsFile) = parsed.Metadata, Map.map (fun _ entry -> bits entry) parsed.Tensors

let private example =
    Safetensors.serialize
        (Map [ "step", "12"; "paper", "Köhler → “x”" ])
        [
            "decoder/weight",
            {
                Shape = [| 2; 3 |]
                Data = TensorData.F32 [| 1f; -2f; 0.5f; nanf; infinityf; -0f |]
            }
            "step", { Shape = [||]; Data = TensorData.I64 [| 12L |] }
            "empty", { Shape = [| 4; 0; 2 |]; Data = TensorData.F64 [||] }
            "mask", { Shape = [| 3 |]; Data = TensorData.U8 [| 1uy; 0uy; 255uy |] }
            "labels", { Shape = [| 2 |]; Data = TensorData.I32 [| -1; 7 |] }
        ]

let private tensorsOf bytes =
    match Safetensors.parse bytes with
    | Ok found -> Map.toList (snd (says found))
    | Error message -> failwith message

let private refusal bytes =
    match Safetensors.parse bytes with
    | Ok _ -> "nothing was refused"
    | Error message -> message

let private entries =
    gen {
        let! shape = Gen.choose (0, 4) |> Gen.arrayOf |> Gen.resize 4
        let values (item: Gen<'a>) = Gen.arrayOfLength (Array.fold (*) 1 shape) item

        let! data =
            Gen.oneof
                [
                    values (ArbMap.generate<float32> ArbMap.defaults) |> Gen.map TensorData.F32
                    values (ArbMap.generate<float> ArbMap.defaults) |> Gen.map TensorData.F64
                    values (ArbMap.generate<int> ArbMap.defaults) |> Gen.map TensorData.I32
                    values (ArbMap.generate<int64> ArbMap.defaults) |> Gen.map TensorData.I64
                    values (ArbMap.generate<byte> ArbMap.defaults) |> Gen.map TensorData.U8
                ]

        return { Shape = shape; Data = data }
    }

type Files =
    /// Contents of a file, with names that JSON has to escape.
    static member Contents() : Arbitrary<SafetensorsFile> =
        let name =
            [ "w"; "/"; "\""; "\\"; "\n"; "\000"; "é"; "𝛾"; " "; "<" ]
            |> Gen.elements
            |> Gen.listOf
            |> Gen.resize 5
            |> Gen.map (String.concat "")

        let named item = Gen.zip name item |> Gen.listOf |> Gen.resize 8 |> Gen.map Map

        Gen.zip (named name) (named entries)
        |> Gen.map (fun (metadata, tensors) -> { Metadata = metadata; Tensors = tensors; Verified = true })
        |> Arb.fromGen

/// A header with one tensor that has the given fields.
let private one fields = "{\"w\":{" + fields + "}}"

let private wrongHeaders =
    [
        "", 0, "the header doesn't begin with '{'; it must be a JSON object"
        " {}", 0, "the header doesn't begin with '{'; it must be a JSON object"
        "[]", 0, "the header doesn't begin with '{'; it must be a JSON object"
        "{\"w\":", 0, "the header isn't valid JSON: "
        "{}}", 0, "the header isn't valid JSON: "
        "{\"w\":" + String('[', 100), 0, "the header isn't valid JSON: "
        "{\"a\":1,\"\\u0061\":2}", 0, "the header has the key 'a' twice; keys must be unique"
        "{\"\\ud800\":1}", 0, "the header contains invalid Unicode; it must be UTF-8"
        "{\"w\":3}", 0, "tensor 'w' is of kind Number; it must be an object"
        "{\"__metadata__\":{\"a\":1}}", 0, "__metadata__: 'a' is of kind Number; it must be a string"
        "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "__metadata__ has the key 'a' twice; keys must be unique"
        "{\"__metadata__\":[]}", 0, "__metadata__ is of kind Array; it must be an object"
        one "", 0, "tensor 'w' has no dtype; dtype, shape and data_offsets are needed"
        one "\"dtype\":\"F32\",\"dtype\":\"F32\"", 0, "tensor 'w' has the key 'dtype' twice; keys must be unique"
        one "\"size\":3", 0, "tensor 'w' has a field 'size'; dtype, shape and data_offsets are allowed"
        one "\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]",
        2,
        "tensor 'w' has dtype 'F8_E4M3'; F16, BF16, F32, F64, I32, I64 and U8 can be read"
        one "\"dtype\":null,\"shape\":[1],\"data_offsets\":[0,2]",
        2,
        "tensor 'w': dtype is of kind Null; it must be a string"
        one "\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]",
        1,
        "tensor 'w': shape is of kind Number; it must be an array"
        one "\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]",
        1,
        "tensor 'w': shape contains -1; integers from 0 to 2147483647 are allowed"
        one "\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]",
        1,
        "tensor 'w': shape contains 1.0; integers from 0 to 2147483647 are allowed"
        one "\"dtype\":\"U8\",\"shape\":[4294967297],\"data_offsets\":[0,1]",
        1,
        "tensor 'w': shape contains 4294967297; integers from 0 to 2147483647 are allowed"
        one "\"dtype\":\"U8\",\"shape\":[\"1\"],\"data_offsets\":[0,1]",
        1,
        "tensor 'w': shape contains a value of kind String; integers are allowed"
        // 2^32 · 2^32 wraps around to 0 in 64 bits.
        one "\"dtype\":\"U8\",\"shape\":[65536,65536,65536,65536],\"data_offsets\":[0,0]",
        0,
        "tensor 'w' has 0 bytes; its dtype and shape need 2147483648"
        one "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,7]",
        7,
        "tensor 'w' has 7 bytes; its dtype and shape need 8"
        one "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]",
        7,
        "tensor 'w' lies at [0, 8); it must lie within [0, 7)"
        one "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]",
        8,
        "tensor 'w' lies at [8, 0); it must lie within [0, 8)"
        one "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]",
        8,
        "tensor 'w' has 3 data_offsets; it must have 2"
        one "\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]",
        3,
        "tensor 'w' begins at 1, after a hole; it must begin at 0"
        one "\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]",
        3,
        "1 bytes follow the last tensor; the file must end with it"
        "{}", 3, "3 bytes follow the last tensor; the file must end with it"
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
        3,
        "tensor 'b' begins at 1, inside another; it must begin at 2"
        "{\"__metadata__\":{\"scae.sha256\":\"0000\"}}",
        0,
        "the contents don't match their checksum; the file was damaged or edited, use another copy"
    ]

[<Tests>]
let tests =
    testList
        "Training.Safetensors"
        [
            testPropertyWithConfig { samples 300 with arbitrary = [ typeof<Files> ] } "what is written is read"
            <| fun (contents: SafetensorsFile) ->
                let tensors = Map.toList contents.Tensors
                let bytes = Safetensors.serialize contents.Metadata tensors
                let headerLength = BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan bytes)

                bytes = Safetensors.serialize contents.Metadata (List.rev tensors)
                && headerLength % 8L = 0L
                && (Safetensors.parse bytes |> Result.map says) = Ok(says contents)
                && Safetensors.parse bytes |> Result.exists _.Verified

            // The checksum is sha256sum's of the text {"__metadata__":{"a":"b"},"w":{…},"n":{…}} as below, followed by the data.
            testCase "a small file is byte for byte what the format says"
            <| fun () ->
                let bytes =
                    Safetensors.serialize
                        (Map [ "a", "b" ])
                        [
                            "n", { Shape = [||]; Data = TensorData.U8 [| 7uy |] }
                            "w", { Shape = [| 1; 2 |]; Data = TensorData.F32 [| 1f; -2f |] }
                        ]

                let header =
                    """{"__metadata__":{"a":"b","scae.sha256":"83e505a6a0c4ab8a9b70a93b1581275284c5e1dc5563615a126be5177261d549"},"""
                    + """"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"n":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}"""

                let padded = header.PadRight((header.Length + 7) / 8 * 8)

                bytes |> shouldEqual (file padded [| 0uy; 0uy; 0x80uy; 0x3fuy; 0uy; 0uy; 0uy; 0xc0uy; 7uy |])

            testCase "a foreign file without checksum, unsorted and spaced, is read"
            <| fun () ->
                let header =
                    """{ "b": {"shape": [2], "data_offsets": [4, 12], "dtype": "F32"},
                         "a": {"dtype": "I32", "shape": [1, 1], "data_offsets": [0, 4]},
                         "__metadata__": {"format": "pt"}, "\u0063": {"dtype":"F64","shape":[0],"data_offsets":[4,4]} }"""

                let data =
                    Array.concat [ BitConverter.GetBytes 5; BitConverter.GetBytes 1.5f; BitConverter.GetBytes -3f ]

                Safetensors.parse (file header data)
                |> shouldEqual (
                    Ok
                        {
                            Metadata = Map [ "format", "pt" ]
                            Tensors =
                                Map
                                    [
                                        "a", { Shape = [| 1; 1 |]; Data = TensorData.I32 [| 5 |] }
                                        "b", { Shape = [| 2 |]; Data = TensorData.F32 [| 1.5f; -3f |] }
                                        "c", { Shape = [| 0 |]; Data = TensorData.F64 [||] }
                                    ]
                            Verified = false
                        }
                    : Result<SafetensorsFile, string>
                )

            testCase "a file with nothing in it is read"
            <| fun () ->
                Safetensors.parse (file "{}" [||])
                |> shouldEqual (
                    Ok { Metadata = Map.empty; Tensors = Map.empty; Verified = false }: Result<SafetensorsFile, string>
                )

            testCase "a wrong file is refused in one line that says what would be right"
            <| fun () ->
                for header, dataLength, message in wrongHeaders do
                    let found = refusal (file header (Array.zeroCreate dataLength))
                    found |> shouldStartWith ("safetensors: " + message)
                    found |> shouldLackText "\n"

                refusal [| 1uy; 2uy |]
                |> shouldEqual
                    "safetensors: the file has 2 bytes; it must begin with 8 that hold the length of its header"

                refusal (file "{}" [||] |> Array.updateAt 0 200uy)
                |> shouldEqual "safetensors: the header is said to have 200 bytes; the file has only 2 after its length"

                refusal (Array.create 100 255uy)
                |> shouldEqual
                    "safetensors: the header is said to have 18446744073709551615 bytes; at most 100000000 are allowed"

                refusal (Array.append (file "{\"x" [||]) [| 0xffuy; byte '"'; byte '}' |])
                |> shouldStartWith "safetensors: "

                let longName = "{\"" + String('x', 5000) + "\\n\":1}"
                refusal(file longName [||]).Length |> shouldBeLessThan 310

            testCase "a big shape in a small file takes no memory"
            <| fun () ->
                let bytes =
                    file
                        (one "\"dtype\":\"F64\",\"shape\":[200000000],\"data_offsets\":[0,1600000000]")
                        (Array.zeroCreate 8)

                refusal bytes |> ignore
                let before = GC.GetAllocatedBytesForCurrentThread()
                refusal bytes |> shouldStartWith "safetensors: tensor 'w' lies at"
                GC.GetAllocatedBytesForCurrentThread() - before |> shouldBeLessThan 100000L

            testCase "every flipped bit is refused, or leaves all tensors as they are"
            <| fun () ->
                let expected = tensorsOf example

                for i in 0 .. example.Length - 1 do
                    for bit in 0..7 do
                        let damaged = example |> Array.updateAt i (example[i] ^^^ (1uy <<< bit))

                        if Result.isOk (Safetensors.parse damaged) then
                            tensorsOf damaged |> shouldEqual expected

            testCase "every flipped bit of the data is refused"
            <| fun () ->
                let start = 8 + int (BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan example))
                example.Length - start |> shouldEqual (24 + 8 + 3 + 8)

                for i in start .. example.Length - 1 do
                    for bit in 0..7 do
                        example
                        |> Array.updateAt i (example[i] ^^^ (1uy <<< bit))
                        |> refusal
                        |> shouldStartWith "safetensors: the contents don't match their checksum"

            testCase "every truncation and extension is refused"
            <| fun () ->
                for length in 0 .. example.Length - 1 do
                    refusal example[.. length - 1] |> shouldStartWith "safetensors: "

                for extra in 1..20 do
                    Array.append example (Array.zeroCreate extra) |> refusal |> shouldStartWith "safetensors: "

            testCase "thousands of damaged files never raise"
            <| fun () ->
                let stream = Key.OfSeed(77L).Stream()

                let expected =
                    match Safetensors.parse example with
                    | Ok found -> says found
                    | Error message -> failwith message

                // Bytes that mean something in a header meet the parser's cases more often than random ones.
                let telling = Encoding.ASCII.GetBytes "{}[]\",:0123456789-.eE\\u dFIU\000\255"
                let mutable refused = 0
                // The damage hit the checksum's own key: a foreign file, as far as anyone can tell.
                let mutable unverified = 0

                for _ in 1..6000 do
                    let mutable bytes = Array.copy example

                    for _ in 0 .. stream.NextInt 4 do
                        let at = stream.NextInt bytes.Length

                        match stream.NextInt 6 with
                        | 0 -> bytes[at] <- byte (stream.NextInt 256)
                        | 1 -> bytes[at] <- telling[stream.NextInt telling.Length]
                        | 2 -> bytes <- Array.removeAt at bytes
                        | 3 -> bytes <- Array.insertAt at telling[stream.NextInt telling.Length] bytes
                        | 4 -> bytes[stream.NextInt 8] <- byte (stream.NextInt 256)
                        | _ ->
                            let other = stream.NextInt bytes.Length
                            let held = bytes[at]
                            bytes[at] <- bytes[other]
                            bytes[other] <- held

                    match Safetensors.parse bytes with
                    | Ok found when found.Verified -> says found |> shouldEqual expected
                    | Ok _ -> unverified <- unverified + 1
                    | Error message ->
                        refused <- refused + 1
                        message |> shouldStartWith "safetensors: "

                refused |> shouldBeGreaterThan 5000
                unverified |> shouldBeLessThan 300

            testCase "without its checksum a flipped bit in the data goes unnoticed"
            <| fun () ->
                let bytes = file (one "\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]") [| 1uy; 2uy |]
                let found = Safetensors.parse (Array.updateAt (bytes.Length - 1) 3uy bytes)
                found |> shouldDiffer (Safetensors.parse bytes)
                found |> Result.isOk |> shouldEqual true

            testCase "half floats of other programs are widened, each to its own value"
            <| fun () ->
                let every = Array.init 65536 (fun i -> [| byte i; byte (i >>> 8) |]) |> Array.concat

                let read dtype =
                    let header = one $"\"dtype\":\"{dtype}\",\"shape\":[65536],\"data_offsets\":[0,131072]"

                    match tensorsOf (file header every) with
                    | [ "w", (shape, ("F32", bits)) ] ->
                        shape, bits |> Array.map (int >> BitConverter.Int32BitsToSingle)
                    | other -> failtest $"%A{other}"

                // 1, −2, the least subnormal, the largest finite, infinity.
                let shape, half = read "F16"
                shape |> shouldEqual [| 65536 |]

                [ 0x3C00; 0xC000; 1; 0x7BFF; 0x7C00 ]
                |> List.map (fun i -> half[i])
                |> shouldEqual [ 1f; -2f; 5.9604645e-8f; 65504f; infinityf ]

                half |> Array.filter Single.IsNaN |> shouldHaveLength 2046
                let _, brain = read "BF16"

                [ 0x3F80; 0xC000; 0x3DCD; 0x7F7F; 0xFF80 ]
                |> List.map (fun i -> brain[i])
                |> shouldEqual [ 1f; -2f; 0.10009765625f; 3.3895314e38f; -infinityf ]

                brain |> Array.filter Single.IsNaN |> shouldHaveLength 254

            testCase "what can't be written is refused by name"
            <| fun () ->
                let write metadata tensors =
                    try
                        Safetensors.serialize (Map metadata) tensors |> ignore
                        "nothing was refused"
                    with :? ArgumentException as error ->
                        error.Message

                let u8 = { Shape = [| 1 |]; Data = TensorData.U8 [| 1uy |] }

                write [] [ "w", u8; "w", u8 ]
                |> shouldStartWith "safetensors: the tensor name 'w' is reserved or used twice"

                write [] [ "__metadata__", u8 ]
                |> shouldStartWith "safetensors: the tensor name '__metadata__' is reserved"

                write [ Safetensors.ChecksumKey, "" ] []
                |> shouldStartWith "safetensors: the metadata key scae.sha256 is reserved"

                write [] [ "w", { u8 with Shape = [| 2; 3 |] } ]
                |> shouldStartWith "safetensors: tensor 'w' has 1 values; its shape [|2; 3|] needs 6"

                write [] [ "w", { u8 with Shape = [| -1; -1 |] } ]
                |> shouldStartWith "safetensors: tensor 'w' has 1 values"
        ]

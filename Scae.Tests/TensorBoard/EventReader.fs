/// A reader of event files that shares nothing with the writer: bytes, CRC and field numbers as the format publishes them.
module Scae.Tests.TensorBoard.EventReader

open System
open System.IO
open System.Text

/// CRC-32C a bit at a time: the polynomial 0x1EDC6F41, reflected.
let crc (bytes: byte[]) : uint32 =
    let mutable sum = UInt32.MaxValue

    for one in bytes do
        sum <- sum ^^^ uint32 one

        for _ in 1..8 do
            sum <- (sum >>> 1) ^^^ (if sum &&& 1u = 1u then 0x82F63B78u else 0u)

    ~~~sum

let masked (sum: uint32) : uint32 = ((sum >>> 15) ||| (sum <<< 17)) + 0xa282ead8u

/// The bytes of every record; fails where one is torn or damaged.
let records (path: string) : byte[] list =
    let file = File.ReadAllBytes path

    let rec read (at: int) =
        if at = file.Length then
            []
        else
            let head = file[at .. at + 7]

            let size =
                if head.Length < 8 then
                    Int32.MaxValue
                else
                    int (BitConverter.ToInt64(head, 0))

            if size > file.Length - at - 16 then
                failwith $"the record at byte {at} is torn"

            let data = file[at + 12 .. at + 11 + size]

            if BitConverter.ToUInt32(file, at + 8) <> masked (crc head) then
                failwith $"the length at byte {at} is damaged"

            if BitConverter.ToUInt32(file, at + 12 + size) <> masked (crc data) then
                failwith $"the record at byte {at} is damaged"

            data :: read (at + 16 + size)

    read 0

/// What a field of a message holds.
type Field =
    | Whole of uint64
    | Bits of byte[]
    | Bytes of byte[]

/// The fields of a message: varints, 8 and 4 bytes, and what has a length.
let fields (message: byte[]) : (int * Field) list =
    let varint (at: int) =
        let mutable value, next = 0UL, at

        while message[next] > 127uy do
            value <- value ||| (uint64 (message[next] &&& 127uy) <<< (7 * (next - at)))
            next <- next + 1

        value ||| (uint64 message[next] <<< (7 * (next - at))), next + 1

    let rec read (at: int) =
        if at = message.Length then
            []
        else
            let key, at = varint at
            let number = int (key >>> 3)

            match key &&& 7UL with
            | 0UL ->
                let value, next = varint at
                (number, Whole value) :: read next
            | 1UL -> (number, Bits message[at .. at + 7]) :: read (at + 8)
            | 5UL -> (number, Bits message[at .. at + 3]) :: read (at + 4)
            | 2UL ->
                let length, at = varint at
                (number, Bytes message[at .. at + int length - 1]) :: read (at + int length)
            | kind -> failwith $"there is no wire type {kind}"

    read 0

let private inner (number: int) (message: byte[]) : byte[] list =
    fields message
    |> List.choose (function
        | found, Bytes bytes when found = number -> Some bytes
        | _ -> None)

let private only (number: int) (message: byte[]) : byte[] = inner number message |> List.exactlyOne

let private text (number: int) (message: byte[]) : string =
    match inner number message with
    | [] -> ""
    | bytes -> Encoding.UTF8.GetString(List.exactlyOne bytes)

/// A value of an event: what stands at a step under a tag.
type Value =
    {
        Step: int64
        Tag: string
        Scalar: float32 option
        /// The picture's file; empty where it is something else.
        Picture: byte[]
        /// Width and height of the picture.
        Size: int * int
        /// The plugin's name and data.
        Plugin: string * byte[]
    }

let private whole (number: int) (message: byte[]) : int64 =
    fields message
    |> List.tryPick (function
        | found, Whole value when found = number -> Some(int64 value)
        | _ -> None)
    |> Option.defaultValue 0L

let private value (step: int64) (message: byte[]) : Value =
    let images = inner 4 message
    let plugins = inner 9 message |> List.collect (inner 1)

    {
        Step = step
        Tag = text 1 message
        Scalar =
            fields message
            |> List.tryPick (function
                | 2, Bits bits -> Some(BitConverter.ToSingle(bits, 0))
                | _ -> None)
        Picture = images |> List.map (only 4) |> List.tryExactlyOne |> Option.defaultValue [||]
        Size =
            images
            |> List.map (fun image -> int (whole 2 image), int (whole 1 image))
            |> List.tryExactlyOne
            |> Option.defaultValue (0, 0)
        Plugin =
            plugins
            |> List.map (fun plugin -> text 1 plugin, only 2 plugin)
            |> List.tryExactlyOne
            |> Option.defaultValue ("", [||])
    }

/// Every value of a file, in order. Fails where the first record isn't the format's version.
let values (path: string) : Value list =
    match records path with
    | [] -> failwith "the file is empty"
    | version :: events ->
        if text 3 version <> "brain.Event:2" then
            failwith $"the version is {text 3 version}"

        [
            for event in events do
                for message in inner 5 event |> List.collect (inner 1) -> value (whole 2 event) message
        ]

/// The hyperparameters that a session began with: name, and number, text or truth as they stand.
let hyperparameters (values: Value list) : Map<string, Field> =
    let start = values |> List.find (fun value -> value.Tag = "_hparams_/session_start_info")
    let plugin, data = start.Plugin

    if plugin <> "hparams" then
        failwith $"the plugin is {plugin}"

    only 3 data
    |> inner 1
    |> List.map (fun entry ->
        let value = only 2 entry
        text 1 entry, snd (List.exactlyOne (fields value)))
    |> Map.ofList

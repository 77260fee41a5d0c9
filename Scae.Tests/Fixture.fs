/// JSON files in Expectations that an independent implementation wrote.
module Scae.Tests.Fixture

open System
open System.IO
open System.Text.Json

/// The root of Expectations/NAME.
let load (name: string) : JsonElement =
    let path = Path.Combine(AppContext.BaseDirectory, "Expectations", name)
    JsonDocument.Parse(File.ReadAllText path).RootElement

/// A field.
let get (name: string) (element: JsonElement) : JsonElement = element.GetProperty name

/// The items of an array.
let items (element: JsonElement) : JsonElement list = List.ofSeq (element.EnumerateArray())

/// The fields of an object.
let fields (element: JsonElement) : (string * JsonElement) list =
    [ for field in element.EnumerateObject() -> field.Name, field.Value ]

let number (element: JsonElement) : float = element.GetDouble()

let int (element: JsonElement) : int = element.GetInt32()

let text (element: JsonElement) : string = nonNull (element.GetString())

/// All numbers of nested arrays, in order.
let rec numbers (element: JsonElement) : float[] =
    if element.ValueKind = JsonValueKind.Array then
        element.EnumerateArray() |> Seq.map numbers |> Array.concat
    else
        [| element.GetDouble() |]

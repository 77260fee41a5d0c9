/// Texts that are kept as files and compared in review: SVG, help pages, the public API.
[<RequireQualifiedAccess>]
module Scae.Tests.Expectation

open System
open System.IO
open Expecto

/// The folder of the solution, above the folder that the tests run in.
let root: string =
    let rec up (folder: DirectoryInfo | null) =
        match folder with
        | null -> failwith "the tests don't run below the folder of Scae.sln"
        | folder when File.Exists(Path.Combine(folder.FullName, "Scae.sln")) -> folder.FullName
        | folder -> up folder.Parent

    up (DirectoryInfo AppContext.BaseDirectory)

/// The first line in which two texts differ: its number, and the line in each.
let difference (expected: string) (actual: string) : (int * string * string) option =
    let lines (text: string) = text.Replace("\r", "").Split '\n'
    let a, b = lines expected, lines actual

    Seq.init (max a.Length b.Length) (fun i ->
        i + 1, Array.tryItem i a |> Option.defaultValue "", Array.tryItem i b |> Option.defaultValue "")
    |> Seq.tryFind (fun (_, x, y) -> x <> y)

/// That a text is the one in Expectations/NAME. With SCAE_UPDATE_EXPECTATIONS=1 the file becomes the text.
let shouldHold (name: string) (actual: string) : unit =
    let path = Path.Combine(root, "Scae.Tests", "Expectations", name)

    if Environment.GetEnvironmentVariable "SCAE_UPDATE_EXPECTATIONS" = "1" then
        Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
        File.WriteAllText(path, actual)

    if not (File.Exists path) then
        failtest $"there is no Expectations/{name}; SCAE_UPDATE_EXPECTATIONS=1 writes it"

    match difference (File.ReadAllText path) actual with
    | None -> ()
    | Some(line, expected, found) ->
        failtest
            $"line {line} of {name} was\n{expected}\nand is\n{found}\nIf that is meant: SCAE_UPDATE_EXPECTATIONS=1 dotnet run -c Release --project Scae.Tests"

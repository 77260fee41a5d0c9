/// Commands that pages show and results.csv names are ones that the program takes.
module Scae.Tests.House.CommandsTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open Scae.Core.CommandLine
open Scae.Tests
open Scae.Tests.Claims

let private pages: string list =
    [
        "README.md"
        "CONTRIBUTING.md"
        for folder in [ "docs"; "paper-specs" ] do
            for path in Directory.GetFiles(Path.Combine(Expectation.root, folder), "*.md", SearchOption.AllDirectories) do
                Path.GetRelativePath(Expectation.root, path)
    ]

/// The commands in the lines that a page sets apart, without remarks.
let private ofPage (page: string) : string list =
    [
        for line in File.ReadAllLines(Path.Combine(Expectation.root, page)) do
            if line.StartsWith("    scae ", StringComparison.Ordinal) then
                Regex.Replace(line, @"\s+# .*$", "").Trim()
    ]

/// The commands of a results.csv; a row may name two, one after the other.
let private ofResults (experiment: string) : string list =
    let path = Path.Combine(Expectation.root, "paper-specs", experiment, "results.csv")

    File.ReadAllLines path
    |> List.ofArray
    |> List.tail
    |> List.collect (fun row -> (row.Split([| ',' |], 6)[5]).Trim('"').Split("; ") |> List.ofArray)
    |> List.map (fun command -> Regex.Replace(command, @" --seed \d+", "").Trim())
    // Parsing takes a tenth of a second, so of a scan's commands, which differ in numbers alone, one is tried.
    |> List.distinctBy (fun command -> Regex.Replace(command, @" [\d.,]+(?= |$)", " number"))

let private shouldBeTaken (command: string) : unit =
    let words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries)
    words[0] |> shouldEqual "scae"

    match Arguments.parse words[1..] with
    | Ok _ -> ()
    | Error message -> failtest $"{command}: {message}"

[<Tests>]
let tests =
    testList
        "House.Commands"
        [
            testCase "every command that a page sets apart is taken"
            <| fun () ->
                let commands = pages |> List.collect ofPage
                commands.Length |> shouldBeAtLeast 40
                List.iter shouldBeTaken commands

            for folder in Directory.GetDirectories(Path.Combine(Expectation.root, "paper-specs")) do
                let experiment = nonNull (Path.GetFileName folder)

                testCase $"every command that a result was measured with is taken ({experiment})"
                <| fun () ->
                    let commands = ofResults experiment
                    commands |> shouldHaveSome
                    List.iter shouldBeTaken commands
        ]

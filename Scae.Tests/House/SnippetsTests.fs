/// What README and pages show is run: F# as scripts, C# as one program.
module Scae.Tests.House.SnippetsTests

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Expecto
open Scae.Tests.Turns
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

let private pages: string list =
    [
        "README.md"
        "CONTRIBUTING.md"
        "Scae.Core/README.md"
        "Scae.Tensors/README.md"
        yield!
            Directory.GetFiles(Path.Combine(Expectation.root, "docs"), "*.md")
            |> Array.map (fun path -> Path.GetRelativePath(Expectation.root, path))
        yield!
            Directory.GetFiles(Path.Combine(Expectation.root, "paper-specs"), "*.md", SearchOption.AllDirectories)
            |> Array.map (fun path -> Path.GetRelativePath(Expectation.root, path))
    ]

/// The pages that have blocks of a language, and the blocks.
let private shown (language: string) : (string * string list) list =
    [
        for page in pages do
            let text = File.ReadAllText(Path.Combine(Expectation.root, page))

            match
                Regex.Matches(text, $"```{language}\n(.*?)```", RegexOptions.Singleline)
                |> Seq.map _.Groups[1].Value
                |> List.ofSeq
            with
            | [] -> ()
            | blocks -> page, blocks
    ]

let private dotnet (folder: string) (arguments: string list) : int * string =
    let info =
        ProcessStartInfo(
            "dotnet",
            arguments,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder
        )

    use running = nonNull (Process.Start info)
    let error = running.StandardError.ReadToEndAsync()
    let output = running.StandardOutput.ReadToEnd()
    running.WaitForExit()
    running.ExitCode, output + error.Result

let private assemblies = [ "FSharp.Core"; "Scae.Tensors"; "Scae.Core"; "System.Numerics.Tensors" ]

let private pathOf (assembly: string) = Path.Combine(AppContext.BaseDirectory, assembly + ".dll").Replace('\\', '/')

/// A block of C# as a function of its own, with its directives and its types apart.
let private split (number: int) (block: string) : string list * string * string =
    let directives, rest = block.Split '\n' |> List.ofArray |> List.partition _.StartsWith("using ")

    let statements, types =
        rest |> List.takeWhile (Regex(@"^(internal|public|sealed|class)\b").IsMatch >> not), rest

    let types = types |> List.skip statements.Length
    let text lines = String.concat "\n" lines
    directives, $"static void Block{number}()\n{{\n{text statements}\n}}\n", text types

[<Tests>]
let tests =
    inTurn
        "House.Snippets"
        [
            testCase "there are blocks to run"
            <| fun () ->
                shown "fsharp" |> List.map fst |> shouldContain "README.md"
                shown "csharp" |> List.map fst |> shouldContain "Scae.Tensors/README.md"

            // In one process, since most of its time would go into starting. Each page is a module of its own.
            testCase "the F# of all pages runs"
            <| fun () ->
                inNewFolder (fun folder ->
                    let fileOf (page: string) = Regex.Replace(page, "[^A-Za-z]", "") + ".fsx"
                    let references = assemblies.Tail |> List.map (fun assembly -> $"#r \"{pathOf assembly}\"")
                    let pages = shown "fsharp"
                    pages |> List.distinctBy (fst >> fileOf) |> shouldHaveLength pages.Length

                    for page, blocks in pages do
                        let told = [ $"printfn \"%%s\" \"begun: {page}\"" ]
                        File.WriteAllLines(Path.Combine(folder, fileOf page), references @ told @ blocks)

                    let script = Path.Combine(folder, "pages.fsx")
                    File.WriteAllLines(script, [ for page, _ in pages -> $"#load \"{fileOf page}\"" ])
                    let exitCode, output = dotnet folder [ "fsi"; "--exec"; "--warnaserror+"; script ]
                    Expect.equal exitCode 0 output

                    for page, _ in pages do
                        output |> shouldContainText $"begun: {page}")

            testCase "the C# of all pages runs"
            <| fun () ->
                inNewFolder (fun folder ->
                    let blocks = shown "csharp" |> List.collect snd |> List.mapi split
                    let directives = blocks |> List.collect (fun (directives, _, _) -> directives) |> List.distinct
                    let calls = blocks |> List.mapi (fun i _ -> $"Block{i}();")
                    let functions = blocks |> List.map (fun (_, f, _) -> f)
                    let types = blocks |> List.map (fun (_, _, types) -> types)
                    File.WriteAllLines(Path.Combine(folder, "Program.cs"), directives @ calls @ functions @ types)

                    let references =
                        assemblies
                        |> List.map (fun assembly ->
                            $"<Reference Include=\"{assembly}\"><HintPath>{pathOf assembly}</HintPath></Reference>")
                        |> String.concat ""

                    File.WriteAllText(
                        Path.Combine(folder, "page.csproj"),
                        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable></PropertyGroup>"
                        + $"<ItemGroup>{references}</ItemGroup></Project>"
                    )

                    let exitCode, output = dotnet folder [ "run"; "-c"; "Release" ]
                    Expect.equal exitCode 0 output
                    output |> shouldContainText "Finished recovery")
        ]

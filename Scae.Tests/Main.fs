/// Runs every list that carries [<Tests>]: `dotnet run -c Release --project Scae.Tests [-- --filter TEXT]`.
module Scae.Tests.Main

open System
open Expecto
open Expecto.Impl

/// The last line counts what ran; people and CI read it. Expecto's own output leaves a colour code at the end of its last
/// line, so a new one is begun.
let private count (output: IO.TextWriter) (summary: TestRunSummary) =
    let failed = summary.failed.Length + summary.errored.Length
    output.WriteLine()
    output.WriteLine $"{summary.passed.Length} passed, {failed} failed"
    output.Flush()

/// Takes `--filter TEXT` out of the arguments; what is left is Expecto's own.
let private filterOf (arguments: string list) : (string -> bool) * string list =
    match List.tryFindIndex ((=) "--filter") arguments with
    | Some at when at + 1 < arguments.Length ->
        let text = arguments[at + 1]
        (fun name -> name.Contains(text, StringComparison.OrdinalIgnoreCase)), List.removeManyAt at 2 arguments
    | _ -> (fun _ -> true), arguments

let private run arguments =
    let wanted, rest = filterOf (List.ofArray arguments)
    // Expecto puts a writer of its own in the console's place while it runs.
    let output = Console.Out

    match testFromThisAssembly () with
    | None ->
        eprintfn "there is no test"
        1
    | Some tests ->
        let mutable summary = None

        let printer =
            { TestPrinters.defaultPrinter with
                summary =
                    fun config result ->
                        summary <- Some result
                        TestPrinters.defaultPrinter.summary config result
            }

        let exitCode =
            tests
            |> Test.filter "." (String.concat "." >> wanted)
            |> runTestsWithCLIArgs
                [
                    CLIArguments.Printer printer
                    CLIArguments.No_Spinner
                    // Some tests wait for processes that wait.
                    CLIArguments.Parallel_Workers(Environment.ProcessorCount + 1)
                    // Colour codes would stand in the way of whoever reads the last line of a log.
                    if Console.IsOutputRedirected then
                        CLIArguments.Colours 0
                ]
                (Array.ofList rest)

        summary |> Option.iter (count output)

        match summary with
        | Some result when result.passed.IsEmpty && exitCode = 0 ->
            eprintfn "no test has that in its name"
            1
        | _ -> exitCode

[<EntryPoint>]
let main arguments =
    match arguments with
    // What a test starts this program for again, told to use other vectors.
    | [| "--digest"; count |] ->
        printfn $"{Scae.Tests.Operations.Digest.compute (int count)}"
        0
    | _ -> run arguments

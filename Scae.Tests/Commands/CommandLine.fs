/// Runs the command line: called within this process, or as a process of its own.
module Scae.Tests.Commands.CommandLine

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Threading
open Scae.Cli.Reports
open Scae.Tensors

type Result = { ExitCode: int; Output: string; Error: string }

/// The program where its own build leaves it, of the configuration that is tested: bin/Release/net10.0.
let private program =
    let tested = DirectoryInfo(AppContext.BaseDirectory.TrimEnd Path.DirectorySeparatorChar)
    Path.Combine(Scae.Tests.Expectation.root, "Scae.Cli", "bin", (nonNull tested.Parent).Name, tested.Name, "scae.dll")

/// Starts the program with its output and error read, and something else about the process changed.
let startWith (change: ProcessStartInfo -> unit) (arguments: string list) : Process =
    let info =
        ProcessStartInfo("dotnet", RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false)

    // Spectre.Console writes colours where the terminal's name promises them.
    info.Environment["TERM"] <- "xterm-256color"

    for argument in program :: arguments do
        info.ArgumentList.Add argument

    change info
    nonNull (Process.Start info)

let start (arguments: string list) : Process = startWith ignore arguments

/// Through a shell, to which the program is "$@": such as exec "$@" >&-.
let throughShell (script: string) (info: ProcessStartInfo) : unit =
    let words = info.FileName :: List.ofSeq info.ArgumentList
    info.FileName <- "bash"
    info.ArgumentList.Clear()

    for word in [ "-c"; script; "bash" ] @ words do
        info.ArgumentList.Add word

let private finish (running: Process) : Result =
    let output = running.StandardOutput.ReadToEndAsync()
    let error = running.StandardError.ReadToEndAsync()
    running.WaitForExit()

    { ExitCode = running.ExitCode; Output = output.Result; Error = error.Result }

let runWith (change: ProcessStartInfo -> unit) (arguments: string list) : Result =
    use running = startWith change arguments
    finish running

let runProcess (arguments: string list) : Result = runWith ignore arguments

/// Sends what is written to the writer of the test that is running; without one it goes to the console.
type private PerTest(console: TextWriter, own: AsyncLocal<TextWriter | null>) =
    inherit TextWriter()

    let target () =
        match own.Value with
        | null -> console
        | writer -> writer

    override _.Encoding = console.Encoding
    override _.Write(value: char) = target().Write value
    override _.Write(value: string | null) = target().Write value
    override _.Write(buffer: char[], index: int, count: int) = target().Write(buffer, index, count)
    override _.WriteLine(value: string | null) = target().WriteLine value
    override _.Flush() = target().Flush()

let private ownOutput, ownError = AsyncLocal<TextWriter | null>(), AsyncLocal<TextWriter | null>()

let private perTest =
    lazy
        (Terminal.IsElsewhere <- true
         new PerTest(Console.Out, ownOutput), new PerTest(Console.Error, ownError))

/// Calls a program within this process, since a short command spends most of its time on starting and compiling.
/// Tests that do so at the same time have their own output, but share the number of threads.
let call (main: string[] -> int) (arguments: string list) : Result =
    use output = new StringWriter()
    use error = new StringWriter()
    let console, consoleError = perTest.Value

    try
        ownOutput.Value <- TextWriter.Synchronized output
        ownError.Value <- TextWriter.Synchronized error
        // The program wraps the console that it finds.
        Console.SetOut console
        Console.SetError consoleError
        let exitCode = main (Array.ofList arguments)

        { ExitCode = exitCode; Output = string output; Error = string error }
    finally
        ownOutput.Value <- null
        ownError.Value <- null
        Parallelism.Threads <- Environment.ProcessorCount

/// The same as runProcess, in the tests' own process.
let run (arguments: string list) : Result = call Scae.Cli.Program.Main arguments

/// Several at the same time.
let runTogether (change: ProcessStartInfo -> unit) (commands: string list list) : Result list =
    commands
    |> List.map (startWith change)
    |> List.map (fun running -> System.Threading.Tasks.Task.Run(fun () -> finish running))
    |> List.map _.Result

/// A folder of its own that is gone after the action.
let inNewFolder (action: string -> unit) : unit =
    let folder = Directory.CreateTempSubdirectory("scae-test-").FullName

    try
        action folder
    finally
        Directory.Delete(folder, recursive = true)

/// A training of a second or two.
let shortTraining: string list =
    [
        "train"
        "constellations"
        "--preset"
        "quick"
        "--epochs"
        "3"
        "--steps-per-epoch"
        "20"
        "--test-size"
        "64"
        "--snapshot-every"
        "20"
    ]

let json (text: string) = JsonDocument.Parse(text).RootElement

let property (name: string) (element: JsonElement) = element.GetProperty(name: string)

/// The files under a folder, by their paths within it, sorted.
let filesOf (folder: string) =
    Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
    |> Array.map (fun path -> Path.GetRelativePath(folder, path))
    |> Array.sort
    |> List.ofArray

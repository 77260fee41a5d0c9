/// A training whose folder is taken away from under it.
module Scae.Tests.Runs.TrainingRunTests

open System
open System.IO
open System.Threading
open Expecto
open Scae.Cli.Data
open Scae.Cli.Plots
open Scae.Cli.Reports
open Scae.Cli.Runs
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Training.Trained
open Scae.Tests.Commands.CommandLine

/// Does something once, when so many steps are done.
let private at (step: int) (action: unit -> unit) : IProgressDisplay =
    { new IProgressDisplay with
        member _.Show(_, _, _, _, _, training) =
            training.Invoke(
                Action<_>(fun progress ->
                    match progress with
                    | Stepped(done', _) when done' = step -> action ()
                    | _ -> ())
            )

        member _.Finish(_, work) = work.Invoke()
    }

/// Does something when all steps are done, before what follows.
let private atEnd (action: unit -> unit) : IProgressDisplay =
    { new IProgressDisplay with
        member _.Show(_, _, _, _, _, training) = training.Invoke(Action<_> ignore)

        member _.Finish(_, work) =
            action ()
            work.Invoke()
    }

let private displaced (folder: string) =
    $"{folder}: the folder, or its lock, was removed or renamed while the run was writing there; "

/// The failure of a training in a folder.
let private failureWith (display: IProgressDisplay) (folder: string) (options: (string * string) list) : string =
    let experiment = accepted (Experiments.find "constellations")
    let preset = accepted (Experiments.preset (Some "quick") experiment)
    let sizes = [ "epochs", "3"; "steps-per-epoch", "20"; "validation-size", "16"; "test-size", "16" ]
    let resources = MnistFiles.Resources(null, CancellationToken.None)

    use _ = RunLock.Take(folder, "wait")
    let training = TrainingRun(experiment, preset, sizes @ options, 0L, resources, RunFolder.At folder)
    messageOf<RunFailure>(fun () -> training.Run(false, 1, display, CancellationToken.None) |> ignore)

/// The same, with something that is done in the middle of it.
let private failureOf (folder: string) (options: (string * string) list) (action: unit -> unit) : string =
    failureWith (at 25 action) folder options

[<Tests>]
let tests =
    inTurn
        "Runs.TrainingRun"
        [
            for what, options in [ "snapshot", [ "snapshot-every", "10" ]; "checkpoint", [ "snapshot-every", "0" ] ] do
                testCase $"a folder that is removed stays removed when a {what} is due, and the line says so"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let out = Path.Combine(folder, "run")

                        failureOf out options (fun () -> Directory.Delete(out, true))
                        |> shouldStartWith (displaced out)

                        filesOf folder |> shouldBeEmpty)

                testCase $"another process that has begun in the place of a renamed folder is spared a {what}"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let out, moved = Path.Combine(folder, "run"), Path.Combine(folder, "moved")
                        let other = Environment.ProcessId + 1

                        let exchange () =
                            Directory.Move(out, moved)
                            Directory.CreateDirectory out |> ignore
                            File.WriteAllBytes(Path.Combine(out, "lock"), Array.zeroCreate other)

                        let message = failureOf out options exchange
                        message |> shouldStartWith (displaced out)
                        RunFolder.At(moved).WasBegun |> shouldEqual true
                        filesOf out |> shouldEqual [ "lock" ])

                testCase $"an empty folder, or a finished run, in the place of a renamed folder is spared a {what}"
                <| fun () ->
                    inNewFolder (fun folder ->
                        for files in [ []; [ "last.safetensors"; "run.json"; "summary.json" ] ] do
                            let out = Path.Combine(folder, $"run-{files.Length}")

                            let exchange () =
                                Directory.Move(out, out + "-moved")
                                Directory.CreateDirectory out |> ignore

                                for file in files do
                                    File.WriteAllText(Path.Combine(out, file), "another's")

                            failureOf out options exchange |> shouldStartWith (displaced out)
                            Directory.Exists out |> shouldEqual true
                            filesOf out |> shouldEqual files

                            for file in files do
                                File.ReadAllText(Path.Combine(out, file)) |> shouldEqual "another's")

            testCase "a folder that is removed while the run is measured at its end stays removed"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    let display = atEnd (fun () -> Directory.Delete(out, true))
                    failureWith display out [] |> shouldStartWith (displaced out)
                    filesOf folder |> shouldBeEmpty)

            testCase "a library for drawing that can't be loaded is a problem of files, any other fault isn't"
            <| fun () ->
                let missing =
                    DllNotFoundException "Unable to load shared library 'libSkiaSharp'. In order to …\nmany places\n"

                let asInDrawing = AggregateException(TypeInitializationException("ScottPlot.Fonts", missing))

                messageOf<IOException>(fun () -> DrawingLibrary.Use(fun () -> raise asInDrawing))
                |> shouldEqual "the library for drawing can't be loaded (Unable to load shared library 'libSkiaSharp')"

                shouldRaise<TypeInitializationException>(fun () ->
                    DrawingLibrary.Use(fun () ->
                        raise (TypeInitializationException("Own", InvalidOperationException()))))
        ]

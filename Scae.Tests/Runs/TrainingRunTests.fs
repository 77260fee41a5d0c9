/// A training whose folder is taken away from under it.
module Scae.Tests.Runs.TrainingRunTests

open System
open System.IO
open System.Threading
open Expecto
open Scae.Cli.Data
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

/// The failure of a training in a folder, in the middle of which something is done.
let private failureOf (folder: string) (options: (string * string) list) (action: unit -> unit) : string =
    let experiment = accepted (Experiments.find "constellations")
    let preset = accepted (Experiments.preset (Some "quick") experiment)
    let sizes = [ "epochs", "3"; "steps-per-epoch", "20"; "validation-size", "16"; "test-size", "16" ]
    let resources = MnistFiles.Resources(null, CancellationToken.None)

    use _ = RunLock.Take(folder, "wait")
    let training = TrainingRun(experiment, preset, sizes @ options, 0L, resources, RunFolder.At folder)
    messageOf<RunFailure>(fun () -> training.Run(false, 1, at 25 action, CancellationToken.None, false) |> ignore)

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
                        |> shouldStartWith $"{out}: the folder was removed or renamed while the run was writing there"

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
                        message |> shouldContainText $", and process {other} writes there now; "
                        RunFolder.At(moved).WasBegun |> shouldEqual true
                        filesOf out |> shouldEqual [ "lock" ])

            testCase "whose fault it is that pictures can't be drawn is told where it isn't the program's"
            <| fun () ->
                let missing = DllNotFoundException "Unable to load shared library 'libSkiaSharp'.\nmany places\n"

                FigureFiles.Obstacle(TypeInitializationException("SkiaSharp.SKObject", missing))
                |> shouldEqual "the library for drawing can't be loaded (Unable to load shared library 'libSkiaSharp')"

                FigureFiles.Obstacle(UnauthorizedAccessException()) |> shouldEqual "access is denied"
                isNull (FigureFiles.Obstacle(InvalidOperationException())) |> shouldEqual true
        ]

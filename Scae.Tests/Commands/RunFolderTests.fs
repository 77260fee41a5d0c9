/// Who may write in a run's folder, and how a run that is there goes on.
module Scae.Tests.Commands.RunFolderTests

open System.IO
open System.Threading
open Expecto
open Scae.Tests.Turns
open Scae.Cli.Runs
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

let private training =
    [ "train"; "constellations"; "--preset"; "quick"; "--steps-per-epoch"; "20"; "--test-size"; "64" ]

/// Longer than any test: it is killed.
let private endless = training @ [ "--epochs"; "10000" ]

let private inRun (folder: string) (name: string) = Path.Combine(folder, name)

/// Starts a training in a folder and goes on while it is under way there.
let private beside (folder: string) (action: unit -> unit) =
    use running = start (endless @ [ "--out"; folder ])

    try
        if SpinWait.SpinUntil((fun () -> File.Exists(inRun folder "metrics.jsonl") || running.HasExited), 60000) then
            running.HasExited |> shouldEqual false
            action ()
        else
            failtest "nothing was trained within a minute"
    finally
        running.Kill()
        running.WaitForExit()

[<Tests>]
let tests =
    inTurn
        "Commands.RunFolder"
        [
            testCase "a folder that a run is written to is nobody else's, whatever the verb"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "mix"

                    beside out (fun () ->
                        for words in
                            [
                                training @ [ "--out"; out; "--seed"; "2"; "--width"; "16" ]
                                [ "train"; "--resume"; "--out"; out ]
                            ] do
                            let other = run words
                            other.Error |> shouldContainText "has been writing there since"
                            (other.ExitCode, other.Output) |> shouldEqual (1, ""))

                    // A dead holder frees it.
                    let after = run [ "train"; "--resume"; "--out"; out; "--width"; "3" ]
                    after.Error |> shouldContainText "width was"
                    after.ExitCode |> shouldEqual 2)

            testCase "a sweep waits for nobody: it names who writes in one of its folders"
            <| fun () ->
                inNewFolder (fun folder ->
                    beside (inRun folder "seed-0") (fun () ->
                        let sweep =
                            run [ "sweep"; "constellations"; "--preset"; "quick"; "--seeds"; "0"; "--out"; folder ]

                        sweep.Error |> shouldContainText "has been writing there since"
                        sweep.ExitCode |> shouldEqual 1))

            testCase "a run knows its settings, and can be made longer as if it had been so from the start"
            <| fun () ->
                inNewFolder (fun folder ->
                    let longer, straight = inRun folder "longer", inRun folder "straight"
                    let trained = run (training @ [ "--epochs"; "3"; "--seed"; "7"; "--out"; longer; "--quiet" ])
                    (trained.ExitCode, trained.Error) |> shouldEqual (0, "")
                    let again = run [ "train"; "--resume"; "--out"; longer; "--epochs"; "5"; "--quiet" ]
                    (again.ExitCode, again.Error) |> shouldEqual (0, "")

                    (run (training @ [ "--epochs"; "5"; "--seed"; "7"; "--out"; straight; "--quiet" ])).ExitCode
                    |> shouldEqual 0

                    for name in [ "last.safetensors"; "best.safetensors"; inRun "figures" "training.gif" ] do
                        File.ReadAllBytes(inRun longer name) |> shouldEqual (File.ReadAllBytes(inRun straight name))

                    let shorter = run [ "train"; "--resume"; "--out"; longer; "--epochs"; "4" ]
                    shorter.ExitCode |> shouldEqual 2

                    shorter.Error
                    |> shouldContainText "epochs was 5 and is now 4; a run can be made longer, not shorter")

            testCase "results whose checkpoint is gone are neither gone on with nor written over"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    (run (training @ [ "--epochs"; "2"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    File.Delete(inRun out "last.safetensors")
                    let before = filesOf out
                    let resumed = run [ "train"; "--resume"; "--out"; out ]
                    resumed.ExitCode |> shouldEqual 1
                    resumed.Error |> shouldContainText "its last.safetensors is gone"
                    let fresh = run (training @ [ "--out"; out ])
                    fresh.ExitCode |> shouldEqual 2
                    fresh.Error |> shouldContainText "results of a run whose checkpoint is gone"
                    filesOf out |> shouldEqual before)

            testCase "a damaged checkpoint gives way to the one before it, and a line says so"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out, other = inRun folder "run", inRun folder "other"
                    let train epochs out = run (training @ [ "--epochs"; epochs; "--out"; out; "--quiet" ])
                    (train "4" out).ExitCode |> shouldEqual 0
                    (train "2" other).ExitCode |> shouldEqual 0
                    let last, previous = inRun out "last.safetensors", inRun out "previous.safetensors"
                    let whole = File.ReadAllBytes last
                    File.Copy(last, previous)
                    File.WriteAllBytes(last, whole[.. whole.Length / 2])
                    let resumed = run [ "train"; "--resume"; "--out"; out; "--quiet" ]
                    resumed.ExitCode |> shouldEqual 0
                    resumed.Error |> shouldContainText "going on from previous.safetensors"
                    File.ReadAllBytes last |> shouldEqual whole)

            testCase "a folder where a file belongs is seen before anything is trained"
            <| fun () ->
                inNewFolder (fun folder ->
                    for name in [ "last.safetensors"; "best.safetensors"; "metrics.jsonl"; "summary.json" ] do
                        let place = Directory.CreateDirectory(inRun (inRun folder name) name)
                        let refused = messageOf<RunFailure>(fun () -> RunFolder.At(inRun folder name).Prepare())

                        refused
                        |> shouldEqual $"{place.FullName}: a folder is where a file of the run belongs; rename it"

                    let other = (Directory.CreateDirectory(inRun folder "other")).FullName
                    File.WriteAllText(inRun other "figures", "")

                    messageOf<RunFailure>(fun () -> RunFolder.At(other).Prepare())
                    |> shouldContainText "a file is where a folder of the run belongs")

            testCase "the quick presets need nothing but the program"
            <| fun () ->
                inNewFolder (fun folder ->
                    let strokes = [ "--digits"; "strokes" ]

                    for name, options in [ "neural-em", []; "air", strokes; "scae", strokes ] do
                        let out = inRun folder name
                        let trained = run ([ "train"; name; "--preset"; "quick"; "--quiet"; "--out"; out ] @ options)
                        (trained.ExitCode, trained.Error) |> shouldEqual (0, "")
                        File.Exists(inRun out "summary.json") |> shouldEqual true)

            testCase "what the memory can't hold is refused before it is taken"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    let refused = run [ "train"; "constellations"; "--test-size"; "2000000000"; "--out"; out ]
                    refused.Error |> shouldStartWith "scae: --test-size 2000000000: the run needs about"
                    refused.ExitCode |> shouldEqual 2
                    Directory.Exists out |> shouldEqual false)
        ]

/// Runs that are killed or asked to stop, and how they go on.
module Scae.Tests.Commands.InterruptionTests

open System
open System.IO
open System.Runtime.InteropServices
open System.Threading
open Scae.Tests.Claims
open Expecto
open Scae.Tests.Turns
open Scae.Tests.Commands.CommandLine
open Scae.Tests.TensorBoard

[<DllImport("libc", EntryPoint = "signal")>]
extern nativeint private setSignal(int number, nativeint handler)

/// Starts a training that listens to SIGINT and SIGHUP, although a shell that runs these tests in the background, or nohup, has
/// told them, and so what they start, to ignore these.
let startInterruptible (change: System.Diagnostics.ProcessStartInfo -> unit) (arguments: string list) =
    let hangUp, interrupt, byDefault, ignored = 1, 2, 0n, 1n
    let status = "/proc/self/status"

    let ignores (signal: int) =
        File.Exists status
        && File.ReadLines status
           |> Seq.exists (fun line ->
               line.StartsWith "SigIgn:" && Convert.ToUInt64(line[7..].Trim(), 16) &&& (1UL <<< signal - 1) <> 0UL)

    let changed = [ hangUp; interrupt ] |> List.filter ignores

    for signal in changed do
        setSignal (signal, byDefault) |> ignore

    try
        startWith change arguments
    finally
        for signal in changed do
            setSignal (signal, ignored) |> ignore

let signal (name: string) (running: System.Diagnostics.Process) =
    use kill = System.Diagnostics.Process.Start("kill", [ "-" + name; string running.Id ])
    kill.WaitForExit()

/// Reads the output up to the first line that starts so.
let private readTo (start: string) (running: System.Diagnostics.Process) =
    let rec read () =
        match running.StandardOutput.ReadLine() with
        | null -> failwith $"no line of the output starts with {start}"
        | line when line.StartsWith start -> ()
        | _ -> read ()

    read ()

/// How often the digits' training is killed: three times, or as often as the variable SCAE_KILLS says.
let private kills =
    match Int32.TryParse(Environment.GetEnvironmentVariable "SCAE_KILLS") with
    | true, count -> count
    | _ -> 3

/// The quick preset of stacked capsules, in short epochs.
let private shortDigits =
    [ "train"; "scae"; "--preset"; "quick"; "--epochs"; "16"; "--steps-per-epoch"; "10" ]
    @ [ "--digits"; "strokes"; "--validation-size"; "20"; "--test-size"; "50"; "--probe-size"; "60" ]
    @ [ "--batch-size"; "8" ]

/// Kills a training with SIGKILL at a random moment: while it starts, trains, writes, measures or draws. Returns whether
/// it had ended before.
let private killSometime (chance: Scae.Tensors.KeyStream) (arguments: string list) : bool =
    use running = start arguments
    let error = running.StandardError.ReadToEndAsync()

    if chance.NextInt 5 > 0 then
        readTo "scae, " running

    let output = running.StandardOutput.ReadToEndAsync()
    let ended = running.WaitForExit(chance.NextInt 2500)

    if ended then
        error.Result |> shouldEqual ""
        running.ExitCode |> shouldEqual 0
    else
        running.Kill()
        running.WaitForExit()

    output.Wait()
    ended

/// A training that is short, but for the evaluation on test scenes.
let private longFinish (testSize: int) =
    [ "train"; "constellations"; "--preset"; "quick"; "--epochs"; "1"; "--steps-per-epoch"; "20" ]
    @ [ "--test-size"; string testSize ]

[<Tests>]
let tests =
    inTurn
        "Commands.Interruption"
        [
            for resume in [ false; true ] do
                testCase $"a run that was killed before its first checkpoint starts over, resumed or not ({resume})"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let out = Path.Combine(folder, "run")
                        let train options = run (shortTraining @ [ "--out"; out; "--quiet" ] @ options)
                        (train []).ExitCode |> shouldEqual 0
                        let checkpoint = Path.Combine(out, "last.safetensors")
                        let bytes = File.ReadAllBytes checkpoint

                        for name in [ "last.safetensors"; "best.safetensors"; "metrics.jsonl"; "summary.json" ] do
                            File.Delete(Path.Combine(out, name))

                        let again = train (if resume then [ "--resume" ] else [])
                        again.Error |> shouldEqual ""
                        again.ExitCode |> shouldEqual 0
                        File.ReadAllBytes checkpoint |> shouldEqual bytes)

            testCase "nothing is resumed where no run began"
            <| fun () ->
                inNewFolder (fun folder ->
                    let resume out =
                        let result = run (shortTraining @ [ "--resume"; "--out"; out ])
                        result.ExitCode |> shouldEqual 1
                        result.Error

                    resume (Path.Combine(folder, "nowhere")) |> shouldContainText "there is no such folder"
                    File.WriteAllText(Path.Combine(folder, "letter.txt"), "something else")
                    resume folder |> shouldContainText "the folder holds no last.safetensors")

            // SIGKILL at moments that the output tells: before the first checkpoint, and right after or while others are made.
            testCase "a run that is killed again and again resumes to the same bytes"
            <| fun () ->
                inNewFolder (fun folder ->
                    let training =
                        [ "train"; "constellations"; "--preset"; "quick"; "--epochs"; "20"; "--steps-per-epoch"; "25" ]
                        @ [ "--snapshot-every"; "0"; "--test-size"; "64"; "--tensorboard" ]

                    let straight, killed = Path.Combine(folder, "straight"), Path.Combine(folder, "killed")
                    (run (training @ [ "--out"; straight; "--quiet" ])).ExitCode |> shouldEqual 0
                    let checkpoint = Path.Combine(killed, "last.safetensors")
                    let resume () = if File.Exists checkpoint then [ "--resume" ] else []

                    for line in [ "constellations, "; "epoch   1/20"; "epoch   2/20"; "epoch   9/20"; "epoch  17/20" ] do
                        use running = start (training @ [ "--out"; killed ] @ resume ())
                        readTo line running
                        running.HasExited |> shouldEqual false
                        running.Kill()
                        running.WaitForExit()

                    let finished = run (training @ [ "--out"; killed; "--quiet" ] @ resume ())
                    finished.Error |> shouldEqual ""

                    for name in [ "last.safetensors"; "best.safetensors" ] do
                        File.ReadAllBytes(Path.Combine(killed, name))
                        |> shouldEqual (File.ReadAllBytes(Path.Combine(straight, name)))

                    // Neither doubled nor torn nor missing; only the times differ.
                    let events run =
                        EventReader.values (Path.Combine(run, "events.out.tfevents"))
                        |> List.filter (fun value -> not (value.Tag = "time/seconds" || value.Tag.StartsWith "_"))

                    let found = events killed
                    found |> shouldEqual (events straight)
                    found |> List.filter (fun value -> value.Tag = "train/loss") |> shouldHaveLength 20)

            testCase $"stacked capsules killed {kills} times at random moments resume to the same bytes"
            <| fun () ->
                inNewFolder (fun folder ->
                    let straight = Path.Combine(folder, "straight")
                    let train out options = shortDigits @ [ "--out"; out ] @ options
                    (run (train straight [ "--quiet" ])).ExitCode |> shouldEqual 0

                    let bytes (out: string) =
                        filesOf out
                        |> List.filter (fun file ->
                            file.EndsWith ".safetensors" || file.EndsWith ".gif" || file.EndsWith ".svg")
                        |> List.filter ((<>) "previous.safetensors")
                        |> List.map (fun file -> file, File.ReadAllBytes(Path.Combine(out, file)))

                    let expected = bytes straight
                    expected |> List.map fst |> shouldContain "last.safetensors"
                    let chance = (Scae.Tensors.Key.OfSeed 13L).Stream()
                    let killed = Path.Combine(folder, "killed")

                    let resume () =
                        if File.Exists(Path.Combine(killed, "run.json")) then
                            [ "--resume" ]
                        else
                            []

                    let finished () =
                        bytes killed |> shouldEqual expected
                        Directory.Delete(killed, recursive = true)

                    for _ in 1..kills do
                        // A run that ended of its own accord is as good as one that is finished below; the next begins anew.
                        if killSometime chance (train killed (resume ())) then
                            finished ()

                    let last = run (train killed ("--quiet" :: resume ()))
                    last.Error |> shouldEqual ""
                    finished ())

            for signalName in [ "INT"; "TERM"; "HUP" ] do
                testCase $"an interrupted run saves and says how to resume ({signalName})"
                <| fun () ->
                    if not (OperatingSystem.IsWindows()) then
                        inNewFolder (fun folder ->
                            let out = Path.Combine(folder, "run")

                            use running =
                                startInterruptible
                                    ignore
                                    [ "train"; "constellations"; "--out"; out; "--epochs"; "2000"; "--quiet" ]

                            let error = running.StandardError.ReadToEndAsync()
                            let metrics = Path.Combine(out, "metrics.jsonl")
                            SpinWait.SpinUntil((fun () -> File.Exists metrics || running.HasExited), 60000) |> ignore

                            signal signalName running
                            // A batch system's signal comes once more from the script that it runs, a terminal's from its shell.
                            if signalName <> "INT" then
                                running.WaitForExit 5 |> ignore

                                if not running.HasExited then
                                    signal signalName running

                            running.WaitForExit 60000 |> shouldEqual true
                            running.ExitCode |> shouldEqual 130
                            error.Result |> shouldContainText "--resume"
                            File.Exists(Path.Combine(out, "last.safetensors")) |> shouldEqual true)

            testCase "a run that is interrupted at its end stops before the pictures, and resuming does the rest"
            <| fun () ->
                if not (OperatingSystem.IsWindows()) then
                    inNewFolder (fun folder ->
                        let straight, out = Path.Combine(folder, "straight"), Path.Combine(folder, "stopped")
                        (run (longFinish 300000 @ [ "--out"; straight; "--quiet" ])).ExitCode |> shouldEqual 0
                        use running = start (longFinish 300000 @ [ "--out"; out ])
                        readTo "epoch   1/1" running
                        signal "TERM" running
                        // The evaluation goes on to its end, which takes ten seconds on a busy machine.
                        running.WaitForExit 300000 |> shouldEqual true
                        running.ExitCode |> shouldEqual 130
                        running.StandardError.ReadToEnd() |> shouldContainText "go on with: scae train --resume"

                        filesOf out
                        |> shouldEqual
                            [
                                "best.safetensors"
                                "last.safetensors"
                                "metrics.jsonl"
                                "run.json"
                                "snapshots/00000000.safetensors"
                            ]

                        (run (longFinish 300000 @ [ "--out"; out; "--resume"; "--quiet" ])).ExitCode |> shouldEqual 0
                        filesOf out |> shouldEqual (filesOf straight)

                        for name in [ "last.safetensors"; Path.Combine("figures", "training.gif") ] do
                            File.ReadAllBytes(Path.Combine(out, name))
                            |> shouldEqual (File.ReadAllBytes(Path.Combine(straight, name))))

            testCase "a signal that must wait is told of, and a second one ends a run at once"
            <| fun () ->
                if not (OperatingSystem.IsWindows()) then
                    inNewFolder (fun folder ->
                        use running = start (longFinish 1000000 @ [ "--out"; Path.Combine(folder, "run") ])
                        readTo "epoch   1/1" running
                        // The evaluation has begun, which can't be interrupted.
                        running.WaitForExit 500 |> shouldEqual false
                        signal "TERM" running

                        string (running.StandardError.ReadLine())
                        |> shouldStartWith "scae: stopping when what is under way is done; "

                        let clock = Diagnostics.Stopwatch.StartNew()

                        // Signals of one kind that come before the first is handled count as one, so they are sent until one is heard.
                        while not (running.WaitForExit 100) && clock.Elapsed.TotalSeconds < 60.0 do
                            signal "TERM" running

                        running.WaitForExit 1000 |> shouldEqual true
                        running.ExitCode |> shouldEqual 143)

            testCase "a stopped run is resumed by the command that it prints, and its seconds go on"
            <| fun () ->
                if not (OperatingSystem.IsWindows()) then
                    inNewFolder (fun folder ->
                        let out = Path.Combine(folder, "it's a run")

                        let stop (arguments: string list) =
                            use running = start arguments
                            readTo "constellations, " running
                            running.WaitForExit 500 |> shouldEqual false
                            signal "TERM" running
                            running.WaitForExit 60000 |> shouldEqual true
                            running.ExitCode |> shouldEqual 130
                            let stopped = json (File.ReadAllText(Path.Combine(out, "run.json"))) |> property "saved"
                            let error = running.StandardError.ReadToEnd().TrimEnd()
                            error[error.IndexOf "go on with: " + 12 ..], (stopped |> property "seconds").GetDouble()

                        let training =
                            [
                                "train"
                                "constellations"
                                "--steps-per-epoch"
                                "100000"
                                "--threads"
                                "1"
                                "--data"
                                folder
                            ]

                        let command, first = stop (training @ [ "--out"; out ])
                        first |> shouldBeGreaterThan 0.3

                        // What a shell makes of the line.
                        let info = System.Diagnostics.ProcessStartInfo("sh", RedirectStandardOutput = true)
                        info.ArgumentList.Add "-c"
                        info.ArgumentList.Add("printf '%s\\n' " + command)
                        use shell = nonNull (System.Diagnostics.Process.Start info)
                        let words = shell.StandardOutput.ReadToEnd().TrimEnd().Split '\n' |> List.ofArray

                        words
                        |> shouldEqual
                            [ "scae"; "train"; "--resume"; "--out"; out; "--data"; folder; "--threads"; "1" ]

                        let again, second = stop words.Tail
                        again |> shouldEqual command
                        second |> shouldBeGreaterThan (first + 0.3))

            for verb in [ "sweep"; "verify" ] do
                testCase $"several runs stop together and the same command goes on ({verb})"
                <| fun () ->
                    if not (OperatingSystem.IsWindows()) then
                        inNewFolder (fun folder ->
                            let runs =
                                if verb = "verify" then
                                    Path.Combine(folder, "constellations-published")
                                else
                                    folder

                            use running =
                                start
                                    [
                                        verb
                                        "constellations"
                                        "--preset"
                                        "published"
                                        "--epochs"
                                        "2000"
                                        "--out"
                                        folder
                                    ]

                            let metrics = Path.Combine(runs, "seed-0", "metrics.jsonl")
                            SpinWait.SpinUntil((fun () -> File.Exists metrics || running.HasExited), 60000) |> ignore
                            signal "TERM" running
                            running.WaitForExit 60000 |> shouldEqual true
                            running.ExitCode |> shouldEqual 130

                            running.StandardError.ReadToEnd().TrimEnd()
                            |> shouldEqual $"scae: stopped; what is finished lies in {runs}; the same command goes on")
        ]

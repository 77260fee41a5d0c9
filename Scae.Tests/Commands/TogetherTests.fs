/// Every two verbs together in one folder, started at the same time. Whoever comes second is told in a line, and the folder
/// holds one run. `SCAE_STRESS=20 dotnet run -c Release --project Scae.Tests -- --filter Together` does it twenty times.
module Scae.Tests.Commands.TogetherTests

open System
open System.IO
open Expecto
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

/// A command on a folder whose parent is a sweep's.
type private Verb =
    | Train
    | Resume
    | Figures
    | Eval
    | Sweep

let private verbs = [ Train; Resume; Figures; Eval; Sweep ]

let private pairs =
    [
        for i in 0 .. verbs.Length - 1 do
            for j in i .. verbs.Length - 1 -> verbs[i], verbs[j]
    ]

let private rounds =
    match Environment.GetEnvironmentVariable "SCAE_STRESS" with
    | null
    | "" -> 1
    | times -> int times

/// Some epochs of two programs, so that a mixture shows.
let private program (width: int) =
    [
        "constellations"
        "--preset"
        "quick"
        "--epochs"
        "4"
        "--steps-per-epoch"
        "20"
        "--test-size"
        "64"
    ]
    @ [ "--snapshot-every"; "20"; "--width"; string width ]

let private runOf (folder: string) = Path.Combine(folder, "seed-0")

let private command (folder: string) (width: int) (verb: Verb) =
    match verb with
    | Train -> [ "train" ] @ program width @ [ "--quiet"; "--out"; runOf folder ]
    | Resume -> [ "train"; "--resume"; "--quiet"; "--out"; runOf folder ]
    | Figures -> [ "figures"; runOf folder ]
    | Eval -> [ "eval"; runOf folder ]
    | Sweep -> [ "sweep" ] @ program width @ [ "--seeds"; "0"; "--quiet"; "--threads"; "1"; "--out"; folder ]

let private copy (source: string) (target: string) =
    for name in filesOf source do
        let path = Path.Combine(target, name)
        Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
        File.Copy(Path.Combine(source, name), path)

/// What may come of it: done, or one line that says why not.
let private shouldBeExpected (begun: bool) (result: Result) =
    if result.ExitCode = 0 then
        result.Error |> shouldEqual ""
    else
        let line = result.Error.TrimEnd()
        line |> shouldLackText "\n"
        line |> shouldStartWith "scae: "

        let expected =
            [
                "has been writing there since", 1
                "the folder holds a run already", 2
                "the run there is another one", 2
                // Before the other one began, or had anything to read.
                if not begun then
                    "there is no such folder", 1
                    "holds no last.safetensors", 1
            ]
            |> List.tryFind (fun (words, _) -> line.Contains words)

        match expected with
        | Some(_, exitCode) -> result.ExitCode |> shouldEqual exitCode
        | None -> failtest line

/// What doesn't depend on the clock.
let private contents (run: string) =
    [
        for name in filesOf run do
            // The checkpoint before the last one is kept by the clock: a run that takes longer has one.
            if Path.GetFileName name = "previous.safetensors" then
                ()
            elif name.EndsWith ".safetensors" || name.EndsWith ".png" || name.EndsWith ".gif" then
                name, Convert.ToHexString(File.ReadAllBytes(Path.Combine(run, name)))
    ]

/// Runs of both programs that nobody disturbed, in folders that their widths name, and one that stopped after its first epoch.
let private prepare (at: string -> string) =
    let train width name = run ([ "train" ] @ program width @ [ "--quiet"; "--out"; at name ])

    for width in [ 16; 24 ] do
        let trained = train width (string width)
        (trained.ExitCode, trained.Error) |> shouldEqual (0, "")

    // A folder is in the way of the snapshot of the second.
    let obstacle = Path.Combine(at "stopped", "snapshots", "00000040.safetensors")
    Directory.CreateDirectory obstacle |> ignore
    (train 16 "stopped").Error |> shouldContainText "the checkpoint of step 20 is whole"
    Directory.Delete obstacle

let private together (at: string -> string) (first: Verb, second: Verb) (folder: string) =
    let begun = first <> Train && second <> Train && (first, second) <> (Sweep, Sweep)

    if begun then
        copy (at "stopped") (runOf folder)

    let results =
        runTogether ignore [ command folder 16 first; command folder (if begun then 16 else 24) second ]

    for result in results do
        result |> shouldBeExpected begun

    if not begun then
        results |> List.exists (fun result -> result.ExitCode = 0) |> shouldEqual true

    // The folder is free and holds one run, which goes on as if it had been alone.
    let resumed = run (command folder 16 Resume)
    (resumed.ExitCode, resumed.Error) |> shouldEqual (0, "")
    let settings = json (File.ReadAllText(Path.Combine(runOf folder, "run.json")))
    let width = (settings |> property "settings" |> property "width").GetInt32()

    if contents (runOf folder) <> contents (at (string width)) then
        failtest $"the folder holds something else than the run of width {width}"

    for name in filesOf folder do
        name |> shouldLackText "unfinished"
        Path.GetFileName name |> shouldDiffer "lock"

[<Tests>]
let tests =
    inTurn
        "Commands.Together"
        [
            testCase "whatever two verbs do together in one folder, nothing gets mixed"
            <| fun () ->
                inNewFolder (fun folder ->
                    let at (name: string) = Path.Combine(folder, name)
                    prepare at

                    for round in 1..rounds do
                        for first, second in pairs do
                            try
                                inNewFolder (together at (first, second))
                            with problem ->
                                failtest $"{first} and {second}, round {round}: {problem.Message}")

            testCase "runs with default names take names of their own"
            <| fun () ->
                for _ in 1..rounds do
                    inNewFolder (fun folder ->
                        let training = [ "train" ] @ program 16 @ [ "--quiet" ]
                        let inside (info: System.Diagnostics.ProcessStartInfo) = info.WorkingDirectory <- folder

                        for result in runTogether inside (List.replicate 3 training) do
                            (result.ExitCode, result.Error) |> shouldEqual (0, "")

                        let runs = Directory.GetDirectories(Path.Combine(folder, "runs"))
                        runs |> shouldHaveLength 3
                        runs |> Array.map contents |> Array.distinct |> shouldHaveLength 1)
        ]

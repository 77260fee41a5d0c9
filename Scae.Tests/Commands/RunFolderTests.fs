/// Who may write in a run's folder, and how a run that is there goes on.
module Scae.Tests.Commands.RunFolderTests

open System
open System.IO
open System.Text.Json.Nodes
open System.Threading
open Expecto
open Scae.Cli.Data
open Scae.Cli.Runs
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Training.Trained
open Scae.Tests.Commands.CommandLine

let private training =
    [ "train"; "constellations"; "--preset"; "quick"; "--steps-per-epoch"; "20"; "--test-size"; "64" ]

/// Longer than any test: it is killed.
let private endless = training @ [ "--epochs"; "10000" ]

let private inRun (folder: string) (name: string) = Path.Combine(folder, name)

/// Makes run.json say that the run has taken more than three minutes.
let private age (folder: string) : unit =
    let path = inRun folder "run.json"

    File.WriteAllText(
        path,
        Text.RegularExpressions.Regex.Replace(File.ReadAllText path, "\"seconds\": [^,\n]+", "\"seconds\": 200")
    )

/// The epochs of the run that a checkpoint is of.
let private epochsOf (folder: string) : string =
    RunFolder.At(folder).ReadIdentity().Settings |> List.find (fst >> (=) "epochs") |> snd

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

            testCase "a finished run keeps its median step when it is resumed, which has none"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"

                    let median () =
                        (json (File.ReadAllText(inRun out "summary.json")) |> property "ms_per_step").GetDouble()

                    (run (training @ [ "--epochs"; "2"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let first = median ()
                    (run [ "train"; "--resume"; "--out"; out; "--quiet" ]).ExitCode |> shouldEqual 0
                    median () |> shouldEqual first)

            testCase "a run that is being made longer isn't finished: what it came to before is gone"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    (run (training @ [ "--epochs"; "3"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let summary = inRun out "summary.json"
                    File.Exists summary |> shouldEqual true
                    use running = start [ "train"; "--resume"; "--out"; out; "--epochs"; "10000" ]

                    try
                        SpinWait.SpinUntil((fun () -> not (File.Exists summary) || running.HasExited), 60000)
                        |> shouldEqual true

                        running.HasExited |> shouldEqual false
                    finally
                        running.Kill()
                        running.WaitForExit()

                    // Killed before it saved: it's the longer run all the same.
                    epochsOf out |> shouldEqual "10000")

            testCase "a run that is killed as soon as it was made longer goes on as the longer one, in a sweep too"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "seed-0"
                    let summary = inRun out "summary.json"
                    (run (training @ [ "--epochs"; "2"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let short = File.ReadAllText summary
                    // The next snapshot has no place, so that the longer run ends before it saves anything.
                    let obstacle = inRun out (inRun "snapshots" "00000050.safetensors")
                    Directory.CreateDirectory obstacle |> ignore
                    let stopped = run [ "train"; "--resume"; "--out"; out; "--epochs"; "4"; "--quiet" ]
                    stopped.ExitCode |> shouldEqual 1
                    stopped.Error |> shouldContainText "the checkpoint of step 40 is whole"
                    Directory.Delete obstacle
                    epochsOf out |> shouldEqual "4"
                    File.Exists summary |> shouldEqual false
                    // As if it had been killed in between: the longer run's checkpoint, the shorter one's summary.
                    File.WriteAllText(summary, short)
                    let sweep = [ "sweep" ] @ training.Tail @ [ "--epochs"; "4"; "--seeds"; "0"; "--out"; folder ]
                    let swept = run (sweep @ [ "--quiet" ])
                    (swept.ExitCode, swept.Error) |> shouldEqual (0, "")

                    (json (File.ReadAllText summary) |> property "steps").GetInt32() |> shouldEqual 80)

            testCase "of several runs the one that wrote last is resumed, whatever its number"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = inRun folder "run"
                    RunFolder.LastUsed path |> shouldEqual path

                    let begun =
                        """{"experiment": "air", "preset": "quick", "seed": 0, "version": "1", "settings": {}}"""

                    for minutes, name in [ 3, "run"; 1, "run-2"; 2, "run-10"; 5, "run-ten"; 5, "running-2" ] do
                        let place = (Directory.CreateDirectory(inRun folder name)).FullName
                        File.WriteAllText(inRun place "run.json", begun)
                        File.SetLastWriteTimeUtc(inRun place "run.json", DateTime(2030, 1, 1, 0, minutes, 0))

                    RunFolder.LastUsed path |> shouldEqual path
                    File.SetLastWriteTimeUtc(inRun (path + "-10") "run.json", DateTime(2030, 1, 1, 0, 4, 0))
                    RunFolder.LastUsed path |> shouldEqual (path + "-10")
                    Directory.Delete(path, recursive = true)
                    RunFolder.LastUsed path |> shouldEqual (path + "-10"))

            testCase "a run that began before a hyperparameter existed goes on with the preset's value of it"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    let train = training @ [ "--epochs"; "1"; "--quiet" ]
                    (run (train @ [ "--out"; out ])).ExitCode |> shouldEqual 0
                    // As the version would have left it that had no --width.
                    let checkpoint = inRun out "last.safetensors"
                    let whole = accepted (Safetensors.parse (File.ReadAllBytes checkpoint))

                    let edit (change: JsonObject -> unit) =
                        let settings = (nonNull (JsonNode.Parse whole.Metadata["settings"])).AsObject()
                        change settings

                        Safetensors.serialize
                            (whole.Metadata |> Map.add "settings" (settings.ToJsonString()))
                            (Map.toList whole.Tensors)
                        |> fun bytes -> File.WriteAllBytes(checkpoint, bytes)

                    edit (fun settings -> settings.Remove "width" |> ignore)
                    let resume epochs = run [ "train"; "--resume"; "--out"; out; "--epochs"; epochs; "--quiet" ]
                    let longer = resume "2"
                    longer.ExitCode |> shouldEqual 0
                    longer.Error |> shouldContainText "didn't have --width 32, with which it goes on"
                    let settings = RunFolder.At(out).ReadIdentity().Settings
                    settings |> List.find (fst >> (=) "width") |> snd |> shouldEqual "32"

                    // One that isn't there any more can't be heeded.
                    edit (fun settings -> settings["canvas"] <- "32")
                    let refused = resume "3"
                    (refused.ExitCode, refused.Error.Contains "canvas") |> shouldEqual (1, true)
                    let experiment = accepted (Experiments.find "constellations")
                    let preset = accepted (Experiments.preset (Some "quick") experiment)
                    let resources = MnistFiles.Resources(null, CancellationToken.None)
                    let now = TrainingRun(experiment, preset, [], 0L, resources, RunFolder.At folder)

                    messageOf<RunFailure>(fun () -> now.CheckIdentity(RunFolder.At(out).ReadIdentity(), true))
                    |> shouldContainText "isn't known any more; go on with the version that began it, ")

            testCase "a run that began before its images were known by their SHA-256 goes on"
            <| fun () ->
                let identity data =
                    {
                        Experiment = "air"
                        Preset = "quick"
                        Seed = 0L
                        Settings = [ "digits", "idx" ]
                        Version = "0.1"
                        Data = data
                    }

                Checkpoint.mismatch (identity None) (identity (Some "0123456789abcdef")) |> shouldEqual None
                Checkpoint.mismatch (identity (Some "0123456789abcdef")) (identity None) |> shouldEqual None

                Checkpoint.mismatch (identity (Some "0123456789abcdef")) (identity (Some "fedcba9876543210"))
                |> shouldEqual (
                    Some "the files of --digits idx had the SHA-256 0123456789ab… and now have fedcba987654…"
                )

            testCase "results whose checkpoint is gone are neither resumed nor overwritten"
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
                    let out = inRun folder "run"
                    (run (training @ [ "--epochs"; "4"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let last, previous = inRun out "last.safetensors", inRun out "previous.safetensors"
                    let whole = File.ReadAllBytes last
                    File.Copy(last, previous)
                    File.WriteAllBytes(last, whole[.. whole.Length / 2])
                    age out
                    let resumed = run [ "train"; "--resume"; "--out"; out; "--quiet" ]
                    resumed.ExitCode |> shouldEqual 0
                    resumed.Error |> shouldContainText "going on from previous.safetensors"
                    File.ReadAllBytes last |> shouldEqual whole
                    // The damaged one hasn't taken its place.
                    File.ReadAllBytes previous |> shouldEqual whole)

            testCase "a run of some minutes keeps the checkpoint before the last, and goes on from it to the same bytes"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out, straight = inRun folder "run", inRun folder "straight"
                    let train epochs out = run (training @ [ "--epochs"; epochs; "--out"; out; "--quiet" ])
                    let goOn () = run [ "train"; "--resume"; "--out"; out; "--epochs"; "4"; "--quiet" ]
                    (train "4" straight).ExitCode |> shouldEqual 0
                    (train "2" out).ExitCode |> shouldEqual 0
                    let last, previous = inRun out "last.safetensors", inRun out "previous.safetensors"
                    File.Exists previous |> shouldEqual false
                    age out
                    (goOn ()).ExitCode |> shouldEqual 0
                    let whole = File.ReadAllBytes(inRun straight "last.safetensors")
                    File.ReadAllBytes last |> shouldEqual whole
                    File.Exists previous |> shouldEqual true
                    File.WriteAllBytes(last, whole[.. whole.Length / 2])
                    let again = goOn ()
                    again.Error |> shouldContainText "going on from previous.safetensors"
                    File.ReadAllBytes last |> shouldEqual whole)

            testCase "a run isn't gone on with as another experiment, preset or seed"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"

                    (run (training @ [ "--epochs"; "1"; "--seed"; "7"; "--out"; out; "--quiet" ])).ExitCode
                    |> shouldEqual 0

                    for words, what in
                        [
                            [ "ccae" ], "the experiment was constellations"
                            [ "constellations"; "--preset"; "published"; "--seed"; "8" ],
                            "the preset was quick and is now published, the seed was 7 and is now 8"
                        ] do
                        let refused = run ([ "train"; "--resume"; "--out"; out ] @ words)
                        refused.ExitCode |> shouldEqual 2

                        refused.Error.TrimEnd()
                        |> shouldEqual
                            $"scae: {out}: the run there is another one: {what}; --resume --out {out} alone goes on with it")

            testCase "hyperparameters that make no sense are refused for a resumed run, too"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"

                    (run (training @ [ "--epochs"; "1"; "--heads"; "1"; "--out"; out; "--quiet" ])).ExitCode
                    |> shouldEqual 0

                    let before = filesOf out

                    for words, line in
                        [
                            [ "--epochs"; "abc" ], "--epochs abc: must be a whole number"
                            [ "--heads"; "5" ], "--heads 5: must divide the width"
                            [ "--pairs"; "3" ], "pairs"
                        ] do
                        let refused = run ([ "train"; "--resume"; "--out"; out ] @ words)
                        refused.Error |> shouldContainText line
                        refused.Error.TrimEnd().Split '\n' |> shouldHaveLength 1
                        (refused.ExitCode, refused.Output) |> shouldEqual (2, "")

                    filesOf out |> shouldEqual before)

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

            testCase "a folder in which others have files that a run would write over is left as it is"
            <| fun () ->
                inNewFolder (fun folder ->
                    let write name (text: string) =
                        let path = inRun folder name
                        Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
                        File.WriteAllText(path, text)
                        path

                    for file in
                        [
                            "run.json"
                            "events.out.tfevents"
                            "figures/examples.png"
                            "snapshots/my-llm.safetensors"
                            "lock"
                        ] do
                        let others =
                            [ $"a/{file}"; $"sweep/seed-0/{file}" ] |> List.map (fun name -> write name "mine")

                        let out, sweep = inRun folder "a", inRun folder "sweep"

                        for words in
                            [
                                training @ [ "--out"; out ]
                                [ "sweep" ] @ training.Tail @ [ "--seeds"; "0"; "--out"; sweep ]
                            ] do
                            let refused = run words
                            refused.Error.TrimEnd().Split '\n' |> shouldHaveLength 1

                            refused.Error
                            |> shouldContainText (
                                if file = "lock" then
                                    "a file that isn't scae's has the name of its lock; rename it"
                                else
                                    $"{file} is there, and no run of scae began there"
                            )

                            (refused.ExitCode, refused.Output) |> shouldEqual (2, "")

                        for other in others do
                            File.ReadAllText other |> shouldEqual "mine"

                        filesOf out |> shouldEqual [ file ]
                        Directory.Delete(out, recursive = true)
                        Directory.Delete(sweep, recursive = true))

            testCase "a folder or a link with the name of the lock is nobody's lock, and isn't followed"
            <| fun () ->
                inNewFolder (fun folder ->
                    let foreign = "a file that isn't scae's has the name of its lock; rename it"
                    let refused (out: string) = (run (training @ [ "--out"; out ])).Error |> shouldContainText foreign
                    let place = inRun (inRun folder "folder") "lock"
                    Directory.CreateDirectory place |> ignore
                    refused (inRun folder "folder")

                    if not (OperatingSystem.IsWindows()) then
                        let linked, elsewhere = inRun folder "linked", inRun folder "elsewhere"
                        Directory.CreateDirectory linked |> ignore
                        File.CreateSymbolicLink(inRun linked "lock", elsewhere) |> ignore
                        refused linked
                        File.Exists elsewhere |> shouldEqual false)

            testCase "leftovers of a killed run are removed, and other files in its folder are kept"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    let write name = File.WriteAllText(inRun out name, "mine")
                    Directory.CreateDirectory(inRun out "snapshots") |> ignore
                    write "movie.unfinished"
                    let train () = run (training @ [ "--epochs"; "1"; "--out"; out; "--quiet" ])
                    // Killed before run.json was written: its lock has as many zeros as the process's number says.
                    File.WriteAllBytes(inRun out "lock", Array.zeroCreate 4711)
                    write "run.json.unfinished"
                    let first = train ()
                    (first.ExitCode, first.Error) |> shouldEqual (0, "")

                    // Killed before its first checkpoint.
                    for name in [ "last.safetensors"; "best.safetensors"; "metrics.jsonl"; "summary.json" ] do
                        File.Delete(inRun out name)

                    write (inRun "snapshots" "my-llm.safetensors")
                    write (inRun "snapshots" "99999999.safetensors")
                    write "last.safetensors.unfinished"
                    let again = train ()
                    (again.ExitCode, again.Error) |> shouldEqual (0, "")
                    let files = filesOf out
                    files |> shouldContain "movie.unfinished"
                    files |> shouldContain (inRun "snapshots" "my-llm.safetensors")

                    for gone in [ inRun "snapshots" "99999999.safetensors"; "last.safetensors.unfinished"; "lock" ] do
                        files |> List.contains gone |> shouldEqual false)

            testCase "the quick presets need nothing but the program"
            <| fun () ->
                inNewFolder (fun folder ->
                    let strokes = [ "--digits"; "strokes" ]

                    for name, options in [ "neural-em", []; "air", strokes; "scae", strokes ] do
                        let out = inRun folder name

                        let trained =
                            run (
                                [ "train"; name; "--preset"; "quick"; "--epochs"; "1"; "--quiet"; "--out"; out ]
                                @ options
                            )

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

/// Sweeps as array jobs: with an sbatch that runs the tasks itself, and on a Slurm of one node where it can be started.
module Scae.Tests.Slurm.ArrayJobTests

open System
open System.Diagnostics
open System.IO
open Expecto
open Scae.Tests.Turns
open Scae.Cli.Slurm
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

let private sweep (folder: string) (options: string list) : string list =
    "sweep" :: shortTraining.Tail @ [ "--seeds"; "0..2"; "--out"; folder ] @ options

/// Stands in for sbatch: says a job's number, and does what the script asks of each task one after the other.
let private sbatch =
    """#!/bin/bash
script="${@: -1}"
echo "$@" > "$FAKE/words"
jobs=$(cat "$FAKE/jobs" 2>/dev/null || echo 41)
echo $((jobs + 1)) > "$FAKE/jobs"
echo "$jobs"
while read -r task; do
    SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_JOB_ID=41 SLURM_CPUS_PER_TASK=1 bash "$script" > "$FAKE/task-$task" 2>&1 || echo "$task" >> "$FAKE/failed"
done < <(sed -n 's/^#SBATCH --array=//p' "$script" | tr ',' '\n' | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done)
"""

/// Stands in for scontrol: an array of this cluster has four tasks at most.
let private scontrol = "#!/bin/sh\necho 'MaxArraySize            = 4'\n"

let private withSbatch (folder: string) (info: ProcessStartInfo) =
    for name, text in [ "sbatch", sbatch; "scontrol", scontrol ] do
        let program = Path.Combine(folder, name)
        File.WriteAllText(program, text)
        File.SetUnixFileMode(program, UnixFileMode.UserRead ||| UnixFileMode.UserExecute ||| UnixFileMode.UserWrite)

    info.Environment["PATH"] <- folder + ":" + string info.Environment["PATH"]
    info.Environment["FAKE"] <- folder

let private wordsOf (text: string) = text.Trim().Split '\n' |> List.ofArray

/// A command with a Slurm of its own; none, and a line that says why, where there can be none.
let private onSlurm (folder: string) (script: string) : Result option =
    let cluster = Path.Combine(Expectation.root, "Scae.Tests", "Slurm", "cluster.sh")

    let change (info: ProcessStartInfo) =
        let program = info.FileName :: List.ofSeq info.ArgumentList
        info.FileName <- "bash"
        info.ArgumentList.Clear()

        for word in [ cluster; folder; "bash"; "-c"; script; "bash" ] @ program do
            info.ArgumentList.Add word

    let result = runWith change []

    if result.ExitCode = 77 then
        printfn $"Slurm: no array job has run on a real one: {result.Output.Trim()}"
        None
    else
        Some result

/// A training of some seconds, checkpointed as it goes.
let private longer (folder: string) : string list =
    [ "sweep"; "constellations"; "--preset"; "quick"; "--epochs"; "60"; "--steps-per-epoch"; "300" ]
    @ [ "--validation-size"; "64"; "--test-size"; "64"; "--snapshot-every"; "0"; "--seeds"; "0..1" ]
    @ [ "--out"; folder ]

[<Tests>]
let tests =
    testList
        "Slurm.ArrayJob"
        [
            testCase "places of runs are written as sbatch takes them"
            <| fun () ->
                for numbers, text in
                    [ [], ""; [ 4 ], "4"; [ 0; 1; 2; 3 ], "0-3"; [ 0; 2; 3; 7 ], "0,2-3,7"; [ 5; 6 ], "5-6" ] do
                    ArrayJob.Ranges(ResizeArray numbers) |> shouldEqual text

            testCase "what Slurm needs to know is refused in one line where it makes no sense"
            <| fun () ->
                for options, line in
                    [
                        [ "--partition"; "short" ], "scae: --partition: needs --slurm"
                        [ "--cpus"; "2"; "--collect" ], "scae: --cpus: needs --slurm"
                        [ "--slurm"; "--collect" ], "scae: --slurm: can't be with --collect"
                        [ "--task"; "1"; "--collect" ], "scae: --task: can't be with --collect"
                        [ "--slurm"; "--threads"; "2" ],
                        "scae: --threads: can't be with --slurm; --cpus says how many cores a task has"
                        [ "--slurm"; "--time"; "soon" ],
                        "scae: --time soon: must be minutes, hours:minutes:seconds or days-hours, such as 30, 1:30:00 or 2-12"
                        [ "--slurm"; "--time"; "2" ],
                        "scae: --time 2: must be at least 3 minutes, of which a task may have one to train and two to save"
                        [ "--slurm"; "--time"; "0:02:59" ],
                        "scae: --time 0:02:59: must be at least 3 minutes, of which a task may have one to train and two to save"
                        [ "--slurm"; "--partition"; "a; rm b" ],
                        "scae: --partition a; rm b: must be a partition's name, or several with commas between"
                        [ "--slurm"; "--cpus"; "0" ], "scae: --cpus 0: must be a whole number from 1 to 1024"
                        [ "--task"; "5" ], "scae: --task 5: the sweep has 5 runs, counted from 0"
                    ] do
                    inNewFolder (fun folder ->
                        let out = Path.Combine(folder, "sweep")
                        let result = run ([ "sweep"; "constellations"; "--out"; out ] @ options)
                        result.Error.TrimEnd() |> shouldEqual line
                        result.ExitCode |> shouldEqual 2
                        Directory.Exists out |> shouldEqual false)

            if not (OperatingSystem.IsWindows()) then
                inTurn
                    "submitted"
                    [
                        testCase "tasks leave what the sweep leaves, and only what isn't finished is submitted"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let straight, tasks = Path.Combine(folder, "straight"), Path.Combine(folder, "a b")
                                let here = run (sweep straight [ "--json" ])
                                here.ExitCode |> shouldEqual 0
                                let none = run (sweep tasks [ "--collect" ])
                                none.ExitCode |> shouldEqual 1

                                none.Error.TrimEnd()
                                |> shouldEqual $"scae: {tasks}: none of the sweep's 3 runs is finished there"

                                let task = run (sweep tasks [ "--task"; "1" ])
                                task.ExitCode |> shouldEqual 0
                                task.Output |> shouldContainText "epoch   1/"
                                let some = run (sweep tasks [ "--collect" ])
                                some.ExitCode |> shouldEqual 0

                                some.Output
                                |> shouldContainText
                                    "1 of 3 runs are finished; not yet: seed-0 (not begun), seed-2 (not begun)"

                                let slurm = [ "--slurm"; "--partition"; "short"; "--time"; "1:30:00"; "--cpus"; "1" ]
                                let submitted = runWith (withSbatch folder) (sweep tasks slurm)
                                submitted.Error |> shouldEqual ""
                                submitted.Output |> shouldStartWith "job 41, 2 of 3 runs; "
                                let script = File.ReadAllText(Path.Combine(tasks, "slurm", "sweep.sh"))

                                for line in
                                    [
                                        "#SBATCH --array=0,2"
                                        "#SBATCH --partition=short"
                                        "#SBATCH --time=1:30:00"
                                        "#SBATCH --cpus-per-task=1"
                                        "#SBATCH --requeue"
                                    ] do
                                    wordsOf script |> shouldContain line

                                File.Exists(Path.Combine(folder, "failed")) |> shouldEqual false
                                let gathered = run (sweep tasks [ "--collect"; "--json" ])
                                gathered.Output |> shouldEqual here.Output

                                for seed in 0..2 do
                                    let checkpoint whose = Path.Combine(whose, $"seed-{seed}", "last.safetensors")

                                    File.ReadAllBytes(checkpoint tasks)
                                    |> shouldEqual (File.ReadAllBytes(checkpoint straight))

                                (runWith (withSbatch folder) (sweep tasks slurm)).Output
                                |> shouldStartWith "all 3 runs are finished; "

                                // Runs of another sweep in the folder aren't finished runs of this one.
                                let other =
                                    runWith (withSbatch folder) (sweep tasks [ "--slurm"; "--learning-rate"; "0.01" ])

                                other.ExitCode |> shouldEqual 2
                                other.Error |> shouldContainText "the run there is another one: learning-rate was")

                        testCase "a sweep that is longer than an array becomes several, whose tasks count on"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let out = Path.Combine(folder, "sweep")

                                let many =
                                    [
                                        "sweep"
                                        "constellations"
                                        "--preset"
                                        "quick"
                                        "--epochs"
                                        "1"
                                        "--seeds"
                                        "0..2"
                                    ]
                                    @ [ "--steps-per-epoch"; "2"; "--validation-size"; "16"; "--test-size"; "16" ]
                                    @ [ "--vary"; "width=16,24,32"; "--out"; out ]

                                (run (many @ [ "--task"; "1"; "--quiet" ])).ExitCode |> shouldEqual 0
                                let submitted = runWith (withSbatch folder) (many @ [ "--slurm" ])
                                submitted.Error |> shouldEqual ""
                                submitted.Output |> shouldStartWith "jobs 41, 42, 43, 8 of 9 runs; "
                                let script name = File.ReadAllText(Path.Combine(out, "slurm", name))
                                wordsOf (script "sweep.sh") |> shouldContain "#SBATCH --array=0,2-3"
                                wordsOf (script "sweep-4.sh") |> shouldContain "#SBATCH --array=0-3"
                                wordsOf (script "sweep-8.sh") |> shouldContain "#SBATCH --array=0"
                                File.Exists(Path.Combine(folder, "failed")) |> shouldEqual false

                                // Every task trained its own run, so that none is left.
                                (run (many @ [ "--collect" ])).Output |> shouldContainText "3 seeds each"

                                // An array that is refused: what was submitted before it is named.
                                let refusing (info: ProcessStartInfo) =
                                    withSbatch folder info

                                    File.WriteAllText(
                                        Path.Combine(folder, "sbatch"),
                                        "#!/bin/sh\ncase \"$*\" in *sweep.sh) echo 44;; *) echo 'sbatch: error: full' >&2; exit 1;; esac\n"
                                    )

                                Directory.Delete(Path.Combine(out, "width=16"), true)
                                Directory.Delete(Path.Combine(out, "width=24"), true)
                                let refused = runWith refusing (many @ [ "--slurm" ])
                                refused.ExitCode |> shouldEqual 1
                                let last = Path.Combine(out, "slurm", "sweep-4.sh")

                                refused.Error.TrimEnd()
                                |> shouldEqual
                                    $"scae: sbatch refused {last}: sbatch: error: full; submitted: 44; not submitted: {last}")

                        for requeue in [ 0; 1 ] do
                            testCase $"a task whose time is up has failed unless it is requeued ({requeue})"
                            <| fun () ->
                                inNewFolder (fun folder ->
                                    let out = Path.Combine(folder, "sweep")

                                    let refusing (info: ProcessStartInfo) =
                                        withSbatch folder info
                                        File.WriteAllText(Path.Combine(folder, "sbatch"), "#!/bin/sh\necho 41\n")

                                        File.WriteAllText(
                                            Path.Combine(folder, "scontrol"),
                                            $"#!/bin/sh\n[ \"$1\" = requeue ] && exit {requeue}\necho 'MaxArraySize = 9'\n"
                                        )

                                    (runWith refusing (longer out @ [ "--slurm" ])).ExitCode |> shouldEqual 0

                                    let task =
                                        [
                                            $"SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_JOB_ID=41 bash {out}/slurm/sweep.sh > {folder}/said 2>&1 &"
                                            "for ((i = 0; i < 600; i++)); do"
                                            $"  [ -s {out}/seed-0/last.safetensors ] && break"
                                            "  sleep 0.1"
                                            "done"
                                            "kill -USR1 $!"
                                            "wait $!"
                                            "echo $?"
                                        ]
                                        |> String.concat "\n"

                                    let throughBash (info: ProcessStartInfo) =
                                        refusing info
                                        info.FileName <- "bash"
                                        info.ArgumentList.Clear()

                                        for word in [ "-c"; task ] do
                                            info.ArgumentList.Add word

                                    (runWith throughBash []).Output |> shouldEqual $"{requeue}\n"

                                    File.ReadAllText(Path.Combine(folder, "said"))
                                    |> shouldContainText "everything is saved")

                        testCase "scans and presets are put together from what is there"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let scan options = sweep folder ([ "--vary"; "width=16,32"; "--quiet" ] @ options)
                                (run (scan [ "--task"; "4" ])).ExitCode |> shouldEqual 0

                                Directory.Exists(Path.Combine(folder, "width=32", "seed-1")) |> shouldEqual true
                                (run (scan [ "--collect" ])).ExitCode |> shouldEqual 0
                                let table = File.ReadAllText(Path.Combine(folder, "scan.md"))
                                table |> shouldContainText "| 32 | "
                                table |> shouldLackText "| 16 | "
                                File.Exists(Path.Combine(folder, "scan.png")) |> shouldEqual false)

                            inNewFolder (fun folder ->
                                let presets options =
                                    [
                                        "sweep"
                                        "constellations"
                                        "--presets"
                                        "quick,published"
                                        "--seeds"
                                        "3"
                                        "--out"
                                        folder
                                    ]
                                    @ [ "--epochs"; "1"; "--steps-per-epoch"; "2"; "--validation-size"; "16" ]
                                    @ [ "--test-size"; "16"; "--quiet" ]
                                    @ options

                                (run (presets [ "--task"; "1" ])).ExitCode |> shouldEqual 0
                                (run (presets [ "--collect" ])).ExitCode |> shouldEqual 0
                                let table = File.ReadAllText(Path.Combine(folder, "comparison.md"))
                                table |> shouldContainText "| published | "
                                table |> shouldLackText "| quick | ")

                        testCase "a machine without sbatch, and an sbatch that refuses, are told of in one line"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let script = Path.Combine(folder, "sweep", "slurm", "sweep.sh")
                                let words = sweep (Path.Combine(folder, "sweep")) [ "--slurm" ]

                                let without =
                                    runWith
                                        (throughShell
                                            $"dotnet=$(command -v dotnet); shift; PATH={folder}; exec \"$dotnet\" \"$@\"")
                                        words

                                without.Error.TrimEnd()
                                |> shouldEqual
                                    $"scae: sbatch isn't on the PATH; run this where jobs are submitted, or hand Slurm what was written: {script}"

                                without.ExitCode |> shouldEqual 1

                                let refusing (info: ProcessStartInfo) =
                                    withSbatch folder info
                                    let program = Path.Combine(folder, "sbatch")

                                    File.WriteAllText(
                                        program,
                                        "#!/bin/sh\necho 'sbatch: error: invalid partition' >&2; exit 1\n"
                                    )

                                let refused = runWith refusing words
                                refused.ExitCode |> shouldEqual 1

                                refused.Error.TrimEnd()
                                |> shouldEqual $"scae: sbatch refused {script}: sbatch: error: invalid partition")

                        testCase
                            "on a real Slurm tasks whose time is up, or that are requeued while they train, go on to the same bits"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let straight, tasks = Path.Combine(folder, "straight"), Path.Combine(folder, "tasks")

                                let script =
                                    [
                                        "set -e"
                                        "job=$(\"$@\" "
                                        + String.concat " " (longer tasks)
                                        + " --slurm --partition short --time 10 --json | sed 's/.*\"job\": \"\\([0-9]*\\)\".*/\\1/')"
                                        "for ((i = 0; i < 300; i++)); do"
                                        $"  [ -s {tasks}/seed-0/last.safetensors ] && [ -s {tasks}/seed-1/last.safetensors ] && break"
                                        "  sleep 0.1"
                                        "done"
                                        // What Slurm sends a minute before the time is up, and what a lost node amounts to.
                                        "scancel --batch --signal=USR1 ${job}_0"
                                        "scontrol requeue ${job}_1"
                                        "for ((i = 0; i < 900; i++)); do"
                                        $"  [ -s {tasks}/seed-0/summary.json ] && [ -s {tasks}/seed-1/summary.json ] && break"
                                        "  sleep 0.2"
                                        "done"
                                        "for task in 0 1; do scontrol show job ${job}_$task | grep -o 'Restarts=[0-9]*'; done"
                                    ]
                                    |> String.concat "\n"

                                match onSlurm (Path.Combine(folder, "cluster")) script with
                                | None -> ()
                                | Some result ->
                                    result.Error |> shouldEqual ""
                                    result.Output |> shouldEqual "Restarts=1\nRestarts=1\n"
                                    let here = run (longer straight @ [ "--json" ])
                                    (run (longer tasks @ [ "--collect"; "--json" ])).Output |> shouldEqual here.Output

                                    for seed in 0..1 do
                                        let checkpoint whose = Path.Combine(whose, $"seed-{seed}", "last.safetensors")

                                        File.ReadAllBytes(checkpoint tasks)
                                        |> shouldEqual (File.ReadAllBytes(checkpoint straight)))
                    ]
        ]

/// Sweeps over seeds, hyperparameters and presets.
module Scae.Tests.Commands.SweepTests

open System.Globalization
open System.IO
open System.Text.Json.Nodes
open Expecto
open Scae.Core.Training
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

/// Files of the form of MNIST's in a folder: 20 images and labels to train with, and as many to test on.
let private writeImages (folder: string) (first: int) =
    let write (name: string) (magic: byte) (sizes: byte list) (values: int) =
        let numbers = [ for size in sizes -> [| 0uy; 0uy; 0uy; size |] ]
        let bytes = Array.init values (fun i -> byte ((first + i) % 251))
        File.WriteAllBytes(Path.Combine(folder, name), Array.concat ([| 0uy; 0uy; 8uy; magic |] :: numbers @ [ bytes ]))

    for part in [ "train"; "t10k" ] do
        write $"{part}-images-idx3-ubyte" 3uy [ 20uy; 28uy; 28uy ] (20 * 28 * 28)
        write $"{part}-labels-idx1-ubyte" 1uy [ 20uy ] 20

/// Copies a run as earlier versions left it: nothing in it says which images it saw.
let private older (run: string) (old: string) =
    Directory.CreateDirectory old |> ignore
    let settings = nonNull (JsonNode.Parse(File.ReadAllText(Path.Combine(run, "run.json"))))
    settings.AsObject().Remove "data_sha256" |> shouldEqual true
    File.WriteAllText(Path.Combine(old, "run.json"), settings.ToJsonString())

    match Safetensors.parse (File.ReadAllBytes(Path.Combine(run, "last.safetensors"))) with
    | Error message -> failtest message
    | Ok file ->
        file.Metadata.ContainsKey "data" |> shouldEqual true
        let metadata = file.Metadata |> Map.remove "data" |> Map.remove Safetensors.ChecksumKey
        let bytes = Safetensors.serialize metadata (Map.toList file.Tensors)
        File.WriteAllBytes(Path.Combine(old, "last.safetensors"), bytes)

[<Tests>]
let tests =
    inTurn
        "Commands.Sweep"
        [
            testCase "a sweep reports mean and deviation and runs nothing twice"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep = [ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; "0..2"; "--out"; folder; "--json" ]
                    let first = run sweep
                    first.Error |> shouldEqual ""
                    let recovery = json first.Output |> property "metrics" |> property "recovery"
                    (recovery |> property "values").GetArrayLength() |> shouldEqual 3
                    let written = File.GetLastWriteTimeUtc(Path.Combine(folder, "seed-1", "last.safetensors"))
                    let second = run sweep
                    (second.Output, second.Error) |> shouldEqual (first.Output, "")
                    File.GetLastWriteTimeUtc(Path.Combine(folder, "seed-1", "last.safetensors")) |> shouldEqual written)

            testCase "a sweep tells of runs of other seeds that its tables are without"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep seeds more =
                        run ([ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; seeds; "--out"; folder ] @ more)

                    (sweep "-1..0" []).Error |> shouldEqual ""

                    (sweep "2" []).Error
                    |> shouldContainText
                        "runs of 2 other seeds are finished there, too; the tables are without them, and the same command with --seeds -1..2 --collect writes those of all"

                    let all = sweep "-1..2" [ "--collect" ]
                    all.Error |> shouldEqual ""
                    all.Output |> shouldContainText "3 seeds")

            testCase "a sweep says how many seeds reach a target by themselves"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep options =
                        [ "sweep"; "constellations"; "--preset"; "published"; "--seeds"; "0..1"; "--out"; folder ]
                        @ [ "--epochs"; "1"; "--steps-per-epoch"; "2"; "--test-size"; "64" ]
                        @ [ "--validation-size"; "32"; "--snapshot-every"; "0" ]
                        @ options
                        |> run

                    (sweep []).Output |> shouldContainText "best recovery 84 to 89 %: 0 of 2 seeds"
                    let metrics = json (sweep [ "--json" ]).Output |> property "metrics"
                    let best = metrics |> property "best_recovery"
                    (best |> property "success_rate").GetDouble() |> shouldEqual 0.0
                    // No target speaks of the final epoch.
                    (metrics |> property "recovery").ToString() |> shouldLackText "success_rate")

            testCase "the figures of a sweep of one seed have no deviation"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep options =
                        let result = run ([ "sweep" ] @ shortTraining.Tail @ [ "--out"; folder ] @ options)
                        result.ExitCode |> shouldEqual 0
                        result.Output

                    let one = sweep [ "--seeds"; "0..0"; "--threads"; "2" ]
                    // Nothing else is to be trained, so that the run has the cores that two would have had.
                    let run = json (File.ReadAllText(Path.Combine(folder, "seed-0", "run.json")))
                    (run |> property "threads").GetInt32() |> shouldEqual 2
                    one |> shouldContainText $"1 seed; runs, sweep.json and results.csv: {folder}"
                    one |> shouldLackText "±"
                    let two = sweep [ "--seeds"; "0..1" ]

                    two
                    |> shouldContainText
                        $"2 seeds, mean ± standard deviation; runs, sweep.json and results.csv: {folder}"

                    let scan = sweep [ "--vary"; "width=16,32"; "--seeds"; "0..0" ]
                    scan |> shouldContainText "1 seed each; table and picture"
                    scan |> shouldLackText "±"

                    scan.Split '\n'
                    |> Array.filter (fun line -> line.Contains "seed 0: best recovery" && line.Contains " %")
                    |> shouldHaveLength 2)

            testCase "a sweep's results are a row for each seed and metric, with the command that repeats it"
            <| fun () ->
                inNewFolder (fun folder ->
                    let result =
                        run ([ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; "3..4"; "--out"; folder; "--json" ])

                    result.Error |> shouldEqual ""
                    let rows = File.ReadAllLines(Path.Combine(folder, "results.csv"))
                    rows[0] |> shouldEqual "experiment,preset,seed,metric,value,command"
                    let recovery = json result.Output |> property "metrics" |> property "recovery" |> property "values"

                    for i in 0..1 do
                        let value = recovery[i].GetDouble().ToString CultureInfo.InvariantCulture
                        let start = $"constellations,quick,{3 + i},recovery,{value},\"scae train constellations"

                        rows
                        |> Array.filter _.StartsWith(start)
                        |> Array.map _.Contains($" --seed {3 + i} --epochs 3 ")
                        |> shouldEqual [| true |])

            testCase
                "the command of a row says what stood in for data that wasn't there, and where one's own images are"
            <| fun () ->
                inNewFolder (fun folder ->
                    let data = (Directory.CreateDirectory(Path.Combine(folder, "my data"))).FullName
                    let few = "--epochs 1 --steps-per-epoch 1 --validation-size 4 --test-size 4"

                    let command digits =
                        let out = Path.Combine(folder, digits)

                        let result =
                            [ "sweep"; "air"; "--preset"; "quick"; "--data"; data; "--seeds"; "0"; "--quiet" ]
                            @ [ "--out"; out; "--digits"; digits ]
                            @ List.ofArray (few.Split ' ')
                            |> run

                        result.ExitCode |> shouldEqual 0
                        (File.ReadAllLines(Path.Combine(out, "results.csv")))[1]

                    command "auto"
                    |> shouldEndWith $",\"scae train air --preset quick --seed 0 {few} --digits strokes\""

                    writeImages data 0

                    command "idx"
                    |> shouldEndWith $",\"scae train air --preset quick --seed 0 --digits idx {few} --data '{data}'\"")

            testCase "a run of one's own images is another one with other images, wherever they lie"
            <| fun () ->
                inNewFolder (fun folder ->
                    let data name first =
                        let path = (Directory.CreateDirectory(Path.Combine(folder, name))).FullName
                        writeImages path first
                        path

                    let mine, copy, others = data "mine" 0, data "copy" 0, data "others" 1
                    let out = Path.Combine(folder, "sweep")
                    let seed = Path.Combine(out, "seed-0")

                    let sweep data =
                        run (
                            [ "sweep"; "air"; "--preset"; "quick"; "--digits"; "idx"; "--data"; data; "--seeds"; "0" ]
                            @ [
                                "--epochs"
                                "1"
                                "--steps-per-epoch"
                                "1"
                                "--validation-size"
                                "4"
                                "--test-size"
                                "4"
                            ]
                            @ [ "--out"; out; "--json" ]
                        )

                    let first = sweep mine
                    (first.ExitCode, first.Error) |> shouldEqual (0, "")
                    (sweep copy).Output |> shouldEqual first.Output
                    let digest = json (File.ReadAllText(Path.Combine(seed, "run.json"))) |> property "data_sha256"
                    string (digest.GetString()) |> shouldHaveLength 64

                    for refused in [ sweep others; run [ "train"; "--resume"; "--out"; seed; "--data"; others ] ] do
                        refused.Error.TrimEnd().Split '\n' |> shouldHaveLength 1

                        refused.Error
                        |> shouldStartWith
                            $"scae: {seed}: the run there is another one: the files of --digits idx had the SHA-256 "

                        refused.Error |> shouldContainText "name the folder of the images that it began with by --data"
                        (refused.ExitCode, refused.Output) |> shouldEqual (2, "")

                    // A run of an older version doesn't say which images it saw, and isn't told.
                    let old = Path.Combine(folder, "old")
                    older seed old
                    (run [ "train"; "--resume"; "--quiet"; "--out"; old; "--data"; others ]).ExitCode |> shouldEqual 0
                    File.ReadAllText(Path.Combine(old, "run.json")) |> shouldLackText "data_sha256"

                    let figures = run [ "figures"; seed; "--data"; others ]
                    figures.Error |> shouldContainText "trained with other images of --digits idx"
                    figures.ExitCode |> shouldEqual 2
                    // Fresh scenes may be of other images.
                    let measured = run [ "eval"; seed; "--data"; others; "--json" ]
                    measured.ExitCode |> shouldEqual 0

                    measured.Error.TrimEnd()
                    |> shouldEqual
                        $"scae: {seed}: the run was trained with other images of --digits idx than are there, and is measured on these")

            testCase "a scan leaves a table, a picture and numbers, and goes on where it was stopped"
            <| fun () ->
                inNewFolder (fun folder ->
                    let scan =
                        [ "sweep" ]
                        @ shortTraining.Tail
                        @ [ "--vary"; "width=16,32"; "--seeds"; "0..1"; "--out"; folder; "--json" ]

                    let first = run scan
                    first.Error |> shouldEqual ""
                    let combinations = json first.Output |> property "combinations"
                    combinations.GetArrayLength() |> shouldEqual 2
                    (combinations[1] |> property "settings" |> property "width").ValueEquals "32" |> shouldEqual true

                    for name in [ "scan.json"; "scan.md"; "scan.png"; "scan.svg" ] do
                        File.Exists(Path.Combine(folder, name)) |> shouldEqual true

                    let checkpoint = Path.Combine(folder, "width=16", "seed-1", "last.safetensors")
                    let written = File.GetLastWriteTimeUtc checkpoint
                    let second = run scan
                    second.Output |> shouldEqual first.Output
                    File.GetLastWriteTimeUtc checkpoint |> shouldEqual written)

            testCase "a training that fails is told of by its folder, and the other is finished"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep =
                        [ "sweep"; "constellations"; "--preset"; "quick"; "--epochs"; "100"; "--threads"; "2" ]
                        @ [ "--vary"; "learning-rate=0.003,1e30"; "--seeds"; "0"; "--out"; folder ]
                        |> run

                    sweep.Error |> shouldContainText (Path.Combine("learning-rate=1e30", "seed-0") + ": step ")
                    sweep.Error |> shouldContainText "begin again with a smaller learning rate and another --out"
                    sweep.ExitCode |> shouldEqual 1

                    File.Exists(Path.Combine(folder, "learning-rate=0.003", "seed-0", "summary.json"))
                    |> shouldEqual true)

            testCase "a run that never had a best epoch is in the table, without the metric that it doesn't have"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sizes =
                        [
                            for name in [ "epochs"; "steps-per-epoch"; "validation-size"; "test-size"; "batch-size" ] do
                                yield! [ $"--{name}"; "1" ]
                        ]

                    let sweep =
                        [ "sweep"; "ccae"; "--preset"; "quick"; "--vary"; "learning-rate=0.001,1e30"; "--seeds"; "0" ]
                        @ sizes
                        @ [ "--json"; "--out"; folder ]
                        |> run

                    (sweep.ExitCode, sweep.Error) |> shouldEqual (0, "")
                    (json sweep.Output |> property "combinations").GetArrayLength() |> shouldEqual 2
                    File.Exists(Path.Combine(folder, "scan.json")) |> shouldEqual true)

            testCase
                "one training's failure doesn't keep the others from running, and the table shows those that are finished"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep rates options =
                        run (
                            [ "sweep" ]
                            @ shortTraining.Tail
                            @ [ "--vary"; $"learning-rate={rates}"; "--seeds"; "0"; "--threads"; "1"; "--out"; folder ]
                            @ options
                        )

                    let failing rate = "scae: " + Path.Combine(folder, $"learning-rate={rate}", "seed-0") + ": step "
                    let lines (result: Result) = result.Error.TrimEnd().Split '\n'
                    let one = sweep "1e30,0.003" [ "--json" ]
                    one.ExitCode |> shouldEqual 1
                    lines one |> shouldHaveLength 1
                    one.Error |> shouldStartWith (failing "1e30")

                    one.Error.TrimEnd()
                    |> shouldEndWith "a smaller learning rate and another --out; the others are finished"

                    let combinations = json one.Output |> property "combinations"
                    combinations.GetArrayLength() |> shouldEqual 1

                    (combinations[0] |> property "settings" |> property "learning-rate").ValueEquals "0.003"
                    |> shouldEqual true

                    let two = sweep "1e30,0.003,1e29" [ "--quiet" ]
                    (two.ExitCode, two.Output) |> shouldEqual (1, "")
                    lines two |> shouldHaveLength 3

                    for rate in [ "1e30"; "1e29" ] do
                        two.Error |> shouldContainText (failing rate)

                    lines two |> Array.last |> shouldEqual "scae: 2 of 3 trainings failed; the others are finished"

                    let all = sweep "1e30" []
                    all.ExitCode |> shouldEqual 1
                    lines all |> shouldHaveLength 1
                    all.Error |> shouldStartWith (failing "1e30"))

            testCase "what can be read is collected, and a line tells of what can't"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep = [ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; "0..2"; "--out"; folder ]
                    (run sweep).ExitCode |> shouldEqual 0
                    let summary = Path.Combine(folder, "seed-1", "summary.json")
                    File.WriteAllText(summary, "")
                    let collected = run (sweep @ [ "--collect"; "--json" ])
                    collected.ExitCode |> shouldEqual 0

                    collected.Error.TrimEnd()
                    |> shouldEqual
                        $"scae: {summary}: the file is damaged; delete it to finish that run again; the tables are of the other runs"

                    (json collected.Output |> property "metrics" |> property "recovery" |> property "values")
                        .GetArrayLength()
                    |> shouldEqual 2)

            testCase "a sweep doesn't write over a table of others"
            <| fun () ->
                inNewFolder (fun folder ->
                    let table = Path.Combine(folder, "results.csv")
                    File.WriteAllText(table, "a,b\n1,2\n")
                    let refused = run ([ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; "0"; "--out"; folder ])

                    (refused.ExitCode, refused.Error.TrimEnd())
                    |> shouldEqual (
                        2,
                        $"scae: {folder}: results.csv is there, and no sweep of scae wrote it; choose another folder with --out"
                    )

                    filesOf folder |> shouldEqual [ "results.csv" ]
                    File.Delete table

                    // A picture without its table isn't a sweep's either.
                    for name in [ "scan.md"; "scan.png" ] do
                        let own = Path.Combine(folder, name)
                        File.WriteAllText(own, "mine")

                        let scan =
                            [ "sweep" ]
                            @ shortTraining.Tail
                            @ [ "--vary"; "width=16,32"; "--seeds"; "0"; "--out"; folder ]

                        let refused = run scan
                        refused.ExitCode |> shouldEqual 2
                        refused.Error |> shouldStartWith $"scae: {folder}: {name} is there, "
                        filesOf folder |> shouldEqual [ name ]
                        File.Delete own)

            testCase "a table of what is finished says which seeds each combination has"
            <| fun () ->
                inNewFolder (fun folder ->
                    let scan =
                        [ "sweep" ]
                        @ shortTraining.Tail
                        @ [ "--vary"; "width=16,32"; "--seeds"; "0..1"; "--out"; folder ]

                    (run scan).ExitCode |> shouldEqual 0
                    File.Delete(Path.Combine(folder, "width=16", "seed-1", "summary.json"))
                    let collected = run (scan @ [ "--collect" ])

                    collected.Output
                    |> shouldContainText "1 to 2 seeds each, mean ± standard deviation; table and picture"

                    let seeds =
                        [
                            for combination in
                                (json (File.ReadAllText(Path.Combine(folder, "scan.json"))) |> property "combinations")
                                    .EnumerateArray() do
                                (combination |> property "seeds").GetArrayLength()
                        ]

                    seeds |> shouldEqual [ 1; 2 ])

            testCase "presets are compared in a table, and only what isn't finished is trained"
            <| fun () ->
                inNewFolder (fun folder ->
                    let compare =
                        [
                            "sweep"
                            "constellations"
                            "--presets"
                            "quick,published"
                            "--seeds"
                            "0..1"
                            "--out"
                            folder
                        ]
                        @ [ "--epochs"; "1"; "--steps-per-epoch"; "2"; "--validation-size"; "16"; "--test-size"; "16" ]

                    let first = run compare
                    first.Error |> shouldEqual ""
                    first.Output |> shouldContainText "quick, seed 1: "

                    first.Output
                    |> shouldContainText $"2 seeds each, mean ± standard deviation; runs and tables: {folder}"

                    let presets =
                        json (File.ReadAllText(Path.Combine(folder, "comparison.json"))) |> property "presets"

                    presets.GetArrayLength() |> shouldEqual 2
                    (presets[1] |> property "preset").ValueEquals "published" |> shouldEqual true

                    File.ReadAllLines(Path.Combine(folder, "comparison.md"))[4] |> shouldStartWith "| quick | "
                    File.Exists(Path.Combine(folder, "comparison.png")) |> shouldEqual false

                    for preset in [ "quick"; "published" ] do
                        File.ReadAllLines(Path.Combine(folder, "results.csv"))
                        |> Array.filter _.StartsWith($"constellations,{preset},1,best_recovery,")
                        |> shouldHaveLength 1

                    let checkpoint = Path.Combine(folder, "published", "seed-1", "last.safetensors")
                    let written = File.GetLastWriteTimeUtc checkpoint
                    (run compare).ExitCode |> shouldEqual 0
                    File.GetLastWriteTimeUtc checkpoint |> shouldEqual written)
        ]

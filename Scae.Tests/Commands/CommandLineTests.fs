module Scae.Tests.Commands.CommandLineTests

open System.IO
open FsUnit
open NUnit.Framework
open Scae.Cli.Reports
open Scae.Core.Experiments
open Scae.Tests.Commands.CommandLine

[<Test>]
let ``help exits with 0 and names every command`` () =
    let result = run [ "--help" ]
    result.ExitCode |> should equal 0

    for verb in [ "list"; "train"; "eval"; "figures"; "sweep"; "verify"; "gradcheck"; "bench" ] do
        result.Output |> should haveSubstring verb

[<Test>]
let ``help of train lists every hyperparameter with its default`` () =
    let result = run [ "train"; "constellations"; "--help" ]
    result.ExitCode |> should equal 0

    for words in [ "--learning-rate <number>"; "[0.003]"; "--batch-size <integer>"; "[32]"; "quick" ] do
        result.Output |> should haveSubstring words

[<Test>]
let ``help of train lists the hyperparameters of presets that train another model`` () =
    let result = run [ "train"; "constellations"; "--help" ]

    for words in
        [
            "--preset solved, five, dreams"
            "--credit <scene, template>"
            "--layer-norm <true or false>"
            "--preset variable"
            "--preset learned"
            "--restarts <integer>"
        ] do
        result.Output |> should haveSubstring words

[<Test>]
let ``list names experiments, presets and targets`` () =
    let result = run [ "list" ]
    result.ExitCode |> should equal 0

    for words in [ "constellations"; "seed"; "quick"; "86.9 %" ] do
        result.Output |> should haveSubstring words

    // Colours are for terminals; this is a pipe.
    result.Output |> should not' (haveSubstring "\u001b")
    (json (run [ "list"; "--json" ]).Output).GetArrayLength() |> should be (greaterThanOrEqualTo 1)

/// Arguments that make no sense, and the one line that says so.
let private nonsense: obj[] list =
    [
        [| [ "trian" ]; "scae: there is no command trian; did you mean train?" |]
        [| [ "train" ]; "scae train: needs an experiment, such as scae train constellations" |]
        [|
            [ "train"; "constelations" ]
            "scae: there is no experiment constelations; did you mean constellations?"
        |]
        [|
            [ "train"; "constellations"; "--preset"; "qick" ]
            "scae: constellations has no preset qick; did you mean quick?"
        |]
        [|
            [ "train"; "constellations"; "--epocs"; "3" ]
            "scae train has no option --epocs; did you mean --epochs?"
        |]
        [|
            [ "train"; "constellations"; "--epochs"; "many" ]
            "scae: --epochs many: must be a whole number"
        |]
        [|
            [ "train"; "constellations"; "--batch-size"; "-4" ]
            "scae: --batch-size -4: must be an integer from 1 to 65536"
        |]
        [|
            [ "train"; "constellations"; "--heads"; "5" ]
            "scae: --heads 5: must divide the width, which is 32"
        |]
        [| [ "train"; "constellations"; "--epochs" ]; "scae: --epochs: needs a value" |]
        [| [ "train"; "constellations"; "--threads"; "0" ]; "scae: --threads 0: must be from 1 to 1024" |]
        [|
            [ "sweep"; "constellations"; "--seeds"; "4..2" ]
            "scae: --seeds 4..2: must be first..last with first ≤ last, such as 0..4"
        |]
        [|
            [ "sweep"; "neural-em"; "--vary"; "hiden=12,24" ]
            "scae: there is no hyperparameter --hiden; did you mean hidden?"
        |]
        [|
            [ "sweep"; "neural-em"; "--vary"; "hidden=12,none" ]
            "scae: --hidden none: must be a whole number"
        |]
        [|
            [ "sweep"; "neural-em"; "--vary"; "hidden=12"; "--vary"; "hidden=24" ]
            "scae: --vary hidden=24: hidden is varied twice"
        |]
        [|
            [ "train"; "constellations"; "--seeds"; "0..4" ]
            "scae train has no option --seeds; it belongs to scae sweep"
        |]
        [|
            [ "train"; "--out"; "air"; "constellations"; "--widht"; "8" ]
            "scae train has no option --widht; did you mean --width?"
        |]
        [|
            [ "gradcheck"; "--threads"; "2" ]
            "scae gradcheck has no option --threads; it belongs to scae train, scae eval, scae figures, scae sweep, scae verify, scae bench"
        |]
        [| [ "train"; "constellations"; "--out"; "" ]; "scae train: an empty name is no folder" |]
        [|
            [ "train"; "constellations"; "--epochs"; "1"; "--epochs"; "2" ]
            "scae: --epochs is given twice"
        |]
        [|
            [ "train"; "constellations"; "--batch-size"; "99999999999" ]
            "scae: --batch-size 99999999999: must be an integer from 1 to 65536"
        |]
        [|
            [ "train"; "constellations"; "--epochs"; "65536"; "--steps-per-epoch"; "65536" ]
            "scae: --epochs 65536: must be an integer from 1 to 10000"
        |]
        [|
            [ "train"; "constellations"; "--pairs"; "3" ]
            "scae: --pairs: preset seed has no such hyperparameter; presets that do: solved, five, variable, dreams"
        |]
        [|
            [ "sweep"; "neural-em"; "--hidden"; "8"; "--vary"; "hidden=16,32" ]
            "scae: --vary hidden=16,32: hidden is also given as --hidden"
        |]
        [|
            [ "eval"; "air"; "--epochs"; "8" ]
            "scae eval has no option --epochs; scae eval --help lists them"
        |]
        [| [ "eval" ]; "scae eval: needs a run's folder, such as scae eval runs/constellations-seed-0" |]
    ]

[<TestCaseSource(nameof nonsense)>]
let ``arguments that make no sense exit with 2 and one line`` (arguments: string list) (expected: string) =
    let result = run arguments
    result.Error.TrimEnd() |> should equal expected
    result.Output |> should equal ""
    result.ExitCode |> should equal 2

[<Test>]
let ``a folder that isn't there exits with 1 and one line`` () =
    let result = run [ "eval"; "no-such-run" ]
    result.ExitCode |> should equal 1

    result.Error.TrimEnd()
    |> should equal "scae: no-such-run: there is no such folder; scae train leaves one under runs/"

[<Test>]
let ``a training leaves its folder, and eval and figures work on it`` () =
    inNewFolder (fun folder ->
        let out = Path.Combine(folder, "run")
        let trained = run (shortTraining @ [ "--out"; out ])
        trained.Error |> should equal ""
        trained.ExitCode |> should equal 0

        for words in [ "epoch   3/3  train loss "; "published"; "recovery" ] do
            trained.Output |> should haveSubstring words

        let expected =
            [
                "best.safetensors"
                "figures/confusion.png"
                "figures/examples.png"
                "figures/training-curves.png"
                "figures/training-curves.svg"
                "figures/training.gif"
                "last.safetensors"
                "metrics.jsonl"
                "run.json"
                "summary.json"
            ]

        filesOf out
        |> List.filter (fun name -> not (name.EndsWith "examples.svg" || name.EndsWith "confusion.svg"))
        |> should equal expected

        File.ReadAllLines(Path.Combine(out, "metrics.jsonl")).Length |> should equal 3
        let summary = json (File.ReadAllText(Path.Combine(out, "summary.json")))
        (summary |> property "steps").GetInt32() |> should equal 60

        let evaluated = run [ "eval"; out; "--json" ]
        evaluated.ExitCode |> should equal 0
        let metrics = json evaluated.Output |> property "metrics"
        (metrics |> property "recovery").GetDouble() |> should be (greaterThan 0.4)

        // Fresh scenes: another evaluation seed gives other figures, the same one the same.
        (run [ "eval"; out; "--json" ]).Output |> should equal evaluated.Output
        (run [ "eval"; out; "--json"; "--seed"; "9" ]).Output |> should not' (equal evaluated.Output)

        let picture = Path.Combine(out, "figures", "examples.png")
        let before = File.ReadAllBytes picture
        File.Delete picture
        (run [ "figures"; out ]).ExitCode |> should equal 0
        File.ReadAllBytes picture |> should equal before)

[<Test>]
let ``json prints the summary alone and quiet prints nothing`` () =
    inNewFolder (fun folder ->
        let printed = run (shortTraining @ [ "--out"; Path.Combine(folder, "a"); "--json" ])
        (json printed.Output |> property "experiment").ValueEquals "constellations" |> should equal true

        printed.Output.TrimEnd()
        |> should equal (File.ReadAllText(Path.Combine(folder, "a", "summary.json")).TrimEnd())

        (run (shortTraining @ [ "--out"; Path.Combine(folder, "b"); "--quiet" ])).Output |> should equal "")

[<Test>]
let ``a folder that holds a run is neither overwritten nor resumed with other hyperparameters`` () =
    inNewFolder (fun folder ->
        let out = Path.Combine(folder, "run")
        (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> should equal 0
        let checkpoint = File.ReadAllBytes(Path.Combine(out, "last.safetensors"))
        let again = run (shortTraining @ [ "--out"; out ])
        again.ExitCode |> should equal 2
        again.Error |> should haveSubstring "holds a run already; add --resume"
        let other = run (shortTraining @ [ "--out"; out; "--resume"; "--width"; "16" ])
        other.ExitCode |> should equal 2
        other.Error |> should haveSubstring "width was 32 and is now 16"
        File.ReadAllBytes(Path.Combine(out, "last.safetensors")) |> should equal checkpoint)

[<Test>]
let ``a damaged checkpoint is refused with one line`` () =
    inNewFolder (fun folder ->
        let out = Path.Combine(folder, "run")
        (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> should equal 0
        let path = Path.Combine(out, "last.safetensors")
        let whole = File.ReadAllBytes path

        let refused (bytes: byte[]) =
            File.WriteAllBytes(path, bytes)
            let result = run [ "eval"; out ]
            result.ExitCode |> should equal 1
            result.Error |> should startWith $"scae: {path}: "
            result.Error.TrimEnd().Split('\n').Length |> should equal 1

        refused whole[.. whole.Length / 2]
        refused [||]
        let flipped = Array.copy whole
        flipped[whole.Length - 9] <- flipped[whole.Length - 9] ^^^ 4uy
        refused flipped)

[<Test>]
let ``an unwritable folder is refused with one line`` () =
    inNewFolder (fun folder ->
        let file = Path.Combine(folder, "file")
        File.WriteAllText(file, "in the way")
        let result = run (shortTraining @ [ "--out"; Path.Combine(file, "run") ])
        result.ExitCode |> should equal 1
        result.Error |> should haveSubstring "can't be written"
        result.Error.TrimEnd().Split('\n').Length |> should equal 1)

[<Test>]
let ``a diverging run stops, names the step, and names no checkpoint where there is none`` () =
    inNewFolder (fun folder ->
        let out = Path.Combine(folder, "run")
        let result = run (shortTraining @ [ "--out"; out; "--learning-rate"; "1e30" ])
        result.ExitCode |> should equal 1
        result.Error |> should haveSubstring "step "
        File.Exists(Path.Combine(out, "last.safetensors")) |> should equal false
        result.Error |> should not' (haveSubstring "the last good checkpoint"))

[<Test>]
let ``pictures that can't be written are told of in one line`` () =
    inNewFolder (fun folder ->
        let out = Path.Combine(folder, "run")
        (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> should equal 0

        for picture in Directory.GetFiles(Path.Combine(out, "figures"), "*.png") do
            File.Delete picture
            Directory.CreateDirectory picture |> ignore

        let refused arguments =
            let result = run arguments
            result.ExitCode |> should equal 1
            result.Error.TrimEnd().Split('\n').Length |> should equal 1
            result.Error |> should startWith "scae: "
            result.Error |> should haveSubstring ".png"

        refused [ "figures"; out ]

        // The same within a sweep, which runs several at once.
        for seed in 0..1 do
            Directory.CreateDirectory(Path.Combine(folder, $"seed-{seed}", "figures", "examples.png")) |> ignore

        refused ([ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; "0..1"; "--out"; folder; "--json" ]))

[<Test>]
let ``a sweep reports mean and deviation and runs nothing twice`` () =
    inNewFolder (fun folder ->
        let sweep = [ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; "0..2"; "--out"; folder; "--json" ]
        let first = run sweep
        first.Error |> should equal ""
        let recovery = json first.Output |> property "metrics" |> property "recovery"
        (recovery |> property "values").GetArrayLength() |> should equal 3
        let written = File.GetLastWriteTimeUtc(Path.Combine(folder, "seed-1", "last.safetensors"))
        let second = run sweep
        second.Output |> should equal first.Output
        File.GetLastWriteTimeUtc(Path.Combine(folder, "seed-1", "last.safetensors")) |> should equal written)

[<Test>]
let ``verify trains the targets' seeds and fails where a target is missed`` () =
    inNewFolder (fun folder ->
        let verify =
            [ "verify"; "neural-em"; "--preset"; "seed"; "--epochs"; "1"; "--steps-per-epoch"; "1" ]
            @ [ "--validation-size"; "4"; "--test-size"; "4"; "--out"; folder ]

        let result = run (verify @ [ "--json" ])
        result.ExitCode |> should equal 1
        let check = (json result.Output)[0]
        string ((check |> property "metric").GetString()) |> should equal "best_nmi"
        (check |> property "holds").GetBoolean() |> should equal false

        let values =
            [
                for seed in 0..4 ->
                    let summary =
                        File.ReadAllText(Path.Combine(folder, "neural-em-seed", $"seed-{seed}", "summary.json"))

                    (json summary |> property "metrics" |> property "best_nmi").GetDouble()
            ]

        let mean = List.average values
        let deviation = sqrt ((values |> List.sumBy (fun value -> (value - mean) ** 2.0)) / 4.0)
        (check |> property "measured").GetDouble() |> should (equalWithin 1e-9) mean
        (check |> property "deviation").GetDouble() |> should (equalWithin 1e-9) deviation

        let table = run verify
        table.ExitCode |> should equal 1
        table.Output |> should haveSubstring $"{mean:F4} ± {deviation:F4}")

[<Test>]
let ``verify refuses what would check nothing or stand in the way of honest runs`` () =
    let refused arguments (expected: string) =
        let result = run ("verify" :: arguments)
        result.Error.TrimEnd() |> should equal expected
        result.Output |> should equal ""
        result.ExitCode |> should equal 2

    refused
        [ "constellations"; "--preset"; "quick" ]
        "scae: --preset quick: no target speaks of it; constellations has targets of seed, solved, five, variable"

    refused
        [ "constellations"; "--epochs"; "1" ]
        "scae verify --epochs 1: targets speak of the presets as they are; to measure another program all the same, say with --out where its runs go"

[<Test>]
let ``the figures of a sweep of one seed have no deviation`` () =
    inNewFolder (fun folder ->
        let sweep options =
            let result = run ([ "sweep" ] @ shortTraining.Tail @ [ "--out"; folder ] @ options)
            result.ExitCode |> should equal 0
            result.Output

        let one = sweep [ "--seeds"; "0..0" ]
        one |> should haveSubstring $"1 seed; runs and sweep.json: {folder}"
        one |> should not' (haveSubstring "±")
        let two = sweep [ "--seeds"; "0..1" ]
        two |> should haveSubstring $"2 seeds, mean ± standard deviation; runs and sweep.json: {folder}"
        let scan = sweep [ "--vary"; "width=16,32"; "--seeds"; "0..0" ]
        scan |> should haveSubstring "1 seed each; table and picture"
        scan |> should not' (haveSubstring "±")

        scan.Split '\n'
        |> Array.filter (fun line -> line.Contains "seed 0: best recovery" && line.Contains " %")
        |> should haveLength 2)

[<Test>]
let ``a baseline that isn't there is an argument that makes no sense`` () =
    inNewFolder (fun folder ->
        let out = Path.Combine(folder, "run")
        (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> should equal 0
        let result = run [ "eval"; out; "--baseline"; "exakt" ]
        result.ExitCode |> should equal 2
        result.Error |> should startWith "scae: "
        result.Error |> should haveSubstring "exakt")

[<TestCase "eval"; TestCase "figures">]
let ``a run's folder without a name is asked for`` (verb: string) =
    let result = run [ verb; "" ]
    result.ExitCode |> should equal 2

    result.Error.TrimEnd()
    |> should equal $"scae {verb}: needs a run's folder, such as scae {verb} runs/constellations-seed-0"

[<Test>]
let ``published figures stand beside the presets that they speak of`` () =
    for experiment in Experiments.all do
        let presets = experiment.Specification.Presets |> List.map _.Name

        for figure in experiment.Specification.Published do
            figure.Presets |> should not' (be Empty)
            figure.Presets |> List.except presets |> should be Empty

    inNewFolder (fun folder ->
        let published preset =
            let options = [ "--epochs"; "1"; "--steps-per-epoch"; "1"; "--test-size"; "16"; "--out" ]

            let result =
                run ([ "train"; "constellations"; "--preset"; preset ] @ options @ [ Path.Combine(folder, preset) ])

            result.ExitCode |> should equal 0
            result.Output

        published "quick" |> should haveSubstring "86.9 % (one seed, validation scenes, final epoch)"
        published "solved" |> should not' (haveSubstring "86.9 %"))

[<Test>]
let ``fractions are percentages wherever people read them`` () =
    let list = (run [ "list" ]).Output

    for metric in [ "best_count_accuracy_0"; "count_accuracy_apart"; "val_best_starts_that_succeed"; "raw_recovery" ] do
        Format.Value(metric, 0.5) |> should equal "50.0 %"

    Format.Value("best_nmi", 0.5) |> should equal "0.5000"

    for words in [ "84 to 89 %"; "≥ 97 %"; "≥ 95 %"; "77 to 85 %"; "0.4 to 0.46"; "≤ 2 " ] do
        list |> should haveSubstring words

[<Test>]
let ``a scan leaves a table, a picture and numbers, and goes on where it was stopped`` () =
    inNewFolder (fun folder ->
        let scan =
            [ "sweep" ]
            @ shortTraining.Tail
            @ [ "--vary"; "width=16,32"; "--seeds"; "0..1"; "--out"; folder; "--json" ]

        let first = run scan
        first.Error |> should equal ""
        let combinations = json first.Output |> property "combinations"
        combinations.GetArrayLength() |> should equal 2
        (combinations[1] |> property "settings" |> property "width").ValueEquals "32" |> should equal true

        for name in [ "scan.json"; "scan.md"; "scan.png"; "scan.svg" ] do
            File.Exists(Path.Combine(folder, name)) |> should equal true

        let checkpoint = Path.Combine(folder, "width=16", "seed-1", "last.safetensors")
        let written = File.GetLastWriteTimeUtc checkpoint
        let second = run scan
        second.Output |> should equal first.Output
        File.GetLastWriteTimeUtc checkpoint |> should equal written)

[<Test>]
let ``gradcheck passes and bench reports every part of a step`` () =
    (run [ "gradcheck"; "constellations" ]).ExitCode |> should equal 0
    let result = run [ "bench"; "constellations"; "--steps"; "20"; "--json" ]
    result.ExitCode |> should equal 0
    let row = (json result.Output)[0]

    for name in [ "ms_per_step"; "ms_data"; "ms_forward"; "ms_backward"; "ms_update" ] do
        (row |> property name).GetDouble() |> should be (greaterThan 0.0)

module Scae.Tests.Commands.CommandLineTests

open System.IO
open Scae.Tests.Claims
open Expecto
open Scae.Tests.Turns
open Scae.Cli.Reports
open Scae.Core.Experiments
open Scae.Tests.Commands.CommandLine

/// Arguments that make no sense, and the one line that says so.
let private nonsense: (string list * string) list =
    [
        [ "trian" ], "scae: there is no command trian; did you mean train?"
        [ "train" ], "scae train: needs an experiment, such as scae train constellations"
        [ "train"; "constelations" ], "scae: there is no experiment constelations; did you mean constellations?"
        [ "train"; "constellations"; "--preset"; "qick" ],
        "scae: constellations has no preset qick; did you mean quick?"
        [ "train"; "constellations"; "--epocs"; "3" ], "scae train has no option --epocs; did you mean --epochs?"
        [ "train"; "constellations"; "--epochs"; "many" ], "scae: --epochs many: must be a whole number"
        [ "train"; "constellations"; "--batch-size"; "-4" ], "scae: --batch-size -4: must be an integer from 1 to 65536"
        [ "train"; "constellations"; "--heads"; "5" ], "scae: --heads 5: must divide the width, which is 32"
        [ "train"; "constellations"; "--epochs" ], "scae: --epochs: needs a value"
        [ "train"; "constellations"; "--threads"; "0" ], "scae: --threads 0: must be a whole number from 1 to 1024"
        [ "sweep"; "constellations"; "--seeds"; "4..2" ],
        "scae: --seeds 4..2: must be first..last with first ≤ last, such as 0..4"
        [ "sweep"; "neural-em"; "--presets"; "all"; "--preset"; "quick" ], "scae: --presets all: can't be with --preset"
        [ "sweep"; "neural-em"; "--presets"; "quick"; "--vary"; "hidden=12" ],
        "scae: --presets quick: can't be with --vary"
        [ "sweep"; "neural-em"; "--vary"; "hiden=12,24" ],
        "scae: there is no hyperparameter --hiden; did you mean hidden?"
        [ "sweep"; "neural-em"; "--vary"; "hidden=12,none" ], "scae: --hidden none: must be a whole number"
        [ "sweep"; "neural-em"; "--vary"; "hidden=12"; "--vary"; "hidden=24" ],
        "scae: --vary hidden=24: hidden is varied twice"
        [ "train"; "constellations"; "--seeds"; "0..4" ], "scae train has no option --seeds; it belongs to scae sweep"
        [ "train"; "--out"; "air"; "constellations"; "--widht"; "8" ],
        "scae train has no option --widht; did you mean --width?"
        [ "gradcheck"; "--threads"; "2" ],
        "scae gradcheck has no option --threads; it belongs to scae train, scae eval, scae figures, scae sweep, scae verify, scae bench"
        [ "train"; "constellations"; "--out"; "" ], "scae train: an empty name is no folder"
        [ "train"; "constellations"; "--epochs"; "1"; "--epochs"; "2" ], "scae: --epochs is given twice"
        [ "train"; "constellations"; "--batch-size"; "99999999999" ],
        "scae: --batch-size 99999999999: must be an integer from 1 to 65536"
        [ "train"; "constellations"; "--epochs"; "65536"; "--steps-per-epoch"; "65536" ],
        "scae: --epochs 65536: must be an integer from 1 to 10000"
        [ "train"; "constellations"; "--pairs"; "3" ],
        "scae: --pairs: preset published has no such hyperparameter; presets that do: routing, five, beyond, distractors, five-beyond, variable, dreams"
        [ "sweep"; "neural-em"; "--hidden"; "8"; "--vary"; "hidden=16,32" ],
        "scae: --vary hidden=16,32: hidden is also given as --hidden"
        [ "train"; "neural-em"; "--fewest-shapes"; "4" ],
        "scae: --fewest-shapes 4: must be at most the shapes of a training image, which are 3"
        [ "train"; "neural-em"; "--preset"; "paper"; "--tested-shapes"; "2,x" ],
        "scae: --tested-shapes 2,x: must be numbers from 1 to 64, separated by commas, or none"
        [ "eval"; "air"; "--epochs"; "8" ], "scae eval has no option --epochs; scae eval --help lists them"
        [ "report" ], "scae report: needs a run's folder, such as scae report runs/constellations-published-0"
        [ "report"; "" ], "scae report: needs a run's folder, such as scae report runs/constellations-published-0"
        [ "report"; "a"; "b"; "--ot"; "c.html" ], "scae report has no option --ot; did you mean --out?"
        [ "report"; "a"; "--out"; "" ], "scae report: an empty name is no file"
        [ "export" ],
        "scae export: needs a run's folder, such as scae export runs/constellations-published-0 --format npz"
        [ "export"; "a" ], "scae export: needs --format npz or --format onnx"
        [ "export"; "a"; "--format"; "onx" ], "scae: --format onx: must be npz or onnx"
        [ "eval" ], "scae eval: needs a run's folder, such as scae eval runs/constellations-published-0"
    ]

[<Tests>]
let tests =
    inTurn
        "Commands.CommandLine"
        [
            testCase "help exits with 0 and names every command"
            <| fun () ->
                let result = runProcess [ "--help" ]
                result.ExitCode |> shouldEqual 0

                for verb in
                    [ "list"; "train"; "eval"; "figures"; "report"; "export"; "sweep"; "verify"; "gradcheck"; "bench" ] do
                    result.Output |> shouldContainText verb

            testCase "help of train lists every hyperparameter with its default"
            <| fun () ->
                let result = run [ "train"; "constellations"; "--help" ]
                result.ExitCode |> shouldEqual 0

                for words in [ "--learning-rate <number>"; "[0.003]"; "--batch-size <integer>"; "[32]"; "quick" ] do
                    result.Output |> shouldContainText words

            testCase "help of train lists a preset's own values, and the default's where there is no such preset"
            <| fun () ->
                let paper = run [ "train"; "scae"; "--preset"; "paper"; "--help" ]
                paper.ExitCode |> shouldEqual 0

                for words in [ "HYPERPARAMETERS OF --preset paper [default of paper]:"; "[40]"; "[128]" ] do
                    paper.Output |> shouldContainText words

                let none = run [ "train"; "scae"; "--preset"; "papier"; "--help" ]
                none.Output |> shouldEqual (run [ "train"; "scae"; "--help" ]).Output

            testCase "help of train lists the hyperparameters of presets that train another model"
            <| fun () ->
                let result = run [ "train"; "constellations"; "--help" ]

                for words in
                    [
                        "--preset routing, five, beyond, distractors, five-beyond, dreams"
                        "--credit <scene, template>"
                        "--layer-norm <true or false>"
                        "--preset variable"
                        "--preset learned"
                        "--restarts <integer>"
                    ] do
                    result.Output |> shouldContainText words

            testCase "list tells of one experiment where one is named"
            <| fun () ->
                let one = run [ "list"; "air" ]
                one.ExitCode |> shouldEqual 0
                one.Output |> shouldStartWith "air: "
                one.Output |> shouldLackText "constellations: "
                let all = json (run [ "list"; "air"; "--json" ]).Output
                all.GetArrayLength() |> shouldEqual 1
                (all[0] |> property "experiment").GetString() |> shouldEqual "air"
                (run [ "list"; "airr" ]).Error |> shouldContainText "did you mean air?"

            testCase "list names experiments, presets and targets"
            <| fun () ->
                let result = run [ "list" ]
                result.ExitCode |> shouldEqual 0

                for words in [ "constellations"; "published"; "quick"; "86.9 %" ] do
                    result.Output |> shouldContainText words

                // Colours are for terminals; this is a pipe.
                result.Output |> shouldLackText "\u001b"
                let first = (json (run [ "list"; "--json" ]).Output)[0]
                (first |> property "experiment").GetString() |> shouldEqual "constellations"
                (first |> property "default_preset").GetString() |> shouldEqual "published"
                let preset = (first |> property "presets")[0]
                (preset |> property "name").GetString() |> shouldEqual "published"

                let rate =
                    (preset |> property "hyperparameters").EnumerateArray()
                    |> Seq.find (fun each -> (each |> property "name").ValueEquals "learning-rate")

                (rate |> property "default").GetString() |> shouldEqual "0.003"
                (first |> property "published").GetArrayLength() |> shouldBeAtLeast 1

                (first |> property "targets").GetArrayLength() |> shouldBeAtLeast 1

            for arguments, expected in nonsense do
                let words = String.concat " " arguments

                testCase $"arguments that make no sense exit with 2 and one line ({words})"
                <| fun () ->
                    let result = run arguments
                    result.Error.TrimEnd() |> shouldEqual expected
                    result.Output |> shouldEqual ""
                    result.ExitCode |> shouldEqual 2

            testCase "a folder that isn't there exits with 1 and one line"
            <| fun () ->
                let result = run [ "eval"; "no-such-run" ]
                result.ExitCode |> shouldEqual 1

                result.Error.TrimEnd()
                |> shouldEqual "scae: no-such-run: there is no such folder; scae train leaves one under runs/"

            testCase "a training leaves its folder, and eval and figures work on it"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    let trained = runProcess (shortTraining @ [ "--out"; out ])
                    trained.Error |> shouldEqual ""
                    trained.ExitCode |> shouldEqual 0

                    for words in [ "epoch   3/3  train loss "; "published"; "recovery" ] do
                        trained.Output |> shouldContainText words

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
                            for step in [ 0; 20; 40; 60 ] do
                                $"snapshots/%08d{step}.safetensors"
                            "summary.json"
                        ]

                    filesOf out
                    |> List.filter (fun name -> not (name.EndsWith "examples.svg" || name.EndsWith "confusion.svg"))
                    |> shouldEqual expected

                    File.ReadAllLines(Path.Combine(out, "metrics.jsonl")).Length |> shouldEqual 3
                    let summary = json (File.ReadAllText(Path.Combine(out, "summary.json")))
                    (summary |> property "steps").GetInt32() |> shouldEqual 60

                    let evaluated = run [ "eval"; out; "--json" ]
                    evaluated.ExitCode |> shouldEqual 0
                    let metrics = json evaluated.Output |> property "metrics"
                    (metrics |> property "recovery").GetDouble() |> shouldBeGreaterThan 0.4

                    // Fresh scenes: another evaluation seed gives other figures, the same one the same.
                    (run [ "eval"; out; "--json" ]).Output |> shouldEqual evaluated.Output
                    (run [ "eval"; out; "--json"; "--seed"; "9" ]).Output |> shouldDiffer evaluated.Output

                    let few = run [ "eval"; out; "--json"; "--test-size"; "10" ]
                    few.ExitCode |> shouldEqual 0
                    let few = json few.Output
                    (few |> property "measured_with" |> property "test-size").GetString() |> shouldEqual "10"

                    // Ten scenes of eleven points.
                    let points = 110.0 * (few |> property "metrics" |> property "recovery").GetDouble()
                    points - round points |> shouldBeIn (-1e-9, 1e-9)

                    for words, line in
                        [
                            [ "--draws"; "3" ],
                            "--draws: preset quick has no such hyperparameter of measuring; it has --test-size"
                            [ "--test-size"; "0" ], "--test-size 0: must be an integer of at least 1"
                        ] do
                        let refused = run ([ "eval"; out ] @ words)
                        refused.ExitCode |> shouldEqual 2
                        refused.Error.TrimEnd() |> shouldEqual $"scae: {line}"

                    let picture = Path.Combine(out, "figures", "examples.png")
                    let before = File.ReadAllBytes picture
                    File.Delete picture
                    (run [ "figures"; out ]).ExitCode |> shouldEqual 0
                    File.ReadAllBytes picture |> shouldEqual before)

            testCase "json prints the summary alone and quiet prints nothing"
            <| fun () ->
                inNewFolder (fun folder ->
                    let printed = run (shortTraining @ [ "--out"; Path.Combine(folder, "a"); "--json" ])
                    (json printed.Output |> property "experiment").ValueEquals "constellations" |> shouldEqual true

                    printed.Output.TrimEnd()
                    |> shouldEqual (File.ReadAllText(Path.Combine(folder, "a", "summary.json")).TrimEnd())

                    (run (shortTraining @ [ "--out"; Path.Combine(folder, "b"); "--quiet" ])).Output |> shouldEqual "")

            testCase "lists of numbers, and none of them, come back from a run's folder"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")

                    let words =
                        [ "train"; "neural-em"; "--preset"; "ten-shapes"; "--epochs"; "1"; "--steps-per-epoch"; "1" ]
                        @ [
                            "--shapes"
                            "2"
                            "--trained-shapes"
                            "1"
                            "--slots"
                            "3"
                            "--hidden"
                            "4"
                            "--canvas"
                            "20"
                        ]
                        @ [
                            "--measured-starts"
                            "1"
                            "--measured-swaps"
                            "1"
                            "--test-size"
                            "2"
                            "--validation-size"
                            "2"
                        ]
                        @ [ "--tested-shapes"; "1,3,12"; "--tested-slots"; "none"; "--quiet"; "--out"; out ]

                    (run words).ExitCode |> shouldEqual 0
                    let settings = json (File.ReadAllText(Path.Combine(out, "run.json"))) |> property "settings"
                    (settings |> property "tested-shapes").GetString() |> shouldEqual "1,3,12"
                    (settings |> property "tested-slots").GetString() |> shouldEqual "none"
                    let result = run [ "eval"; out; "--json" ]
                    result.ExitCode |> shouldEqual 0
                    result.Output |> shouldContainText "ari_distinct_12")

            testCase "a folder that holds a run is neither overwritten nor resumed with other hyperparameters"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let checkpoint = File.ReadAllBytes(Path.Combine(out, "last.safetensors"))
                    let again = run (shortTraining @ [ "--out"; out ])
                    again.ExitCode |> shouldEqual 2
                    again.Error |> shouldContainText "holds a run already; add --resume"
                    let other = run (shortTraining @ [ "--out"; out; "--resume"; "--width"; "16" ])
                    other.ExitCode |> shouldEqual 2
                    other.Error |> shouldContainText "width was 32 and is now 16"
                    File.ReadAllBytes(Path.Combine(out, "last.safetensors")) |> shouldEqual checkpoint)

            testCase "a damaged checkpoint is refused with one line"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let path = Path.Combine(out, "last.safetensors")
                    let whole = File.ReadAllBytes path

                    let refused (bytes: byte[]) =
                        File.WriteAllBytes(path, bytes)
                        let result = run [ "eval"; out ]
                        result.ExitCode |> shouldEqual 1
                        result.Error |> shouldStartWith $"scae: {path}: "
                        result.Error.TrimEnd().Split('\n').Length |> shouldEqual 1

                    refused whole[.. whole.Length / 2]
                    refused [||]
                    let flipped = Array.copy whole
                    flipped[whole.Length - 9] <- flipped[whole.Length - 9] ^^^ 4uy
                    refused flipped)

            testCase "a file in the place of a folder is refused by name"
            <| fun () ->
                inNewFolder (fun folder ->
                    let file = Path.Combine(folder, "file")
                    File.WriteAllText(file, "in the way")

                    for out in [ file; Path.Combine(file, "run") ] do
                        let result = run (shortTraining @ [ "--out"; out ])
                        result.ExitCode |> shouldEqual 2

                        result.Error |> shouldEqual $"scae: {out}: {file} is a file; choose another with --out\n")

            testCase "a diverging run stops, names the step, and names no checkpoint where there is none"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    let result = run (shortTraining @ [ "--out"; out; "--learning-rate"; "1e30" ])
                    result.ExitCode |> shouldEqual 1
                    result.Error |> shouldContainText "step "
                    File.Exists(Path.Combine(out, "last.safetensors")) |> shouldEqual false
                    result.Error |> shouldLackText "the last good checkpoint")

            testCase "pictures that can't be written are told of in one line"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0

                    for picture in Directory.GetFiles(Path.Combine(out, "figures"), "*.png") do
                        File.Delete picture
                        Directory.CreateDirectory picture |> ignore

                    let refused arguments =
                        let result = run arguments
                        result.ExitCode |> shouldEqual 1
                        result.Error.TrimEnd().Split('\n').Length |> shouldEqual 1
                        result.Error |> shouldStartWith "scae: "
                        result.Error |> shouldContainText ".png"

                    refused [ "figures"; out ])

            testCase "the version is told" <| fun () -> (run [ "--version" ]).Output |> shouldStartWith "scae "

            testCase "a baseline's figures are its own"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")

                    let words =
                        [ "train"; "constellations"; "--preset"; "routing"; "--epochs"; "1"; "--steps-per-epoch"; "1" ]
                        @ [ "--batch-size"; "2"; "--validation-size"; "2"; "--test-size"; "20"; "--starts"; "1" ]

                    (run (words @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let result = run [ "eval"; out; "--baseline"; "exact"; "--json" ]
                    result.ExitCode |> shouldEqual 0

                    let recovery (element: System.Text.Json.JsonElement) =
                        (element |> property "metrics" |> property "raw_recovery").GetDouble()

                    let found = json result.Output
                    (found |> property "baseline" |> property "name").GetString() |> shouldEqual "exact"
                    found |> property "baseline" |> recovery |> shouldBeGreaterThan 0.99
                    found |> recovery |> shouldBeLessThan 0.99)

            testCase "a run that goes on adds its time to what it took before"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0

                    // As if it had taken an hour.
                    let path = Path.Combine(out, "run.json")
                    let saved = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText path) |> nonNull
                    (nonNull saved["saved"])["train_seconds"] <- System.Text.Json.Nodes.JsonValue.Create 3600.0
                    File.WriteAllText(path, saved.ToJsonString())
                    (run [ "train"; "--resume"; "--epochs"; "4"; "--out"; out; "--quiet" ]).ExitCode |> shouldEqual 0
                    let summary = json (File.ReadAllText(Path.Combine(out, "summary.json")))
                    (summary |> property "train_seconds").GetDouble() |> shouldBeGreaterThan 3600.0)

            testCase "a gradient that is wrong, or no number, fails"
            <| fun () ->
                let comparison error : Scae.Core.Training.GradientComparison =
                    { Parameter = "w"; Compared = 3; Norm = 1.0; RelativeError = error }

                for errors, code in [ [ 1e-9; 1e-7 ], 0; [ 1e-3; 1e-9 ], 1; [ 1e-9; 1e-3 ], 1; [ nan ], 1 ] do
                    errors |> List.map comparison |> Scae.Cli.Commands.GradcheckCommand.ExitOf |> shouldEqual code

            testCase "a baseline that isn't there is an argument that makes no sense"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let result = run [ "eval"; out; "--baseline"; "exakt" ]
                    result.ExitCode |> shouldEqual 2
                    result.Error |> shouldStartWith "scae: "
                    result.Error |> shouldContainText "exakt")

            for verb in [ "eval"; "figures" ] do
                testCase $"a run's folder without a name is asked for ({verb})"
                <| fun () ->
                    let result = run [ verb; "" ]
                    result.ExitCode |> shouldEqual 2

                    result.Error.TrimEnd()
                    |> shouldEqual
                        $"scae {verb}: needs a run's folder, such as scae {verb} runs/constellations-published-0"

            testCase "published figures stand beside the presets that they speak of"
            <| fun () ->
                for experiment in Experiments.all do
                    let presets = experiment.Specification.Presets |> List.map _.Name

                    for figure in experiment.Specification.Published do
                        figure.Presets |> shouldHaveSome
                        figure.Presets |> List.except presets |> shouldBeEmpty

                inNewFolder (fun folder ->
                    let published preset =
                        let options =
                            [ "--epochs"; "1"; "--steps-per-epoch"; "1" ]
                            @ [ "--validation-size"; "16"; "--test-size"; "16"; "--out" ]

                        let result =
                            run (
                                [ "train"; "constellations"; "--preset"; preset ]
                                @ options
                                @ [ Path.Combine(folder, preset) ]
                            )

                        result.ExitCode |> shouldEqual 0
                        result.Output

                    published "quick" |> shouldContainText "86.9 % (one seed, validation scenes, final epoch)"
                    published "routing" |> shouldLackText "86.9 % (one seed")

            testCase "fractions are percentages wherever people read them"
            <| fun () ->
                let list = (run [ "list" ]).Output

                for metric in
                    [ "best_count_accuracy_0"; "count_accuracy_apart"; "val_best_starts_that_succeed"; "raw_recovery" ] do
                    Format.Value(metric, 0.5) |> shouldEqual "50.0 %"

                Format.Value("best_nmi", 0.5) |> shouldEqual "0.5000"

                for words in [ "84 to 89 %"; "≥ 97 %"; "≥ 95 %"; "77 to 85 %"; "0.4 to 0.46"; "≤ 2 " ] do
                    list |> shouldContainText words
        ]

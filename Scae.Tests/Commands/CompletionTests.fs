/// The scripts of scae completion, in the shells they are for: keys typed into a terminal, and what becomes of them.
module Scae.Tests.Commands.CompletionTests

open System
open System.Diagnostics
open System.IO
open Expecto
open Scae.Tests.Turns
open Scae.Core.CommandLine
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

let private script (shell: string) : string =
    match Arguments.parse [| "completion"; shell |] with
    | Ok(Command.Completion script) -> script
    | other -> failtest $"scae completion {shell} gave {other}"

let private onPath (program: string) : bool =
    (string (Environment.GetEnvironmentVariable "PATH")).Split Path.PathSeparator
    |> Array.exists (fun folder -> File.Exists(Path.Combine(folder, program)))

/// Whether a program can be used here. The script of other systems than Linux takes its command otherwise.
let private isThere (program: string) : bool = onPath program && (program <> "script" || OperatingSystem.IsLinux())

/// A test where the shell is there; where it isn't, a line that says so.
let private where (programs: string list) (name: string) (test: unit -> unit) =
    match programs |> List.filter (isThere >> not) with
    | [] -> testCase name test
    | missing ->
        testCase name
        <| fun () ->
            let what = String.concat " and " missing
            printfn $"Completion: {what} isn't on the PATH, so this hasn't been tried: {name}"

/// What keys typed at a shell's prompt become: scae is a function there that tells its words.
let private typed (shell: string) (name: string) (keys: string list) : string list =
    let result = ResizeArray()

    inNewFolder (fun folder ->
        let path = Path.Combine(folder, "completion")
        File.WriteAllText(path, script name)
        Directory.CreateDirectory(Path.Combine(folder, "some runs", "first")) |> ignore

        let info =
            ProcessStartInfo(
                "script",
                [ "-qec"; shell; "/dev/null" ],
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                WorkingDirectory = folder
            )

        info.Environment["TERM"] <- "xterm"
        info.Environment["PS1"] <- "> "
        use running = nonNull (Process.Start info)

        let rec told () =
            match running.StandardOutput.ReadLine() with
            | null -> failtest $"{shell} ended"
            | line when line.StartsWith "TOLD:" -> line[5..].TrimEnd()
            | _ -> told ()

        let enter (line: string) =
            running.StandardInput.Write(line + "\n")
            running.StandardInput.Flush()
            told ()

        let setUp =
            if name = "zsh" then
                "autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-prompt ''; "
            else
                ""

        // The first word of the marker isn't in what the terminal echoes.
        enter $"{setUp}source {path}; scae() {{ printf '\\n%%s:%%s\\n' TOLD \"$*\"; }}; scae ready"
        |> ignore

        for line in keys do
            result.Add(enter line)

        running.StandardInput.Write "exit\n"
        running.StandardInput.Flush()

        if not (running.WaitForExit 20000) then
            running.Kill true)

    List.ofSeq result

/// Keys, and the words that they are completed to. A tab is a press of the key.
let private presses =
    [
        "scae tr\tconstel\t--preset qu\t", "train constellations --preset quick"
        "scae train --see\t4 a\t--digits str\t", "train --seed 4 air --digits strokes"
        "scae exp\t--form\tonn\t", "export --format onnx"
        "scae sweep tvae --batch-s\t8", "sweep tvae --batch-size 8"
        "scae eval some\tfir\t", "eval some runs/first"
        "scae eval some --base\tk-m\t", "eval some --baseline k-means"
        "scae comple\tpow\t", "completion powershell"
        "scae verify neu\t--pres\tpap\t", "verify neural-em --preset paper"
    ]

/// The words that bash would offer after some others.
let private offered (words: string list) : string list =
    let mutable found = ""

    inNewFolder (fun folder ->
        let path = Path.Combine(folder, "completion")
        File.WriteAllText(path, script "bash")
        let quoted = words |> List.map (fun word -> $"'{word}'") |> String.concat " "

        let command =
            $"source {path}; COMP_WORDS=({quoted}); COMP_CWORD={words.Length - 1}; _scae; printf '%%s\\n' \"${{COMPREPLY[@]}}\""

        let info = ProcessStartInfo("bash", [ "--norc"; "-c"; command ], RedirectStandardOutput = true)
        use running = nonNull (Process.Start info)
        found <- running.StandardOutput.ReadToEnd()
        running.WaitForExit())

    found.Split('\n', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

[<Tests>]
let tests =
    inTurn
        "Commands.Completion"
        [
            where [ "bash"; "script" ] "bash completes what is typed"
            <| fun () ->
                typed "bash --norc --noprofile -i" "bash" (presses |> List.map fst)
                |> List.map _.TrimEnd('/')
                |> shouldEqual (presses |> List.map snd)

            where [ "zsh"; "script" ] "zsh completes what is typed"
            <| fun () -> typed "zsh -f -i" "zsh" (presses |> List.map fst) |> shouldEqual (presses |> List.map snd)

            where [ "pwsh" ] "PowerShell completes what is typed"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "completion.ps1")
                    File.WriteAllText(path, script "powershell")

                    let lines =
                        [
                            "scae tra", "train"
                            "scae train constel", "constellations"
                            "scae train constellations --preset qu", "quick"
                            "scae train air --digits str", "strokes"
                            "scae export x --format ", "npz,onnx"
                            "scae bench air --glimpse-h", "--glimpse-hidden"
                        ]

                    let command =
                        [
                            $". '{path}'"
                            for line, _ in lines do
                                $"([System.Management.Automation.CommandCompletion]::CompleteInput('{line}', {line.Length}, $null)).CompletionMatches.CompletionText -join ','"
                        ]
                        |> String.concat "; "

                    let info =
                        ProcessStartInfo("pwsh", [ "-NoProfile"; "-Command"; command ], RedirectStandardOutput = true)

                    use running = nonNull (Process.Start info)
                    let output = running.StandardOutput.ReadToEnd()
                    running.WaitForExit()

                    output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    |> List.ofArray
                    |> shouldEqual (lines |> List.map snd))

            where [ "bash" ] "every command, experiment, preset and hyperparameter is offered"
            <| fun () ->
                let verbs = offered [ "scae"; "" ]

                for verb in [ "list"; "train"; "sweep"; "completion"; "--help" ] do
                    verbs |> shouldContain verb

                for experiment in Scae.Core.Experiments.Experiments.all do
                    let specification = experiment.Specification
                    offered [ "scae"; "train"; "" ] |> shouldContain specification.Experiment

                    offered [ "scae"; "train"; specification.Experiment; "--preset"; "" ]
                    |> shouldEqual (specification.Presets |> List.map _.Name)

                    let options = offered [ "scae"; "train"; specification.Experiment; "--" ]

                    for preset in specification.Presets do
                        for setting in experiment.Settings preset do
                            options |> shouldContain $"--{setting.Name}"

            where
                [ "bash" ]
                "a comma goes on with another preset, an equals sign gives a value, a free value offers nothing"
            <| fun () ->
                offered [ "scae"; "sweep"; "ccae"; "--presets"; "best,nois" ]
                |> shouldEqual [ "best,noisy"; "best,noisier" ]

                offered [ "scae"; "train"; "air"; "--preset"; "="; "qu" ] |> shouldEqual [ "quick" ]
                offered [ "scae"; "train"; "air"; "--preset"; "=" ] |> shouldContain "quick"
                offered [ "scae"; "train"; "air"; "--seed"; "" ] |> shouldBeEmpty
                offered [ "scae"; "sweep"; "neural-em"; "--vary"; "hidd" ] |> shouldEqual [ "hidden=" ]
                offered [ "scae"; "list"; "" ] |> shouldContain "air"

                offered [ "scae"; "eval"; "x"; "--baseline"; "" ]
                |> shouldEqual [ "exact"; "copy"; "one-capsule"; "k-means"; "ransac"; "exhaustive" ]

                offered [ "scae"; "eval"; "x"; "--widt" ] |> shouldBeEmpty

            testCase "a shell that there is no script for exits with 2 and one line"
            <| fun () ->
                for words, line in
                    [
                        [ "completion"; "fish" ],
                        "scae: there is no completion for fish; there is for bash, zsh, powershell"
                        [ "completion" ], "scae completion: needs a shell, such as scae completion bash"
                    ] do
                    let result = run words
                    (result.ExitCode, result.Output, result.Error.TrimEnd()) |> shouldEqual (2, "", line)
        ]

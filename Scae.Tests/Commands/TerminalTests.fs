/// Terminals that are narrow, dumb, or want no colour; and pages of help in them.
module Scae.Tests.Commands.TerminalTests

open System
open System.Diagnostics
open System.IO
open Expecto
open Scae.Tests.Turns
open Scae.Core.CommandLine
open Scae.Core.Experiments
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

let private pages =
    [
        []
        for verb in Verbs.names do
            [ verb ]
        for experiment in Experiments.all do
            [ "train"; experiment.Specification.Experiment ]
    ]

let private read (words: string list) : string =
    match Arguments.parse (Array.ofList (words @ [ "--help" ])) with
    | Ok(Command.ShowHelp text) -> text
    | other -> failtest $"scae {words} --help gave {other}"

// Argu is slow, and every page is looked at several times.
let private known = lazy (pages |> List.map (fun words -> words, read words) |> Map.ofList)

let private page (words: string list) : string = known.Value[words]

let private words (text: string) : string list =
    text.Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

/// What the program prints in a terminal of so many columns.
let private inTerminal (columns: int) (name: string) (variables: (string * string) list) (arguments: string list) =
    let change (info: ProcessStartInfo) =
        let command = info.FileName :: List.ofSeq info.ArgumentList |> String.concat " "
        info.FileName <- "script"
        info.ArgumentList.Clear()

        for word in [ "-qec"; $"stty cols {columns} rows 24; exec {command}"; "/dev/null" ] do
            info.ArgumentList.Add word

        info.RedirectStandardInput <- true
        info.Environment["TERM"] <- name
        info.Environment["LANG"] <- "C.UTF-8"
        // Whoever runs the tests may want no colour.
        info.Environment.Remove "NO_COLOR" |> ignore

        for variable, value in variables do
            info.Environment[variable] <- value

    let result = runWith change arguments
    result.ExitCode |> shouldEqual 0
    result.Output.Replace("\r", "")

let private hasTerminal = File.Exists "/usr/bin/script" && File.Exists "/usr/bin/stty"

/// Starts the program in a terminal, and closes the terminal when a file is there. What closing it signals is ignored, as for
/// a job that its shell has disowned.
let private inTerminalThatCloses (file: string) (arguments: string list) =
    let change (info: ProcessStartInfo) =
        let command = info.FileName :: List.ofSeq info.ArgumentList |> String.concat " "
        info.FileName <- "script"
        info.ArgumentList.Clear()

        for word in [ "-qec"; $"stty cols 100 rows 24; trap '' HUP; exec {command}"; "/dev/null" ] do
            info.ArgumentList.Add word

        info.RedirectStandardInput <- true
        info.Environment["TERM"] <- "xterm"

    use running = startWith change arguments

    Threading.SpinWait.SpinUntil((fun () -> File.Exists file || running.HasExited), 60000) |> ignore

    running.HasExited |> shouldEqual false
    // The terminal belongs to script, which ends without a word to the program.
    running.Kill()
    running.WaitForExit()

let private colour = Text.RegularExpressions.Regex "\u001b\\[[0-9;]*(3|4|9|10)[0-9][0-9;]*m"

[<Tests>]
let tests =
    testList
        "Commands.Terminal"
        [
            for width in [ 20; 40; 60; 80; 120 ] do
                testCase $"every page of help fits {width} columns, word by word, and says the same"
                <| fun () ->
                    for name in pages do
                        let whole = page name
                        let fitted = Page.fit width whole

                        for line in fitted.Split '\n' do
                            // A word alone may be longer, as a range of choices that is written without spaces.
                            if line.Length > width then
                                line.Trim() |> shouldLackText " "

                        words fitted |> shouldEqual (words whole)

            testCase "a page that fits stays as it is"
            <| fun () ->
                for name in pages do
                    Page.fit 400 (page name) |> shouldEqual (page name)

            testCase "where there is room, what an option means stays in its column"
            <| fun () ->
                Page.fit 50 "    --seed <number>       the seed of every random number; 0 unless given."
                |> shouldEqual
                    "    --seed <number>       the seed of every random\n                          number; 0 unless given."

                Page.fit 20 "    --seed <number>       the seed\n                          of all"
                |> shouldEqual "  --seed <number>\n    the seed of all"

            testCase "every example of a page of help is a command that makes sense"
            <| fun () ->
                for verb in "" :: Verbs.names do
                    let examples = Examples.ofVerb verb
                    examples |> shouldHaveSome

                    for example in examples do
                        match words example.Words with
                        | "scae" :: arguments ->
                            match Arguments.parse (Array.ofList arguments) with
                            | Ok _ ->
                                if verb <> "" then
                                    arguments.Head |> shouldEqual verb
                            | Error line -> failtest $"{example.Words}: {line}"
                        | _ -> failtest $"{example.Words} isn't a command of scae"

            if hasTerminal then
                inTurn
                    "in a terminal"
                    [
                        testCase "help and list fit 40 and 20 columns"
                        <| fun () ->
                            for columns in [ 40; 20 ] do
                                let help = inTerminal columns "dumb" [] [ "train"; "--help" ]
                                help |> shouldContainText "--seed <number>\n"

                                for line in help.Split '\n' do
                                    if line.Trim().Contains ' ' then
                                        line.Length |> shouldBeAtMost columns

                                let list = inTerminal columns "dumb" [] [ "list" ]
                                list |> shouldContainText "quick"

                                for line in list.Split '\n' do
                                    if line.Trim().Contains ' ' then
                                        line.TrimEnd().Length |> shouldBeAtMost columns

                            inTerminal 1 "dumb" [] [ "list" ] |> shouldEqual (inTerminal 20 "dumb" [] [ "list" ])

                        testCase "what comes after the last step is told, of one training and of a sweep's"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let words verb name =
                                    verb :: shortTraining.Tail @ [ "--out"; Path.Combine(folder, name) ]

                                inTerminal 160 "xterm-256color" [] (words "train" "run")
                                |> shouldContainText "measuring on test data and drawing pictures"

                                inTerminal 160 "xterm-256color" [] (words "sweep" "sweep" @ [ "--seeds"; "3" ])
                                |> shouldContainText "seed 3: measuring on test data and drawing pictures"

                                let plain = inTerminal 160 "dumb" [] (words "train" "plain")

                                plain.Split '\n'
                                |> Array.filter (fun line ->
                                    line.StartsWith "epoch"
                                    || line.StartsWith "measuring"
                                    || line.StartsWith "numbers")
                                |> Array.map (fun line -> line.Split(' ')[0])
                                |> shouldEqual [| "epoch"; "epoch"; "epoch"; "measuring"; "numbers," |])

                        testCase "a training goes on when its terminal is closed, and its results are all there"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let out = Path.Combine(folder, "run")

                                let longer = shortTraining |> List.map (fun word -> if word = "3" then "60" else word)

                                longer @ [ "--out"; out ] |> inTerminalThatCloses (Path.Combine(out, "metrics.jsonl"))

                                let isDone () =
                                    File.Exists(Path.Combine(out, "summary.json"))
                                    && not (File.Exists(Path.Combine(out, "lock")))

                                Threading.SpinWait.SpinUntil(isDone, 120000) |> shouldEqual true
                                (File.ReadAllLines(Path.Combine(out, "metrics.jsonl"))).Length |> shouldEqual 60)

                        testCase "NO_COLOR leaves no colour"
                        <| fun () ->
                            let training =
                                shortTraining @ [ "--out"; Path.Combine(Path.GetTempPath(), $"scae-{Guid.NewGuid()}") ]

                            let out = List.last training

                            try
                                let coloured = inTerminal 100 "xterm-256color" [] training
                                colour.IsMatch coloured |> shouldEqual true
                                Directory.Delete(out, true)
                                let plain = inTerminal 100 "xterm-256color" [ "NO_COLOR", "1" ] training
                                colour.Matches plain |> Seq.map _.Value |> List.ofSeq |> shouldBeEmpty
                            finally
                                if Directory.Exists out then
                                    Directory.Delete(out, true)

                        testCase "a dumb terminal gets no control codes"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let out = Path.Combine(folder, "run")

                                for arguments in [ [ "list" ]; [ "--help" ]; shortTraining @ [ "--out"; out ] ] do
                                    inTerminal 60 "dumb" [] arguments |> shouldLackText "\u001b")
                    ]
        ]

/// Words that others write into a terminal or a shell.
module Scae.Tests.Runs.ShellTests

open System.Text
open Expecto
open Scae.Cli.Reports
open Scae.Cli.Runs
open Scae.Tests.Claims

[<Tests>]
let tests =
    testList
        "Runs.Shell"
        [
            testCase "a word is between quotes only where something in it is special"
            <| fun () ->
                for word, posix, windows in
                    [
                        "runs/air-paper-0", "runs/air-paper-0", "runs/air-paper-0"
                        "C:\\runs\\a", "'C:\\runs\\a'", "C:\\runs\\a"
                        "my runs", "'my runs'", "\"my runs\""
                        "C:\\my runs\\", "'C:\\my runs\\'", "\"C:\\my runs\\\\\""
                        "it's", "'it'\\''s'", "\"it's\""
                        "100%", "100%", "\"100%\""
                        "a,b", "a,b", "\"a,b\""
                        "", "''", "\"\""
                    ] do
                    (Shell.Quote(word, false), Shell.Quote(word, true)) |> shouldEqual (posix, windows)

            testCase "what controls a terminal is taken out of lines"
            <| fun () ->
                Notice.Plain "a\u001b[2J\u0007b\r\nc\u009bd\te" |> shouldEqual "a [2J b c d e"
                Notice.Plain "ε ≤ 1" |> shouldEqual "ε ≤ 1"

            testCase "JSON keeps its characters where the encoding has them"
            <| fun () ->
                let text = "{\"range\":\"≤ 3 𝛼\"}"
                Json.Text(text, UTF8Encoding false) |> shouldEqual text
                Json.Text(text, Encoding.Unicode) |> shouldEqual text
                Json.Text(text, Encoding.Latin1) |> shouldEqual "{\"range\":\"\\u2264 3 \\ud835\\udefc\"}"
        ]

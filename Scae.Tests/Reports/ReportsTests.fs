/// What people read, on whatever they read it.
module Scae.Tests.Reports.ReportsTests

open System
open System.IO
open Expecto
open Scae.Cli.Reports
open Scae.Cli.Runs
open Scae.Tests.Claims
open Spectre.Console

/// What a terminal of so many columns shows of a table.
let private shown (width: int) (unicode: bool) (table: FittedTable) : string[] =
    use writer = new StringWriter()

    let settings =
        AnsiConsoleSettings(
            Out = AnsiConsoleOutput writer,
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors
        )

    let console = AnsiConsole.Create settings
    console.Profile.Width <- width
    console.Profile.Capabilities.Unicode <- unicode
    console.Write table
    string(writer).TrimEnd().Split '\n' |> Array.map _.TrimEnd()

let private table () =
    Tables
        .New("metric", "measured", "published", "target")
        .AddRow("count accuracy", "76.1 %", "79.7 % (one seed, best of 8 epochs)", "77 to 85 % (mean of 5 seeds)")
        .AddRow("window error single", "0.6400", "", "")

let private words (text: string) =
    text.Split([| ' '; '\n'; '│'; '|'; ':'; '('; ')'; ','; '.' |], StringSplitOptions.RemoveEmptyEntries)

/// A stream that nothing can be written to.
type private Full() =
    inherit StringWriter()
    override _.Write(_: string | null) : unit = raise (IOException("No space left on device", 28))

[<Tests>]
let tests =
    testList
        "Reports"
        [
            for width in [ 30; 40; 50; 60; 80; 140 ] do
                testCase $"a table keeps its words and its width in {width} columns"
                <| fun () ->
                    let lines = shown width true (table ())
                    (lines |> Array.map _.Length |> Array.max) |> shouldBeAtMost width
                    let found = lines |> String.concat "\n" |> words |> Set.ofArray

                    for word in
                        words
                            "metric measured published target count accuracy 76 1 79 7 one seed best of 8 epochs 77 to 85 mean 5 seeds window error single 0 6400" do
                        found |> shouldContain word

            testCase "a table has one line a row where there is room"
            <| fun () -> shown 140 true (table ()) |> shouldHaveLength 6

            testCase "without UTF-8 nothing beyond ASCII frames a table"
            <| fun () ->
                let frame (lines: string[]) = lines |> String.concat "" |> Seq.filter (fun c -> c > '\127')
                shown 140 false (table ()) |> frame |> shouldBeEmpty
                shown 140 true (table ()) |> frame |> shouldHaveSome

            for locale, speaks in
                [
                    [], true
                    [ "LANG", "C" ], false
                    [ "LANG", "de_DE.ISO-8859-1" ], false
                    [ "LANG", "en_GB.UTF-8" ], true
                    [ "LANG", "en_GB.UTF-8"; "LC_ALL", "POSIX" ], false
                    [ "LANG", "C"; "LC_CTYPE", "C.utf8"; "LC_ALL", "" ], true
                ] do
                testCase $"the locale %A{locale} says whether UTF-8 is read"
                <| fun () ->
                    let variable name = locale |> List.tryFind (fst >> (=) name) |> Option.map snd |> Option.toObj

                    if not (OperatingSystem.IsWindows()) then
                        Terminal.SpeaksUnicode(Func<_, _> variable) |> shouldEqual speaks

            for metric, mean, deviation, text in
                [
                    "recovery", 0.8612, 0.0123, "86.1 ± 1.2 %"
                    "chamfer", 0.43121, 0.01, "0.4312 ± 0.0100"
                    "best_epoch", 7.6, 0.5164, "7.6 ± 0.5"
                    "procrustes_distance", 5.09e-6, 1.4e-7, "(5.09 ± 0.14)e-06"
                    "procrustes_distance", 5.09e-6, 1.4e-9, "(5.090 ± 0.001)e-06"
                    // The power of ten is the larger one's.
                    "bias", 1e-5, 0.02, "0.0000 ± 0.0200"
                    "bias", 1e-5, 0.0005, "(0.10 ± 5.00)e-04"
                    // A deviation has a digit, unless it is what rounding leaves.
                    "chamfer", 0.5, 3e-6, "0.500000 ± 0.000003"
                    "chamfer", 0.5, 1e-17, "0.5000 ± 0.0000"
                    "chamfer", 0.0, 0.0, "0.0000 ± 0.0000"
                    "accuracy", nan, nan, "NaN"
                    "bias", 0.00099996, 0.0, "(1.00 ± 0.00)e-03"
                    "loss", 999_999.0, 0.5, "999999.0000 ± 0.5000"
                    "loss", 1.25e20, 5e18, "(1.25 ± 0.05)e20"
                    "loss", infinity, nan, "Infinity ± NaN"
                ] do
                testCase $"{metric} %g{mean} ± %g{deviation} reads {text}"
                <| fun () -> Format.Spread(metric, mean, Nullable deviation) |> shouldEqual text

            for metric, value, text in
                [
                    "recovery", 0.86125, "86.1 %"
                    "accuracy", nan, "NaN"
                    "best_epoch", 7.0, "7"
                    "chamfer", 0.0010004, "0.0010"
                    "chamfer", 0.000999, "9.99e-04"
                    "chamfer", -5.094e-6, "-5.09e-06"
                    "chamfer", 0.0, "0.0000"
                    "chamfer", nan, "NaN"
                    "loss", -13_270.5, "-13270.5000"
                    "loss", 1.234e20, "1.23e20"
                    "loss", infinity, "Infinity"
                ] do
                testCase $"{metric} {value} reads {text}"
                <| fun () -> Format.Value(metric, value) |> shouldEqual text

            testCase "standard output that can't be written is named"
            <| fun () ->
                use output = new StandardOutput(new Full())

                messageOf<RunFailure>(fun () -> output.WriteLine "epoch 1")
                |> shouldEqual
                    "standard output can't be written (the disk is full); train and sweep write nothing there with --quiet"
        ]

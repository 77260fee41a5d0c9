/// `scae report`: what stands in the file, how large it may be, and what a browser makes of it.
module Scae.Tests.Reports.HtmlReportTests

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Expecto
open Scae.Tests.Turns
open Scae.Reports
open Scae.Tests.Claims
open Scae.Tests.Commands
open Scae.Tests.Commands.CommandLine

let private megabytes (text: string) : float = float (Text.Encoding.UTF8.GetByteCount text) / 1e6

let private chart (title: string) (curves: int) (epochs: int) : Chart =
    {
        Title = title
        Curves =
            [
                for i in 0 .. curves - 1 ->
                    {
                        Label = $"seed {i}"
                        Colour = i
                        Epochs = Array.init epochs float
                        Values = Array.init epochs (fun epoch -> Math.Sin(float (epoch * (i + 3))) * 1234.56789)
                    }
            ]
        Limits = struct (Double.NegativeInfinity, Double.PositiveInfinity)
        Format = Func<_, _>(fun (value: float) -> value.ToString("F4", Globalization.CultureInfo.InvariantCulture))
    }

let private report (charts: Chart list) (runs: ReportedRun list) : Report =
    {
        Title = "runs"
        Version = "1.2.3"
        Sections =
            [
                {
                    Title = "Constellations"
                    Summary = "Group points."
                    Paper = "A paper"
                    Note = "A note"
                    Results = { Columns = [ "metric"; "measured" ]; Rows = [ [ "recovery"; "81 %\n82 %" ] ] }
                    Key = [ "seed 0", 0; "seed 1", 1 ]
                    Charts = charts
                    Runs = runs
                }
            ]
    }

let private run (name: string) (pictures: Picture list) : ReportedRun =
    {
        Name = name
        Summary = "600 steps."
        Command = "scae train constellations"
        Settings = [ { Name = "width"; Value = "16"; Preset = Some "32" } ]
        Pictures = pictures
        Omitted = ""
    }

/// What a browser would fetch, other than from the file itself.
let private fetched (html: string) : string list =
    [
        for pattern in
            [
                "(?:src|href)=\"([^\"]*)\""
                "url\\(([^)]*)\\)"
                "@import ([^;]*)"
                "(?:fetch|import|XMLHttpRequest)\\(([^)]*)\\)"
            ] do
            for found in Regex.Matches(html, pattern) do
                if not (found.Groups[1].Value.StartsWith "data:") then
                    found.Value
    ]

/// What headless Chromium says of a page, and its text after the script ran; None where there is no Chromium.
let private shown (page: string) : (string * string) option =
    let browser =
        (nonNull (Environment.GetEnvironmentVariable "PATH")).Split Path.PathSeparator
        |> Seq.allPairs [ "chromium"; "chromium-browser"; "google-chrome" ]
        |> Seq.map (fun (name, folder) -> Path.Combine(folder, name))
        |> Seq.tryFind File.Exists

    match browser with
    | None ->
        printfn "Reports.HtmlReport: there is no Chromium on the PATH, so no browser has opened the report"
        None
    | Some browser ->
        let info = ProcessStartInfo(browser, RedirectStandardOutput = true, RedirectStandardError = true)

        for option in
            [
                "--headless"
                "--no-sandbox"
                "--disable-gpu"
                "--enable-logging=stderr"
                "--dump-dom"
                $"file://{page}"
            ] do
            info.ArgumentList.Add option

        use running = nonNull (Process.Start info)
        let error = running.StandardError.ReadToEndAsync()
        let output = running.StandardOutput.ReadToEnd()
        running.WaitForExit()
        Some(output, error.Result)

[<Tests>]
let tests =
    inTurn
        "Reports.HtmlReport"
        [
            testCase "names are text, whatever is in them"
            <| fun () ->
                let evil = "</script><script>alert('x')</script>&<b>\""

                let chart =
                    { chart evil 2 3 with
                        Curves = [ { (chart "a" 1 3).Curves[0] with Label = evil } ]
                    }

                let page = Report.html { report [ chart ] [ run evil [] ] with Title = evil }
                page |> shouldLackText "alert('x')</script>"
                page |> shouldLackText "<b>"
                Regex.Matches(page, "<script").Count |> shouldEqual 2
                Regex.Matches(page, "</script>").Count |> shouldEqual 2

            testCase "the file asks for nothing from outside"
            <| fun () ->
                let picture = { Caption = "a"; MediaType = "image/png"; Width = 10; Bytes = [| 1uy; 2uy |] }

                let page = Report.html (report [ chart "loss" 1 5 ] [ run "seed 0" [ picture ] ])
                fetched page |> shouldBeEmpty
                page |> shouldContainText "src=\"data:image/png;base64,AQI=\""
                fetched "<img src=\"https://a.b/c.png\"><style>@import x;</style>" |> shouldHaveLength 2

            for curves, epochs, charts in [ 1, 10000, 20; 30, 2000, 12; 200, 300, 12 ] do
                testCase
                    $"{charts} charts of {curves} curves of {epochs} epochs, and all the pictures there may be, are 5 MB at most"
                <| fun () ->
                    let picture =
                        {
                            Caption = "a"
                            MediaType = "image/png"
                            Width = 10
                            Bytes = Array.zeroCreate Report.PictureBytes
                        }

                    let page =
                        Report.html (
                            report
                                [ for i in 1..charts -> chart $"metric {i}" curves epochs ]
                                [ for i in 1..curves -> run $"seed {i}" (if i = 1 then [ picture ] else []) ]
                        )

                    megabytes page |> shouldBeAtMost 5.0

            testCase "nothing to draw is drawn: no epochs, one epoch, NaN alone"
            <| fun () ->
                let one = { (chart "loss" 1 1).Curves[0] with Values = [| nan |] }

                let page =
                    Report.html (
                        report [ chart "loss" 1 0; chart "loss" 1 1; { chart "loss" 1 1 with Curves = [ one ] } ] []
                    )

                page |> shouldLackText "NaN"
                page |> shouldLackText "∞"
                page |> shouldContainText "<circle"

            testCase "the axis of a constant share doesn't reach beyond what a share can be"
            <| fun () ->
                let constant value limits =
                    let curve = { (chart "share" 1 3).Curves[0] with Values = Array.create 3 value }
                    Report.html (report [ { chart "share" 1 3 with Curves = [ curve ]; Limits = limits } ] [])

                let free = struct (Double.NegativeInfinity, Double.PositiveInfinity)
                constant 100.0 free |> shouldContainText ">102</text>"
                let share = constant 100.0 (struct (0.0, 100.0))
                share |> shouldContainText ">100</text>"
                share |> shouldLackText ">101</text>"
                share |> shouldLackText ">102</text>"
                constant 0.0 (struct (0.0, 100.0)) |> shouldLackText ">-"

            testCase "a chart says in words how its curves begin and end, and where they lie"
            <| fun () ->
                let curve values = { (chart "loss" 1 3).Curves[0] with Values = values }
                let one = { chart "loss" 1 3 with Curves = [ curve [| 0.5; 0.25; nan |] ] }
                let two = { one with Curves = one.Curves @ [ curve [| 0.5; 0.125; 0.375 |] ] }
                let page = Report.html (report [ one; two ] [])

                page
                |> shouldContainText
                    "aria-label=\"loss over the epochs: first 0.5000, last 0.2500, all within 0.2500 to 0.5000\""

                page
                |> shouldContainText
                    "aria-label=\"loss over the epochs: 2 curves, first 0.5000, last 0.2500 to 0.3750, all within 0.1250 to 0.5000\""

            testCase
                "a run's report has its figures, its command and its pictures, and is the same when it is written again"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "it's a run")

                    (CommandLine.run (shortTraining @ [ "--seed"; "3"; "--out"; out; "--quiet" ])).ExitCode
                    |> shouldEqual 0

                    let reported = CommandLine.run [ "report"; out ]
                    reported.Error |> shouldEqual ""
                    let path = Path.Combine(out, "report.html")
                    reported.Output.TrimEnd() |> shouldEqual path
                    let page = File.ReadAllText path
                    megabytes page |> shouldBeAtMost 5.0
                    fetched page |> shouldBeEmpty

                    for words in
                        [
                            "<title>Constellations, preset quick, seed 3</title>"
                            "86.9 % (one seed, validation scenes, final epoch)"
                            "scae train constellations --preset quick --seed 3 --epochs 3 --steps-per-epoch 20"
                            "the preset has 6"
                            "examples</figcaption>"
                            "data:image/gif;base64,"
                            "prefers-color-scheme: dark"
                            "@media print"
                        ] do
                        page |> shouldContainText words

                    Regex.Matches(page, "<svg").Count |> shouldEqual 4
                    let again = Path.Combine(folder, "again", "page.html")
                    (CommandLine.run [ "report"; out; "--out"; again ]).ExitCode |> shouldEqual 0
                    File.ReadAllText again |> shouldEqual page

                    // A picture that is cut off is left out, and the report says so.
                    let picture = Path.Combine(out, "figures", "examples.png")
                    let bytes = File.ReadAllBytes picture
                    File.WriteAllBytes(picture, bytes[..9])
                    (CommandLine.run [ "report"; out; "--out"; again ]).ExitCode |> shouldEqual 0

                    File.ReadAllText again
                    |> shouldContainText "Left out, damaged or beyond what a report has room for: examples.png."

                    File.WriteAllBytes(picture, bytes)

                    // The pointer over a chart: the script answers with the epoch and the value.
                    let pointed =
                        page.Replace(
                            "</body>",
                            "<script>document.querySelector('.chart svg').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))</script></body>"
                        )

                    File.WriteAllText(again, pointed)

                    match shown again with
                    | None -> ()
                    | Some(dom, log) ->
                        log |> shouldLackText "CONSOLE"

                        Regex.IsMatch(
                            dom,
                            "<div class=\"box\" role=\"status\" style=\"left: [0-9.]+px; top: [0-9.]+px;"
                        )
                        |> shouldEqual true

                        // One box a chart, of which the others are empty and hidden.
                        Regex.Matches(dom, "class=\"box\"").Count |> shouldEqual 4

                        Regex.Matches(dom, "<div class=\"box\" role=\"status\" hidden=\"\"></div>").Count
                        |> shouldEqual 3

                        dom |> shouldContainText "epoch 1<div>"

                        // What the browser says of a page with an error is noticed.
                        File.WriteAllText(again, pointed.Replace("\"use strict\";", "no such thing;"))
                        let _, log = (shown again).Value
                        log |> shouldContainText "CONSOLE")

            testCase "a sweep's report has means and deviations, and what isn't finished is said"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep =
                        [ "sweep" ]
                        @ shortTraining.Tail
                        @ [ "--vary"; "width=16,32"; "--seeds"; "0..1"; "--out"; folder; "--json" ]

                    let swept = CommandLine.run sweep
                    swept.ExitCode |> shouldEqual 0
                    File.Delete(Path.Combine(folder, "width=16", "seed-1", "summary.json"))
                    let reported = CommandLine.run [ "report"; folder; "--json" ]
                    reported.Error |> shouldEqual ""
                    (json reported.Output |> property "runs").GetArrayLength() |> shouldEqual 4

                    let page =
                        nonNull (Net.WebUtility.HtmlDecode(File.ReadAllText(Path.Combine(folder, "report.html"))))

                    let recovery =
                        (json swept.Output |> property "combinations")[1] |> property "metrics" |> property "recovery"

                    let mean, deviation =
                        (recovery |> property "mean").GetDouble(), (recovery |> property "deviation").GetDouble()

                    page |> shouldContainText $"%.1f{100.0 * mean} ± %.1f{100.0 * deviation} %%"
                    page |> shouldContainText "width 16 (1 seed)"
                    page |> shouldContainText "Not finished: 3 epochs are evaluated so far."
                    // A run that has only begun is left out.
                    File.WriteAllText(Path.Combine(folder, "width=16", "seed-1", "metrics.jsonl"), "")
                    let again = CommandLine.run [ "report"; folder; "--json" ]
                    (json again.Output |> property "runs").GetArrayLength() |> shouldEqual 3
                    // A damaged one is left out with a line.
                    let summary = Path.Combine(folder, "width=32", "seed-0", "summary.json")
                    File.WriteAllText(summary, "{}")
                    let rest = CommandLine.run [ "report"; folder; "--json" ]
                    (rest.ExitCode, (json rest.Output |> property "runs").GetArrayLength()) |> shouldEqual (0, 2)
                    rest.Error |> shouldContainText $"{summary}: the file is damaged"
                    rest.Error |> shouldContainText "the report is of the other runs")

            testCase "what is no run, or a damaged one, is refused in one line"
            <| fun () ->
                inNewFolder (fun folder ->
                    let refused (arguments: string list) (code: int) (expected: string) =
                        let result = CommandLine.run ("report" :: arguments)
                        result.Error.TrimEnd() |> shouldEqual expected
                        result.ExitCode |> shouldEqual code

                    refused [ "nowhere" ] 1 "scae: nowhere: there is no such folder; scae train leaves one under runs/"

                    refused
                        [ folder ]
                        1
                        $"scae: {folder}: the folder holds neither a run nor a sweep's runs; scae train leaves one under runs/"

                    let out = Path.Combine(folder, "run")
                    (CommandLine.run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0

                    refused
                        [ out; "--out"; folder ]
                        2
                        $"scae: --out {folder}: this is a folder; name a file, such as {folder}/report.html"

                    refused
                        [ out; "--out"; "report.pdf" ]
                        2
                        "scae: --out report.pdf: must end in .html, or in .png or .svg for the curves as a picture"

                    let metrics = Path.Combine(out, "metrics.jsonl")
                    let whole = File.ReadAllText metrics

                    for damaged in [ "{\"epoch\":"; "{\"epoch\":1e400,\"step\":9}" ] do
                        File.WriteAllText(metrics, whole + damaged)
                        refused [ out ] 1 $"scae: {metrics}: line 4 isn't an evaluation"

                    File.WriteAllText(metrics, "")

                    refused
                        [ out ]
                        1
                        $"scae: {out}: the run has no evaluation yet; the first comes at the end of its first epoch"

                    File.WriteAllText(metrics, whole)
                    let summary = Path.Combine(out, "summary.json")
                    File.WriteAllText(summary, "{}")

                    refused
                        [ out ]
                        1
                        $"scae: {summary}: the file is damaged; scae train --resume --out {out} writes it again"

                    File.WriteAllText(Path.Combine(out, "run.json"), "[]")
                    let settings = Path.Combine(out, "run.json")
                    refused [ out ] 1 $"scae: {settings}: the file is damaged")

            testCase "a page of somebody else's is written over only if its name is given"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (CommandLine.run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let page = Path.Combine(out, "report.html")
                    File.WriteAllText(page, "<p>my notes</p>")
                    let refused = CommandLine.run [ "report"; out ]
                    refused.ExitCode |> shouldEqual 2

                    refused.Error.TrimEnd()
                    |> shouldEqual
                        $"scae: {page}: the file is there, and was not written by scae report; name another with --out"

                    File.ReadAllText page |> shouldEqual "<p>my notes</p>"
                    (CommandLine.run [ "report"; out; "--out"; page ]).ExitCode |> shouldEqual 0
                    (CommandLine.run [ "report"; out ]).ExitCode |> shouldEqual 0)
        ]

/// What a report makes of runs that have something in common: a seed, their images, the room for pictures.
module Scae.Tests.Reports.ReportBuilderTests

open System.IO
open Expecto
open Scae.Cli.Reports
open Scae.Cli.Runs
open Scae.Core.Figures
open Scae.Core.Training
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine
open Scae.Tests.Turns

let private identity: RunIdentity =
    {
        Experiment = "constellations"
        Preset = "published"
        Seed = 0L
        Settings = []
        Version = "1.2.3"
        Data = None
    }

/// A finished run's folder, as far as a report reads it.
let private writeRun (parent: string) (name: string) (identity: RunIdentity) (recovery: float) : string =
    let folder = (Directory.CreateDirectory(Path.Combine(parent, name))).FullName
    let write (name: string) (text: string) = File.WriteAllText(Path.Combine(folder, name), text)
    write "run.json" (RunSettings.ToJson(identity, 1, null))
    write "metrics.jsonl" $"{{\"epoch\": 1, \"step\": 20, \"seconds\": 1, \"recovery\": {recovery}}}\n"

    Summary(
        identity.Experiment,
        identity.Preset,
        identity.Seed,
        20,
        Spent(),
        1.0,
        [ "best_recovery", recovery; "best_epoch", 7.0 + float identity.Seed ],
        []
    )
        .ToJson()
    |> write "summary.json"

    folder

/// A picture of so many bytes, of which nothing but its header is looked at.
let private writePicture (run: string) (name: string) (bytes: int) =
    let figures = (Directory.CreateDirectory(Path.Combine(run, "figures"))).FullName
    File.WriteAllBytes(Path.Combine(figures, name), Array.zeroCreate bytes)

let private reportOf (folder: string) (runs: string list) : string =
    let page = Path.Combine(folder, "page.html")
    let result = run ("report" :: runs @ [ "--out"; page ])
    (result.ExitCode, result.Error) |> shouldEqual (0, "")
    nonNull (System.Net.WebUtility.HtmlDecode(File.ReadAllText page))

[<Tests>]
let tests =
    inTurn
        "Reports.ReportBuilder"
        [
            testCase "a seed that is there twice counts once, and the page says which run doesn't"
            <| fun () ->
                inNewFolder (fun folder ->
                    let write name seed recovery = writeRun folder name { identity with Seed = seed } recovery
                    let first, second = write "first" 0L 0.5, write "second" 0L 0.7
                    let page = reportOf folder [ first; second; write "third" 1L 0.6 ]
                    page |> shouldContainText "published (2 seeds)"
                    page |> shouldContainText "55.0 ± 7.1 %"
                    page |> shouldContainText "7.5 ± 0.7"

                    page
                    |> shouldContainText "Left out of these figures, which have the seed already: seed 0 (second)."

                    for name in [ "seed 0 (first)"; "seed 0 (second)"; "seed 1" ] do
                        page |> shouldContainText $"<h3>published, {name}</h3>"

                    // Folders whose last parts are alike are told apart by their paths.
                    let below = Directory.CreateDirectory(Path.Combine(folder, "below")).FullName
                    let same = writeRun below "first" identity 0.5
                    reportOf folder [ first; same ] |> shouldContainText $"already: seed 0 ({same}).")

            testCase "runs of a sweep are in the order of their numbers"
            <| fun () ->
                inNewFolder (fun folder ->
                    for seed in [ 10L; 9L; 2L ] do
                        writeRun folder $"seed-{seed}" { identity with Seed = seed } 0.5 |> ignore

                    ReportedFolder.ReadAll [ folder ]
                    |> Seq.map _.Identity.Seed
                    |> List.ofSeq
                    |> shouldEqual [ 2L; 9L; 10L ]

                    let varied = Directory.CreateDirectory(Path.Combine(folder, "varied")).FullName
                    let rates = [ "0.001"; "0.01"; "0.25"; "0.5"; "2"; "10" ]

                    for rate in List.rev rates do
                        let combination = Directory.CreateDirectory(Path.Combine(varied, $"rate={rate}")).FullName
                        writeRun combination "seed-0" identity 0.5 |> ignore

                    ReportedFolder.ReadAll [ varied ]
                    |> Seq.map (fun run -> run.Folder.Path)
                    |> List.ofSeq
                    |> shouldEqual [ for rate in rates -> Path.Combine(varied, $"rate={rate}", "seed-0") ])

            testCase "curves of runs are one picture, a panel a metric and a line a run, over steps"
            <| fun () ->
                inNewFolder (fun folder ->
                    let runs =
                        [ 0L, 0.5; 1L, 0.7 ]
                        |> List.map (fun (seed, recovery) ->
                            writeRun folder $"{seed}" { identity with Seed = seed } recovery)

                    let figure = ReportCurves.Of(ReportedFolder.ReadAll runs)
                    let panel = figure.Panels |> List.concat |> List.exactlyOne
                    (panel.Title, panel.X.Label, panel.Y.Label) |> shouldEqual ("recovery", "step", "%")

                    panel.Marks
                    |> List.map (fun mark ->
                        match mark with
                        | Mark.Line line -> line.X, line.Y
                        | other -> failtest $"%A{other}")
                    |> shouldEqual [ [| 20.0 |], [| 50.0 |]; [| 20.0 |], [| 70.0 |] ]

                    figure.Key |> List.map _.Label |> shouldEqual [ "published, seed 0"; "published, seed 1" ]
                    figure.Note |> shouldEqual ""

                    for name, start in [ "curves.png", "\137PNG"; "curves.svg", "<?xml" ] do
                        let path = Path.Combine(folder, name)
                        (run ("report" :: runs @ [ "--out"; path ])).ExitCode |> shouldEqual 0

                        Array.truncate start.Length (File.ReadAllBytes path)
                        |> shouldEqual (System.Text.Encoding.Latin1.GetBytes start)

                    let other = writeRun folder "other" { identity with Experiment = "air"; Preset = "quick" } 0.5

                    (run [ "report"; runs.Head; other; "--out"; Path.Combine(folder, "both.png") ]).Error
                    |> shouldContainText "curves of constellations and air don't fit into one picture")

            testCase "curves of several groups have a colour a group, and what all share stands below"
            <| fun () ->
                inNewFolder (fun folder ->
                    let runs =
                        [ "12", 0L; "24", 0L; "24", 1L ]
                        |> List.map (fun (hidden, seed) ->
                            let settings = [ "hidden", hidden; "epochs", "3" ]
                            writeRun folder $"{hidden}-{seed}" { identity with Seed = seed; Settings = settings } 0.5)

                    let figure = ReportCurves.Of(ReportedFolder.ReadAll runs)

                    figure.Key
                    |> List.map _.Label
                    |> shouldEqual [ "published, hidden 12, seed 0"; "published, hidden 24 (2 seeds)" ]

                    figure.Note |> shouldEqual "All with epochs 3."

                    (figure.Panels |> List.concat |> List.exactlyOne).Marks
                    |> List.map (fun mark ->
                        match mark with
                        | Mark.Line line -> line.Colour
                        | other -> failtest $"%A{other}")
                    |> shouldEqual [ Palette.category 0; Palette.category 1; Palette.category 1 ])

            testCase "nine runs and more have colours that differ, up to twelve"
            <| fun () ->
                inNewFolder (fun folder ->
                    let runs = [ for seed in 0L .. 11L -> writeRun folder $"{seed}" { identity with Seed = seed } 0.5 ]

                    let colours = (ReportCurves.Of(ReportedFolder.ReadAll runs)).Key |> List.map _.Colour
                    colours |> List.distinct |> shouldEqual colours)

            testCase "a target of several seeds isn't met by the same seed several times"
            <| fun () ->
                inNewFolder (fun folder ->
                    let write seeds =
                        seeds
                        |> List.mapi (fun i seed -> writeRun folder $"{i}" { identity with Seed = seed } 0.86)
                        |> reportOf folder

                    write [ 0L .. 4L ] |> shouldContainText "(mean of 5 seeds): holds"
                    write [ 0L; 0L; 0L; 0L; 0L ] |> shouldLackText ": holds")

            testCase "runs of other images are another group, and a command says that a folder belongs to it"
            <| fun () ->
                inNewFolder (fun folder ->
                    let write name digit =
                        let own =
                            { identity with
                                Experiment = "air"
                                Preset = "quick"
                                Settings = [ "digits", "idx" ]
                                Data = Some(String.replicate 64 digit)
                            }

                        writeRun folder name own 0.5

                    let mine, others = write "mine" "a", write "others" "b"
                    let page = reportOf folder [ mine; others ]
                    page |> shouldContainText "quick, digits idx, data aaaaaaaa (1 seed)"
                    page |> shouldContainText "<h3>quick, digits idx, data bbbbbbbb, seed 0</h3>"
                    page |> shouldLackText "Left out"

                    page |> shouldContainText "scae train air --preset quick --seed 0 --digits idx --data FOLDER<"

                    reportOf folder [ mine ] |> shouldLackText ", data")

            testCase "pictures take the room that other runs leave, the training's curves first"
            <| fun () ->
                inNewFolder (fun folder ->
                    let one, two = writeRun folder "one" identity 0.5, writeRun folder "two" identity 0.5
                    writePicture one "examples.png" 1_000_000
                    writePicture one "training-curves.png" 1_000_000
                    reportOf folder [ one; two ] |> shouldLackText "Left out, damaged"

                    writePicture two "examples.png" 500_000
                    reportOf folder [ one; two ] |> shouldLackText "Left out, damaged"

                    // Together they are too many, and one run takes no more than the other.
                    writePicture two "more.png" 600_000
                    writePicture two "training-curves.png" 600_000
                    let page = reportOf folder [ one; two ]
                    page |> shouldContainText "has room for: examples.png.</p>"
                    page |> shouldContainText "has room for: more.png.</p>"
                    page |> shouldContainText "training curves</figcaption>")
        ]

/// What `--tensorboard` leaves, read by readers that aren't ours.
module Scae.Tests.TensorBoard.TrainingEventsTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open System.Runtime.InteropServices
open System.Text.RegularExpressions
open Expecto
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

/// The protocol buffers' own compiler, of the package that compiles our messages.
let private protoc =
    let tools =
        Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
        |> Seq.find (fun attribute -> attribute.Key = "ProtocolTools")

    let arm = RuntimeInformation.OSArchitecture = Architecture.Arm64

    let platform, suffix =
        if OperatingSystem.IsWindows() then "windows_x64", ".exe"
        elif OperatingSystem.IsMacOS() then "macosx_universal", ""
        elif arm then "linux_arm64", ""
        else "linux_x64", ""

    Path.Combine(nonNull tools.Value, platform, "protoc" + suffix)

/// A message as protoc shows it without a description: numbers of fields, and what they hold.
let private decoded (message: byte[]) : string =
    let info =
        ProcessStartInfo(protoc, "--decode_raw", RedirectStandardInput = true, RedirectStandardOutput = true)

    use running = nonNull (Process.Start info)
    running.StandardInput.BaseStream.Write message
    running.StandardInput.Close()
    let text = running.StandardOutput.ReadToEnd()
    running.WaitForExit()
    running.ExitCode |> shouldEqual 0
    text

let private number (name: string) (found: Map<string, EventReader.Field>) : float =
    match found[name] with
    | EventReader.Bits bits -> BitConverter.ToDouble(bits, 0)
    | other -> failtest $"{name} is %A{other}"

[<Tests>]
let tests =
    inTurn
        "TensorBoard.TrainingEvents"
        [
            testCase "a training leaves scalars, pictures and hyperparameters"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    let events = Path.Combine(out, "events.out.tfevents")
                    let train options = run (shortTraining @ [ "--out"; out; "--quiet" ] @ options)
                    (train [ "--tensorboard" ]).ExitCode |> shouldEqual 0
                    let values = EventReader.values events

                    // Every scalar of metrics.jsonl is there, at its step.
                    for line in File.ReadAllLines(Path.Combine(out, "metrics.jsonl")) do
                        let line = json line
                        let step = (line |> property "step").GetInt64()

                        for pair in line.EnumerateObject() do
                            let tag =
                                match pair.Name with
                                | "train_loss" -> Some "train/loss"
                                | "epoch"
                                | "seconds" -> Some $"time/{pair.Name}"
                                | "step" -> None
                                | metric -> Some $"validation/{metric}"

                            for tag in Option.toList tag do
                                let found = values |> List.filter (fun value -> value.Tag = tag && value.Step = step)
                                found |> shouldHaveLength 1
                                float found.Head.Scalar.Value |> shouldBeNear 1e-3 (pair.Value.GetDouble())

                    let summary = json (File.ReadAllText(Path.Combine(out, "summary.json")))

                    for metric in (summary |> property "metrics").EnumerateObject() do
                        values
                        |> List.filter (fun value -> value.Tag = $"test/{metric.Name}")
                        |> List.map (fun value -> value.Step, value.Scalar.Value)
                        |> shouldEqual [ 60L, float32 (metric.Value.GetDouble()) ]

                    // The pictures are the files' bytes, with their size.
                    for name in [ "examples.png"; "confusion.png"; "training.gif" ] do
                        let bytes = File.ReadAllBytes(Path.Combine(out, "figures", name))
                        let tag = "figures/" + Path.GetFileNameWithoutExtension name
                        let found = values |> List.filter (fun value -> value.Tag = tag) |> List.exactlyOne
                        found.Picture |> shouldEqual bytes
                        use picture = SkiaSharp.SKBitmap.Decode bytes
                        found.Size |> shouldEqual (picture.Width, picture.Height)

                    let found = EventReader.hyperparameters values
                    number "epochs" found |> shouldEqual 3.0
                    number "learning-rate" found |> shouldBeNear 1e-12 0.003
                    number "seed" found |> shouldEqual 0.0
                    found["preset"] |> shouldEqual (EventReader.Bytes "quick"B)

                    // Going on with a finished run adds nothing, though it isn't told of TensorBoard again.
                    let before = File.ReadAllBytes events
                    (train [ "--resume" ]).ExitCode |> shouldEqual 0
                    File.ReadAllBytes events |> shouldEqual before

                    // protoc agrees on numbers and types of fields.
                    let text = EventReader.records events |> List.map decoded |> String.concat ""

                    text |> shouldContainText "3: \"brain.Event:2\""
                    text |> shouldContainText "1: \"train/loss\""
                    Regex.Matches(text, "\"train/loss\"").Count |> shouldEqual 3

                    Regex.IsMatch(text, "2: 20\n5 {\n  1 {\n    1: \"train/loss\"\n    2: 0x[0-9a-f]{8}\n")
                    |> shouldEqual true

                    Regex.IsMatch(
                        text,
                        "1: \"figures/examples\"\n    4 {\n      1: \\d+\n      2: \\d+\n      3: 3\n      4: "
                    )
                    |> shouldEqual true

                    Regex.IsMatch(text, "1: \"hparams\"") |> shouldEqual true)

            testCase "a run that went without is joined by its whole course"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    let train options = run (shortTraining @ [ "--out"; out; "--quiet" ] @ options)
                    (train []).ExitCode |> shouldEqual 0
                    let events = Path.Combine(out, "events.out.tfevents")
                    File.Exists events |> shouldEqual false
                    (train [ "--resume"; "--tensorboard" ]).ExitCode |> shouldEqual 0

                    EventReader.values events
                    |> List.filter (fun value -> value.Tag = "train/loss")
                    |> List.map _.Step
                    |> shouldEqual [ 20L; 40L; 60L ])

            testCase "a folder in the event file's place is refused before there is anything to lose"
            <| fun () ->
                inNewFolder (fun folder ->
                    let events = Path.Combine(folder, "events.out.tfevents")
                    Directory.CreateDirectory events |> ignore
                    let result = run (shortTraining @ [ "--out"; folder; "--tensorboard" ])
                    result.ExitCode |> shouldEqual 1

                    result.Error.TrimEnd()
                    |> shouldEqual $"scae: {events}: a folder is where a file of the run belongs; rename it")
        ]

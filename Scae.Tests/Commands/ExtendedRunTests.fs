/// Runs that go on after their end: with more epochs, measured otherwise, or begun by a version that measured something else.
module Scae.Tests.Commands.ExtendedRunTests

open System
open System.IO
open System.Text.Json.Nodes
open Expecto
open Scae.Core.Training
open Scae.Cli.Runs
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Training.Trained
open Scae.Tests.Commands.CommandLine

let private inRun (folder: string) (name: string) = Path.Combine(folder, name)

let private training =
    [
        "train"
        "constellations"
        "--preset"
        "quick"
        "--steps-per-epoch"
        "20"
        "--test-size"
        "64"
        "--snapshot-every"
        "20"
    ]

/// A training of neural EM of two steps an epoch.
let private slots =
    [
        "train"
        "neural-em"
        "--preset"
        "quick"
        "--steps-per-epoch"
        "2"
        "--validation-size"
        "4"
        "--test-size"
        "4"
    ]

/// Writes a checkpoint as a version would have written it that measured something else.
let private rewrite (checkpoint: string) (change: SafetensorsFile -> SafetensorsFile) : unit =
    let file = change (accepted (Safetensors.parse (File.ReadAllBytes checkpoint)))
    let metadata = file.Metadata |> Map.remove Safetensors.ChecksumKey
    File.WriteAllBytes(checkpoint, Safetensors.serialize metadata (Map.toList file.Tensors))

let private metrics (out: string) : JsonNode list =
    [
        for line in File.ReadLines(inRun out "metrics.jsonl") do
            nonNull (JsonNode.Parse line)
    ]

[<Tests>]
let tests =
    inTurn
        "Commands.ExtendedRun"
        [
            testCase "a run can be measured otherwise when it is gone on with"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    (run (training @ [ "--epochs"; "2"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0

                    let best () =
                        (accepted (Safetensors.parse (File.ReadAllBytes(inRun out "best.safetensors")))).Tensors

                    let before = best ()

                    (run [ "train"; "--resume"; "--out"; out; "--epochs"; "3"; "--test-size"; "32" ]).Error
                    |> shouldContainText "this one has done 40 of 60; finish it first, or ask scae eval"

                    let again = run [ "train"; "--resume"; "--out"; out; "--test-size"; "32"; "--quiet" ]
                    (again.ExitCode, again.Error) |> shouldEqual (0, "")
                    let settings = RunFolder.At(out).ReadIdentity().Settings
                    settings |> List.find (fst >> (=) "test-size") |> snd |> shouldEqual "32"
                    best () |> shouldEqual before

                    (run [ "train"; "--resume"; "--out"; out; "--epochs"; "3"; "--test-size"; "16" ]).Error
                    |> shouldContainText
                        "when its epochs were measured the run had --test-size 64, and it must have that for those that follow, too"

                    (run [ "train"; "--resume"; "--out"; out; "--width"; "16" ]).Error
                    |> shouldContainText "go on with the hyperparameters that it began with")

            testCase "a run that was measured otherwise at its end goes on only as its epochs were measured"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out, straight = inRun folder "run", inRun folder "straight"
                    let train epochs out = run (slots @ [ "--epochs"; epochs; "--out"; out; "--quiet" ])
                    let resume words = run ([ "train"; "--resume"; "--out"; out; "--quiet" ] @ words)
                    (train "1" out).ExitCode |> shouldEqual 0
                    (train "2" straight).ExitCode |> shouldEqual 0

                    // Measured otherwise twice, it still knows how its epochs were measured.
                    for starts in [ "2"; "3" ] do
                        (resume [ "--measured-starts"; starts ]).ExitCode |> shouldEqual 0

                    let refused = resume [ "--epochs"; "2" ]

                    refused.Error
                    |> shouldContainText
                        "when its epochs were measured the run had --measured-starts 1, and it must have that for those that follow, too; add --measured-starts 1"

                    refused.ExitCode |> shouldEqual 2
                    File.Exists(inRun out "summary.json") |> shouldEqual true
                    let goesOn = resume [ "--epochs"; "2"; "--measured-starts"; "1" ]
                    (goesOn.ExitCode, goesOn.Error) |> shouldEqual (0, "")

                    File.ReadAllBytes(inRun out "last.safetensors")
                    |> shouldEqual (File.ReadAllBytes(inRun straight "last.safetensors")))

            testCase "a run goes on that was begun by a version with other metrics, and is drawn"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    (run (training @ [ "--epochs"; "1"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0

                    rewrite (inRun out "last.safetensors") (fun file ->
                        { file with
                            Metadata =
                                file.Metadata |> Map.change "metrics" (Option.map _.Replace("chamfer", "former"))
                        })

                    let goesOn = run [ "train"; "--resume"; "--out"; out; "--epochs"; "2"; "--quiet" ]
                    (goesOn.ExitCode, goesOn.Error) |> shouldEqual (0, "")

                    let isKnown (name: string) =
                        [
                            for line in metrics out do
                                match line[name] with
                                | null -> false
                                | _ -> true
                        ]

                    isKnown "former" |> shouldEqual [ true; false ]
                    isKnown "chamfer" |> shouldEqual [ false; true ]
                    // What is read from the file is what was kept of it.
                    let again = run [ "train"; "--resume"; "--out"; out; "--epochs"; "3"; "--quiet" ]
                    (again.ExitCode, again.Error) |> shouldEqual (0, "")
                    isKnown "former" |> shouldEqual [ true; false; false ]
                    isKnown "chamfer" |> shouldEqual [ false; true; true ]
                    (run [ "figures"; out ]).ExitCode |> shouldEqual 0)

            testCase "a snapshot that holds something else than this version's is left out of the animation"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = inRun folder "run"
                    (run (training @ [ "--epochs"; "1"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let movie = inRun (inRun out "figures") "training.gif"
                    let before = File.ReadAllBytes movie
                    let snapshots = inRun out "snapshots"
                    let own = inRun snapshots "00000020.safetensors"
                    File.Copy(own, inRun snapshots "00000010.safetensors")

                    let other (name: string) (change: TensorEntry -> TensorEntry) =
                        rewrite (inRun snapshots "00000010.safetensors") (fun file ->
                            let first = file.Tensors |> Map.toList |> List.head

                            { file with
                                Tensors = file.Tensors |> Map.remove (fst first) |> Map.add name (change (snd first))
                            })

                        let drawn = run [ "figures"; out ]
                        (drawn.ExitCode, drawn.Error) |> shouldEqual (0, "")
                        File.ReadAllBytes movie |> shouldEqual before

                    other "another" id
                    File.Copy(own, inRun snapshots "00000010.safetensors", true)

                    let name =
                        (accepted (Safetensors.parse (File.ReadAllBytes own))).Tensors
                        |> Map.toList
                        |> List.head
                        |> fst

                    other name (fun entry -> { entry with Shape = Array.append [| 1 |] entry.Shape }))
        ]

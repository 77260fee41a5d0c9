module Scae.Tests.Commands.DataFolderTests

open System.IO
open Scae.Tests.Claims
open Expecto
open Scae.Tests.Turns
open Scae.Tests.Commands.CommandLine

[<Tests>]
let tests =
    inTurn
        "Commands.DataFolder"
        [
            testCase "a folder of data that isn't there is refused by every command that takes one"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out, typo = Path.Combine(folder, "run"), Path.Combine(folder, "typo")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let before = filesOf folder

                    for words in
                        [
                            [ "train"; "air"; "--preset"; "quick"; "--out"; Path.Combine(folder, "air") ]
                            [ "train"; "--resume"; "--out"; out ]
                            [ "eval"; out ]
                            [ "figures"; out ]
                            [ "sweep"; "air"; "--preset"; "quick"; "--out"; Path.Combine(folder, "sweep") ]
                            [ "verify"; "air"; "--out"; Path.Combine(folder, "verify") ]
                            [ "gradcheck"; "air"; "--preset"; "quick" ]
                            [ "bench"; "air"; "--preset"; "quick" ]
                        ] do
                        let refused = run (words @ [ "--data"; typo ])
                        refused.Error.TrimEnd() |> shouldEqual $"scae: --data {typo}: there is no such folder"
                        (refused.ExitCode, refused.Output) |> shouldEqual (2, "")

                    filesOf folder |> shouldEqual before)

            testCase "a folder of data without the files is told of where something else serves"
            <| fun () ->
                inNewFolder (fun folder ->
                    let settle name preset more =
                        let words = [ "train"; name; "--preset"; preset; "--data"; folder; "--quiet" ]
                        let sizes = [ "--epochs"; "1"; "--steps-per-epoch"; "1"; "--batch-size"; "1" ]
                        let few = [ "--validation-size"; "8"; "--test-size"; "8" ]
                        let result = run (words @ sizes @ few @ more @ [ "--out"; Path.Combine(folder, name) ])
                        result.ExitCode |> shouldEqual 0
                        result.Error.TrimEnd()

                    settle "tvae" "lpartial-dsprites" [ "--annealing"; "0"; "--draws"; "1" ]
                    |> shouldEqual
                        $"scae: no dSprites (it isn't in {folder}): our own drawings serve; --sprites file insists"

                    settle "air" "quick" []
                    |> shouldEqual
                        $"scae: no MNIST (it isn't in {folder}): stroke digits serve; --digits mnist insists")
        ]

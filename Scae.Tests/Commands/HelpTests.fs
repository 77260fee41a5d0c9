/// Every page that --help prints, kept as a file.
module Scae.Tests.Commands.HelpTests

open Expecto
open Scae.Core.CommandLine
open Scae.Core.Experiments
open Scae.Tests

let private page (words: string list) : string =
    match Arguments.parse (Array.ofList (words @ [ "--help" ])) with
    | Ok(Command.ShowHelp text) -> text + "\n"
    | other -> failtest $"scae {words} --help gave %A{other}"

let private pages =
    [
        []
        for verb in
            [
                "list"
                "train"
                "eval"
                "figures"
                "report"
                "export"
                "sweep"
                "verify"
                "gradcheck"
                "bench"
                "completion"
            ] do
            [ verb ]
        for experiment in Experiments.all do
            [ "train"; experiment.Specification.Experiment ]
    ]

[<Tests>]
let tests =
    testList
        "Commands.Help"
        [
            for words in pages do
                let name = String.concat "-" ("scae" :: words)

                testCase $"the page of {name} is as reviewed"
                <| fun () -> page words |> Expectation.shouldHold $"help/{name}.txt"
        ]

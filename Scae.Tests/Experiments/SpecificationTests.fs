module Scae.Tests.Experiments.SpecificationTests

open Expecto
open Scae.Core.Experiments
open Scae.Tests.Claims

let private spec (presets: string) : Specification =
    Specification.parse
        $$"""{
            "experiment": "e", "title": "t", "summary": "s", "paper": "p", "defaultPreset": "a",
            "presets": [ {{presets}} ], "published": [], "targets": []
        }"""

let private first =
    """{ "name": "a", "summary": "", "model": "m", "settings": { "epochs": 3, "rate": 0.1, "shares": [1, 2] } }"""

let private settings (name: string) (specification: Specification) : Map<string, string> =
    (specification.Presets |> List.find (fun preset -> preset.Name = name)).Settings |> Map.ofList

[<Tests>]
let tests =
    testList
        "Experiments.Specification"
        [
            testCase "a preset has the settings of the one it is based on, but for those that it says itself"
            <| fun () ->
                let found =
                    spec (
                        first
                        + """, { "name": "b", "basedOn": "a", "summary": "", "settings": { "epochs": 9, "seed": true } }"""
                    )

                settings "a" found |> shouldEqual (Map.ofList [ "epochs", "3"; "rate", "0.1"; "shares", "1,2" ])

                settings "b" found
                |> shouldEqual (Map.ofList [ "epochs", "9"; "rate", "0.1"; "shares", "1,2"; "seed", "true" ])

                found.Presets |> List.map _.Model |> shouldEqual [ Some "m"; Some "m" ]

            testCase "a preset can't be based on one that comes later, or on none"
            <| fun () ->
                messageOf<System.ArgumentException>(fun () ->
                    spec ("""{ "name": "b", "basedOn": "a", "summary": "", "settings": {} }, """ + first) |> ignore)
                |> shouldStartWith "preset a has others based on it and comes after them"

            testCase "what is missing is named, with the place"
            <| fun () ->
                messageOf<System.ArgumentException>(fun () -> spec """{ "name": "lost", "settings": {} }""" |> ignore)
                |> shouldStartWith "a specification needs summary here: { \"name\": \"lost\""

                messageOf<System.ArgumentException>(fun () -> Specification.parse """{ "experiment": "e" }""" |> ignore)
                |> shouldStartWith "a specification needs title here"

            testCase "an experiment that this assembly doesn't have has no embedded specification"
            <| fun () ->
                messageOf<System.ArgumentException>(fun () -> Experiment.ofVariants "own" [] |> ignore)
                |> shouldStartWith "Scae.Core has no specification of own; use Specification.parse"

            testCase "a preset that isn't the specification's is configured by its model, or refused in a line"
            <| fun () ->
                let experiment = Scae.Tests.Training.Trained.accepted (Experiments.find "constellations")
                let known = Scae.Tests.Training.Trained.accepted (Experiments.preset None experiment)
                let own = { known with Name = "mine"; Settings = [ "epochs", "2" ] }
                let task = Scae.Tests.Training.Trained.accepted (experiment.Configure own [])
                task.Plan.Epochs |> shouldEqual 2

                experiment.Settings own
                |> List.find (fun setting -> setting.Name = "epochs")
                |> _.Default
                |> shouldEqual "2"

                match experiment.Configure { own with Model = Some "large" } [] with
                | Error message ->
                    message |> shouldStartWith "constellations, preset mine: the model is large; must be one of small"
                | Ok _ -> failtest "a model that isn't there was configured"
        ]

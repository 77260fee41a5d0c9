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
        ]

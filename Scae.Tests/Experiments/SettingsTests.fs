module Scae.Tests.Experiments.SettingsTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Configuration
open Scae.Core.Experiments

type Mode =
    | AllSteps
    | LastStep

type Group =
    {
        [<Setting("how wide", Min = 1.0)>]
        Width: int
        [<Setting("how deep")>]
        Depth: int
    }

type Config =
    {
        Network: Group
        [<Setting("how many", Min = 1.0, Max = 10.0)>]
        HowMany: int
        [<Setting("how much", Min = 0.0)>]
        Rate: float
        [<Setting("whether")>]
        Flag: bool
        [<Setting("which")>]
        Mode: Mode
        [<Setting("shares", Name = "parts", Min = 0.0, Max = 1.0)>]
        Shares: float list
        [<Setting("several")>]
        Modes: Mode list
        [<Setting("others", Min = 1.0, Max = 5.0, MayBeNone = true)>]
        Others: int list
        Hidden: string
    }

type WithLong =
    {
        [<Setting("a number")>]
        Long: int64
    }

type WithOption =
    {
        [<Setting("perhaps")>]
        Perhaps: int option
    }

let private config =
    {
        Network = { Width = 4; Depth = 2 }
        HowMany = 3
        Rate = 0.5
        Flag = true
        Mode = AllSteps
        Shares = [ 0.5; 0.25 ]
        Modes = [ LastStep ]
        Others = []
        Hidden = "kept"
    }

let private error (overrides: (string * string) list) =
    match Settings.apply overrides config with
    | Error message -> message
    | Ok changed -> failwith $"accepted: %A{changed}"

[<Tests>]
let tests =
    testList
        "Experiments.Settings"
        [
            testCase "fields become kebab-case settings with their values as defaults"
            <| fun () ->
                Settings.describe config
                |> List.map (fun s -> s.Name, s.Kind, s.Default)
                |> shouldEqual
                    [
                        "width", "integer", "4"
                        "depth", "integer", "2"
                        "how-many", "integer", "3"
                        "rate", "number", "0.5"
                        "flag", "true or false", "true"
                        "mode", "all-steps, last-step", "all-steps"
                        "parts", "numbers, …", "0.5,0.25"
                        "modes", "names, …", "last-step"
                        "others", "numbers, …", "none"
                    ]

            testCase "a setting of a type that no text is read as is refused, by record and field"
            <| fun () ->
                let refused (config: 'config) (words: string) =
                    messageOf<InvalidOperationException>(fun () -> Settings.describe config |> ignore)
                    |> shouldStartWith words

                refused { Long = 1L } "WithLong.Long is Int64; a Setting must be"
                refused { Perhaps = Some 1 } "WithOption.Perhaps is"

            testCase "overrides replace what they name and keep the rest"
            <| fun () ->
                match
                    Settings.apply [ "how-many", "7"; "mode", "last-step"; "flag", "false"; "rate", "1e-3" ] config
                with
                | Ok changed ->
                    changed |> shouldEqual { config with HowMany = 7; Mode = LastStep; Flag = false; Rate = 0.001 }
                | Error message -> failwith message

            testCase "lists are separated by commas"
            <| fun () ->
                match Settings.apply [ "parts", "1, 0.125,1e-3"; "modes", "last-step,all-steps" ] config with
                | Ok changed ->
                    changed
                    |> shouldEqual { config with Shares = [ 1.0; 0.125; 0.001 ]; Modes = [ LastStep; AllSteps ] }
                | Error message -> failwith message

                error [ "parts", "0.5,2" ]
                |> shouldEqual "--parts 0.5,2: must be numbers from 0 to 1, separated by commas"

                error [ "parts", "" ] |> shouldEqual "--parts : must be numbers from 0 to 1, separated by commas"

                error [ "modes", "last-stp" ]
                |> shouldEqual
                    "--modes last-stp: must be some of all-steps, last-step, separated by commas; did you mean last-step?"

            testCase "a list that may be empty is none, and comes back from its text"
            <| fun () ->
                let text = Settings.values config |> Map.ofList
                text["others"] |> shouldEqual "none"

                match Settings.apply [ "others", "2,3" ] config with
                | Error message -> failwith message
                | Ok changed ->
                    changed.Others |> shouldEqual [ 2; 3 ]
                    Settings.apply (Settings.values config) changed |> shouldEqual (Ok config)

                error [ "others", "6" ]
                |> shouldEqual "--others 6: must be numbers from 1 to 5, separated by commas, or none"

                error [ "parts", "none" ]
                |> shouldEqual "--parts none: must be numbers from 0 to 1, separated by commas"

            testCase "a group's settings are named without the group"
            <| fun () ->
                match Settings.apply [ "depth", "5"; "how-many", "7" ] config with
                | Ok changed -> changed |> shouldEqual { config with Network = { Width = 4; Depth = 5 }; HowMany = 7 }
                | Error message -> failwith message

                error [ "widht", "3" ] |> shouldEqual "there is no hyperparameter --widht; did you mean width?"
                error [ "width", "0" ] |> shouldEqual "--width 0: must be an integer of at least 1"

            testCase "no two settings of an experiment have the same name"
            <| fun () ->
                for experiment in Experiments.all do
                    for preset in experiment.Specification.Presets do
                        let names = experiment.Settings preset |> List.map _.Name
                        names |> shouldEqual (List.distinct names)

            testCase "space around a value is no part of it"
            <| fun () ->
                match Settings.apply [ "how-many", "5 "; "rate", " 0.25"; "flag", " false" ] config with
                | Error message -> failwith message
                | Ok changed -> (changed.HowMany, changed.Rate, changed.Flag) |> shouldEqual (5, 0.25, false)

                error [ "how-many", "99999999999" ]
                |> shouldEqual "--how-many 99999999999: must be an integer from 1 to 10"

            testCase "errors name the setting, what came and what would be right"
            <| fun () ->
                error [ "how-mny", "3" ]
                |> shouldEqual "there is no hyperparameter --how-mny; did you mean how-many?"

                error [ "how-many", "x" ] |> shouldEqual "--how-many x: must be a whole number"
                error [ "how-many", "11" ] |> shouldEqual "--how-many 11: must be an integer from 1 to 10"
                error [ "rate", "-1" ] |> shouldEqual "--rate -1: must be a number of at least 0"
                error [ "rate", "NaN" ] |> shouldEqual "--rate NaN: must be a finite number such as 0.003 or 3e-3"
                error [ "flag", "yes" ] |> shouldEqual "--flag yes: must be true or false"
                error [ "mode", "first" ] |> shouldEqual "--mode first: must be one of all-steps, last-step"

            testPropertyWithConfig (samples 100) "values restore exactly the configuration they came from"
            <| fun (depth: int) (howMany: int) (rate: float) (flag: bool) ->
                let original =
                    { config with
                        Network = { config.Network with Depth = depth }
                        HowMany = 1 + abs (howMany % 10)
                        Rate = if Double.IsFinite rate then abs rate else 0.25
                        Flag = flag
                    }

                Settings.apply (Settings.values original) config = Ok original

            testPropertyWithConfig
                (samples 100)
                "a word is at distance zero from itself and one edit away at distance one"
            <| fun (letters: char list) ->
                let word = String(Array.ofList letters)
                Spelling.distance word word = 0 && Spelling.distance word (word + "x") = 1

            testCase "exchanged neighbours are one mistake"
            <| fun () -> Spelling.distance "trian" "train" |> shouldEqual 1

            testCase "every preset of every experiment is a valid configuration"
            <| fun () ->
                for experiment in Experiments.all do
                    for preset in experiment.Specification.Presets do
                        match experiment.Configure preset [] with
                        | Ok _ -> ()
                        | Error message -> failtest $"{experiment.Specification.Experiment}, {preset.Name}: {message}"

            testCase "every target names a preset of its experiment and a range"
            <| fun () ->
                for experiment in Experiments.all do
                    for target in experiment.Specification.Targets do
                        experiment.Specification.Presets |> List.map _.Name |> shouldContain target.Preset
                        (target.AtLeast.IsSome || target.AtMost.IsSome) |> shouldEqual true
        ]

module Scae.Tests.Experiments.SettingsTests

open System
open FsUnit
open NUnit.Framework
open FsCheck.NUnit
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
        Hidden: string
    }

let private config =
    {
        Network = { Width = 4; Depth = 2 }
        HowMany = 3
        Rate = 0.5
        Flag = true
        Mode = AllSteps
        Hidden = "kept"
    }

let private error (overrides: (string * string) list) =
    match Settings.apply overrides config with
    | Error message -> message
    | Ok changed -> failwith $"accepted: %A{changed}"

[<Test>]
let ``fields become kebab-case settings with their values as defaults`` () =
    Settings.describe config
    |> List.map (fun s -> s.Name, s.Kind, s.Default)
    |> should
        equal
        [
            "width", "integer", "4"
            "depth", "integer", "2"
            "how-many", "integer", "3"
            "rate", "number", "0.5"
            "flag", "true or false", "true"
            "mode", "all-steps, last-step", "all-steps"
        ]

[<Test>]
let ``overrides replace what they name and keep the rest`` () =
    match Settings.apply [ "how-many", "7"; "mode", "last-step"; "flag", "false"; "rate", "1e-3" ] config with
    | Ok changed -> changed |> should equal { config with HowMany = 7; Mode = LastStep; Flag = false; Rate = 0.001 }
    | Error message -> failwith message

[<Test>]
let ``a group's settings are named without the group`` () =
    match Settings.apply [ "depth", "5"; "how-many", "7" ] config with
    | Ok changed -> changed |> should equal { config with Network = { Width = 4; Depth = 5 }; HowMany = 7 }
    | Error message -> failwith message

    error [ "widht", "3" ] |> should equal "there is no hyperparameter --widht; did you mean width?"
    error [ "width", "0" ] |> should equal "--width 0: must be an integer of at least 1"

[<Test>]
let ``no two settings of an experiment have the same name`` () =
    for experiment in Experiments.all do
        for preset in experiment.Specification.Presets do
            let names = experiment.Settings preset |> List.map _.Name
            names |> should equal (List.distinct names)

[<Test>]
let ``errors name the setting, what came and what would be right`` () =
    error [ "how-mny", "3" ]
    |> should equal "there is no hyperparameter --how-mny; did you mean how-many?"

    error [ "how-many", "x" ] |> should equal "--how-many x: must be a whole number"
    error [ "how-many", "11" ] |> should equal "--how-many 11: must be an integer from 1 to 10"
    error [ "rate", "-1" ] |> should equal "--rate -1: must be a number of at least 0"
    error [ "rate", "NaN" ] |> should equal "--rate NaN: must be a finite number such as 0.003 or 3e-3"
    error [ "flag", "yes" ] |> should equal "--flag yes: must be true or false"
    error [ "mode", "first" ] |> should equal "--mode first: must be one of all-steps, last-step"

[<Property>]
let ``values restore exactly the configuration they came from`` (depth: int) (howMany: int) (rate: float) (flag: bool) =
    let original =
        { config with
            Network = { config.Network with Depth = depth }
            HowMany = 1 + abs (howMany % 10)
            Rate = if Double.IsFinite rate then abs rate else 0.25
            Flag = flag
        }

    Settings.apply (Settings.values original) config = Ok original

[<Property>]
let ``a word is at distance zero from itself and one edit away at distance one`` (letters: char list) =
    let word = String(Array.ofList letters)
    Spelling.distance word word = 0 && Spelling.distance word (word + "x") = 1

[<Test>]
let ``exchanged neighbours are one mistake`` () = Spelling.distance "trian" "train" |> should equal 1

[<Test>]
let ``every preset of every experiment is a valid configuration`` () =
    for experiment in Experiments.all do
        for preset in experiment.Specification.Presets do
            match experiment.Configure preset [] with
            | Ok _ -> ()
            | Error message -> Assert.Fail $"{experiment.Specification.Experiment}, {preset.Name}: {message}"

[<Test>]
let ``every target names a preset of its experiment and a range`` () =
    for experiment in Experiments.all do
        for target in experiment.Specification.Targets do
            experiment.Specification.Presets |> List.map _.Name |> should contain target.Preset
            (target.AtLeast.IsSome || target.AtMost.IsSome) |> should equal true

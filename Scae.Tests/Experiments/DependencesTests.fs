/// Hyperparameters that are read only where others have certain values.
module Scae.Tests.Experiments.DependencesTests

open System.Globalization
open Expecto
open Scae.Core.CommandLine
open Scae.Core.Configuration
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tests.Claims
open Scae.Tests.Data
open Scae.Tests.Training
open Scae.Tests.Values

/// Sizes with which two steps take a moment, of those that a preset has.
let private small =
    [
        "digits", "strokes"
        "epochs", "1"
        "steps-per-epoch", "2"
        "batch-size", "4"
        "train-size", "12"
        "validation-size", "10"
        "test-size", "10"
        "probe-size", "10"
        "robustness-size", "0"
        "annealing", "0"
        "channels", "4"
        "template-side", "5"
    ]

/// Those of moving objects, whose other presets aren't small without them.
let private smallSequences =
    [
        "hidden", "8"
        "encoder-units", "8"
        "decoder-units", "8"
        "frames", "8"
        "trained-frames", "4"
        "scored-from", "4"
        "measured-starts", "2"
    ]

let private find (experiment: string) (preset: string) : Experiment * Preset =
    let experiment = Experiments.find experiment |> Trained.accepted
    experiment, Experiments.preset (Some preset) experiment |> Trained.accepted

let private task (experiment: Experiment, preset: Preset) (overrides: (string * string) list) : Result<Task, string> =
    let known = experiment.Settings preset |> List.map _.Name |> Set.ofList
    let isMoving = known.Contains "trained-frames"

    let sizes = (if isMoving then small @ smallSequences else small) |> List.filter (fst >> known.Contains)

    Experiment.restore experiment preset (sizes @ overrides)

/// What two steps make of the parameters, and the metrics of test scenes.
let private outcome (task: Task) : (string * float list) list =
    let session = task.Open TestDigits.resources (Keys.ofSeed 1L) |> Trained.accepted
    let state = Trained.start task session |> Trained.until 2

    [
        for name, tensor in state.Learner.Tensors do
            name, List.ofArray (read tensor)
        for name, value in Trained.metrics session Test do
            if not (System.Double.IsNaN value) then
                name, [ value ]
    ]

/// Other values of a hyperparameter; not all need be allowed.
let private others (setting: Setting) : string list =
    let number = System.Double.TryParse(setting.Default, NumberStyles.Float, CultureInfo.InvariantCulture)

    match setting.Kind, number with
    | "integer", (true, value) -> [ $"{int value + 1}"; $"{int value - 1}" ]
    | _, (true, value) -> [ 0.5 * value + 0.07; 2.0 * value ] |> List.map _.ToString("R", CultureInfo.InvariantCulture)
    | _ when setting.Default = "true" -> [ "false" ]
    | _ when setting.Default = "false" -> [ "true" ]
    | kind, _ -> kind.Split(", ") |> List.ofArray |> List.filter ((<>) setting.Default)

let private cases =
    [
        "constellations", "dreams", []
        "neural-em", "published", []
        "neural-em", "published", [ "m-step", "gradient"; "symmetry-breaking", "random" ]
        "neural-em", "flying", [ "decoder-layers", "0" ]
        "air", "published", []
        "scae", "quick", [ "noise", "0" ]
        "ccae", "quick", [ "noise", "0" ]
        "tvae", "quick", [ "schedule", "published" ]
        "tvae", "quick", [ "grouping", "plain" ]
    ]

let private refusal (words: string list) : string =
    match Arguments.parse (Array.ofList words) with
    | Error message -> message
    | Ok _ -> failtest "accepted"

let private accepted (words: string list) : unit = Arguments.parse (Array.ofList words) |> Trained.accepted |> ignore

[<Tests>]
let tests =
    testList
        "Experiments.Dependences"
        [
            for experiment, preset, overrides in cases do
                let said = overrides |> List.map (fun (name, value) -> $" --{name} {value}") |> String.concat ""

                testCase $"what is said to have no effect has none: {experiment}, {preset}{said}"
                <| fun () ->
                    let chosen = find experiment preset
                    let usual = task chosen overrides |> Trained.accepted
                    let expected = outcome usual
                    let settings = (fst chosen).Settings(snd chosen)

                    let unread =
                        usual.Dependences
                        |> List.filter (fun dependence -> not dependence.IsMet)
                        |> List.collect _.Names
                        |> List.distinct

                    unread |> shouldHaveSome

                    let changes =
                        [
                            for name in unread do
                                let setting = settings |> List.find (fun setting -> setting.Name = name)
                                let isTaken value = (task chosen (overrides @ [ name, value ])).IsOk

                                match others setting |> List.tryFind isTaken with
                                | Some value -> name, value
                                | None -> failtest $"--{name} takes none of {others setting}"
                        ]

                    let changed = task chosen (overrides @ changes) |> Trained.accepted

                    for change in changes do
                        usual.Settings |> List.contains change |> shouldEqual false
                        changed.Settings |> List.contains change |> shouldEqual true

                    // All at once. If something has an effect after all, they are tried one by one to find out which.
                    if outcome changed <> expected then
                        for change in changes do
                            Expect.equal
                                (outcome (task chosen (overrides @ [ change ]) |> Trained.accepted))
                                expected
                                (fst change)

                        failtest "together they have an effect"

            testCase "every dependence names hyperparameters that there are"
            <| fun () ->
                for experiment in Experiments.all do
                    for preset in experiment.Specification.Presets do
                        let known = experiment.Settings preset |> List.map _.Name |> Set.ofList

                        for dependence in (task (experiment, preset) [] |> Trained.accepted).Dependences do
                            dependence.Names |> List.filter (known.Contains >> not) |> shouldBeEmpty

            testCase "what somebody gives and nothing reads is refused in one line"
            <| fun () ->
                refusal [ "train"; "tvae"; "--warm-up"; "100" ]
                |> shouldEqual "--warm-up 100: needs --schedule fast"

                refusal [ "bench"; "tvae"; "--preset"; "nontvae-mnist"; "--kernel"; "5" ]
                |> shouldEqual "--kernel 5: needs a --grouping other than plain"

                refusal [ "train"; "ccae"; "--preset"; "paper"; "--prior-within"; "20" ]
                |> shouldEqual "--prior-within 20: needs --counted-prior false"

                refusal [ "train"; "constellations"; "--preset"; "dreams"; "--credit"; "scene" ]
                |> shouldEqual "--credit scene: needs --teacher residual"

                refusal [ "train"; "neural-em"; "--sigma"; "0.1" ]
                |> shouldEqual "--sigma 0.1: needs --likelihood gaussian"

            testCase "what comes from a preset isn't refused, though nothing reads it"
            <| fun () ->
                accepted [ "train"; "air"; "--preset"; "small-scenes"; "--recombined"; "0" ]
                accepted [ "train"; "air"; "--preset"; "bad-light"; "--recombined"; "0" ]
                accepted [ "train"; "scae"; "--preset"; "best"; "--agreement"; "0" ]

            testCase "a dependence of a dependence counts, too"
            <| fun () ->
                refusal [ "train"; "scae"; "--preset"; "best"; "--agreement"; "0"; "--wander"; "5" ]
                |> shouldEqual "--wander 5: needs --agreement and --neighbours above 0"

                refusal [ "train"; "scae"; "--preset"; "best"; "--views"; "information"; "--power"; "2" ]
                |> shouldEqual "--power 2: needs --agreement above 0 and --views assignment"

            testCase "of several trainings one must read what is given"
            <| fun () ->
                accepted [ "sweep"; "tvae"; "--presets"; "all"; "--kernel"; "5" ]
                accepted [ "sweep"; "tvae"; "--vary"; "grouping=plain,shifting"; "--kernel"; "5" ]

                refusal [ "sweep"; "tvae"; "--presets"; "nontvae-mnist,nontvae-dsprites"; "--kernel"; "5" ]
                |> shouldEqual "--kernel 5: needs a --grouping other than plain"

                refusal [ "sweep"; "tvae"; "--vary"; "warm-up=50,100" ]
                |> shouldEqual "--warm-up 50,100: needs --schedule fast"
        ]

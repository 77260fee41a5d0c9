/// What presets make of a training: step sizes, limits on gradients, averages, and the metric that chooses the epoch.
module Scae.Tests.Experiments.PlansTests

open Expecto
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tests.Claims
open Scae.Tests.Training

let private plan (experiment: string) (preset: string) (overrides: (string * string) list) : Plan =
    let experiment = Experiments.all |> List.find (fun known -> known.Specification.Experiment = experiment)

    Experiments.preset (Some preset) experiment
    |> Result.bind (fun preset -> experiment.Configure preset overrides)
    |> Trained.accepted
    |> _.Plan

let private shouldHaveRates (rates: (int * float) list) (rule: UpdateRule) =
    for step, rate in rates do
        Schedule.at rule.LearningRate step |> shouldBeNear (1e-9 * rate) rate

// Halfway through a training, a rate that falls geometrically to a share s of the first is √s of it, and one that falls
// along a cosine (1 + s) / 2.

let private geometric (share: float) : float = sqrt share

let private cosine (share: float) : float = 0.5 * (1.0 + share)

[<Tests>]
let tests =
    testList
        "Experiments.Plans"
        [
            for experiment, preset, overrides, rates, clip, average in
                [
                    // The rate has its first value after the steps of warm-up, so in step 100 if there are 100 of them.
                    ("neural-em",
                     "paper",
                     [],
                     [ 0, 0.005 / 101.0; 4_000, 0.005 * geometric 0.03; 8_000, 0.005 * 0.03 ],
                     ValueSome 5.0,
                     ValueNone)
                    ("neural-em", "published", [], [ 0, 0.003; 959, 0.003 ], ValueSome 5.0, ValueNone)
                    ("neural-em",
                     "flying",
                     [],
                     [ 0, 0.004 / 101.0; 12_000, 0.004 * geometric 0.03; 24_000, 0.004 * 0.03 ],
                     ValueNone,
                     ValueNone)
                    ("constellations", "published", [], [ 0, 0.003; 5_999, 0.003 ], ValueNone, ValueNone)
                    // Here the last step of the warm-up has the largest rate, so the first has a two-hundredth.
                    for preset in [ "routing"; "variable" ] do
                        ("constellations",
                         preset,
                         [],
                         [ 0, 0.002 / 200.0; 3_000, 0.002 * cosine 0.01; 6_000, 0.002 * 0.01 ],
                         ValueSome 1.0,
                         ValueNone)
                    ("constellations",
                     "learned",
                     [],
                     [ 0, 0.03; 150, 0.03 * cosine 0.01; 300, 0.03 * 0.01 ],
                     ValueNone,
                     ValueNone)
                    ("air", "paper", [], [ 0, 1e-3; 6_000, 1e-3 * geometric 0.1; 12_000, 1e-4 ], ValueNone, ValueNone)
                    ("air",
                     "small-scenes",
                     [ "clip", "7" ],
                     [ 0, 1e-3; 10_000, 1e-3 * geometric 0.1; 20_000, 1e-4 ],
                     ValueSome 7.0,
                     ValueSome 0.999)
                    ("scae",
                     "best",
                     [],
                     [ 0, 0.003 / 500.0; 11_000, 0.003 * geometric 0.1; 22_000, 0.003 * 0.1 ],
                     ValueNone,
                     ValueSome 0.998)
                    ("scae", "best", [ "average", "0"; "clip", "7" ], [], ValueSome 7.0, ValueNone)
                    ("ccae", "best", [], [ 0, 0.03; 300, 0.03 * geometric 0.03; 600, 0.03 * 0.03 ], ValueNone, ValueNone)
                    // A tenth of 600,000 steps.
                    ("tvae",
                     "lpartial-mnist",
                     [ "schedule", "fast" ],
                     [ 0, 5e-4 / 200.0; 30_000, 5e-4 * cosine 0.02; 60_000, 5e-4 * 0.02 ],
                     ValueNone,
                     ValueNone)
                ] do
                let words = overrides |> List.map (fun (name, value) -> $", {name} {value}") |> String.concat ""

                testCase $"a preset has Adam with its step sizes, limit and average ({experiment}, {preset}{words})"
                <| fun () ->
                    let plan = plan experiment preset overrides
                    plan.Rule |> shouldHaveRates rates
                    plan.Rule.Optimizer |> shouldEqual Optimizer.adam
                    plan.Rule.Clip |> shouldEqual clip
                    plan.Average |> shouldEqual average

            testCase "without neighbours in time, gradients of a topographic autoencoder are clipped"
            <| fun () ->
                let rule = (plan "tvae" "l0-mnist" []).Rule
                rule |> shouldHaveRates [ 0, 1e-4; 599_999, 1e-4 ]
                rule.Optimizer |> shouldEqual (Momentum 0.9)
                rule.Clip |> shouldEqual (ValueSome 1000.0)

            testCase "templates of stacked capsules have a tenfold step size, and probes no limit on the norm"
            <| fun () ->
                let plan = plan "scae" "best" [ "clip", "7" ]

                for name, share, clip in
                    [
                        "decoder.templates", 10.0, ValueSome 7.0
                        "encoder.position", 1.0, ValueSome 7.0
                        "priorProbe.weight", 1.0, ValueNone
                        "posteriorProbe.bias", 1.0, ValueNone
                    ] do
                    match Plan.rule plan name with
                    | None -> failtest $"{name} isn't trained"
                    | Some rule ->
                        rule |> shouldHaveRates [ 0, share * 0.003 / 500.0; 11_000, share * 0.003 * geometric 0.1 ]

                        rule.Optimizer |> shouldEqual Optimizer.adam
                        rule.Clip |> shouldEqual clip

            testCase "each experiment chooses the best epoch by a metric of its own, in the right direction"
            <| fun () ->
                for experiment, preset, metric, larger in
                    [
                        "constellations", "published", "recovery", true
                        "constellations", "routing", "raw_recovery", true
                        "constellations", "variable", "raw_recovery", true
                        "constellations", "learned", "residual", false
                        "neural-em", "published", "nmi", true
                        "neural-em", "paper", "ami_distinct", true
                        "neural-em", "flying", "ami_distinct", true
                        "air", "published", "count_accuracy", true
                        "air", "paper", "count_accuracy", true
                        "scae", "best", "reconstruction", true
                        "scae", "paper", "reconstruction", true
                        "ccae", "best", "likelihood", true
                        "ccae", "paper", "likelihood", true
                        "tvae", "lpartial-mnist", "loss", false
                    ] do
                    (experiment, preset, (plan experiment preset []).BestBy)
                    |> shouldEqual (experiment, preset, { Metric = metric; Larger = larger })
        ]

module Scae.Tests.Models.GroupingTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Configuration
open Scae.Core.Experiments
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Training
open Scae.Tests.Values

/// The offsets of the preset that is named like a published experiment.
let private ofExperiment (name: string) =
    let preset = name.Replace("tvae_", "").Replace('_', '-').ToLowerInvariant()

    let known =
        TvaeExperiment.experiment.Specification.Presets |> List.find (fun known -> known.Name = preset)

    let model = (Settings.apply known.Settings TvaeSettings.published |> Trained.accepted).Model
    Grouping.offsets model.Grouping model.Kernel model.Width

/// The kernels of the small fixtures, by label.
let private small =
    [
        "shifting k=3 (odd) K=1", (Grouping.Shifting, 3, 1)
        "shifting k=2 (even, partial) K=1", (Grouping.Shifting, 2, 1)
        "shifting k=4=S (even, full orbit) K=1", (Grouping.Shifting, 4, 1)
        "shifting k=3 (odd) K=3", (Grouping.Shifting, 3, 3)
        "shifting k=4=S (even, full orbit, band clipped at the kernel corners) K=3", (Grouping.Shifting, 4, 3)
        "bubbles 3x3", (Grouping.Box, 3, 3)
        "bubbles time 3 x space 1", (Grouping.Box, 3, 1)
        "L=0, K=3", (Grouping.Box, 1, 3)
        "L=0, K=3, eps 1e-3 (dSprites)", (Grouping.Box, 1, 3)
    ]

let private tensor (element: System.Text.Json.JsonElement) (rows: int) =
    let values = Fixture.numbers element
    Tensor.``of`` (values, rows, values.Length / rows)

let private cases (file: string) = Fixture.load file |> Fixture.get "cases" |> Fixture.items

/// A configuration of a fixture's sizes; images are of no account.
let private configure (case: System.Text.Json.JsonElement) (grouping, kernel, width) : TopographicVaeConfig =
    { TopographicVae.published with
        Frames = Fixture.int (Fixture.get "n_transforms" case)
        Capsules = Fixture.int (Fixture.get "n_caps" case)
        Entries = Fixture.int (Fixture.get "cap_dim" case)
        Grouping = grouping
        Kernel = kernel
        Width = width
        Epsilon = Fixture.number (Fixture.get "eps" case)
    }

[<Tests>]
let tests =
    testList
        "Models.Grouping"
        [
            for name, experiment in
                Fixture.load "tvae/neighbourhoods.json" |> Fixture.get "experiments" |> Fixture.fields do
                if experiment.ValueKind <> System.Text.Json.JsonValueKind.Null then
                    testCase $"the offsets are the reference's ({name})"
                    <| fun () ->
                        let offsets = ofExperiment name
                        offsets.Length |> shouldEqual (Fixture.int (Fixture.get "row_sum" experiment))

                        [|
                            for struct (down, right) in offsets do
                                float down
                                float right
                        |]
                        |> shouldEqual (Fixture.numbers (Fixture.get "offsets" experiment))

            for file in [ "tvae/w_shifting.json"; "tvae/w_stationary.json" ] do
                for case in cases file do
                    let label = Fixture.text (Fixture.get "label" case)

                    testCase $"v is exactly the reference's, and T within 1e-9 ({label})"
                    <| fun () ->
                        let config = configure case (small |> List.find (fun (known, _) -> known = label) |> snd)
                        let rows = config.Frames * Fixture.int (Fixture.get "batch" case)
                        let u = (tensor (Fixture.get "u2" case) rows).sqrt()
                        // Squares of roots of small integers aren't exact; the integers are summed themselves.
                        let square =
                            (tensor (Fixture.get "u2" case) rows)
                                .view(-1, config.Frames, config.Capsules, config.Entries)

                        let offsets = Grouping.offsets config.Grouping config.Kernel config.Width
                        read (square.neighbourSum offsets) |> shouldEqual (Fixture.numbers (Fixture.get "v" case))

                        let z, mu = tensor (Fixture.get "z" case) rows, Tensor.full ([||], 30.0, Dtype.Float64)

                        TopographicVae.topographic config (Some mu) z (Some u)
                        |> shouldBeWithin 1e-9 (Fixture.numbers (Fixture.get "s" case))

            for i, case in List.indexed (cases "tvae/w_2d.json") do
                testCase $"v on the torus is exactly the reference's (case {i})"
                <| fun () ->
                    let side, kernel = Fixture.int (Fixture.get "side" case), Fixture.int (Fixture.get "kernel" case)

                    let config =
                        { TopographicVae.published with
                            Frames = 1
                            Capsules = 1
                            Entries = side * side
                            Grouping = Grouping.Torus
                            Kernel = kernel
                            Width = kernel
                        }

                    let u2 = Fixture.numbers (Fixture.get "u2" case)
                    let square = Tensor.``of`` (u2, u2.Length / (side * side), side, 1, side)

                    read (square.neighbourSum (Grouping.offsets config.Grouping kernel kernel))
                    |> shouldEqual (Fixture.numbers (Fixture.get "v" case))

                    TopographicVae.energy config ((square.view (-1, side * side)).sqrt())
                    |> shouldBeWithin 1e-12 (Fixture.numbers (Fixture.get "v" case))

            testCase "with k = S and K = 1 the next frame's v is this one's, rolled by one entry"
            <| fun () ->
                let square = real 1 [ 2; 15; 3; 15 ]
                let v = square.neighbourSum (Grouping.offsets Grouping.Shifting 15 1)
                v.neighbourSum [| struct (1, 1) |] |> shouldAgree 1e-12 v

            testCase "a plain autoencoder groups nothing"
            <| fun () -> Grouping.offsets Grouping.Plain 13 3 |> shouldBeEmpty
        ]

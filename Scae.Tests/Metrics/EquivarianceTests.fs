module Scae.Tests.Metrics.EquivarianceTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests

let private error frames entries (t: float32[]) = Equivariance.error frames entries (ReadOnlySpan t)

/// The mean of E_eq over sequences T [b·S, N·D].
let private mean (frames: int) (entries: int) (t: Tensor) : float =
    t.toArray<float32>()
    |> Array.chunkBySize (frames * t.shape[1])
    |> Array.averageBy (error frames entries)

let private cases = Fixture.load "tvae/eq_loss.json" |> Fixture.get "cases" |> Fixture.items

[<Tests>]
let tests =
    testList
        "Metrics.Equivariance"
        [
            for case in cases do
                let label = Fixture.text (Fixture.get "label" case)

                testCase $"it is the reference's, sequence by sequence ({label})"
                <| fun () ->
                    let frames = Fixture.int (Fixture.get "seq_len" case)
                    let entries = Fixture.int (Fixture.get "cap_dim" case)
                    let values = Fixture.numbers (Fixture.get "s" case) |> Array.map float32
                    let expected = Fixture.numbers (Fixture.get "per_sequence" case)
                    let sequences = values |> Array.chunkBySize (values.Length / expected.Length)

                    for sequence, expected in Array.zip sequences expected do
                        error frames entries sequence |> shouldBeNear 1e-8 expected

                    Tensor.``of`` (values, expected.Length * frames, values.Length / expected.Length / frames)
                    |> mean frames entries
                    |> shouldBeNear 1e-8 (Fixture.number (Fixture.get "naive" case))

            testCase "chance is the reference's"
            <| fun () ->
                let chance (size: int) =
                    let t = Tensor.zeros [| 200 * size; size * size |]
                    (Key.OfSeed 1L).FillNormal(t.Elements<float32>())
                    mean size size t

                chance 18 |> shouldBeNear 30.0 13_271.5
                chance 15 |> shouldBeNear 20.0 6_934.7

            for label, config, expected in
                [
                    "Lhalf", { TopographicVae.published with Kernel = 18 }, 491.0
                    "Lpartial", TopographicVae.published, 916.0
                    "Lshort", { TopographicVae.published with Kernel = 5 }, 2210.0
                    "bubbles", { TopographicVae.published with Grouping = Grouping.Box; Kernel = 5 }, 2223.0
                    "L0", { TopographicVae.published with Grouping = Grouping.Box; Kernel = 1 }, 5510.0
                    "plain", { TopographicVae.published with Grouping = Grouping.Plain }, 13_270.0
                ] do
                testCase $"the prior's level is the reference's within 2 per cent ({label})"
                <| fun () ->
                    TopographicVae.sampleOfPrior config 30.0 200 (Key.OfSeed 2L)
                    |> mean 18 18
                    |> shouldBeNear (0.02 * expected) expected

            testCase "the error doesn't change when a capsule is scaled, nor when capsules change places"
            <| fun () ->
                let t = Values.values 3 (4 * 3 * 4) |> Array.map float32
                let scaled = t |> Array.mapi (fun i x -> x * (if i / 4 % 3 = 1 then 4.0f else 1.0f))

                let swapped =
                    t |> Array.chunkBySize 12 |> Array.collect (fun f -> Array.concat [ f[4..7]; f[0..3]; f[8..11] ])

                error 4 4 scaled |> shouldBeNear 1e-6 (error 4 4 t)
                error 4 4 swapped |> shouldBeNear 1e-9 (error 4 4 t)

            testCase "one frame and zeros have the error 0, and NaN gives NaN"
            <| fun () ->
                error 1 4 [| 1.0f; 2.0f; 3.0f; 4.0f |] |> shouldEqual 0.0
                error 2 4 (Array.zeroCreate 8) |> shouldEqual 0.0
                Double.IsNaN(error 2 2 [| nanf; 1.0f; 1.0f; 1.0f |]) |> shouldEqual true
        ]

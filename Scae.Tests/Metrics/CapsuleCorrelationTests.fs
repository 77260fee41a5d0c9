module Scae.Tests.Metrics.CapsuleCorrelationTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Tensors
open Scae.Tests

let private fixture = lazy (Fixture.load "tvae/capcorr.json")

let private rows (element: Text.Json.JsonElement) =
    Fixture.items element |> List.map (Fixture.numbers >> Array.map float32)

let private offset (entries: int) (labels: int[][]) (t: float32[]) =
    CapsuleCorrelation.offset entries labels (ReadOnlySpan t)

/// Sequences [S, N·D] with their labels; in a mirrored one each capsule's entries stand in reverse.
let private sequences (mirrored: bool) =
    let all = Fixture.items (Fixture.get "s" fixture.Value)
    let labels = Fixture.items (Fixture.get "labels" fixture.Value)

    List.zip all labels
    |> List.mapi (fun b (t, labels) ->
        let values = Fixture.numbers t |> Array.map float32

        let values =
            if mirrored && b % 2 = 1 then
                values |> Array.chunkBySize 6 |> Array.collect Array.rev
            else
                values

        values, Fixture.items labels |> List.map (Fixture.numbers >> Array.map int) |> Array.ofList)

let private expected (mirrored: bool) (name: string) (factor: int) =
    let root =
        if mirrored then
            Fixture.get "mirrored" fixture.Value
        else
            fixture.Value

    Fixture.numbers (Fixture.get (string factor) (Fixture.get name root)) |> Array.map int

/// Capsules that roll by one entry a frame, and labels whose factor 3 does.
let private rolling (start: int) (capsules: int) (d: int) =
    let base' = Values.values 4 (capsules * d) |> Array.map float32

    let t =
        [|
            for frame in 0 .. d - 1 do
                for n in 0 .. capsules - 1 do
                    for c in 0 .. d - 1 do
                        base'[n * d + ((c - frame) % d + d) % d]
        |]

    let labels = Array.init d (fun frame -> [| 0; 0; 0; (start + frame) % d; 0 |])
    labels, t

[<Tests>]
let tests =
    testList
        "Metrics.CapsuleCorrelation"
        [
            testCase "periodic cross-correlations are the reference's"
            <| fun () ->
                let case = Fixture.get "periodic" fixture.Value

                for i, (x, y) in List.indexed (List.zip (rows (Fixture.get "x" case)) (rows (Fixture.get "y" case))) do
                    let found = CapsuleCorrelation.periodic (ReadOnlySpan x) (ReadOnlySpan y)
                    let wanted = case |> Fixture.get "corr" |> Fixture.items |> List.item i |> Fixture.numbers

                    for k in 0 .. found.Length - 1 do
                        shouldBeNear 1e-9 wanted[k] found[k]

                    let argmax = Fixture.numbers (Fixture.get "argmax" case)
                    let roll = CapsuleCorrelation.roll x.Length (ReadOnlySpan x) (ReadOnlySpan y)
                    float roll |> shouldEqual argmax[i]

            for mirrored in [ false; true ] do
                testCase $"offsets of sequences are the reference's (mirrored {mirrored})"
                <| fun () ->
                    let found = sequences mirrored |> List.map (fun (t, labels) -> (offset 6 labels t).Value)

                    found
                    |> List.map (fun it -> float it.Factor)
                    |> Array.ofList
                    |> shouldEqual (Fixture.numbers (Fixture.get "transform_index" fixture.Value))

                    for factor in 1..4 do
                        let ofFactor = found |> List.filter (fun it -> it.Factor = factor) |> Array.ofList
                        ofFactor |> Array.map _.Observed |> shouldEqual (expected mirrored "cap_offsets" factor)
                        ofFactor |> Array.map _.True |> shouldEqual (expected mirrored "true_offsets" factor)

            testCase "capsules that roll as the factor moves have a correlation of 1"
            <| fun () ->
                let offsets = [ for start in 0..14 -> let labels, t = rolling start 5 15 in (offset 15 labels t).Value ]

                for it in offsets do
                    it.Observed |> shouldEqual it.True

                CapsuleCorrelation.ofFactor 3 offsets |> Option.get |> shouldBeNear 1e-12 1.0

            testCase "chance of random capsules is the reference's: 0.52 for scale, little for the others"
            <| fun () ->
                let key = Key.OfSeed 11L
                let t = Tensor.zeros [| 15; 225 |]

                let offsets =
                    [
                        for i in 0L .. 2999L do
                            let random = (key.Fold i).Stream()

                            let labels =
                                SpriteSequences.images (random.NextInt Sprites.Count) random
                                |> Array.map Sprites.factors

                            ((key.Fold i).Named "t").FillNormal(t.Elements<float32>())
                            (offset 15 labels (t.toArray<float32>())).Value
                    ]

                let chance factor = (CapsuleCorrelation.ofFactor factor offsets).Value
                chance 1 |> shouldBeIn (0.46, 0.58)

                for factor in 2..4 do
                    chance factor |> shouldBeIn (0.02, 0.25)

            testCase "where nothing moves there is no offset, nor for a single frame"
            <| fun () ->
                let still = Array.create 3 [| 0; 1 |]
                offset 2 still (Array.create 6 1.0f) |> shouldEqual ValueNone
                offset 2 [| [| 0; 1 |] |] [| 1.0f; 2.0f |] |> shouldEqual ValueNone
                // A factor that never comes to 0.
                offset 2 [| [| 1 |]; [| 2 |] |] (Array.create 4 1.0f) |> shouldEqual ValueNone

            testCase "capsules that are constant in time have a correlation of 0, and no sequences none"
            <| fun () ->
                let offsets =
                    [
                        for start in 0..5 ->
                            let labels, _ = rolling start 2 6 in (offset 6 labels (Array.create 72 1.0f)).Value
                    ]

                CapsuleCorrelation.ofFactor 3 offsets |> shouldEqual (Some 0.0)
                CapsuleCorrelation.ofFactor 1 offsets |> shouldEqual None
        ]

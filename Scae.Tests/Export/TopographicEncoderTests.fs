/// Topographic autoencoders' encoders in ONNX Runtime.
module Scae.Tests.Export.TopographicEncoderTests

open Expecto
open Scae.Tests.Turns
open Scae.Cli.Export
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Export.Onnx

let private config (grouping: Grouping) : TopographicVaeConfig =
    { TopographicVae.published with
        Channels = 2
        Side = 6
        Frames = 5
        Capsules = 4
        Entries = 9
        Grouping = grouping
        // An even kernel reaches further into the future than into the past.
        Kernel = 4
        Width = 3
    }

/// z, u and T without noise, in the shape of the graph's outputs.
let private means (config: TopographicVaeConfig) (model: TopographicVae) (frames: Tensor) : (string * Tensor) list =
    let shaped (x: Tensor) = x.view (-1, config.Frames, config.Capsules, config.Entries)
    let posteriors = TopographicVae.encode config model (frames.view (-1, TopographicVae.inputs config))
    let z, u = posteriors.Z.Mean, posteriors.U |> Option.map _.Mean

    [
        "z", shaped z
        match u with
        | Some mean ->
            "u", shaped mean
            "t", shaped (TopographicVae.topographic config model.Mu z u)
        | None -> ()
    ]

[<Tests>]
let tests =
    inTurn
        "Export.TopographicEncoder"
        [
            for grouping in [ Grouping.Plain; Grouping.Shifting; Grouping.Box; Grouping.Torus ] do
                testCase $"a topographic autoencoder's encoders say the same in ONNX Runtime, grouping {grouping}"
                <| fun () ->
                    let config = config grouping
                    let model = TopographicVae.init config Dtype.Float32 (Key.OfSeed 3L) |> jittered
                    let graph = bytes (TopographicEncoder.Graph(config, weights model []))

                    for frames in
                        [
                            random [ 1; 5; 2; 6; 6 ] "one"
                            random [ 3; 5; 2; 6; 6 ] "three"
                            // Black sequences.
                            Tensor.zeros [| 2; 5; 2; 6; 6 |]
                        ] do
                        let found = outputs graph "frames" frames
                        let expected = means config model frames
                        found |> Map.count |> shouldEqual expected.Length

                        for name, value in expected do
                            // T divides by what may be small, and starts from μ = 30.
                            found[name] |> (if name = "t" then shouldBeRelativelyThe else shouldBeThe) value
        ]

/// The network of constellation capsule autoencoders in ONNX Runtime.
module Scae.Tests.Export.CcaeEncoderTests

open Expecto
open Scae.Tests.Turns
open Scae.Cli.Export
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Export.Onnx

let private small: CcaeConfig =
    { Ccae.paper with
        Width = 8
        Layers = 2
        Heads = 2
        SetOutputs = 6
        CapsuleHidden = 9
        CapsuleCode = 5
    }

let private variants: (string * CcaeConfig) list =
    [
        "as in the program", small
        "presence in proportion, without layer norm", { small with Mask = SetMask.Log; LayerNorm = false; Heads = 1 }
        "four objects of two votes, no mask", { small with Objects = 4; Votes = 2; Mask = SetMask.None }
    ]

/// Responsibilities of objects and of none for points, [b, n, K + 1], from what votes and dummy explain.
let private responsibilities (explanation: PointExplanation) : Tensor =
    let ofVotes =
        (explanation.Joint - explanation.LogLikelihood.view (explanation.LogLikelihood.shape[0], -1, 1, 1)).exp()

    let ofObjects = ofVotes.sum 3
    Tensor.cat ([| ofObjects; 1.0 - ofObjects.sum (2, true) |], 2)

[<Tests>]
let tests =
    inTurn
        "Export.CcaeEncoder"
        [
            for name, config in variants do
                testCase $"objects, votes and owners of points are the same in ONNX Runtime: {name}"
                <| fun () ->
                    let model = Ccae.init config Dtype.Float32 (Key.OfSeed 6L) |> jittered
                    let graph = bytes (CcaeEncoder.Graph(config, weights model []))

                    for scenes, n, present in [ 1, 1, "all"; 1, 7, "some"; 3, 11, "some"; 2, 5, "none" ] do
                        let points = random [ scenes; n; 2 ] $"{n} points"

                        let presence =
                            match present with
                            | "all" -> Tensor.ones [| scenes; n |]
                            | "none" -> Tensor.zeros [| scenes; n |]
                            | _ -> (random [ scenes; n ] $"{n} presences").gt 0.0

                        let points = points * presence.unsqueeze 2

                        let batch = { Ccae.allocate config n scenes with Points = points; Presence = presence }

                        let explanation = Ccae.vote config model batch |> Ccae.explain points
                        let inputs = [ "points", points; "present", presence ]
                        let found = outputsOf graph inputs
                        found["objects"] |> shouldBeThe explanation.Votes.Presence
                        found["votes"] |> shouldBeThe (Pose.origin explanation.Votes.Poses)
                        found["vote_presence"] |> shouldBeThe explanation.Votes.VotePresence
                        found["scales"] |> shouldBeThe explanation.Votes.Scales
                        found["responsibilities"] |> shouldBeThe (responsibilities explanation)

                        integersOf graph inputs "owners"
                        |> shouldEqual ((Ccae.winner explanation).toArray<int>() |> Array.map int64)
        ]

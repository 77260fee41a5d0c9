module Scae.Tests.Models.ObjectCapsulesTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims

let private votes (poses: Tensor) (presence: Tensor) (scale: float) : CapsuleVotes =
    let k = presence.shape[1]

    {
        Poses = poses
        Logits = Tensor.zeros ([| 1; k |], Dtype.Float64)
        Presence = Tensor.ones ([| 1; k |], Dtype.Float64)
        VotePresence = presence
        Scales = presence.fullLike scale
        DynamicPenalty = Tensor.scalar (0.0, Dtype.Float64)
    }

let private everyPart = Tensor.ones ([| 1; 2 |], Dtype.Float64)

let private x = Values.real 1 [ 1; 2; 6 ] * 0.3

[<Tests>]
let tests =
    testList
        "Models.ObjectCapsules"
        [
            testCase "one vote with presence a is a Gaussian times a beside the dummy, not normalised"
            <| fun () ->
                let s, a = 0.4, 0.7
                let mu = Values.real 2 [ 1; 1; 2; 6 ] * 0.3
                let found = ObjectCapsules.explain x (votes mu (Values.ofList [ a; a ] [ 1; 1; 2 ]) s)

                let expected =
                    [
                        for m in 0..1 do
                            let square =
                                Seq.sum (
                                    seq {
                                        for i in 0..5 ->
                                            ((Values.read x)[6 * m + i] - (Values.read mu)[6 * m + i]) ** 2.0
                                    }
                                )

                            let density = exp (-square / (2.0 * s * s)) / (2.0 * Math.PI * s * s) ** 3.0
                            log (a * density + 1e-4)
                    ]

                found.Joint.logsumexp 1 |> Values.shouldBe expected

                (ObjectCapsules.logLikelihood everyPart found).toScalar() |> shouldBeNear 1e-12 (List.sum expected)

            testCase "without any presence the dummy alone is left: −9.21 a part, and no mass"
            <| fun () ->
                let nobody = votes (Values.real 2 [ 1; 3; 2; 6 ]) (Tensor.zeros ([| 1; 3; 2 |], Dtype.Float64)) 0.1
                let found = ObjectCapsules.explain x nobody

                (ObjectCapsules.logLikelihood everyPart found).toScalar() |> shouldBeNear 1e-9 (-8.0 * log 10.0)

                (found.Mass.sum ()).toScalar() |> shouldBeNear 1e-12 0.0

            testCase "raising all presences by a factor raises the likelihood by its logarithm where votes explain"
            <| fun () ->
                let mu = (x.unsqueeze 1).expand(1, 3, 2, 6)
                let presence = Tensor.full ([| 1; 3; 2 |], 0.1, Dtype.Float64)

                let at p =
                    (ObjectCapsules.logLikelihood everyPart (ObjectCapsules.explain x (votes mu p 0.05))).toScalar()

                at (presence * 2.0) - at presence |> shouldBeNear 1e-6 (2.0 * log 2.0)

            testCase "absent parts count nothing, and none at all gives 0"
            <| fun () ->
                let found =
                    ObjectCapsules.explain
                        x
                        (votes (Values.real 2 [ 1; 3; 2; 6 ]) (Tensor.ones ([| 1; 3; 2 |], Dtype.Float64)) 0.1)

                (ObjectCapsules.logLikelihood (everyPart.zerosLike ()) found).toScalar() |> shouldEqual 0.0

            testCase "prior presence is the largest of a capsule's votes, and the nearest vote explains most"
            <| fun () ->
                let presence = Values.ofList [ 0.2; 0.6; 0.5; 0.1 ] [ 1; 2; 2 ]
                let other = x + 1.0
                // Capsule 0 votes right for part 0, capsule 1 for part 1.
                let pick (a: Tensor) (b: Tensor) = Tensor.stack ([| a.select (1, 0); b.select (1, 1) |], 1)
                let mu = Tensor.stack ([| pick x other; pick other x |], 1)
                let found = ObjectCapsules.explain x (votes mu presence 0.1)
                found.Prior |> Values.shouldBe [ 0.6; 0.5 ]
                (found.Joint.argmax 1).toArray<int>() |> shouldEqual [| 0; 1 |]
        ]

module Scae.Tests.Layers.CapsuleLayerTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims

let private config: CapsuleLayerConfig =
    {
        Inputs = 5
        Capsules = 3
        Votes = 4
        Hidden = 7
        Code = 2
        Kind = PoseKind.Affine
    }

let private model = CapsuleLayer.init config Dtype.Float64 (Key.OfSeed 1L)

let private zeros (shape: int list) = Tensor.zeros (Array.ofList shape, Dtype.Float64)

let private votes (h: Tensor) =
    CapsuleLayer.forward config model (zeros [ h.shape[0]; 3; 1 ]) (zeros [ h.shape[0]; 3; 4 ]) h

[<Tests>]
let tests =
    testList
        "Layers.CapsuleLayer"
        [
            testCase "at raw 0 scales are 0.984 and never below 0.01"
            <| fun () ->
                let nothing = { model with Output = { model.Output with Weight = model.Output.Weight * 0.0 } }
                let h = Values.real 2 [ 2; 3; 5 ]
                let found = CapsuleLayer.forward config nothing (zeros [ 2; 3; 1 ]) (zeros [ 2; 3; 4 ]) h
                found.Scales |> Values.shouldAgree 1e-3 (found.Scales.fullLike 0.984)
                found.Presence |> Values.shouldAgree 1e-12 (found.Presence.fullLike 0.5)
                found.VotePresence |> Values.shouldAgree 1e-12 (found.VotePresence.fullLike 0.25)
                found.DynamicPenalty.toScalar () |> shouldEqual 0.0

                let deep =
                    CapsuleLayer.forward
                        config
                        { nothing with ScaleBias = nothing.ScaleBias - 100.0 }
                        (zeros [ 2; 3; 1 ])
                        (zeros [ 2; 3; 4 ])
                        h

                deep.Scales |> Values.shouldAgree 1e-12 (deep.Scales.fullLike 0.01)

            testCase "a capsule's votes depend on its own input and weights alone"
            <| fun () ->
                let h = Values.real 2 [ 2; 3; 5 ]
                let other = Tensor.cat ([| h.slice (1, 0, 1); Values.real 9 [ 2; 2; 5 ] |], 1)
                let first (x: Tensor) = x.select (1, 0)
                first (votes other).Poses |> Values.shouldAgree 1e-12 (first (votes h).Poses)

                (votes other).Presence.select(1, 1).toArray<float>()
                |> shouldDiffer ((votes h).Presence.select(1, 1).toArray<float>())

            testCase "votes are the capsule's pose after the part's"
            <| fun () ->
                let h = Values.real 2 [ 1; 3; 5 ]
                let raw = CapsuleLayer.raw model h
                let own = Pose.ofRaw PoseKind.Affine (raw.slice (2, 24, 30))

                let part =
                    Pose.ofRaw PoseKind.Affine ((raw.slice (2, 0, 24)).unflatten(2, [| 4; 6 |]) + model.StaticVotes)

                (votes h).Poses |> Values.shouldAgree 1e-12 (Pose.compose (own.unsqueeze 2) part)

            testCase "the penalty is half the squares of all dynamic numbers, used or not, over the batch"
            <| fun () ->
                let h = Values.real 2 [ 2; 3; 5 ]
                let dynamic = (CapsuleLayer.raw model h).slice(2, 0, 24)

                (votes h).DynamicPenalty.toScalar()
                |> shouldBeNear 1e-12 ((dynamic * dynamic).sum().toScalar() / 4.0)

            testCase "noise moves the logits"
            <| fun () ->
                let h = Values.real 2 [ 1; 3; 5 ]
                let noise = Values.real 3 [ 1; 3; 1 ]
                let moved = CapsuleLayer.forward config model noise (zeros [ 1; 3; 4 ]) h
                moved.Logits |> Values.shouldAgree 1e-12 ((votes h).Logits + noise.squeeze 2)

            testCase "own pooling averages all of a part's numbers by one map, coded pooling by several"
            <| fun () ->
                // Two parts of two numbers over two places; map 0 looks at place 0, map 1 at place 1.
                let far = 50.0
                let place a b c d m0 m1 = [ a; b; c; d; m0; m1 ]
                let x = Values.ofList (place 1.0 2.0 3.0 4.0 far -far @ place 5.0 6.0 7.0 8.0 -far far) [ 1; 2; 6 ]

                let same =
                    {
                        Weight = Tensor.eye (6, Dtype.Float64)
                        Bias = Tensor.zeros ([| 6 |], Dtype.Float64)
                    }

                let pool pooling = PartPooling.pool pooling 2 same (x.transpose (1, 2))
                pool PartPooling.Own |> Values.shouldBe [ 1.0; 2.0; 7.0; 8.0 ]
                // Channel i with map i mod 2.
                pool PartPooling.Coded |> Values.shouldBe [ 1.0; 6.0; 3.0; 8.0 ]

            testCase "pooling is that of the head's numbers at all places"
            <| fun () ->
                let parts, n = 3, 4
                let x = Values.real 2 [ 2; 5; 7 ]

                let head =
                    {
                        Weight = Values.real 3 [ 5; parts * n + parts ]
                        Bias = Values.real 4 [ parts * n + parts ]
                    }

                let said = Linear.forward head (x.transpose (1, 2))
                let values = said.slice (2, 0, n * parts)
                let weights = (said.slice (2, n * parts, n * parts + parts)).softmax 1

                PartPooling.pool PartPooling.Own parts head x
                |> Values.shouldAgree
                    1e-12
                    ((values.unflatten (2, [| parts; n |]) * weights.view (2, 7, parts, 1)).sum 1)

                PartPooling.pool PartPooling.Coded parts head x
                |> Values.shouldAgree
                    1e-12
                    ((values.unflatten (2, [| n; parts |]) * weights.view (2, 7, 1, parts)).sum(1).view(2, parts, n))

            testCase "a linear layer folded into the capsules gives the same raw numbers"
            <| fun () ->
                let first = { Weight = Values.real 5 [ 2; 5 ]; Bias = Values.real 6 [ 5 ] }
                let h = Values.real 7 [ 2; 3; 2 ]

                CapsuleLayer.raw (CapsuleLayer.after first model) h
                |> Values.shouldAgree 1e-12 (CapsuleLayer.raw model (Linear.forward first h))

            testCase "the orthogonal factor is orthogonal, with LAPACK's signs"
            <| fun () ->
                let q = Initialization.orthogonal 6 (Key.OfSeed 3L)

                for i in 0..5 do
                    for j in 0..5 do
                        Seq.sum (seq { for k in 0..5 -> q[i, k] * q[j, k] })
                        |> shouldBeNear 1e-12 (if i = j then 1.0 else 0.0)

                // A column of positive numbers is turned against itself.
                for i in 0..5 do
                    q[i, 0] |> shouldBeLessThan 0.0

            testCase "the truncated normal stays within two deviations and has 0.88 of the deviation"
            <| fun () ->
                let x = Values.read (Initialization.truncated 0.5 Dtype.Float64 [ 20_000 ] (Key.OfSeed 3L))
                Array.max x |> shouldBeAtMost 1.0
                Array.min x |> shouldBeAtLeast -1.0
                sqrt (Array.averageBy (fun v -> v * v) x) |> shouldBeNear 0.006 (0.5 * 0.8796)
                (x |> Array.distinct).Length |> shouldBeGreaterThan 19_900
        ]

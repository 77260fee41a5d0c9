module Scae.Tests.Layers.PoseTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims

let private identity = Values.ofList [ 1.0; 0.0; 0.0; 0.0; 1.0; 0.0 ] [ 1; 6 ]

[<Tests>]
let tests =
    testList
        "Layers.Pose"
        [
            testCase "free numbers of 0 are a scale of 0.51 without shear, rotation and shift"
            <| fun () ->
                for kind in [ PoseKind.Affine; PoseKind.Similarity ] do
                    Pose.ofRaw kind (Tensor.zeros ([| 1; 6 |], Dtype.Float64))
                    |> Values.shouldBe [ 0.51; 0.0; 0.0; 0.0; 0.51; 0.0 ]

            testCase "the determinant is the product of the scales, so that every map has an inverse"
            <| fun () ->
                let raw = Values.real 3 [ 50; 6 ]
                let scale i = (raw.slice (1, i, i + 1)).sigmoid() + 0.01
                Pose.determinant (Pose.ofRaw PoseKind.Affine raw) |> Values.shouldAgree 1e-12 (scale 0 * scale 1)

                Pose.determinant (Pose.ofRaw PoseKind.Similarity raw)
                |> Values.shouldAgree 1e-12 (scale 0 * scale 0)

            testCase "the affine map is shear after scale after rotation"
            <| fun () ->
                let raw = [ 0.3; -0.4; 0.1; 0.05; 0.02; -0.03 ]
                let sigmoid x = 1.0 / (1.0 + exp -x)
                let sx, sy, h = sigmoid 0.3 + 0.01, sigmoid -0.4 + 0.01, tanh 0.25
                let c, n = cos (0.2 * Math.PI), sin (0.2 * Math.PI)

                Pose.ofRaw PoseKind.Affine (Values.ofList raw [ 1; 6 ])
                |> Values.shouldBe [ sx * c + h * sy * n; -sx * n + h * sy * c; tanh 0.1; sy * n; sy * c; tanh -0.15 ]

            testCase "similarities commute with rotations about the origin"
            <| fun () ->
                let raw = Values.real 4 [ 20; 6 ]
                // No shift: translations don't commute.
                let raw = Tensor.cat ([| raw.slice (1, 0, 4); Tensor.zeros ([| 20; 2 |], Dtype.Float64) |], 1)
                let similar = Pose.ofRaw PoseKind.Similarity raw
                let c, s = cos 0.7, sin 0.7
                let turn = Values.ofList [ c; -s; 0.0; s; c; 0.0 ] [ 1; 6 ]
                Pose.compose similar turn |> Values.shouldAgree 1e-12 (Pose.compose turn similar)

            testCase "a map and its inverse are the identity, either way"
            <| fun () ->
                let pose = Pose.ofRaw PoseKind.Affine (Values.real 5 [ 30; 6 ])
                let all = identity.expand (30, 6)
                Pose.compose pose (Pose.inverse pose) |> Values.shouldAgree 1e-9 all
                Pose.compose (Pose.inverse pose) pose |> Values.shouldAgree 1e-9 all

            testCase "composition is that of 3 × 3 matrices, and broadcasts"
            <| fun () ->
                let a, b = Values.real 6 [ 2; 1; 6 ], Values.real 7 [ 2; 3; 6 ]

                let matrix (x: Tensor) i j =
                    let at k = (x.select (0, i)).select(0, j).select(0, k).toScalar()
                    [| [| at 0; at 1; at 2 |]; [| at 3; at 4; at 5 |]; [| 0.0; 0.0; 1.0 |] |]

                let product = Pose.compose a b

                for i in 0..1 do
                    for j in 0..2 do
                        let l, r, found = matrix a i 0, matrix b i j, matrix product i j

                        for row in 0..2 do
                            for column in 0..2 do
                                Seq.sum (seq { for k in 0..2 -> l[row][k] * r[k][column] })
                                |> shouldBeNear 1e-12 (found[row][column])
        ]

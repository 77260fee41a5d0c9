/// Capsules' votes and their densities, each one operation, against twins composed of ordinary ones.
module Scae.Tests.Operations.VoteTests

open Expecto
open Scae.Tests.Turns
open Scae.Core.Layers
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tests.Values
open Scae.Tests.Differentiation

let private kinds = [ PoseKind.Affine; PoseKind.Similarity ]

let private fused (kind: PoseKind) (xs: Tensor list) = xs[0].votePoses(xs[1], xs[2], kind.IsSimilarity)

let private twin kind (xs: Tensor list) =
    let raw, parts, own = xs[0], xs[1], xs[2]
    let v = parts.size 1
    let part = Pose.ofRaw kind ((raw.slice (2, 0, 6 * v)).unflatten(2, [| v; 6 |]) + parts)
    let self = Pose.ofRaw kind (raw.slice (2, 6 * v, 6 * v + 6) + own)
    Pose.compose (self.unsqueeze 2) part

let private densities (xs: Tensor list) = xs[0].isotropicLogLikelihood(xs[1], xs[2])

let private densitiesTwin (xs: Tensor list) =
    ((xs[0].unsqueeze 1).gaussianLogLikelihood(xs[1], xs[2].unsqueeze 3)).sum 3

/// Images, capsules and votes around every vector's width, few and none.
let private sizes =
    [
        2, 3, 4
        1, 1, 1
        3, 1, 15
        1, 2, 8
        2, 1, 17
        1, 5, 7
        19, 2, 3
        2, 32, 40
        0, 2, 3
        2, 0, 3
        2, 3, 0
    ]

let private voting dtype b k v =
    let of' seed shape = tensorOf dtype seed (Array.ofList shape) * 0.3
    [ of' 1 [ b; k; 6 * v + 9 ]; of' 2 [ k; v; 6 ]; of' 3 [ k; 6 ] ]

let private scattered dtype b k m n =
    let of' seed shape = tensorOf dtype seed (Array.ofList shape)
    [ of' 1 [ b; m; n ]; of' 2 [ b; k; m; n ]; of' 3 [ b; k; m ] * 0.2 + 0.6 ]

/// Values and gradients of both agree.
let private agreeing one other inputs =
    one inputs |> shouldAgree 1e-12 (other inputs)

    for a, b in List.zip (GradientCheck.reverse one inputs) (GradientCheck.reverse other inputs) do
        a |> shouldAgree 1e-10 b

let private gradients f xs =
    let leaves = xs |> List.map (fun (x: Tensor) -> x.reverseDiff ())
    let y: Tensor = f leaves
    (y * y).sum().reverse()
    y :: List.map (fun (x: Tensor) -> x.derivative) leaves

let private long: (string * (Tensor list -> Tensor) * (Dtype -> Tensor list)) list =
    [
        for kind in kinds do
            $"votes, {kind}", fused kind, (fun dtype -> voting dtype 37 6 11)
        "densities", densities, (fun dtype -> scattered dtype 37 6 29 6)
    ]

[<Tests>]
let tests =
    testList
        "Operations.Votes"
        [
            testCase "votes are the capsule's pose after the part's, values and gradients"
            <| fun () ->
                for kind in kinds do
                    for b, k, v in sizes do
                        agreeing (fused kind) (twin kind) (voting Dtype.Float64 b k v)

            testCase "densities are sums of logarithms of normal densities, values and gradients"
            <| fun () ->
                for b, k, m in sizes do
                    for n in [ 1; 2; 6; 9 ] do
                        agreeing densities densitiesTwin (scattered Dtype.Float64 b k m n)

            testCase "numbers that are no pose's carry no gradient"
            <| fun () ->
                let xs = voting Dtype.Float64 2 3 4
                let toRaw = (GradientCheck.reverse (fused PoseKind.Affine) xs)[0]
                read (toRaw.slice (2, 30, 33)) |> Array.forall ((=) 0.0) |> shouldEqual true
                read (toRaw.slice (2, 0, 30)) |> Array.forall ((<>) 0.0) |> shouldEqual true

            testCase "a number that is undefined stays with its vote, the capsule's own with its capsule"
            <| fun () ->
                let xs = voting Dtype.Float32 2 3 20
                let raw, parts, own = xs[0], xs[1], xs[2]
                raw.Elements<float32>()[(1 * 3 + 2) * 129 + 7 * 6 + 2] <- nanf
                own.Elements<float32>()[1 * 6 + 3] <- nanf
                let votes = read (raw.votePoses (parts, own)) |> Array.chunkBySize 6

                for at in 0 .. votes.Length - 1 do
                    let capsule, vote = at / 20, at % 20
                    let undefined = capsule % 3 = 1 || (capsule = 5 && vote = 7)
                    Array.exists System.Double.IsNaN votes[at] |> shouldEqual undefined

            testAlone "the number of threads changes no bit of values and gradients"
            <| fun () ->
                for _, f, inputs in long do
                    for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                        shouldBeSameOnAnyThreads (fun () -> gradients f (inputs dtype) |> List.map read)

            testCase "float32 comes near float64"
            <| fun () ->
                for _, f, inputs in long do
                    for wide, near in List.zip (gradients f (inputs Dtype.Float64)) (gradients f (inputs Dtype.Float32)) do
                        near.cast (Dtype.Float64) |> shouldAgree 3e-4 wide

            testCase "errors name what doesn't fit"
            <| fun () ->
                shouldSay
                    "votePoses: raw numbers [2, 3, 29], parts [3, 4, 6], own [3, 6]; needs [b, k, 6·(v + 1) or more], [k, v, 6] and [k, 6]"
                    (fun () -> (real 1 [ 2; 3; 29 ]).votePoses(real 2 [ 3; 4; 6 ], real 3 [ 3; 6 ]))

                shouldSay
                    "isotropicLogLikelihood: points [2, 3, 6], means [2, 4, 6], sigmas [2, 4, 3]; needs [b, m, n], [b, k, m, n] and [b, k, m]"
                    (fun () -> (real 1 [ 2; 3; 6 ]).isotropicLogLikelihood(real 2 [ 2; 4; 6 ], real 3 [ 2; 4; 3 ]))
        ]

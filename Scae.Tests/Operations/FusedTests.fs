/// Fused operations against their unfused twins, and products against loops.
module Scae.Tests.Operations.FusedTests

open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values
open Scae.Tests.Differentiation

/// Values and gradients of both functions agree.
let private shouldEqualTwin (twin: Tensor list -> Tensor) (f: Tensor list -> Tensor) (inputs: Tensor list) =
    f inputs |> shouldAgree 1e-12 (twin inputs)

    for fused, plain in List.zip (GradientCheck.reverse f inputs) (GradientCheck.reverse twin inputs) do
        fused |> shouldAgree 1e-11 plain

let private product (a: float[]) (b: float[]) m k n =
    [|
        for i in 0 .. m - 1 do
            for j in 0 .. n - 1 -> Seq.sum (seq { for l in 0 .. k - 1 -> a[i * k + l] * b[l * n + j] })
    |]

let private attend heads (xs: Tensor list) =
    let q, k, v = (if xs[0].dim = 2 then xs[0].unsqueeze 0 else xs[0]), xs[1], xs[2]
    let d, e = k.size 2 / heads, v.size 2 / heads

    let head h =
        let part (x: Tensor) n = x.slice (2, h * n, (h + 1) * n)
        let scores = (part q d).matmul((part k d).transpose()) / sqrt (float d)
        (scores.softmax 2).matmul(part v e)

    Tensor.cat (List.init heads head, 2)

/// One product and one activation a capsule, stacked.
let private each (activate: Tensor -> Tensor) (xs: Tensor list) =
    let capsule k = activate (xs[0].select(1, k).matmul(xs[1].select(0, k)) + xs[2].select(0, k))

    match xs[0].size 1 with
    | 0 -> Tensor.zeros ([| xs[0].size 0; 0; xs[1].size 2 |], xs[0].dtype) + xs[2].unsqueeze 0
    | k -> Tensor.stack (List.init k capsule, 1)

/// Scores with what the mask adds to them, head by head; presence [b, m] is the fourth input.
let private attendMasked mask heads (xs: Tensor list) =
    let q, k, v, presence = xs[0], xs[1], xs[2], xs[3]
    let d, e = k.size 2 / heads, v.size 2 / heads

    let head h =
        let part (x: Tensor) n = x.slice (x.dim - 1, h * n, (h + 1) * n)
        let scores = (part q d).matmul((part k d).transpose())
        let there = presence.unsqueeze 1

        let scores =
            match mask with
            | PresenceMask.Log -> scores / sqrt (float d) + there.log ()
            | _ -> (scores - (1.0 - there).noDiff() * 1e32) / sqrt (float d)

        (scores.softmax 2).matmul(part v e)

    Tensor.cat (List.init heads head, 2)

[<Tests>]
let tests =
    testList
        "Operations.Fused"
        [
            testCase "matmul agrees with three loops"
            <| fun () ->
                for m, k, n in [ 1, 1, 1; 2, 3, 4; 17, 16, 15; 33, 5, 64; 3, 0, 2; 0, 2, 2 ] do
                    let a, b = real 1 [ m; k ], real 2 [ k; n ]
                    a.matmul b |> shouldBeWithin 1e-12 (product (read a) (read b) m k n)
                    b.transpose().matmul(a.transpose ()) |> shouldAgree 1e-12 ((a.matmul b).transpose())

            testCase "batches broadcast in a product as each matrix for itself"
            <| fun () ->
                let a, b = real 1 [ 3; 1; 2; 4 ], real 2 [ 5; 4; 3 ]
                let c = a.matmul b
                c |> shouldHaveShape [ 3; 5; 2; 3 ]

                for i in 0..2 do
                    for j in 0..4 do
                        c.select(0, i).select(0, j)
                        |> shouldAgree 1e-13 (a.select(0, i).select(0, 0).matmul(b.select (0, j)))

            for activation in [ Activation.None; Activation.Relu; Activation.Sigmoid; Activation.Tanh ] do
                testCase $"linear is a product, a sum and an activation ({activation})"
                <| fun () ->
                    let activate (z: Tensor) =
                        match activation with
                        | Activation.Relu -> z.relu ()
                        | Activation.Sigmoid -> z.sigmoid ()
                        | Activation.Tanh -> z.tanh ()
                        | _ -> z

                    for shape, outputs in [ [ 5; 3 ], 17; [ 2; 4; 16 ], 1; [ 7 ], 4; [ 0; 3 ], 2; [ 2; 0 ], 3 ] do
                        let n = List.last shape

                        [ real 1 shape; real 2 [ n; outputs ]; real 3 [ outputs ] ]
                        |> shouldEqualTwin (fun xs -> activate (xs[0].matmul xs[1] + xs[2])) (fun xs ->
                            xs[0].linear(xs[1], xs[2], activation))

            for heads in [ 1; 2 ] do
                testCase
                    $"attention is softmax between two products, head by head, with own or shared queries ({heads})"
                <| fun () ->
                    for queries in [ [ 3; 5; 4 ]; [ 5; 4 ] ] do
                        [ real 1 queries; real 2 [ 3; 7; 4 ]; real 3 [ 3; 7; 6 ] ]
                        |> shouldEqualTwin (attend heads) (fun xs -> Tensor.attention (xs[0], xs[1], xs[2], heads))

            testCase "attention's weights are rows that sum to one"
            <| fun () ->
                let struct (output, weights) =
                    Tensor.attentionWithWeights (real 1 [ 3; 5; 4 ], real 2 [ 3; 7; 4 ], real 3 [ 3; 7; 4 ], 2)

                weights |> shouldHaveShape [ 3; 2; 5; 7 ]
                weights.sum 3 |> shouldBeWithin 1e-12 (Array.create 30 1.0)
                output |> shouldHaveShape [ 3; 5; 4 ]

            for mask in [ PresenceMask.Hard; PresenceMask.Log ] do
                testCase $"masked attention is softmax of scores with a bias a key, {mask}, own or shared queries"
                <| fun () ->
                    for heads, queries in [ 1, [ 3; 5; 4 ]; 2, [ 5; 4 ]; 4, [ 3; 2; 16 ] ] do
                        let d = List.last queries
                        let binary = (real 4 [ 3; 7 ]).gt(-0.5).cast(Dtype.Float64)
                        let soft = real 4 [ 3; 7 ] * 0.2 + 0.5
                        let presence = if mask = PresenceMask.Log then soft else binary

                        [ real 1 queries; real 2 [ 3; 7; d ]; real 3 [ 3; 7; 2 * heads ]; presence ]
                        |> shouldEqualTwin (attendMasked mask heads) (fun xs ->
                            Tensor.maskedAttention (xs[0], xs[1], xs[2], xs[3], mask, heads))

            testCase "absent keys have no influence, and a set without keys is attended to evenly"
            <| fun () ->
                for mask in [ PresenceMask.Hard; PresenceMask.Log ] do
                    let q, k, v = real 1 [ 2; 3; 4 ], real 2 [ 2; 5; 4 ], real 3 [ 2; 5; 4 ]
                    let presence = ofList [ 1.0; 0.0; 1.0; 0.0; 1.0; 0.0; 0.0; 0.0; 0.0; 0.0 ] [ 2; 5 ]
                    let y = Tensor.maskedAttention (q, k, v, presence, mask)
                    let present (x: Tensor) = x.slice(0, 0, 1).slice(1, 0, 5, 2)

                    y.slice (0, 0, 1) |> shouldAgree 1e-12 (Tensor.attention (q.slice (0, 0, 1), present k, present v))

                    // Beside what a mask adds no score is kept, neither here nor in float32, however far it is.
                    y.select (0, 1) |> shouldAgree 1e-12 (v.select(0, 1).mean(0, true).expand(3, 4))

                    let single (x: Tensor) = x.cast Dtype.Float32
                    let far = Tensor.maskedAttention (single q * 1e4, single k * 1e4, single v, single presence, mask)
                    far.select (0, 1) |> shouldAgree 1e-6 (v.select(0, 1).mean(0, true).expand(3, 4))
                    read y |> Array.forall System.Double.IsFinite |> shouldEqual true

            testCase "soft presences under a hard mask choose the largest, as in the paper's program"
            <| fun () ->
                let q, k, v = real 1 [ 1; 3; 4 ], real 2 [ 1; 4; 4 ], real 3 [ 1; 4; 4 ]
                let presence = ofList [ 0.2; 0.9; 0.7; 0.8999 ] [ 1; 4 ]

                Tensor.maskedAttention (q, k, v, presence) |> shouldAgree 1e-12 (v.slice(1, 1, 2).expand(1, 3, 4))

            testCase "linearEach is a product, a sum and an activation for each capsule"
            <| fun () ->
                for b, k, i, o in [ 5, 3, 4, 17; 1, 1, 1, 1; 33, 2, 16, 5; 0, 2, 3, 4; 4, 0, 3, 2; 2, 3, 0, 4 ] do
                    for activation, f in
                        [
                            Activation.None, id
                            Activation.Relu, (fun (z: Tensor) -> z.relu ())
                            Activation.Sigmoid, (fun (z: Tensor) -> z.sigmoid ())
                            Activation.Tanh, (fun (z: Tensor) -> z.tanh ())
                        ] do
                        [ real 1 [ b; k; i ]; real 2 [ k; i; o ]; real 3 [ k; o ] ]
                        |> shouldEqualTwin (each f) (fun xs -> xs[0].linearEach(xs[1], xs[2], activation))

            testCase "errors of masked attention and linearEach name what doesn't fit"
            <| fun () ->
                shouldSay "maskedAttention: presence [2, 4] of keys [2, 5, 4]; needs [b, m] and [b, m, h·d]" (fun () ->
                    Tensor.maskedAttention (
                        real 1 [ 2; 3; 4 ],
                        real 2 [ 2; 5; 4 ],
                        real 3 [ 2; 5; 4 ],
                        real 4 [ 2; 4 ]
                    ))

                shouldSay
                    "linearEach: input [2, 3, 4], weights [3, 5, 6], biases none; needs [b, k, in], [k, in, out] and [k, out]"
                    (fun () -> (real 1 [ 2; 3; 4 ]).linearEach(real 2 [ 3; 5; 6 ]))

            testCase "linearEach takes any number of capsules"
            <| fun () ->
                let x, w = real 1 [ 32; 40000; 1 ], (real 2 [ 40000; 1; 2 ]).reverseDiff()
                let y = x.linearEach w
                y |> shouldAgree 1e-12 (x * w.squeeze 1)
                y.sum().reverse()
                w.derivative.squeeze 1 |> shouldAgree 1e-9 ((x.sum 0).expand(40000, 2))

            testCase "what can't be an activation or a width is refused"
            <| fun () ->
                let x, none = real 1 [ 2; 3 ], real 2 [ 2; 3; 0 ]
                let wrong = enum<Activation> 7

                for action in
                    [
                        fun () -> x.linear (real 2 [ 3; 4 ], activation = wrong)
                        fun () -> (x.unsqueeze 1).linearEach(real 2 [ 1; 3; 4 ], activation = wrong)
                        fun () -> (real 1 [ 1; 1; 3; 3 ]).conv2d(real 2 [ 1; 1; 3; 3 ], activation = wrong)
                    ] do
                    messageOf<System.ArgumentException>(action >> ignore)
                    |> shouldContainText "there is no activation 7"

                messageOf<ShapeError>(fun () -> Tensor.attention (none, none, real 3 [ 2; 3; 2 ]) |> ignore)
                |> shouldEndWith "with m, d > 0"

            testCase "packed rows are the present items, set by set, and come back with absent ones filled in"
            <| fun () ->
                let x, absent = real 1 [ 3; 2; 2 ], ofList [ 7.0; 8.0 ] [ 2 ]
                let presence = ofList [ 0.0; 1.0; 0.0; 0.0; 0.5; 1.0 ] [ 3; 2 ]
                let there = presence.gt(0.0).unsqueeze 2
                (x.pack presence).unpack absent |> shouldAgree 0.0 (there * x + (1.0 - there) * absent)

            testCase "what can't leave rows out refuses packed ones, and says so"
            <| fun () ->
                let packed = (real 1 [ 3; 2; 4 ]).pack(ofList [ 1.0; 1.0; 0.0; 1.0; 0.0; 0.0 ] [ 3; 2 ])
                let other = (real 1 [ 3; 2; 4 ]).pack(Tensor.ones ([| 3; 2 |], Dtype.Float64))
                let refusal = "pack: the operation on "

                for refused in
                    [
                        (fun () -> packed * 2.0)
                        (fun () -> packed.sum ())
                        (fun () -> packed.slice (0, 0, 1))
                        (fun () -> packed.view (3, 8))
                        (fun () -> packed + other)
                        (fun () -> packed * packed.linear (real 2 [ 4; 1 ], real 3 [ 1 ], Activation.Sigmoid))
                        (fun () -> packed.noDiff().sum())
                        (fun () -> packed.clone().sum())
                        (fun () -> packed.noDiff().gt(0.0))
                        (fun () ->
                            (real 2 [ 3; 2; 6 ]).pack(Tensor.ones ([| 3; 2 |], Dtype.Float64))
                            |> fun square -> square.linear square)
                        (fun () -> Tensor.attention (packed, packed, real 2 [ 4 ]))
                        (fun () -> packed + real 2 [ 6; 4 ])
                        (fun () -> (real 2 [ 5; 6 ]).linear packed)
                        (fun () -> packed.linear(real 2 [ 4; 4 ]).softmax 1)
                        (fun () -> Tensor.attention (packed, packed, other))
                        (fun () -> Tensor.attention (packed, packed, real 2 [ 6; 4 ]))
                    ] do
                    messageOf<ShapeError>(refused >> ignore) |> shouldContainText refusal

                shouldSay "pack: items [3, 2, 4], presence [2, 3]; needs [b, n, d] and [b, n]" (fun () ->
                    (real 1 [ 3; 2; 4 ]).pack(real 2 [ 2; 3 ]))

                shouldSay "unpack: [6, 4] isn't packed; needs what pack returned, or layers made of it" (fun () ->
                    (real 1 [ 6; 4 ]).unpack(real 2 [ 4 ]))

                shouldSay "unpack: rows [6, 4], absent items [3]; needs [b·n, d] and [d]" (fun () ->
                    packed.unpack (real 2 [ 3 ]))

            testCase "attention survives far scores"
            <| fun () ->
                let far = real 1 [ 1; 3; 2 ] * 1e4
                read (Tensor.attention (far, far, far)) |> Array.forall System.Double.IsFinite |> shouldEqual true

                read (Tensor.attention (far, far, far, 1, -1.0))
                |> Array.forall System.Double.IsFinite
                |> shouldEqual true

            testCase "chamfer is the mean nearest squared distance in both directions"
            <| fun () ->
                for m, n, d in [ 1, 1, 1; 5, 7, 2; 17, 16, 3; 33, 2, 2 ] do
                    [ real 1 [ 3; m; d ]; real 2 [ 3; n; d ] ]
                    |> shouldEqualTwin
                        (fun xs ->
                            let difference = xs[0].unsqueeze 2 - xs[1].unsqueeze 1
                            let squared = (difference * difference).sum 3
                            squared.min(2).mean 1 + squared.min(1).mean 1)
                        (fun xs -> xs[0].chamfer xs[1])

            testCase "nearest finds the first of the nearest points"
            <| fun () ->
                let y = ofList [ 0.0; 4.0 ] [ 1; 2; 1 ]
                let x = ofList [ 1.0; -1.0; 5.0 ] [ 1; 3; 1 ]
                y.nearest x |> shouldBe [ 0.0; 2.0 ]

            testCase "layer norm agrees with mean and variance"
            <| fun () ->
                for n in [ 1; 2; 16; 17; 33 ] do
                    [ real 1 [ 3; 2; n ]; real 2 [ n ]; real 3 [ n ] ]
                    |> shouldEqualTwin
                        (fun xs ->
                            let centred = xs[0] - xs[0].mean(2, true)
                            let variance = (centred * centred).mean(2, true)
                            centred / (variance + 1e-2).sqrt() * xs[1] + xs[2])
                        (fun xs -> xs[0].layerNorm(xs[1], xs[2], 1e-2))

            testCase "the likelihoods agree with their formulas"
            <| fun () ->
                [ real 1 [ 4; 17 ]; real 2 [ 17 ]; real 3 [ 4; 1 ] * 0.2 + 1.0 ]
                |> shouldEqualTwin
                    (fun xs ->
                        let z = (xs[0] - xs[1]) / xs[2]
                        -0.5 * z * z - xs[2].log() - 0.5 * log (2.0 * System.Math.PI))
                    (fun xs -> xs[0].gaussianLogLikelihood(xs[1], xs[2]))

                [ real 1 [ 4; 17 ] * 0.2 + 0.5; real 2 [ 17 ] ]
                |> shouldEqualTwin
                    (fun xs ->
                        let p = xs[1].sigmoid()
                        xs[0] * p.log () + (1.0 - xs[0]) * (1.0 - p).log())
                    (fun xs -> xs[0].bernoulliLogLikelihood xs[1])

        ]

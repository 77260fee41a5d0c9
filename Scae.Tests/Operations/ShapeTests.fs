module Scae.Tests.Operations.ShapeTests

open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values

let private x () = Tensor.zeros [| 2; 3 |]

/// Operation and the words of its error.
let private errors: (string * (unit -> Tensor)) list =
    [
        "add: [2, 3] and [4, 3] don't broadcast: counted from the last axis, sizes must be equal or 1, but axis −2 has 2 and 4",
        (fun () -> x () + Tensor.zeros [| 4; 3 |])
        "onehot: vectors Int32; needs Float32 or Float64", (fun () -> Tensor.onehot (3, 1, Dtype.Int32))
        "mul: [2, 3] Float32 with [2, 3] Float64; dtypes must agree, cast one of them",
        (fun () -> x () * Tensor.zeros ([| 2; 3 |], Dtype.Float64))
        "add: Int32 tensors hold indices, not numbers; cast to Float32 or Float64 first",
        (fun () -> ints [ 1 ] [ 1 ] + ints [ 1 ] [ 1 ])
        "matmul: [2, 3] and [2, 3]; the last size of the first, 3, must equal the last but one of the second, 2",
        (fun () -> x().matmul(x ()))
        "matmul: [2, 3] and [4]; the last size of the first, 3, must equal the size of the second, 4",
        (fun () -> x().matmul(Tensor.zeros [| 4 |]))
        "matmul: [3] and [4, 2]; the last size of the first, 3, must equal the last but one of the second, 4",
        (fun () -> (Tensor.zeros [| 3 |]).matmul(Tensor.zeros [| 4; 2 |]))
        "matmul: [2, 3, 4] and [3, 4, 5] don't broadcast: counted from the last axis, sizes must be equal or 1, but axis −3 has 2 and 3",
        (fun () -> (Tensor.zeros [| 2; 3; 4 |]).matmul(Tensor.zeros [| 3; 4; 5 |]))
        "where: [4], [2, 1] and [1, 3] don't broadcast: counted from the last axis, sizes must be equal or 1, but axis −1 has 4 and 3",
        (fun () -> (Tensor.zeros [| 4 |]).where(Tensor.zeros [| 2; 1 |], Tensor.zeros [| 1; 3 |]))
        "unsqueeze: axis 5 for [2, 3]; a new axis may stand at -3 to 2", (fun () -> x().unsqueeze 5)
        "select: position 0 along axis 0 of [0]; it has none", (fun () -> (Tensor.zeros [| 0 |]).select(0, 0))
        "conv2d: stride 0, padding 0; the stride must be at least 1 and the padding at least 0",
        (fun () -> (Tensor.zeros [| 1; 1; 5; 5 |]).conv2d(Tensor.zeros [| 1; 1; 3; 3 |], stride = 0))
        "sum: axis 2 of a tensor with 2 axes; axes go from -2 to 1", (fun () -> x().sum 2)
        "max: axis 0 of [0] is empty", (fun () -> (Tensor.zeros [| 0 |]).max())
        "view: [2, 3] has 6 elements and can't be seen as [4, -1]", (fun () -> x().view(4, -1))
        "slice: 1..5 step 1 along axis 1 of [2, 3]; needs 0 ≤ start ≤ stop ≤ 3 and a positive step",
        (fun () -> x().slice(1, 1, 5))
        "split: sizes [-1, 4] along axis 1 of [2, 3]; they must not be negative and add up to 3",
        (fun () -> (x().split([| -1; 4 |], 1))[0])
        "tensor: fractions as Int32 would lose digits; needs Float32 or Float64",
        (fun () -> Tensor.``of`` ([| 0.5 |], [| 1 |], Dtype.Int32))
        "expand: [2, 3] can't be expanded to [4, 3]; only axes of size 1 stretch", (fun () -> x().expand(4, 3))
        "permute: order [0, 0] for [2, 3]; each of the 2 axes must be named once", (fun () -> x().permute(0, 0))
        "linear: input [2, 3], weight [2, 4], bias none; needs [.., in], [in, out] and [out]",
        (fun () -> x().linear(Tensor.zeros [| 2; 4 |]))
        "attention: queries [2, 3], keys [2, 3], values [2, 3], 1 heads; needs [b, n, h·d] or [n, h·d], [b, m, h·d] and [b, m, h·e] with m, d > 0",
        (fun () -> Tensor.attention (x (), x (), x ()))
        "cat: [2, 3] Float32 and [2, 4] Float32 along axis 0; dtypes and all other sizes must be equal",
        (fun () -> Tensor.cat [ x (); Tensor.zeros [| 2; 4 |] ])
        "cat: no tensors; needs one at least", (fun () -> Tensor.cat [])
        "stack: [2, 3] Float32 and [3] Float32; shapes and dtypes must be equal",
        (fun () -> Tensor.stack [ x (); Tensor.zeros [| 3 |] ])
        "stack: [2, 3] Float32 and [2, 3] Float64; shapes and dtypes must be equal",
        (fun () -> Tensor.stack [ x (); Tensor.zeros ([| 2; 3 |], Dtype.Float64) ])
        "stack: no tensors; needs one at least", (fun () -> Tensor.stack [])
        "var: axis 2 of a tensor with 2 axes; axes go from -2 to 1", (fun () -> x().var(2))
        "pad: paddings [1] for [2, 3]; needs one of 0 or more for each of the 2 axes", (fun () -> x().pad 1)
        "gather: index [2] Int32 along axis 0 of [2, 3]; needs Int32 with 2 axes, no other one longer than the tensor's",
        (fun () -> x().gather(0, ints [ 0; 1 ] [ 2 ]))
        "gather: position 2 along an axis of size 2; positions go from 0 to 1",
        (fun () -> x().gather(0, ints [ 2 ] [ 1; 1 ]))
        "indexSelect: position -1 along an axis of size 3; positions go from 0 to 2",
        (fun () -> x().indexSelect(1, [| -1 |]))
        "onehot: position 4 along an axis of size 4; positions go from 0 to 3", (fun () -> (ints [ 4 ] [ 1 ]).onehot 4)
        "gridSample: [2, 3] at [2, 3]; needs [b, c, h, w] and [b, h′, w′, 2]", (fun () -> x().gridSample(x ()))
        "layerNorm: input [2, 3], gain [2], bias [3]; needs [.., n], [n] and [n] with n > 0",
        (fun () -> x().layerNorm(Tensor.zeros [| 2 |], Tensor.zeros [| 3 |]))
        "conv2d: images [1, 1, 2, 2], window 3 × 3, stride 1, padding 0; the window must fit into the padded image",
        (fun () -> (Tensor.zeros [| 1; 1; 2; 2 |]).conv2d(Tensor.zeros [| 1; 1; 3; 3 |]))
        "bernoulliMixture: means [2, 3], image [2, 3]; needs [b, k, d] and [b, d] with k > 0",
        (fun () -> x().bernoulliMixture(x ()))
        "bernoulliSlotLoss: means [2, 1, 3], responsibilities [2, 3]; both must agree",
        (fun () -> (x().unsqueeze 1).bernoulliSlotLoss(x (), x ()))
        "tensor: 2 elements for shape [3], which has 3", (fun () -> ofList [ 1.0; 2.0 ] [ 3 ])
        "toScalar: a tensor of shape [2, 3] has 6 elements, not one", (fun () -> Tensor.scalar (x().toScalar()))
        "cast: to Int32 loses fractions; indices come from argmax, nearest or integers",
        (fun () -> x().cast Dtype.Int32)
    ]

let private words = errors |> List.map (fun (text, _) -> text)

[<Tests>]
let tests =
    testList
        "Operations.Shape"
        [
            for text in words do
                testCase $"a wrong shape is named together with what would have fitted ({text})"
                <| fun () -> errors |> List.find (fun (t, _) -> t = text) |> snd |> shouldSay text

            testCase "views copy nothing: writing the source shows in them"
            <| fun () ->
                let source = real 1 [ 2; 3 ]

                let views =
                    [
                        source.transpose ()
                        source.expand (4, 2, 3)
                        source.slice (1, 1, 3)
                        source.select (0, 1)
                        source.view 6
                        source.unsqueeze 0
                    ]

                source.Elements<float>().Fill 7.0

                for view in views do
                    read view |> Array.forall ((=) 7.0) |> shouldEqual true

            testCase "a slice from a to a + 1 keeps its axis"
            <| fun () ->
                let x = ofList [ 0.0 .. 5.0 ] [ 2; 3 ]
                x.slice (1, 1, 2) |> shouldHaveShape [ 2; 1 ]
                x.slice (1, 1, 2) |> shouldBe [ 1.0; 4.0 ]
                x.select (1, 1) |> shouldHaveShape [ 2 ]

            testCase "views read what they say"
            <| fun () ->
                let x = ofList [ 0.0 .. 5.0 ] [ 2; 3 ]
                x.transpose () |> shouldBe [ 0.0; 3.0; 1.0; 4.0; 2.0; 5.0 ]
                x.permute(1, 0).view 6 |> shouldBe [ 0.0; 3.0; 1.0; 4.0; 2.0; 5.0 ]
                x.slice (1, 0, 3, 2) |> shouldBe [ 0.0; 2.0; 3.0; 5.0 ]
                x.slice (1, -2, -1) |> shouldBe [ 1.0; 4.0 ]
                x.select(0, 1).expand(2, 3) |> shouldBe [ 3.0; 4.0; 5.0; 3.0; 4.0; 5.0 ]
                x.split([| 1; 2 |], 1)[1] |> shouldBe [ 1.0; 2.0; 4.0; 5.0 ]
                x.flatten().unflatten(0, 3, 2) |> shouldHaveShape [ 3; 2 ]
                x.unsqueeze(-1).squeeze() |> shouldHaveShape [ 2; 3 ]
                x.unsqueeze(0).squeeze 0 |> shouldHaveShape [ 2; 3 ]

            testCase "an empty slice of an empty tensor can be computed with"
            <| fun () ->
                let x = Tensor.zeros [| 0; 3 |]
                x.slice(1, 3, 3).exp() + 1.0 |> shouldHaveShape [ 0; 0 ]

            testCase "how often a broadcast element is read is counted without products that overflow"
            <| fun () ->
                let repeats (shape: int list) (target: int list) =
                    Shape.Repeats(System.ReadOnlySpan(Array.ofList shape), System.ReadOnlySpan(Array.ofList target))

                repeats [ 2; 3 ] [ 2; 3 ] |> shouldEqual 1L
                repeats [ 3 ] [ 1; 3 ] |> shouldEqual 1L
                repeats [ 5; 1; 2 ] [ 5; 7; 2 ] |> shouldEqual 7L

                // 65,537 · 2 products of 128 × 256 have 2³² + 65,536 elements, which an int took for those of one operand.
                repeats [ 2 ] [ 65537; 2 ] |> shouldEqual 65537L

            testCase "creation makes what it says"
            <| fun () ->
                Tensor.arange (3.0, dtype = Dtype.Float64) |> shouldBe [ 0.0; 1.0; 2.0 ]
                // (1.3 − 1) / 0.1 is a little more than 3, and 1 + 3 · 0.1 is 1.3.
                Tensor.arange (1.3, 1.0, 0.1, Dtype.Float64) |> shouldBe [ 1.0; 1.1; 1.2 ]
                Tensor.arange (-1.3, -1.0, -0.1, Dtype.Float64) |> shouldBe [ -1.0; -1.1; -1.2 ]
                Tensor.linspace (-1.0, 1.0, 3) |> shouldBe [ -1.0; 0.0; 1.0 ]
                Tensor.eye 2 |> shouldBe [ 1.0; 0.0; 0.0; 1.0 ]
                Tensor.full ([| 2 |], 3.5) |> shouldBe [ 3.5; 3.5 ]
                Tensor.``of`` (array2D [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]) |> shouldBe [ 1.0; 2.0; 3.0; 4.0 ]
                Tensor.``of`` [| 5.0 |] |> shouldHaveShape [ 1 ]
                Tensor.scalar 2.0 |> shouldHaveShape []
        ]

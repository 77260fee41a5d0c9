module Scae.Tests.Operations.ComputedTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Tensors

let private doubled (x: Tensor) =
    Tensor.computed (
        x.shape,
        [| x |],
        Action<_, _>(fun (inputs: ReadOnlyMemory<float32>[]) (output: Memory<float32>) ->
            for i in 0 .. output.Length - 1 do
                output.Span[i] <- 2.0f * inputs[0].Span[i])
    )

[<Tests>]
let tests =
    testList
        "Operations.Computed"
        [
            testCase "a computed tensor holds what the function wrote"
            <| fun () ->
                let x = Tensor.``of`` ([| 1.0f; 2.0f; 3.0f; 4.0f |], 2, 2)
                (doubled x).toArray<float32>() |> shouldEqual [| 2.0f; 4.0f; 6.0f; 8.0f |]
                (doubled (x.transpose ())).toArray<float32>() |> shouldEqual [| 2.0f; 6.0f; 4.0f; 8.0f |]
                (doubled (x.cast Dtype.Float64)).dtype |> shouldEqual Dtype.Float32

            testCase "no gradient passes a computed tensor"
            <| fun () ->
                let x = (Tensor.``of`` [| 3.0f |]).reverseDiff()
                (x * doubled x).sum().reverse()
                x.derivative.toScalar () |> shouldEqual 6.0

            testCase "a replay computes anew"
            <| fun () ->
                let x = Tensor.``of`` [| 3.0f |]
                let recording = Recording.Of(fun () -> Seq.singleton (doubled x))
                x.Elements<float32>()[0] <- 5.0f
                recording.Forward()
                recording.Outputs[0].toScalar() |> shouldEqual 10.0

            testCase "the function may use and read tensors of its own, recorded or not"
            <| fun () ->
                let x = Tensor.``of`` [| 1.0f; 2.0f |]

                let summed () =
                    Tensor.computed (
                        [| 1 |],
                        [| x |],
                        fun inputs into ->
                            Parallelism.Run(2, ignore)
                            let own = Tensor.``of``(inputs[0].ToArray()).reverseDiff()
                            (own * own).sum().reverse()
                            into.Span[0] <- float32 (own.derivative.sum().toScalar())
                    )

                (summed ()).toScalar() |> shouldEqual 6.0
                let recording = Recording.Of(fun () -> Seq.singleton (summed () * 2.0))
                recording.Count |> shouldEqual 2
                x.Elements<float32>()[1] <- 5.0f
                recording.Forward()
                recording.Outputs[0].toScalar() |> shouldEqual 24.0

            testCase "integers are refused in one line"
            <| fun () ->
                let act () = doubled (Tensor.``of`` [| 1; 2 |]) |> ignore

                messageOf<ShapeError> act
                |> shouldEqual "computed: integers aren't among what a function may get; needs Float32 or Float64"
        ]

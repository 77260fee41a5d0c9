module Scae.Tests.Training.InferenceTests

open System
open Expecto
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims

let private rows (count: int) : Tensor = Tensor.``of`` (Array.init (3 * count) float32, [| count; 3 |])

let private room (count: int) : Tensor = Tensor.zeros [| count; 3 |]

let private gather (infer: Tensor -> 'output) (x: Tensor) : 'output =
    Inference(4, room, infer).Gather(x.shape[0], fun part -> Rows.load x part.First part.Batch)

[<Tests>]
let tests =
    testList
        "Training.Inference"
        [
            testCase "a tuple is inferred from every part, as a record is"
            <| fun () ->
                let x = rows 10
                let doubled, struct (sums, both) = gather (fun x -> x * 2.0, struct (x.sum 1, ValueSome(x + 1.0))) x
                doubled.toArray<float32>() |> shouldEqual ((x * 2.0).toArray<float32>())
                sums.toArray<float32>() |> shouldEqual ((x.sum 1).toArray<float32>())
                both.Value.toArray<float32>() |> shouldEqual ((x + 1.0).toArray<float32>())

            testCase "what has no tensors, or has them where they'd be overlooked, is refused"
            <| fun () ->
                messageOf<ArgumentException>(fun () -> gather (fun x -> x.shape[0]) (rows 10) |> ignore)
                |> shouldStartWith "inference: the output has no tensors"

                messageOf<ArgumentException>(fun () -> gather (fun x -> Map [ "x", x ]) (rows 10) |> ignore)
                |> shouldStartWith "the model is of type FSharpMap"

            testCase "no rows are an error"
            <| fun () -> (fun () -> gather id (rows 0) |> ignore) |> shouldRaise<ArgumentException>
        ]

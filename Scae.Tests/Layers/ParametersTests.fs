module Scae.Tests.Layers.ParametersTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Layers
open Scae.Tensors

type private Inner = { Weight: Tensor; Bias: Tensor option }

type private Model = { First: Inner; Stack: Inner[]; Label: string }

let private tensor (value: float) = Tensor.scalar value

let private model =
    {
        First = { Weight = tensor 1.0; Bias = Some(tensor 2.0) }
        Stack = [| { Weight = tensor 3.0; Bias = None }; { Weight = tensor 4.0; Bias = Some(tensor 5.0) } |]
        Label = "kept"
    }

[<Tests>]
let tests =
    testList
        "Layers.Parameters"
        [
            testCase "names are the fields' names in order"
            <| fun () ->
                Parameters.named model
                |> List.map (fun (name, value) -> name, value.toScalar ())
                |> shouldEqual
                    [
                        "first.weight", 1.0
                        "first.bias", 2.0
                        "stack.0.weight", 3.0
                        "stack.1.weight", 4.0
                        "stack.1.bias", 5.0
                    ]

            testCase "map replaces every tensor and nothing else"
            <| fun () ->
                let doubled = Parameters.map (fun t -> t * 2.0) model
                doubled.Label |> shouldEqual "kept"

                Parameters.named doubled
                |> List.map (fun (_, value) -> value.toScalar ())
                |> shouldEqual [ 2.0; 4.0; 6.0; 8.0; 10.0 ]

            testCase "count adds the elements up" <| fun () -> Parameters.count model |> shouldEqual 5

            testCase "trainable parameters have derivatives"
            <| fun () ->
                let trainable = Parameters.trainable model
                (trainable.First.Weight * trainable.Stack[1].Weight).sum().reverse()
                trainable.First.Weight.derivative.toScalar () |> shouldEqual 4.0
                trainable.Stack[0].Weight.derivative.toScalar() |> shouldEqual 0.0

            testCase "two parameters of one name are refused"
            <| fun () ->
                (fun () -> Parameters.named [ tensor 1.0; tensor 2.0; tensor 3.0 ] |> ignore)
                |> shouldRaise<ArgumentException>

            testCase "assigning another shape is an error"
            <| fun () ->
                (fun () -> Parameters.assign (Tensor.zeros [| 2 |]) (Tensor.zeros [| 3 |]))
                |> shouldRaise<ShapeError>
        ]

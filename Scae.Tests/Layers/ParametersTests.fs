module Scae.Tests.Layers.ParametersTests

open System
open FsUnit
open NUnit.Framework
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

[<Test>]
let ``names are the fields' names in order`` () =
    Parameters.named model
    |> List.map (fun (name, value) -> name, value.toScalar ())
    |> should
        equal
        [
            "first.weight", 1.0
            "first.bias", 2.0
            "stack.0.weight", 3.0
            "stack.1.weight", 4.0
            "stack.1.bias", 5.0
        ]

[<Test>]
let ``map replaces every tensor and nothing else`` () =
    let doubled = Parameters.map (fun t -> t * 2.0) model
    doubled.Label |> should equal "kept"

    Parameters.named doubled
    |> List.map (fun (_, value) -> value.toScalar ())
    |> should equal [ 2.0; 4.0; 6.0; 8.0; 10.0 ]

[<Test>]
let ``count adds the elements up`` () = Parameters.count model |> should equal 5

[<Test>]
let ``trainable parameters have derivatives`` () =
    let trainable = Parameters.trainable model
    (trainable.First.Weight * trainable.Stack[1].Weight).sum().reverse()
    trainable.First.Weight.derivative.toScalar () |> should equal 4.0
    trainable.Stack[0].Weight.derivative.toScalar() |> should equal 0.0

[<Test>]
let ``two parameters of one name are refused`` () =
    (fun () -> Parameters.named [ tensor 1.0; tensor 2.0; tensor 3.0 ] |> ignore)
    |> should throw typeof<ArgumentException>

[<Test>]
let ``assigning another shape is an error`` () =
    (fun () -> Parameters.assign (Tensor.zeros [| 2 |]) (Tensor.zeros [| 3 |]))
    |> should throw typeof<ShapeError>

module Scae.Tests.Layers.ParametersTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Layers
open Scae.Tensors

type private Inner = { Weight: Tensor; Bias: Tensor option }

type private Twins = { Twin: Tensor; twin: Tensor }

type private Holder(tensor: Tensor) =
    member _.Tensor: Tensor = tensor

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
                (fun () -> Parameters.named { Twin = tensor 1.0; twin = tensor 2.0 } |> ignore)
                |> shouldRaise<ArgumentException>

            testCase "items of lists and tuples are numbered, and value options looked into"
            <| fun () ->
                let model = [ tensor 1.0; tensor 2.0 ], struct (tensor 3.0, ValueSome(tensor 4.0), 7)

                Parameters.named model
                |> List.map (fun (name, value) -> name, value.toScalar ())
                |> shouldEqual [ "0.0", 1.0; "0.1", 2.0; "1.0", 3.0; "1.1", 4.0 ]

                let doubled, struct (_, fourth, seven) = Parameters.map (fun t -> t * 2.0) model
                doubled |> List.map _.toScalar() |> shouldEqual [ 2.0; 4.0 ]
                fourth.Value.toScalar () |> shouldEqual 8.0
                seven |> shouldEqual 7

            testCase "a list without items has no parameters"
            <| fun () -> Parameters.named ([]: Tensor list) |> shouldEqual []

            testCase "tensors where they would be overlooked are refused, by name and type"
            <| fun () ->
                let refused (overlooked: unit -> unit) (words: string) =
                    messageOf<ArgumentException> overlooked |> shouldContainText words

                refused
                    (fun () -> Parameters.count {| Layers = Map [ 1, tensor 1.0 ] |} |> ignore)
                    "layers is of type FSharpMap"

                refused (fun () -> Parameters.count (ResizeArray [ tensor 1.0 ]) |> ignore) "the model is of type List"
                refused (fun () -> Parameters.count (Error(tensor 1.0): Result<int, Tensor>) |> ignore) "FSharpResult"
                refused (fun () -> Parameters.count (Holder(tensor 1.0)) |> ignore) "Holder"

            testCase "numbers, texts, choices and functions are left alone"
            <| fun () ->
                let model =
                    {|
                        Weight = tensor 1.0
                        Names = [ "a" ]
                        Kind = StringComparison.Ordinal
                        Apply = (fun (x: Tensor) -> x)
                    |}

                Parameters.count model |> shouldEqual 1

            testCase "assigning another shape is an error"
            <| fun () ->
                (fun () -> Parameters.assign (Tensor.zeros [| 2 |]) (Tensor.zeros [| 3 |]))
                |> shouldRaise<ShapeError>
        ]

/// What tests of encoders as ONNX graphs share: ONNX Runtime beside the model that a graph comes from.
module Scae.Tests.Export.Onnx

open System
open System.Collections.Generic
open Google.Protobuf
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors
open Scae.Cli.Export
open Scae.Core.Layers
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims

/// Every tensor with something added, so that no bias is 0.
let jittered (model: 'model) : 'model =
    model
    |> Parameters.mapi (fun name x ->
        x
        + 0.1 * Initialization.normal 1.0 Dtype.Float32 (List.ofArray x.shape) ((Key.OfSeed 11L).Named name))

let weights (model: 'model) (settings: (string * string) list) : Weights =
    let tensors =
        [
            for name, tensor in Parameters.named model ->
                KeyValuePair(name, { Shape = tensor.shape; Data = TensorData.F32(tensor.toArray<float32>()) })
        ]

    Weights.Of(tensors, settings)

let random (shape: int list) (key: string) : Tensor =
    Initialization.normal 1.0 Dtype.Float32 shape ((Key.OfSeed 5L).Named key)

let private results
    (graph: byte[])
    (inputs: (string * Tensor) list)
    (read: IReadOnlyCollection<DisposableNamedOnnxValue> -> 'a)
    =
    use session = new InferenceSession(graph)

    use results =
        session.Run
            [
                for name, input in inputs ->
                    let tensor = DenseTensor<float32>(Memory(input.toArray<float32>()), ReadOnlySpan input.shape)
                    NamedOnnxValue.CreateFromTensor(name, tensor)
            ]

    read results

/// What ONNX Runtime makes of inputs: the outputs of float32 by name, each with its shape.
let outputsOf (graph: byte[]) (inputs: (string * Tensor) list) : Map<string, int[] * float32[]> =
    results graph inputs (fun results ->
        Map.ofList
            [
                for result in results do
                    if result.ElementType = TensorElementType.Float then
                        let tensor = result.AsTensor<float32>()
                        result.Name, (tensor.Dimensions.ToArray(), Array.ofSeq tensor)
            ])

/// The elements of an output of whole numbers.
let integersOf (graph: byte[]) (inputs: (string * Tensor) list) (name: string) : int64[] =
    results graph inputs (fun results ->
        let result = results |> Seq.find (fun result -> result.Name = name)
        Array.ofSeq (result.AsTensor<int64>()))

/// The same of one input.
let outputs (graph: byte[]) (name: string) (input: Tensor) : Map<string, int[] * float32[]> =
    outputsOf graph [ name, input ]

let bytes (graph: GraphBuilder) : byte[] = graph.Model("1.2.3", []).ToByteArray()

let shouldBeThe (expected: Tensor) (found: int[] * float32[]) =
    fst found |> shouldEqual expected.shape

    for a, b in Array.zip (expected.toArray<float32>()) (snd found) do
        float b |> shouldBeNear 1e-5 (float a)

/// To 1e-5 of values that may be far above 1.
let shouldBeRelativelyThe (expected: Tensor) (found: int[] * float32[]) =
    fst found |> shouldEqual expected.shape

    for a, b in Array.zip (expected.toArray<float32>()) (snd found) do
        float b |> shouldBeNear (1e-5 * max 1.0 (abs (float a))) (float a)

/// Golden values from an independent implementation: inputs, parameters, the loss, and each gradient's sum, norm and
/// first entries, all in float64.
module Scae.Tests.Golden

open System
open System.IO
open System.Text.Json
open Scae.Tensors

type Gradient = { Sum: float; Norm: float; First: float[] }

type Golden =
    {
        Loss: float
        Input: string -> Tensor
        Parameter: string -> Tensor
        Gradient: string -> Gradient
    }

let private numbers (element: JsonElement) = [| for value in element.EnumerateArray() -> value.GetDouble() |]

let private tensor (element: JsonElement) =
    let shape = numbers (element.GetProperty "shape") |> Array.map int
    Tensor.``of`` (numbers (element.GetProperty "values"), shape)

let load (experiment: string) : Golden =
    let path = Path.Combine(AppContext.BaseDirectory, "Expectations", $"{experiment}.golden.json")
    let root = JsonDocument.Parse(File.ReadAllText path).RootElement

    {
        Loss = root.GetProperty("loss").GetDouble()
        Input = fun name -> tensor (root.GetProperty("inputs").GetProperty name)
        Parameter = fun name -> tensor (root.GetProperty("parameters").GetProperty name)
        Gradient =
            fun name ->
                let element = root.GetProperty("gradient").GetProperty name

                {
                    Sum = element.GetProperty("sum").GetDouble()
                    Norm = element.GetProperty("norm").GetDouble()
                    First = numbers (element.GetProperty "first")
                }
    }

/// The largest deviation of a gradient from the golden one, relative to the golden norm.
let deviation (golden: Gradient) (gradient: Tensor) : float =
    let values = (gradient.cast Dtype.Float64).toArray<double>()
    let norm = sqrt (Array.sumBy (fun v -> v * v) values)

    let entries = Seq.map2 (fun (a: float) b -> abs (a - b)) values golden.First |> Seq.max

    [ entries; abs (norm - golden.Norm); abs (Array.sum values - golden.Sum) ]
    |> List.max
    |> fun largest -> largest / max golden.Norm 1e-12

/// Golden values from an independent implementation: inputs, parameters, the loss, and each gradient's sum, norm and
/// first entries, all in float64.
module Scae.Tests.Golden

open System
open System.IO
open System.Text.Json
open Scae.Tensors
open Scae.Tests.Claims

type Gradient = { Sum: float; Norm: float; First: float[] }

type Golden =
    {
        Loss: float
        /// A term of the loss; NaN where the file has none of that name.
        Term: string -> float
        Input: string -> Tensor
        Noise: string -> Tensor
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
        Term =
            fun name ->
                match root.GetProperty("terms").TryGetProperty name with
                | true, value -> value.GetDouble()
                | _ -> nan
        Input = fun name -> tensor (root.GetProperty("inputs").GetProperty name)
        Noise = fun name -> tensor (root.GetProperty("noise").GetProperty name)
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

    golden.First |> shouldHaveSome
    values.Length |> shouldBeAtLeast golden.First.Length
    let entries = Seq.map2 (fun (a: float) b -> abs (a - b)) values golden.First |> largestOf

    [ entries; abs (norm - golden.Norm); abs (Array.sum values - golden.Sum) ]
    |> largestOf
    |> fun largest -> largest / max golden.Norm 1e-12

/// That a gradient is the golden one within 10⁻⁹. A golden norm below 10⁻¹² is a gradient of 0 and the rounding of its
/// sums, such as that of an attention's key bias, which moves all scores of a query alike: ours must be as small.
let shouldAgree (golden: Gradient) (gradient: Tensor) : unit =
    let error =
        if golden.Norm < 1e-12 then
            (gradient.norm ()).toScalar() * 1e3
        else
            deviation golden gradient

    if not (error <= 1e-9) then
        failwith $"a gradient deviates by {error} of the golden norm {golden.Norm}"

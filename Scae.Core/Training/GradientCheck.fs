namespace Scae.Core

open System
open Scae.Tensors

/// One parameter's gradient by differentiation and by central differences, in float64.
type GradientComparison =
    {
        Parameter: string
        /// How many of its entries were compared.
        Compared: int
        /// ‖a − n‖ / (‖a‖ + ‖n‖) over the compared entries.
        RelativeError: float
    }

/// Reverse mode against central differences.
[<RequireQualifiedAccess>]
module GradientCheck =
    /// The largest number of entries of a parameter that are compared; which ones is drawn from the key.
    [<Literal>]
    let EntriesPerParameter = 32

    let private norm (values: float[]) : float = sqrt (Array.sumBy (fun v -> v * v) values)

    let private relativeError (a: float[]) (n: float[]) : float =
        match norm a + norm n with
        | 0.0 -> 0.0
        | sum -> norm (Array.map2 (-) a n) / sum

    /// Compares the gradient of a loss in each of its float64 parameters with (f(x + h) − f(x − h)) / 2h, h = 10⁻⁶.
    /// The loss must be a function of the parameters' present elements, which are restored.
    let run (key: Key) (parameters: (string * Tensor) list) (loss: unit -> Tensor) : GradientComparison list =
        (loss ()).reverse()
        let derivatives = parameters |> List.map (fun (_, parameter) -> parameter.derivative.toArray<double>())

        [
            for (name, parameter), derivative in List.zip parameters derivatives do
                let order = Array.zeroCreate derivative.Length
                (key.Named name).FillPermutation(Span order)
                let chosen = Array.truncate EntriesPerParameter order

                let difference (i: int) =
                    let at (x: float) =
                        parameter.Elements<double>()[i] <- x
                        (loss ()).toScalar()

                    let x = parameter.Elements<double>()[i]
                    let h = 1e-6 * max 1.0 (abs x)
                    let slope = (at (x + h) - at (x - h)) / (2.0 * h)
                    parameter.Elements<double>()[i] <- x
                    slope

                {
                    Parameter = name
                    Compared = chosen.Length
                    RelativeError =
                        relativeError (chosen |> Array.map (fun i -> derivative[i])) (chosen |> Array.map difference)
                }
        ]

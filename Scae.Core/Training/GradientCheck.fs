namespace Scae.Core.Training

open System
open Scae.Tensors

/// One parameter's gradient by differentiation and by central differences, in float64.
type GradientComparison =
    {
        Parameter: string
        /// How many of its entries were compared.
        Compared: int
        /// ‖a‖ over the compared entries. Where it is 0, the parameter has no effect on the loss that is checked.
        Norm: float
        /// ‖a − n‖ / (‖a‖ + ‖n‖) over the compared entries, where what the rounding of the loss can explain is
        /// subtracted from ‖a − n‖.
        RelativeError: float
    }

/// Compares reverse-mode gradients with central differences.
[<RequireQualifiedAccess>]
module GradientCheck =
    /// How many entries of a parameter are compared at most, unless another number is given.
    [<Literal>]
    let EntriesPerParameter = 32

    let private norm (values: float[]) : float = sqrt (Array.sumBy (fun v -> v * v) values)

    [<Literal>]
    let private SmallestStep = 1e-8

    [<Literal>]
    let private LargestStep = 1e-6

    // By how many units in its last place a loss may differ from one evaluation to the next.
    [<Literal>]
    let private Units = 8.0

    /// How far central differences with these steps may be off, in the norm, because a loss has only 53 bits.
    let private rounding (loss: float) (steps: float[]) : float =
        let unit = Math.BitIncrement(abs loss) - abs loss
        Units * unit * norm (Array.map (fun step -> 1.0 / step) steps)

    let private relativeError (loss: float) (a: float[]) (differences: struct (float * float)[]) : float =
        let n = differences |> Array.map (fun struct (slope, _) -> slope)
        let steps = differences |> Array.map (fun struct (_, step) -> step)

        match norm a + norm n with
        | 0.0 -> 0.0
        | sum -> max 0.0 (norm (Array.map2 (-) a n) - rounding loss steps) / sum

    // The slopes of a smooth function to both sides differ by about h·f″. If they differ by more, and by far more
    // than rounding explains, a rectifier's kink lies within the step, and the central difference lies between two
    // slopes.
    let private kinked (centre: float) (right: float) (left: float) : bool =
        abs (right - left) > 1e-4 * max (abs right) (abs left)
        && abs (right - left) > 1e-7 * max 1.0 (abs centre)

    /// Compares the gradient of a loss by each of its float64 parameters with (f(x + h) − f(x − h)) / 2h, at no more
    /// than `entries` entries of each parameter, which are drawn from the key. h is 10⁻⁶·max(1, |x|), or less, down
    /// to 10⁻⁸·max(1, |x|), if a kink lies closer. The loss must be a function of the parameters' present elements,
    /// which are restored.
    let sampled
        (entries: int)
        (key: Key)
        (parameters: (string * Tensor) list)
        (loss: unit -> Tensor)
        : GradientComparison list =
        // Replaying a recorded loss takes a fraction of the time of building it again, and there are thousands of
        // evaluations.
        let recording = Recording.Of(fun () -> Seq.singleton (loss ()))
        recording.Forward()
        recording.Reverse()
        let derivatives = parameters |> List.map (fun (_, parameter) -> parameter.derivative.toArray<double>())

        [
            let value = recording.Outputs[0].toScalar()

            for (name, parameter), derivative in List.zip parameters derivatives do
                let order = Array.zeroCreate derivative.Length
                (key.Named name).FillPermutation(Span order)
                let chosen = Array.truncate entries order
                let gradient = chosen |> Array.map (fun i -> derivative[i])

                let difference (i: int) =
                    let x = parameter.Elements<double>()[i]

                    let at (x: float) =
                        parameter.Elements<double>()[i] <- x
                        recording.Forward()
                        recording.Outputs[0].toScalar()

                    let centre = at x

                    let rec slope (h: float) =
                        let right, left = (at (x + h) - centre) / h, (centre - at (x - h)) / h

                        if h > SmallestStep * max 1.0 (abs x) && kinked centre right left then
                            slope (h / 10.0)
                        else
                            struct (0.5 * (right + left), h)

                    let found = slope (LargestStep * max 1.0 (abs x))
                    parameter.Elements<double>()[i] <- x
                    found

                {
                    Parameter = name
                    Compared = chosen.Length
                    Norm = norm gradient
                    RelativeError = relativeError value gradient (chosen |> Array.map difference)
                }
        ]

namespace Scae.Core.Metrics

/// The class that a unit prefers (Keller & Welling 2021, figure 3).
[<RequireQualifiedAccess>]
module Selectivity =
    // The mean and the unbiased variance; NaN for fewer than two values.
    let private moments (values: float[]) : float * float =
        let count = float values.Length
        let mean = Array.sum values / count
        mean, (values |> Array.sumBy (fun value -> (value - mean) ** 2.0)) / (count - 1.0)

    /// d′ = (mean of the class − mean of the rest)/√((var + var)/2) of one unit's activations. NaN if the class or
    /// the rest has fewer than two; if neither varies, ±∞, or NaN for equal means.
    let dPrime (activations: float[]) (labels: byte[]) (label: byte) : float =
        // Relative to the first activation, so that the sums of a unit that never varies are exact.
        let inside, outside =
            Array.zip (activations |> Array.map (fun value -> value - activations[0])) labels
            |> Array.partition (fun (_, other) -> other = label)

        let meanIn, varIn = inside |> Array.map fst |> moments
        let meanOut, varOut = outside |> Array.map fst |> moments
        (meanIn - meanOut) / sqrt ((varIn + varOut) / 2.0)

    /// The least d′ that counts.
    [<Literal>]
    let Threshold = 0.85

    /// The class of each unit, from activations[i][unit] of images i: the largest class number with a d′ of at least
    /// 0.85, or −1 if there is none.
    let map (activations: float[][]) (labels: byte[]) : int[] =
        let units = if activations.Length = 0 then 0 else activations[0].Length
        let classes = labels |> Array.distinct |> Array.sortDescending

        Array.init units (fun unit ->
            let ofUnit = activations |> Array.map (fun image -> image[unit])

            classes
            |> Array.tryFind (fun label -> dPrime ofUnit labels label >= Threshold)
            |> Option.map int
            |> Option.defaultValue -1)

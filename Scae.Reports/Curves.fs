namespace Scae.Reports

open System

/// A curve of a chart: a run's values over its epochs.
type Curve =
    {
        /// What the key and the pointer's box call it.
        Label: string
        /// Which of the palette's colours it has, from 0.
        Colour: int
        Epochs: float[]
        /// The value of each epoch; NaN where there is none.
        Values: float[]
    }

/// Curves and axes as numbers.
[<RequireQualifiedAccess>]
module Curves =
    /// At most about so many points of a curve: in each of equally long stretches the first, the least, the largest and the
    /// last are kept, so that no peak is lost, and the first that is no number, so that a gap stays one.
    let thinned (most: int) (curve: Curve) : Curve =
        let length = curve.Epochs.Length

        if length <= most then
            curve
        else
            let stretches = max 1 (most / 4)

            let kept =
                [|
                    for stretch in 0 .. stretches - 1 do
                        let first = int (int64 length * int64 stretch / int64 stretches)
                        let last = int (int64 length * int64 (stretch + 1) / int64 stretches) - 1
                        let finite = [| first..last |] |> Array.filter (fun i -> Double.IsFinite curve.Values[i])
                        first
                        last

                        yield!
                            seq { first..last }
                            |> Seq.filter (fun i -> not (Double.IsFinite curve.Values[i]))
                            |> Seq.truncate 1

                        if finite.Length > 0 then
                            finite |> Array.minBy (fun i -> curve.Values[i])
                            finite |> Array.maxBy (fun i -> curve.Values[i])
                |]
                |> Array.distinct
                |> Array.sort

            { curve with
                Epochs = kept |> Array.map (fun i -> curve.Epochs[i])
                Values = kept |> Array.map (fun i -> curve.Values[i])
            }

    /// The least and the largest finite value, moved apart where they are equal or differ by rounding alone; 0 and 1 where there
    /// is none.
    let range (values: float seq) : float * float =
        let finite = values |> Seq.filter Double.IsFinite |> Array.ofSeq

        if finite.Length = 0 then
            0.0, 1.0
        else
            let low, high = Array.min finite, Array.max finite

            let largest = max (abs low) (abs high)

            if high - low > 1e-9 * largest then
                low, high
            else
                let apart = if largest = 0.0 then 0.5 else 0.05 * largest
                low - apart, high + apart

    /// Ticks at 1, 2 or 5 times a power of ten within a range, four to eight of them.
    let ticks (low: float, high: float) : float list =
        let raw = (high - low) / 5.0
        let power = Math.Pow(10.0, Math.Floor(Math.Log10 raw))

        let step =
            power
            * (match raw / power with
               | size when size < 1.5 -> 1.0
               | size when size < 3.5 -> 2.0
               | size when size < 7.5 -> 5.0
               | _ -> 10.0)

        let first = Math.Ceiling(low / step - 1e-9)
        let last = Math.Floor(high / step + 1e-9)
        [ for i in first..last -> i * step ]

    /// A tick's number, with as many digits as tell it from its neighbours.
    let tickLabel (ticks: float list) (value: float) : string =
        let step =
            match ticks with
            | a :: b :: _ -> b - a
            | _ -> max 1e-12 (abs value)

        let large = ticks |> List.map abs |> List.fold max 0.0

        if large >= 1e6 || step < 1e-5 then
            let digits = Math.Clamp(int (Math.Ceiling(Math.Log10(large / step) - 1e-9)), 0, 15)
            value.ToString("0." + String('#', digits) + "e0", Globalization.CultureInfo.InvariantCulture)
        else
            let digits = max 0 (int (Math.Ceiling(-(Math.Log10 step) - 1e-9)))
            // Rounding leaves −0 of what is a hair below 0.
            (Math.Round(value, digits) + 0.0).ToString($"F{digits}", Globalization.CultureInfo.InvariantCulture)

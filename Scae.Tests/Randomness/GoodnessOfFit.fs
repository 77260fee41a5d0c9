/// Whether numbers follow a distribution: the checkers of the tests beside this file. Thresholds are about 4 standard
/// deviations; keys are fixed, so a test that passes once passes always.
module Scae.Tests.Randomness.GoodnessOfFit

open System

/// How surprising a χ² statistic is, in standard deviations (Wilson & Hilferty 1931). Large: a bad fit; very negative:
/// too good to be random.
let private surprise (chiSquare: float) (degrees: int) =
    let v = 2.0 / (9.0 * float degrees)
    (Math.Cbrt(chiSquare / float degrees) - (1.0 - v)) / sqrt v

/// Whether counts agree with expected counts, by Pearson's χ².
let fitsCounts (expected: float[]) (counts: int[]) =
    let chiSquare = Array.fold2 (fun sum e n -> sum + (float n - e) * (float n - e) / e) 0.0 expected counts

    abs (surprise chiSquare (counts.Length - 1)) < 4.0

/// Whether labels 0, …, bins − 1 are equally frequent.
let fitsUniformLabels bins (labels: int[]) =
    let counts = Array.zeroCreate bins
    labels |> Array.iter (fun label -> counts[label] <- counts[label] + 1)
    fitsCounts (Array.create bins (float labels.Length / float bins)) counts

/// Whether values follow a cumulative distribution function, by Kolmogorov and Smirnov: √n·D < 2.2 with probability
/// 0.9999, and > 0.3 likewise.
let fitsCumulative (cumulative: float -> float) (values: float[]) =
    let n = float values.Length
    let sorted = Array.sort values

    let distance =
        sorted
        |> Array.mapi (fun i x ->
            let f = cumulative x
            max (f - float i / n) (float (i + 1) / n - f))
        |> Array.max

    let scaled = sqrt n * distance
    scaled < 2.2 && scaled > 0.3

/// Whether two samples are uncorrelated: |r|·√n < 4.
let areUncorrelated (x: float[]) (y: float[]) =
    let mx, my = Array.average x, Array.average y
    let covariance = Array.fold2 (fun s a b -> s + (a - mx) * (b - my)) 0.0 x y
    let square m = Array.sumBy (fun a -> (a - m) * (a - m))
    let r = covariance / sqrt (square mx x * square my y)
    abs r * sqrt (float x.Length) < 4.0

let uniformCumulative lo hi x = Math.Clamp((x - lo) / (hi - lo), 0.0, 1.0)

/// Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …) (Marsaglia 2004).
let normalCumulative (x: float) =
    let rec sum total term i =
        if total + term = total then
            total
        else
            sum (total + term) (term * x * x / (i + 2.0)) (i + 2.0)

    0.5 + sum 0.0 x 1.0 * exp (-0.5 * x * x) / sqrt (2.0 * Math.PI)

let gumbelCumulative (x: float) = exp (-exp -x)

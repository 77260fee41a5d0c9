module Scae.Tests.Plots.AxisTicksTests

open System
open NUnit.Framework
open FsCheck.NUnit
open FsUnit
open Scae.Cli.Plots

/// What is wrong with ticks between limits; Ok if nothing is.
let private fault (low: float) (high: float) (most: int) (positions: float[]) : Result<unit, string> =
    let gaps = positions |> Array.pairwise |> Array.map (fun (a, b) -> b - a)
    let slack = 1e-6 * (high - low)

    if positions |> Array.exists (fun p -> p < low || p > high) then
        Error "outside"
    elif positions.Length < max 1 (most * 2 / 5) || positions.Length > most then
        Error "number"
    elif gaps |> Array.exists (fun g -> abs (g - gaps[0]) > slack || g <= 0.0) then
        Error "spacing"
    else
        Ok()

[<Property(MaxTest = 1000)>]
let ``ticks lie inside the limits, evenly, and are three to eight`` (middle: float) (exponent: int) (width: byte) =
    let middle =
        if Double.IsFinite middle then
            Math.Clamp(middle, -1e6, 1e6)
        else
            0.0

    let range = (1.0 + float width) * 10.0 ** float (exponent % 12)
    let range = max range (abs middle * 1e-9)
    let low, high = middle - range / 2.0, middle + range / 2.0
    let ticks = AxisTicks.Linear(low, high, 8)

    match fault low high 8 ticks.Positions with
    | Ok() -> ticks.Labels |> Array.distinct |> Array.length = ticks.Positions.Length
    | Error what -> failwith $"{what}: {low} … {high} gives %A{ticks.Positions}"

[<Test>]
let ``limits whose difference is rounded get no tick too many`` () =
    let low, high = 999999.998, 1000000.002

    fault low high 8 (AxisTicks.Linear(low, high, 8)).Positions
    |> should equal (Result<unit, string>.Ok())

[<Test>]
let ``the check notices ticks outside, too many and uneven`` () =
    fault 0.0 1.0 8 [| 0.0; 0.5; 1.5 |] |> should equal (Result<unit, string>.Error "outside")

    fault 0.0 1.0 8 (Array.init 9 (fun i -> float i / 8.0))
    |> should equal (Result<unit, string>.Error "number")

    fault 0.0 1.0 8 [| 0.0; 0.3; 0.5; 1.0 |] |> should equal (Result<unit, string>.Error "spacing")

[<TestCase(0.0, 1.0, "0.0 0.2 0.4 0.6 0.8 1.0", "")>]
[<TestCase(-2.0, 3.0, "−2 −1 0 1 2 3", "")>]
[<TestCase(0.0, 6e12, "0 1 2 3 4 5 6", "×10¹²")>]
[<TestCase(0.0, 3e-9, "0.0 0.5 1.0 1.5 2.0 2.5 3.0", "×10⁻⁹")>]
[<TestCase(1e12, 1000000000003.0, "0.0 0.5 1.0 1.5 2.0 2.5 3.0", "+ 10¹²")>]
let ``labels have the decimals of the step, and large and small values a power of ten`` (low, high, labels, suffix) =
    let ticks = AxisTicks.Linear(low, high, 8)
    String.concat " " ticks.Labels |> should equal (labels: string)
    ticks.Suffix |> should equal (suffix: string)

[<TestCase(0.01, 1000.0, "0.01 0.1 1 10 100 1000")>]
[<TestCase(0.3, 7.0, "0.5 1 2 5")>]
[<TestCase(1e-12, 1e12, "10⁻¹² 10⁻⁸ 10⁻⁴ 10⁰ 10⁴ 10⁸ 10¹²")>]
[<TestCase(2.0, 5.0, "2 3 4 5")>]
let ``a logarithmic axis has powers of ten, or what fits between two of them`` (low, high, labels) =
    String.concat " " (AxisTicks.Logarithmic(low, high, 8)).Labels |> should equal (labels: string)

module Scae.Tests.Plots.AxisTicksTests

open System
open Expecto
open Scae.Tests.Claims
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

[<Tests>]
let tests =
    testList
        "Plots.AxisTicks"
        [
            testPropertyWithConfig (samples 1000) "ticks lie inside the limits, evenly, and are three to eight"
            <| fun (middle: float) (exponent: int) (width: byte) ->
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

            testCase "limits whose difference is rounded get no tick too many"
            <| fun () ->
                let low, high = 999999.998, 1000000.002

                fault low high 8 (AxisTicks.Linear(low, high, 8)).Positions
                |> shouldEqual (Result<unit, string>.Ok())

            testCase "the check notices ticks outside, too many and uneven"
            <| fun () ->
                fault 0.0 1.0 8 [| 0.0; 0.5; 1.5 |] |> shouldEqual (Result<unit, string>.Error "outside")

                fault 0.0 1.0 8 (Array.init 9 (fun i -> float i / 8.0))
                |> shouldEqual (Result<unit, string>.Error "number")

                fault 0.0 1.0 8 [| 0.0; 0.3; 0.5; 1.0 |] |> shouldEqual (Result<unit, string>.Error "spacing")

            for low, high, labels, suffix in
                [
                    (0.0, 1.0, "0.0 0.2 0.4 0.6 0.8 1.0", "")
                    (-2.0, 3.0, "−2 −1 0 1 2 3", "")
                    (0.0, 6e12, "0 1 2 3 4 5 6", "×10¹²")
                    (0.0, 3e-9, "0.0 0.5 1.0 1.5 2.0 2.5 3.0", "×10⁻⁹")
                    (1e12, 1000000000003.0, "0.0 0.5 1.0 1.5 2.0 2.5 3.0", "+ 10¹²")
                ] do
                testCase
                    $"labels have the decimals of the step, and large and small values a power of ten ({low}, {high}, {labels}, {suffix})"
                <| fun () ->
                    let ticks = AxisTicks.Linear(low, high, 8)
                    String.concat " " ticks.Labels |> shouldEqual (labels: string)
                    ticks.Suffix |> shouldEqual (suffix: string)

            for low, high, labels in
                [
                    (0.01, 1000.0, "0.01 0.1 1 10 100 1000")
                    (0.3, 7.0, "0.5 1 2 5")
                    (1e-12, 1e12, "10⁻¹² 10⁻⁸ 10⁻⁴ 10⁰ 10⁴ 10⁸ 10¹²")
                    (2.0, 5.0, "2 3 4 5")
                ] do
                testCase
                    $"a logarithmic axis has powers of ten, or what fits between two of them ({low}, {high}, {labels})"
                <| fun () ->
                    String.concat " " (AxisTicks.Logarithmic(low, high, 8)).Labels |> shouldEqual (labels: string)
        ]

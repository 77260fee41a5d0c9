module Scae.Tests.Plots.AxisTicksTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures
open Scae.Cli.Plots
open ScottPlot

let private axis = (Panel.create "").Y
let private log = { axis with Axis.Scale = Scale.Log }

let private ticks (axis: Axis) (low: float) (high: float) (most: int) : Tick[] =
    let projection = Projection axis
    AxisTicks.Of(axis, projection, CoordinateRange(projection.Map low, projection.Map high), most)

let private labels (ticks: Tick[]) : string list =
    [
        for tick in ticks do
            if tick.IsMajor then
                tick.Label
    ]

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

                let range = max ((1.0 + float width) * 10.0 ** float (exponent % 12)) (abs middle * 1e-6)
                let low, high = middle - range / 2.0, middle + range / 2.0
                let at = ticks axis low high 8 |> Array.map _.Position
                let gaps = at |> Array.pairwise |> Array.map (fun (a, b) -> b - a)

                at.Length >= 3
                && at.Length <= 9
                && at |> Array.forall (fun p -> p >= low - 1e-7 * range && p <= high + 1e-7 * range)
                && gaps |> Array.forall (fun g -> abs (g - gaps[0]) < 1e-6 * range)

            for low, high, expected in
                [
                    0.0, 1.0, [ "0.0"; "0.2"; "0.4"; "0.6"; "0.8"; "1.0" ]
                    -50.0, 100.0, [ "−40"; "−20"; "0"; "20"; "40"; "60"; "80"; "100" ]
                    0.0, 4e6, [ "0"; "500000"; "10⁶"; "1.5·10⁶"; "2·10⁶"; "2.5·10⁶"; "3·10⁶"; "3.5·10⁶"; "4·10⁶" ]
                ] do
                testCase $"labels from {low} to {high} are short and equally precise"
                <| fun () -> labels (ticks axis low high 8) |> shouldEqual expected

            testCase "an axis of whole numbers has no ticks between them"
            <| fun () ->
                labels (ticks { axis with Axis.Ticks = Ticks.Whole } 0.0 3.0 8)
                |> shouldEqual [ "0"; "1"; "2"; "3" ]

            testCase "a logarithmic axis has powers of ten, else 2 and 5 times them, else all digits"
            <| fun () ->
                labels (ticks log 1e-6 1e2 8) |> shouldEqual [ "10⁻⁶"; "10⁻⁴"; "10⁻²"; "10⁰"; "10²" ]

                labels (ticks log 0.01 0.7 8) |> shouldEqual [ "0.01"; "0.02"; "0.05"; "0.1"; "0.2"; "0.5" ]

                labels (ticks log 3.0 6.5 8) |> shouldEqual [ "3"; "4"; "5"; "6" ]

            testCase "named ticks outside the limits are left out"
            <| fun () ->
                let named = { axis with Axis.Ticks = Ticks.At [ 0.0, "a"; 1.0, "b"; 5.0, "c" ] }

                labels (ticks named 0.0 1.0 8) |> shouldEqual [ "a"; "b" ]
        ]

module Scae.Tests.Reports.CurvesTests

open System
open Expecto
open Scae.Reports
open Scae.Tests.Claims

let private curve (values: float[]) : Curve =
    {
        Label = "a"
        Colour = 0
        Epochs = Array.init values.Length float
        Values = values
    }

[<Tests>]
let tests =
    testList
        "Reports.Curves"
        [
            for length in [ 0; 1; 2; 99; 100; 101; 1000; 4321 ] do
                testCase $"a thinned curve of {length} points keeps its ends and its extremes"
                <| fun () ->
                    let whole = curve (Array.init length (fun i -> sin (float i) * float ((i * 7919) % 101)))

                    let thinned = Curves.thinned 100 whole
                    thinned.Epochs.Length |> shouldBeAtMost 100

                    for i in 0 .. thinned.Epochs.Length - 1 do
                        thinned.Values[i] |> shouldEqual whole.Values[int thinned.Epochs[i]]

                    thinned.Epochs |> shouldEqual (Array.sort thinned.Epochs)

                    if length > 0 then
                        Array.head thinned.Epochs |> shouldEqual 0.0
                        Array.last thinned.Epochs |> shouldEqual (float (length - 1))
                        Array.min thinned.Values |> shouldEqual (Array.min whole.Values)
                        Array.max thinned.Values |> shouldEqual (Array.max whole.Values)

            testCase "a gap of a thinned curve stays a gap"
            <| fun () ->
                let whole = curve (Array.init 1000 (fun i -> if i > 502 && i < 506 then nan else float i))
                let thinned = Curves.thinned 100 whole

                Array.zip thinned.Epochs thinned.Values
                |> Array.filter (snd >> Double.IsNaN)
                |> Array.map fst
                |> shouldEqual [| 503.0 |]

            testCase "a curve of nothing but NaN is thinned all the same"
            <| fun () -> (Curves.thinned 8 (curve (Array.create 100 nan))).Epochs |> shouldHaveSome

            testCase "a range has a width, whatever the values"
            <| fun () ->
                Curves.range [] |> shouldEqual (0.0, 1.0)
                Curves.range [ nan; infinity ] |> shouldEqual (0.0, 1.0)
                Curves.range [ 0.0; 0.0 ] |> shouldEqual (-0.5, 0.5)
                Curves.range [ 3.0; nan; 1.0 ] |> shouldEqual (1.0, 3.0)

                for values in [ [ -200.0 ]; [ -200.0; Double.BitIncrement -200.0 ] ] do
                    let low, high = Curves.range values
                    low |> shouldBeLessThan -201.0
                    high |> shouldBeGreaterThan -199.0

            for low, high in
                [ 0.0, 1.0; -1.0, 1.0; 0.4, 0.41; -1e-7, 2e-7; 1538.2, 1807.1; 0.0, 3e9; 1.0, 30.0; -5e-324, 1.0 ] do
                testCase $"ticks from {low} to {high} lie within, and their labels differ"
                <| fun () ->
                    let ticks = Curves.ticks (low, high)
                    ticks.Length |> float |> shouldBeIn (3.0, 9.0)
                    let slack = 1e-6 * (high - low)

                    for tick in ticks do
                        tick |> shouldBeIn (low - slack, high + slack)

                    let labels = ticks |> List.map (Curves.tickLabel ticks)
                    labels |> List.distinct |> shouldHaveLength ticks.Length

                    labels
                    |> shouldEqual (
                        labels
                        |> List.filter (fun label ->
                            not (
                                label.StartsWith "-0.0"
                                && Double.Parse(label, Globalization.CultureInfo.InvariantCulture) = 0.0
                            ))
                    )
        ]

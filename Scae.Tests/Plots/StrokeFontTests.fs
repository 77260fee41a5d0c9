module Scae.Tests.Plots.StrokeFontTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Cli.Plots

[<Tests>]
let tests =
    testList
        "Plots.StrokeFont"
        [
            testCase "the font has ASCII and the signs that figures use"
            <| fun () ->
                let wanted =
                    Microsoft.FSharp.Core.String.init 95 (fun i -> string (char (i + 32)))
                    + "×±–—−°µμσγθΣ·²³≥≤→é…⁰¹²³⁴⁵⁶⁷⁸⁹⁻"

                wanted |> Seq.filter (fun c -> not (StrokeFont.Has c)) |> List.ofSeq |> shouldBeEmpty
                StrokeFont.Has '漢' |> shouldEqual false

            testPropertyWithConfig (samples 100) "a text is as wide as its letters, and twice the size is twice as wide"
            <| fun (letters: char list) ->
                let text = String.Concat letters
                let letters = text |> Seq.sumBy (fun c -> StrokeFont.Advance(c, 11.0, false))

                abs (StrokeFont.Measure(text, 11.0) - letters) < 1e-6
                && abs (StrokeFont.Measure(text, 22.0) - 2.0 * letters) < 1e-6

            testCase "no letter leaves its box"
            <| fun () ->
                for c in 33..126 do
                    let c = char c

                    for stroke in StrokeFont.Strokes(c, 100.0, false) do
                        for p in stroke do
                            p.X |> shouldBeAtLeast 0.0
                            p.X |> shouldBeAtMost (StrokeFont.Advance(c, 100.0, false))
                            p.Y |> shouldBeLessThan (100.0 * StrokeFont.Ascent)
                            p.Y |> shouldBeGreaterThan (-100.0 * StrokeFont.Descent)

            testCase "digits are equally wide, so that numbers stand below each other"
            <| fun () ->
                [ for c in "0123456789−+" -> StrokeFont.Advance(c, 11.0, false) ]
                |> List.distinct
                |> shouldHaveLength 1
        ]

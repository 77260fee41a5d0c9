module Scae.Tests.Plots.StrokeFontTests

open System
open NUnit.Framework
open FsCheck.NUnit
open FsUnit
open Scae.Cli.Plots

[<Test>]
let ``the font has ASCII and the signs that figures use`` () =
    let wanted =
        Microsoft.FSharp.Core.String.init 95 (fun i -> string (char (i + 32)))
        + "×±–—−°µμσγθΣ·²³≥≤→é…⁰¹²³⁴⁵⁶⁷⁸⁹⁻"

    wanted |> Seq.filter (fun c -> not (StrokeFont.Has c)) |> List.ofSeq |> should be Empty
    StrokeFont.Has '漢' |> should equal false

[<Property>]
let ``a text is as wide as its letters, and twice the size is twice as wide`` (letters: char list) =
    let text = String.Concat letters
    let letters = text |> Seq.sumBy (fun c -> StrokeFont.Advance(c, 11.0, false))

    abs (StrokeFont.Measure(text, 11.0) - letters) < 1e-6
    && abs (StrokeFont.Measure(text, 22.0) - 2.0 * letters) < 1e-6

[<Test>]
let ``no letter leaves its box`` () =
    for c in 33..126 do
        let c = char c

        for stroke in StrokeFont.Strokes(c, 100.0, false) do
            for p in stroke do
                p.X |> should be (greaterThanOrEqualTo 0.0)
                p.X |> should be (lessThanOrEqualTo (StrokeFont.Advance(c, 100.0, false)))
                p.Y |> should be (lessThan (100.0 * StrokeFont.Ascent))
                p.Y |> should be (greaterThan (-100.0 * StrokeFont.Descent))

[<Test>]
let ``digits are equally wide, so that numbers stand below each other`` () =
    [ for c in "0123456789−+" -> StrokeFont.Advance(c, 11.0, false) ]
    |> List.distinct
    |> should haveLength 1

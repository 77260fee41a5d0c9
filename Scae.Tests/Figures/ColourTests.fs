module Scae.Tests.Figures.ColourTests

open System
open NUnit.Framework
open FsCheck.NUnit
open FsUnit
open Scae.Core.Figures

let private luminances (map: ColourMap) : float[] =
    Array.init 101 (fun i -> Colour.luminance (ColourMap.at map (float i / 100.0)))

let private increases (values: float[]) : bool = values |> Array.pairwise |> Array.forall (fun (a, b) -> b >= a)

[<Test>]
let ``the categorical colours are those of Okabe and Ito`` () =
    let published =
        [
            230, 159, 0
            86, 180, 233
            0, 158, 115
            240, 228, 66
            0, 114, 178
            213, 94, 0
            204, 121, 167
            0, 0, 0
        ]

    [ for c in Palette.okabeIto -> int c.R, int c.G, int c.B ] |> should equal published
    Array.sort Palette.categorical |> should equal (Array.sort Palette.okabeIto)

[<Property>]
let ``a category has a colour, and the next seven have others`` (i: int) =
    let i = abs (i % 1000)
    List.init 8 (fun k -> Palette.category (i + k)) |> List.distinct |> List.length = 8

[<Test>]
let ``grey, viridis and magma become brighter and blues darker`` () =
    for map in [ ColourMap.grey; ColourMap.viridis; ColourMap.magma ] do
        luminances map |> increases |> should equal true

    luminances ColourMap.blues |> Array.rev |> increases |> should equal true

[<Test>]
let ``the check for brightness sees that the diverging map turns`` () =
    let values = luminances ColourMap.diverging
    increases values |> should equal false
    increases values[..50] |> should equal true
    increases (Array.rev values[50..]) |> should equal true

[<Test>]
let ``the cyclic map closes and is nowhere much brighter`` () =
    ColourMap.at ColourMap.cyclic 0.0 |> should equal (ColourMap.at ColourMap.cyclic 1.0)
    let values = luminances ColourMap.cyclic
    Array.max values - Array.min values |> should be (lessThan 0.03)

[<Property>]
let ``values outside the limits take the end colours and NaN the colour for missing values`` (excess: float) =
    let excess = if Double.IsNaN excess then infinity else abs excess
    let map = ColourMap.viridis

    ColourMap.between map (-1.0, 2.0) (-1.0 - excess) = map.Stops[0]
    && ColourMap.between map (-1.0, 2.0) (2.0 + excess) = Array.last map.Stops
    && ColourMap.between map (-1.0, 2.0) nan = map.Missing
    && ColourMap.between map (2.0, 2.0) excess = ColourMap.at map 0.5

[<Property>]
let ``mixing stays between its colours`` (a: byte) (b: byte) (t: float) =
    let p, q = Colour.rgb (int a) 0 0, Colour.rgb (int b) 0 0
    let mixed = Colour.mix t p q
    mixed.R >= min a b && mixed.R <= max a b && mixed.A = 255uy

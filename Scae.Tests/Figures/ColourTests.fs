module Scae.Tests.Figures.ColourTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures

let private luminances (map: ColourMap) : float[] =
    Array.init 101 (fun i -> Colour.luminance (ColourMap.at map (float i / 100.0)))

let private increases (values: float[]) : bool = values |> Array.pairwise |> Array.forall (fun (a, b) -> b >= a)

[<Tests>]
let tests =
    testList
        "Figures.Colour"
        [
            testCase "the categorical colours are those of Okabe and Ito"
            <| fun () ->
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

                [ for c in Palette.okabeIto -> int c.R, int c.G, int c.B ] |> shouldEqual published
                Array.sort Palette.categorical |> shouldEqual (Array.sort Palette.okabeIto)

            testPropertyWithConfig (samples 100) "a category has a colour, and the next seven have others"
            <| fun (i: int) ->
                let i = abs (i % 1000)
                List.init 8 (fun k -> Palette.category (i + k)) |> List.distinct |> List.length = 8

            testCase "grey, viridis and magma become brighter and blues darker"
            <| fun () ->
                for map in [ ColourMap.grey; ColourMap.viridis; ColourMap.magma ] do
                    luminances map |> increases |> shouldEqual true

                luminances ColourMap.blues |> Array.rev |> increases |> shouldEqual true

            testCase "the check for brightness sees that the diverging map turns"
            <| fun () ->
                let values = luminances ColourMap.diverging
                increases values |> shouldEqual false
                increases values[..50] |> shouldEqual true
                increases (Array.rev values[50..]) |> shouldEqual true

            testCase "the cyclic map closes and is nowhere much brighter"
            <| fun () ->
                ColourMap.at ColourMap.cyclic 0.0 |> shouldEqual (ColourMap.at ColourMap.cyclic 1.0)
                let values = luminances ColourMap.cyclic
                Array.max values - Array.min values |> shouldBeLessThan 0.03

            testPropertyWithConfig
                (samples 100)
                "values outside the limits take the end colours and NaN the colour for missing values"
            <| fun (excess: float) ->
                let excess = if Double.IsNaN excess then infinity else abs excess
                let map = ColourMap.viridis

                ColourMap.between map (-1.0, 2.0) (-1.0 - excess) = map.Stops[0]
                && ColourMap.between map (-1.0, 2.0) (2.0 + excess) = Array.last map.Stops
                && ColourMap.between map (-1.0, 2.0) nan = map.Missing
                && ColourMap.between map (2.0, 2.0) excess = ColourMap.at map 0.5

            testPropertyWithConfig (samples 100) "mixing stays between its colours"
            <| fun (a: byte) (b: byte) (t: float) ->
                let p, q = Colour.rgb (int a) 0 0, Colour.rgb (int b) 0 0
                let mixed = Colour.mix t p q
                mixed.R >= min a b && mixed.R <= max a b && mixed.A = 255uy
        ]

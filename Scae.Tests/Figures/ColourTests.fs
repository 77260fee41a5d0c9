module Scae.Tests.Figures.ColourTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures

let private luminances (map: ColourMap) : float[] =
    Array.init 101 (fun i -> Colour.luminance (ColourMap.at map (float i / 100.0)))

let private increases (values: float[]) : bool =
    values |> Array.pairwise |> Array.forall (fun (a, b) -> b >= a)
    && Array.last values > values[0] + 0.3

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

            testCase "up to eight categories have the categories' colours, and twelve differ"
            <| fun () ->
                List.init 8 (Palette.categoryOf 8) |> shouldEqual (List.init 8 Palette.category)
                let twelve = List.init 12 (Palette.categoryOf 12)
                Palette.categoryOf 12 12 |> shouldEqual twelve.Head

                // The channels' differences, summed.
                for a, b in List.allPairs twelve twelve |> List.filter (fun (a, b) -> a <> b) do
                    let apart (x: byte) (y: byte) = abs (int x - int y)
                    apart a.R b.R + apart a.G b.G + apart a.B b.B |> shouldBeAtLeast 60

                List.distinct twelve |> shouldHaveLength 12

            testCase "ten digits have ten colours, and many things many, none of them dark"
            <| fun () ->
                List.init 10 Palette.digit |> List.distinct |> shouldHaveLength 10
                Palette.digit 10 |> shouldEqual (Palette.digit 0)
                let many = List.init 64 Palette.many
                List.distinct many |> shouldHaveLength 64

                for colour in many do
                    Colour.luminance colour |> shouldBeGreaterThan 0.15

                // Neighbours differ by a quarter of a channel's range at least somewhere.
                for a, b in List.pairwise many do
                    let apart (x: byte) (y: byte) = abs (int x - int y)
                    max (apart a.R b.R) (max (apart a.G b.G) (apart a.B b.B)) |> shouldBeAtLeast 64

            testCase "a vivid colour keeps its mean, and grey has nothing to be made vivid"
            <| fun () ->
                Colour.vivid 0.5 (Colour.rgb 100 150 200) |> shouldEqual (Colour.rgb 75 150 225)
                Colour.vivid 3.0 (Colour.rgb 90 90 90) |> shouldEqual (Colour.rgb 90 90 90)
                Colour.vivid 0.0 Palette.orange |> shouldEqual Palette.orange

            testCase "grey and viridis become brighter and blues darker"
            <| fun () ->
                for map in [ ColourMap.grey; ColourMap.viridis ] do
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

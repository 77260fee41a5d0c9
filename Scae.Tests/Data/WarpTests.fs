module Scae.Tests.Data.WarpTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data
open Scae.Tests

let private fixture = lazy (Fixture.load "tvae/warps.json")

let private image = lazy (Fixture.numbers (Fixture.get "image" fixture.Value) |> Array.map float32)

let private warped (side: int) (projection: Projection) (source: float32[]) =
    let into = Array.zeroCreate<float32>(side * side)
    Warp.draw side (Warp.inverse projection) (ReadOnlySpan source) (Span into)
    into

// The nine numbers, row by row.
let private rows (m: Projection) : float[] = [| m.A; m.B; m.C; m.D; m.E; m.F; m.G; m.H; m.I |]

let private all (value: float) : Projection =
    {
        A = value
        B = value
        C = value
        D = value
        E = value
        F = value
        G = value
        H = value
        I = value
    }

let private shouldBeAbout (expected: float[]) (actual: float32[]) =
    Array.map2 (fun a (b: float32) -> abs (a - float b)) expected actual
    |> largestOf
    |> shouldBeAtMost 1e-5

[<Tests>]
let tests =
    testList
        "Data.Warp"
        [
            for case in Fixture.items (Fixture.get "affine" fixture.Value) do
                let angle, scale =
                    Fixture.number (Fixture.get "angle_deg" case), Fixture.number (Fixture.get "scale" case)

                testCase $"an image turned by {angle}° at {scale} is the reference's"
                <| fun () ->
                    warped 8 (Warp.similarity 8 angle scale) image.Value
                    |> shouldBeAbout (Fixture.numbers (Fixture.get "out" case))

            for case in Fixture.items (Fixture.get "perspective" fixture.Value) do
                let angle = Fixture.number (Fixture.get "angle_deg" case)

                testCase $"an image in perspective at {angle}° is the reference's, and so is its map"
                <| fun () ->
                    let projection = Warp.perspective 8 angle

                    Array.map2 (-) (Fixture.numbers (Fixture.get "M" case)) (rows projection)
                    |> Array.map abs
                    |> largestOf
                    |> shouldBeAtMost 1e-5

                    warped 8 projection image.Value |> shouldBeAbout (Fixture.numbers (Fixture.get "out" case))

            testCase "no angle and scale 1 leave an image as it is, to the bit"
            <| fun () ->
                warped 8 (Warp.similarity 8 0.0 1.0) image.Value |> shouldEqual image.Value
                warped 8 (Warp.perspective 8 0.0) image.Value |> shouldEqual image.Value

            testCase "180° of perspective count as 181°"
            <| fun () -> Warp.perspective 28 180.0 |> shouldEqual (Warp.perspective 28 181.0)

            testCase "four quarter turns differ from none at the border alone"
            <| fun () ->
                let quarter = warped 8 (Warp.similarity 8 90.0 1.0)
                let turned = image.Value |> quarter |> quarter |> quarter |> quarter

                for i in 0..63 do
                    // The centre is that of pixel (4, 4), so that the first row and column leave the image.
                    if i % 8 > 0 && i / 8 > 0 then
                        shouldBeNear 1e-5 image.Value[i] turned[i]

                turned |> shouldDiffer image.Value

            testCase "what the map sends nowhere is black, not an error"
            <| fun () ->
                let into = Array.create 64 1.0f
                Warp.draw 8 (all nan) (ReadOnlySpan image.Value) (Span into)
                into |> Array.forall ((=) 0.0f) |> shouldEqual true
                Warp.draw 8 (all 0.0) (ReadOnlySpan image.Value) (Span into)
                into |> Array.forall ((=) 0.0f) |> shouldEqual true

            for row in Fixture.items (Fixture.get "rows" (Fixture.load "tvae/hue.json")) do
                let setting = Fixture.number (Fixture.get "setting" row)

                testCase $"hue setting {setting} is the reference's colour"
                <| fun () ->
                    // The column of v = 0.5; that of v = 1 has the defect of the library used.
                    let expected = row |> Fixture.get "rgb_for_v" |> Fixture.items |> List.item 1 |> Fixture.numbers
                    let struct (r, g, b) = Warp.hue (setting - 180.0)
                    let found = [| r; g; b |]

                    for i in 0..2 do
                        shouldBeNear 2e-6 expected[i] (0.5f * found[i])

                    Array.max found |> shouldEqual 1.0f
                    Array.min found |> shouldEqual 0.0f
        ]

module Scae.Tests.Data.VariableConstellationsTests

open FsUnit
open NUnit.Framework
open FsCheck.NUnit
open Scae.Core.Data
open Scae.Tensors

let private config = Constellations.published

[<Property(MaxTest = 30)>]
let ``points come first, padding is zero, and labels are those of templates in the scene`` (seed: int) =
    let batch = VariableConstellations.sample config 20 (Key.OfSeed(int64 seed))
    let points, mask = batch.Points.toArray<float32>(), batch.Mask.toArray<float32>()

    List.forall
        (fun scene ->
            let count = VariableConstellations.pointCount scene batch

            let sizes =
                [
                    for k in 0..2 do
                        if batch.Presence[3 * scene + k] then
                            config.Templates[k].Points.Length
                ]

            List.sum sizes = count
            && List.forall
                (fun i ->
                    let row = 11 * scene + i
                    let label = batch.Labels[row]

                    if i < count then
                        mask[row] = 1.0f && batch.Presence[3 * scene + label]
                    else
                        mask[row] = 0.0f && label = -1 && points[2 * row] = 0.0f && points[2 * row + 1] = 0.0f)
                [ 0..10 ])
        [ 0..19 ]

[<Test>]
let ``each number of templates is as probable as any other`` () =
    let batch = VariableConstellations.sample config 9000 (Key.OfSeed 5L)

    let counts =
        batch.Presence
        |> Array.chunkBySize 3
        |> Array.countBy (Array.filter id >> Array.length)
        |> Map.ofArray

    for count in 1..3 do
        float counts[count] |> should (equalWithin 200.0) 3000.0

[<Test>]
let ``all templates at least makes whole scenes`` () =
    let batch = VariableConstellations.allocate config 5
    VariableConstellations.fillFrom config 3 (Key.OfSeed 1L) batch
    batch.Labels |> should equal batch.Whole.Labels
    batch.Points.toArray<float32>() |> should equal (batch.Whole.Points.toArray<float32>())

[<Test>]
let ``one key, one batch, whatever was there before`` () =
    let first = VariableConstellations.sample config 7 (Key.OfSeed 2L)
    let second = VariableConstellations.sample config 7 (Key.OfSeed 3L)
    VariableConstellations.fill config (Key.OfSeed 2L) second
    second.Labels |> should equal first.Labels
    second.Presence |> should equal first.Presence
    second.Points.toArray<float32>() |> should equal (first.Points.toArray<float32>())
    second.Mask.toArray<float32>() |> should equal (first.Mask.toArray<float32>())

module Scae.Tests.Models.PointCountsTests

open Expecto
open Scae.Core.Models
open Scae.Tests.Claims

/// How many of so many scenes have n points, for n from 0 to `most`, when objects are there independently.
let private expected (sizes: int[]) (presence: float[]) (most: int) (scenes: float) : float[] =
    let counts = Array.zeroCreate (most + 1)

    for there in 0 .. (1 <<< sizes.Length) - 1 do
        let probability =
            presence
            |> Array.mapi (fun k p -> if there &&& (1 <<< k) <> 0 then p else 1.0 - p)
            |> Array.reduce (*)

        let n = PointCounts.points sizes there
        counts[n] <- counts[n] + scenes * probability

    counts

[<Tests>]
let tests =
    testList
        "Models.PointCounts"
        [
            for sizes, presence in
                [
                    [| 4; 4; 3 |], [| 0.5; 0.5; 0.5 |]
                    [| 4; 3; 2 |], [| 0.7; 0.2; 0.9 |]
                    [| 4 |], [| 0.4 |]
                    [| 3; 3 |], [| 0.6; 0.6 |]
                ] do
                testCase $"sizes %A{sizes} and presences %A{presence} follow from the numbers of points"
                <| fun () ->
                    let found = expected sizes presence (4 * sizes.Length) 1000.0 |> PointCounts.fit sizes.Length 4
                    found.Sizes |> shouldEqual sizes
                    Array.iter2 (shouldBeNear 0.01) presence found.Presence

            testCase "counts that can't be don't stop it"
            <| fun () ->
                // A scene of one point, and two of more than there may be.
                let odd = PointCounts.fit 1 4 [| 0.0; 1.0; 0.0; 50.0; 0.0; 0.0; 2.0 |]
                odd.Sizes |> shouldEqual [| 3 |]
                odd.Presence[0] |> shouldBeIn (0.9, 1.0)

            testCase "without scenes there are sizes, and no NaN"
            <| fun () ->
                let found = PointCounts.fit 2 4 (Array.zeroCreate 9)
                found.Sizes |> shouldEqual [| 4; 4 |]
                found.Presence |> shouldEqual [| 0.5; 0.5 |]
        ]

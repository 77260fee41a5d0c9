module Scae.Tests.Metrics.SegmentationTests

open System
open Expecto
open Scae.Core.Metrics
open Scae.Tests.Claims

/// Scenes of five points of three owners.
let private scenes (truth: int list) (present: int list) (predicted: int list) : SegmentedScenes =
    {
        Owners = 3
        Points = 5
        Truth = Array.ofList truth
        Present = present |> List.map ((=) 1) |> Array.ofList
        Predicted = Array.ofList predicted
    }

let private all = [ 1; 1; 1; 1; 1 ]

[<Tests>]
let tests =
    testList
        "Metrics.Segmentation"
        [
            testCase "a perfect prediction scores 1, under any names"
            <| fun () ->
                for predicted in [ [ 0; 0; 1; 1; 2 ]; [ 2; 2; 0; 0; 1 ] ] do
                    let score = Segmentation.score (scenes [ 0; 0; 1; 1; 2 ] all predicted)
                    score.PointAccuracy |> shouldEqual 1.0
                    score.ReferencePointAccuracy |> shouldEqual 1.0
                    score.ScenesRight |> shouldEqual 1.0
                    score.Accuracy |> shouldEqual 1.0
                    score.AdjustedRand |> shouldEqual 1.0
                    score.Variation |> shouldEqual 0.0

            testCase "predicted labels 0 and 2 are scored right by the matcher, and lose their 2s by the reference"
            <| fun () ->
                let score = Segmentation.score (scenes [ 0; 0; 0; 1; 1 ] all [ 0; 0; 0; 2; 2 ])
                score.PointAccuracy |> shouldEqual 1.0
                score.ReferencePointAccuracy |> shouldBeNear 1e-12 0.6
                // Absent points have labels too, which it counts: with three of them it sees the 2s.
                let score = Segmentation.score (scenes [ 0; 0; 0; 1; 1 ] [ 1; 1; 1; 0; 0 ] [ 2; 2; 2; 0; 1 ])
                score.ReferencePointAccuracy |> shouldEqual 1.0
                let score = Segmentation.score (scenes [ 0; 0; 0; 1; 1 ] [ 1; 1; 1; 0; 0 ] [ 2; 2; 2; 0; 2 ])
                score.ReferencePointAccuracy |> shouldEqual 0.0

            testCase "absent points don't count among points, and are a group of their own elsewhere"
            <| fun () ->
                // Of three present points two are right; two are absent.
                let score = Segmentation.score (scenes [ 0; 0; 1; 1; 2 ] [ 1; 1; 1; 0; 0 ] [ 0; 0; 0; 2; 1 ])
                score.PointAccuracy |> shouldBeNear 1e-12 (2.0 / 3.0)
                score.ScenesRight |> shouldEqual 0.0
                score.Accuracy |> shouldBeNear 1e-12 0.8
                // Truth {0, 1} {2} {3, 4} against {0, 1, 2} {3, 4}.
                let h p = if p = 0.0 then 0.0 else -p * log p
                let truth, predicted = h 0.4 + h 0.2 + h 0.4, h 0.6 + h 0.4
                // Everything in the prediction follows from the truth, so that their information is its entropy.
                score.Variation |> shouldBeNear 1e-12 (truth - predicted)

            testCase "points said to be absent are wrong where they are present"
            <| fun () ->
                let score = Segmentation.scoreWithAbsence (scenes [ 0; 0; 1; 1; 2 ] [ 1; 1; 1; 1; 0 ] [ 0; 0; 3; 3; 3 ])

                score.PointAccuracy |> shouldBeNear 1e-12 0.5
                score.Accuracy |> shouldBeNear 1e-12 0.6

            testCase "sums go over points, means over scenes that have any"
            <| fun () ->
                let score =
                    Segmentation.score (
                        scenes
                            ([ 0; 0; 0; 1; 1 ] @ [ 0; 0; 1; 1; 2 ] @ [ 0; 1; 2; 0; 1 ])
                            (all @ [ 1; 0; 0; 0; 0 ] @ [ 0; 0; 0; 0; 0 ])
                            ([ 0; 0; 0; 0; 0 ] @ [ 1; 1; 1; 1; 1 ] @ [ 0; 0; 0; 0; 0 ])
                    )

                score.Scenes |> shouldEqual 2
                score.PointAccuracy |> shouldBeNear 1e-12 (4.0 / 6.0)
                score.ScenesRight |> shouldBeNear 1e-12 0.5
                score.Accuracy |> shouldBeNear 1e-12 0.8

            testCase "empty scenes alone are not NaN"
            <| fun () ->
                let score = Segmentation.score (scenes [ 0; 0; 1; 1; 2 ] [ 0; 0; 0; 0; 0 ] [ 0; 0; 0; 0; 0 ])
                score.PointAccuracy |> shouldEqual 1.0
                score.Variation |> shouldEqual 0.0
                score.Scenes |> shouldEqual 0

            testCase "scenes can be chosen"
            <| fun () ->
                let two =
                    scenes ([ 0; 0; 1; 1; 2 ] @ [ 0; 0; 0; 1; 1 ]) (all @ all) ([ 0; 0; 1; 1; 2 ] @ [ 0; 0; 0; 0; 0 ])

                (Segmentation.score (Segmentation.where ((=) 0) two)).PointAccuracy |> shouldEqual 1.0
                (Segmentation.score (Segmentation.where ((=) 1) two)).PointAccuracy |> shouldBeNear 1e-12 0.6

            testCase "owners out of range and lengths that differ are refused"
            <| fun () ->
                messageOf<ArgumentException>(fun () ->
                    Segmentation.score (scenes [ 0; 0; 1; 1; 3 ] all [ 0; 0; 0; 0; 0 ]) |> ignore)
                |> shouldStartWith "segmentation: point 4 has owners 3 (true) and 0; must be 0 to 2"

                messageOf<ArgumentException>(fun () ->
                    Segmentation.score (scenes [ 0; 0; 1; 1 ] all [ 0; 0; 0; 0 ]) |> ignore)
                |> shouldStartWith "segmentation: 4 true and 4 predicted owners, 5 presences"
        ]

module Scae.Tests.Metrics.RecoveryTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Scae.Tests.Claims
open Scae.Core.Metrics
open Scae.Tensors

type Labels = { K: int; Points: int; Truth: int[]; Predicted: int[] }

type Scenes =
    /// True and predicted labels of several examples of 1 to 12 points.
    static member Labels() : Arbitrary<Labels> =
        gen {
            let! k = Gen.choose (1, 6)
            let! points = Gen.choose (1, 12)
            let! examples = Gen.choose (1, 5)
            let labels = Gen.arrayOfLength (points * examples) (Gen.choose (0, k - 1))
            let! truth = labels
            let! predicted = labels
            return { K = k; Points = points; Truth = truth; Predicted = predicted }
        }
        |> Arb.fromGen

let private share (truth: int[]) (predicted: int[]) =
    Array.map2 (fun t p -> if t = p then 1.0 else 0.0) truth predicted |> Array.average

let private bruteForce k truth (predicted: int[]) =
    Orders.permutations k
    |> List.map (fun names -> share truth (predicted |> Array.map (fun p -> names[p])))
    |> List.max

let private near (x: float) (y: float) = abs (x - y) < 1e-12

/// [K, K] counts of points after the best relabelling; rows are true labels.
let private confusion k truth predicted =
    let relabelling = Recovery.bestRelabelling k truth predicted
    let table = Array2D.zeroCreate<int> k k

    for t, p in Array.zip truth predicted do
        table[t, relabelling[p]] <- table[t, relabelling[p]] + 1

    table

[<Tests>]
let tests =
    testList
        "Metrics.Recovery"
        [
            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Scenes> ] }
                "best recovery is the best over all relabellings"
            <| fun { K = k; Truth = truth; Predicted = predicted } ->
                let best = Recovery.best k truth predicted
                let relabelling = Recovery.bestRelabelling k truth predicted

                near best (bruteForce k truth predicted)
                && Array.sort relabelling = [| 0 .. k - 1 |]
                && near best (share truth (predicted |> Array.map (fun p -> relabelling[p])))

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Scenes> ] }
                "few labels are matched as by assignment"
            <| fun { K = k; Truth = truth; Predicted = predicted } ->
                let counts = Array2D.zeroCreate<float> k k
                Array.iter2 (fun t p -> counts[p, t] <- counts[p, t] - 1.0) truth predicted
                let agreeing = -(Assignment.totalCost counts (Assignment.hungarian counts))
                near (Recovery.best k truth predicted) (agreeing / float truth.Length)

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Scenes> ] }
                "raw is at most best, best at most 1 and at least chance"
            <| fun { K = k; Truth = truth; Predicted = predicted } ->
                let raw = Recovery.raw k truth predicted
                let best = Recovery.best k truth predicted
                near raw (share truth predicted) && raw <= best && best <= 1.0 && best >= 1.0 / float k - 1e-12

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Scenes> ] }
                "best doesn't change when predicted labels are renamed"
            <| fun { K = k; Truth = truth; Predicted = predicted } (seed: int64) ->
                let names = Array.zeroCreate<int> k
                Key.OfSeed(seed).FillPermutation names
                let renamed = predicted |> Array.map (fun p -> names[p])

                near (Recovery.best k truth renamed) (Recovery.best k truth predicted)
                && near (Recovery.best k truth (Array.map (fun t -> names[t]) truth)) 1.0

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Scenes> ] }
                "scores of many examples are means of the scores of each"
            <| fun { K = k; Points = points; Truth = truth; Predicted = predicted } ->
                let score = Recovery.evaluate k points truth predicted
                let examples = Array.zip (Array.chunkBySize points truth) (Array.chunkBySize points predicted)
                let mean f = examples |> Array.averageBy (fun (t, p) -> f k t p)

                let confusions =
                    examples
                    |> Array.map (fun (t, p) -> confusion k t p)
                    |> Array.reduce (fun x y -> Array2D.init k k (fun i j -> x[i, j] + y[i, j]))

                let diagonal table = Seq.sum (seq { for i in 0 .. k - 1 -> Array2D.get table i i })

                near score.Raw (mean Recovery.raw)
                && near score.Best (mean Recovery.best)
                && score.BestConfusion = confusions
                && near (float (diagonal score.Confusion) / float truth.Length) score.Raw
                && near (float (diagonal score.BestConfusion) / float truth.Length) score.Best
                && Seq.sum (Seq.cast<int> score.Confusion) = truth.Length

            testCase "a swapped pair is grouped but not recognised"
            <| fun () ->
                let truth = [| 0; 0; 0; 0; 1; 1; 1; 1; 2; 2; 2 |]
                let predicted = [| 1; 1; 1; 1; 0; 0; 0; 2; 2; 2; 2 |]
                Recovery.raw 3 truth predicted |> shouldBeNear 1e-12 (3.0 / 11.0)
                Recovery.best 3 truth predicted |> shouldBeNear 1e-12 (10.0 / 11.0)
                Recovery.bestRelabelling 3 truth predicted |> shouldEqual [| 1; 0; 2 |]

                confusion 3 truth predicted |> shouldEqual (array2D [ [ 4; 0; 0 ]; [ 0; 3; 1 ]; [ 0; 0; 3 ] ])

                (Recovery.evaluate 3 11 truth predicted).Confusion
                |> shouldEqual (array2D [ [ 0; 4; 0 ]; [ 3; 0; 1 ]; [ 0; 0; 3 ] ])

            testCase "a tie keeps the labels as they are"
            <| fun () ->
                for k in 1..3 do
                    Recovery.bestRelabelling k [| 0 |] [| 0 |] |> shouldEqual [| 0 .. k - 1 |]

                Recovery.bestRelabelling 2 [| 0; 1 |] [| 0; 0 |] |> shouldEqual [| 0; 1 |]

            // Templates of 4, 4 and 3 points, random labels: 53.3 % was measured with the numpy program of the original task.
            testCase "random labels reach a third raw and 53 percent best"
            <| fun () ->
                let examples = 20000
                let truth = Array.init (examples * 11) (fun i -> i % 11 / 4)
                let predicted = Array.zeroCreate<int> truth.Length
                Key.OfSeed(1L).FillIntegers(predicted, 0, 3)
                let score = Recovery.evaluate 3 11 truth predicted
                score.Raw |> shouldBeNear 0.003 0.3333
                score.Best |> shouldBeNear 0.003 0.533

            testCase "evaluating allocates a few hundred bytes however many the examples"
            <| fun () ->
                let labels = Array.init 11000 (fun i -> i * 7 % 3)
                let evaluate () = Recovery.evaluate 3 11 labels labels |> ignore
                evaluate ()
                let before = GC.GetAllocatedBytesForCurrentThread()
                evaluate ()
                GC.GetAllocatedBytesForCurrentThread() - before |> shouldBeLessThan 1000L

            testCase "labels that make no examples are refused in one line"
            <| fun () ->
                let message action =
                    try
                        action () |> ignore
                        "nothing was refused"
                    with :? ArgumentException as error ->
                        error.Message

                message (fun () -> Recovery.raw 3 [| 0; 1 |] [| 0 |])
                |> shouldStartWith "recovery: 2 true and 1 predicted labels; there must be as many of both"

                message (fun () -> Recovery.best 3 [||] [||])
                |> shouldStartWith "recovery: 0 labels don't make examples of 0 points"

                message (fun () -> Recovery.best 3 [| 0; 1 |] [| 0; 3 |])
                |> shouldStartWith "recovery: point 1 has labels 1 (true) and 3; labels are 0 to 2"

                message (fun () -> Recovery.raw 2 [| -1 |] [| 0 |])
                |> shouldStartWith "recovery: point 0 has labels -1 (true) and 0; labels are 0 to 1"

                message (fun () -> (Recovery.evaluate 3 2 [| 0; 1; 2 |] [| 0; 1; 2 |]).Raw)
                |> shouldStartWith "recovery: 3 labels don't make examples of 2 points"
        ]

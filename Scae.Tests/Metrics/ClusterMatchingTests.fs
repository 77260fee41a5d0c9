module Scae.Tests.Metrics.ClusterMatchingTests

open System
open Expecto
open Scae.Tests.Turns
open Scae.Core.Metrics
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads

/// Gaussian clouds around `classes` centres of a space of d dimensions, and their labels.
let private clouds (classes: int) (d: int) (count: int) (spread: float) (seed: int64) =
    let centres = Array.zeroCreate<float>(classes * d)
    (Key.OfSeed 99L).FillNormal(Span centres)
    let noise = Array.zeroCreate<float>(count * d)
    (Key.OfSeed seed).FillNormal(Span noise)
    let labels = Array.init count (fun i -> i % classes)

    labels
    |> Array.mapi (fun i label -> Array.init d (fun j -> centres[label * d + j] + spread * noise[i * d + j])),
    labels

let private small: KMeansConfig = { Clusters = 4; Starts = 5; MostRounds = 100 }

let private square (a: float[]) (b: float[]) = Array.fold2 (fun sum (x: float) y -> sum + (x - y) * (x - y)) 0.0 a b

/// The numbers of the points nearest to another, nearest first, without one of them.
let private nearest (k: int) (points: float[][]) (other: float[]) (without: int option) : int[] =
    [| 0 .. points.Length - 1 |]
    |> Array.filter (fun i -> Some i <> without)
    |> Array.sortBy (fun i -> square other points[i])
    |> Array.truncate k

let private plainLabels (points: float[][]) (centres: float[][]) =
    points
    |> Array.map (fun point -> Seq.minBy (fun c -> square centres[c] point) [ 0 .. centres.Length - 1 ])

/// A round of Lloyd's algorithm that compares each point with each centre.
let private lloyd (points: float[][]) (centres: float[][]) =
    let labels = plainLabels points centres
    let distances = Array.map2 (fun point (label: int) -> square centres[label] point) points labels

    centres
    |> Array.mapi (fun c centre ->
        match Array.zip points labels |> Array.filter (fun (_, label) -> label = c) |> Array.map fst with
        | [||] ->
            let farthest = Seq.maxBy (fun i -> distances[i]) [ 0 .. points.Length - 1 ]
            distances[farthest] <- 0.0
            Array.copy points[farthest]
        | members ->
            centre
            |> Array.mapi (fun j _ -> (members |> Array.fold (fun sum x -> sum + x[j]) 0.0) / float members.Length))

[<Tests>]
let tests =
    testList
        "Metrics.ClusterMatching"
        [
            testCase "k-means finds clouds that lie apart, and its inertia is that of the centres"
            <| fun () ->
                let points, labels = clouds 4 6 400 0.1 1L
                let found = KMeans.fit small (Key.OfSeed 1L) points
                let clusters = KMeans.assign found points

                ClusterMatching.accuracy (ClusterMatching.matching 4 labels clusters) labels clusters
                |> shouldEqual 1.0

                Array.map2 (fun point cluster -> square point found.Centres[cluster]) points clusters
                |> Array.sum
                |> shouldBeNear 1e-9 found.Inertia

            testAlone "the same key gives the same clusters on any number of threads"
            <| fun () ->
                let points, _ = clouds 6 3 300 1.5 2L
                shouldBeSameOnAnyThreads (fun () -> (KMeans.fit small (Key.OfSeed 1L) points).Centres)

            testCase "bounds that spare comparisons change nothing: round by round the centres are those of plain Lloyd"
            <| fun () ->
                let mutable compared = 0

                let check (clusters: int) (points: float[][]) (seed: int64) =
                    let after rounds =
                        KMeans.fit { Clusters = clusters; Starts = 1; MostRounds = rounds } (Key.OfSeed seed) points

                    let last = after 1000
                    let mutable centres = (after 1).Centres

                    for rounds in 2 .. last.Rounds - 1 do
                        centres <- lloyd points centres
                        (after rounds).Centres |> shouldEqual centres
                        compared <- compared + 1

                    KMeans.assign last points |> shouldEqual (plainLabels points last.Centres)

                    if last.Rounds > 1 then
                        last.Centres |> shouldEqual centres

                for spread in [ 0.3; 1.0; 3.0 ] do
                    check 4 (fst (clouds 5 4 700 spread 12L)) 2L

                // Points of a lattice, many of them equal or as far from one centre as from another.
                for seed in 1L .. 200L do
                    let random = (Key.OfSeed seed).Stream()
                    let sides, clusters = 2 + random.NextInt 5, 1 + random.NextInt 7
                    let n = clusters + random.NextInt 120
                    check clusters (Array.init n (fun _ -> Array.init 2 (fun _ -> float (random.NextInt sides)))) seed

                compared |> shouldBeGreaterThan 100

            testCase "equal points and as many points as clusters are no harm; fewer are refused"
            <| fun () ->
                let same = Array.init 8 (fun _ -> [| 1.0; 2.0 |])
                (KMeans.fit small (Key.OfSeed 1L) same).Inertia |> shouldEqual 0.0
                let few = Array.init 4 (fun i -> [| float i |])
                (KMeans.fit small (Key.OfSeed 1L) few).Inertia |> shouldBeNear 1e-12 0.0

                messageOf<ArgumentException>(fun () ->
                    KMeans.fit small (Key.OfSeed 1L) (Array.truncate 3 few) |> ignore)
                |> shouldStartWith "k-means: 3 points; must be at least the 4 clusters"

            testCase "the matching is one to one and doesn't depend on the clusters' names"
            <| fun () ->
                let labels = [| 0; 0; 1; 1; 2; 2; 2 |]
                let clusters = [| 2; 2; 0; 0; 1; 1; 1 |]
                let matching = ClusterMatching.matching 3 labels clusters
                matching |> shouldEqual [| 1; 2; 0 |]
                ClusterMatching.accuracy matching labels clusters |> shouldEqual 1.0
                // Two clusters of one class: only one may stand for it.
                let split = [| 0; 1; 2; 2; 2; 2; 2 |]
                let matching = ClusterMatching.matching 3 labels split
                matching |> Array.sort |> shouldEqual [| 0; 1; 2 |]

                ClusterMatching.accuracy matching labels split |> shouldBeNear 1e-12 (4.0 / 7.0)

                (ClusterMatching.confusion 3 matching labels split) |> Seq.cast<int> |> Seq.sum |> shouldEqual 7

            testCase "of the three forms the strict one uses nothing of the test set"
            <| fun () ->
                let train = clouds 4 6 400 0.1 3L
                let test, testLabels = clouds 4 6 200 0.1 4L
                let score = ClusterMatching.evaluate (Key.OfSeed 1L) small train (test, testLabels)
                score.Train |> shouldEqual 1.0
                score.Strict |> shouldEqual 1.0
                score.MatchedOnTest |> shouldEqual 1.0
                score.RefittedOnTest |> shouldEqual 1.0
                score.Information |> shouldEqual 1.0
                // Test labels that are renamed: only matchings made on test labels follow.
                let renamed = testLabels |> Array.map (fun label -> (label + 1) % 4)
                let score = ClusterMatching.evaluate (Key.OfSeed 1L) small train (test, renamed)
                score.Strict |> shouldEqual 0.0
                score.MatchedOnTest |> shouldEqual 1.0
                score.RefittedOnTest |> shouldEqual 1.0
                // Other points, too, are judged by what was matched on the training set.
                ClusterMatching.ofOthers score (clouds 4 6 40 0.1 9L) |> shouldEqual 1.0
                ClusterMatching.ofOthers score (test, renamed) |> shouldEqual 0.0
                Double.IsNaN(ClusterMatching.ofOthers score ([||], [||])) |> shouldEqual true

            testCase "the forms differ where the test set is one cluster of the training set"
            <| fun () ->
                let points = Array.map (fun (x: float) -> [| x |])
                let labels = [| 0; 0; 1; 1 |]

                let score =
                    ClusterMatching.evaluate
                        (Key.OfSeed 1L)
                        { small with Clusters = 2 }
                        (points [| 0.0; 0.0; 10.0; 10.0 |], labels)
                        (points [| 0.0; 0.0; 1.0; 1.0 |], labels)

                score.Train |> shouldEqual 1.0
                score.Strict |> shouldEqual 0.5
                score.MatchedOnTest |> shouldEqual 0.5
                score.RefittedOnTest |> shouldEqual 1.0
                score.Information |> shouldBeNear 1e-12 0.0
                // Rows are classes: all are taken for class 0.
                score.Confusion |> shouldEqual (array2D [ [ 2; 0 ]; [ 2; 0 ] ])

            testCase "the nearest labelled neighbour decides, and ties go to the first"
            <| fun () ->
                let train = [| [| 0.0 |]; [| 1.0 |]; [| 1.0 |]; [| 3.0 |] |], [| 0; 1; 2; 3 |]

                NearestNeighbours.accuracy train ([| [| 0.4 |]; [| 0.9 |]; [| 5.0 |] |], [| 0; 1; 3 |])
                |> shouldEqual 1.0

                Double.IsNaN(NearestNeighbours.accuracy train ([||], [||])) |> shouldEqual true

            for name, every, points in
                [
                    "few numbers", 1, (fun () -> fst (clouds 3 5 150 1.0 5L))
                    "many numbers", 1, (fun () -> fst (clouds 3 90 150 1.0 5L))
                    // Few of the directions that are looked for exist.
                    "many numbers, most of them the same",
                    1,
                    (fun () ->
                        fst (clouds 3 4 150 1.0 5L)
                        |> Array.map (fun x -> Array.init 90 (fun j -> if j < 4 then x[j] else 7.0)))
                    "far from 0", 1, (fun () -> fst (clouds 3 90 150 1.0 5L) |> Array.map (Array.map ((+) 1e4)))
                    // More than 512 points, and more than 256 queries, are compared in parts.
                    "few numbers of many points", 37, (fun () -> fst (clouds 3 5 1300 1.0 5L))
                    "many numbers of many points", 37, (fun () -> fst (clouds 3 60 1300 1.0 5L))
                    // Of more than 2,048 points some alone tell the directions.
                    "many numbers of more points", 37, (fun () -> fst (clouds 3 60 2100 1.0 5L))
                ] do
                testCase $"neighbours are those of comparing all pairs one by one ({name})"
                <| fun () ->
                    let points = points ()
                    let found = NearestNeighbours.among 7 points

                    for i in 0..every .. points.Length - 1 do
                        found.Indices[i] |> shouldEqual (nearest 7 points points[i] (Some i))

            for d in [ 5; 60 ] do
                testCase $"neighbours of other points are those of comparing all pairs one by one ({d} numbers)"
                <| fun () ->
                    let points, queries = fst (clouds 3 d 1300 1.0 5L), fst (clouds 3 d 300 1.0 8L)
                    let found = NearestNeighbours.find 7 queries points

                    for i in 0..37..299 do
                        let expected = nearest 7 points queries[i] None
                        found.Indices[i] |> shouldEqual expected
                        found.Squares[i] |> shouldEqual (expected |> Array.map (fun j -> square queries[i] points[j]))

            testCase "equal points are the nearest, the first first, whatever NaN stands beside them"
            <| fun () ->
                for width in [ 2; 60 ] do
                    let row x = Array.create width x
                    let points = [| row 1.0; row nan; row 1.0; row 2.0; row 1.0 |]
                    let found = NearestNeighbours.among 2 points
                    found.Indices[0] |> shouldEqual [| 2; 4 |]
                    found.Indices[4] |> shouldEqual [| 0; 2 |]
                    found.Squares[0] |> shouldEqual [| 0.0; 0.0 |]

            testCase "more neighbours than there are others are refused"
            <| fun () ->
                let points, _ = clouds 3 5 150 1.0 5L

                messageOf<ArgumentException>(fun () -> NearestNeighbours.among 150 points |> ignore)
                |> shouldStartWith "nearest neighbours: 150 of 149 points"

            testCase "logistic regression reads classes that a line parts, where least squares can't"
            <| fun () ->
                // Three classes in a row along one axis: least squares never picks the middle one.
                let features = Array.init 300 (fun i -> [| float (i % 3) + 0.3 * sin (float i) |])
                let labels = Array.init 300 (fun i -> i % 3)
                let fitted = LogisticProbe.fit 3 1e-6 features labels
                LinearProbe.accuracy fitted features labels |> shouldEqual 1.0
                let squares = LinearProbe.fit 3 1e-6 features labels
                LinearProbe.accuracy squares features labels |> shouldBeLessThan 0.8

            testCase "the fit has no gradient left: its probabilities average to the classes' shares"
            <| fun () ->
                let features, labels = clouds 3 4 600 2.0 6L
                let w = LogisticProbe.fit 3 0.0 features labels

                let probabilities (x: float[]) =
                    let scores = Array.init 3 (fun c -> w[4, c] + Seq.sum (seq { for j in 0..3 -> x[j] * w[j, c] }))

                    let exps = scores |> Array.map exp
                    exps |> Array.map (fun e -> e / Array.sum exps)

                for c in 0..2 do
                    features |> Array.averageBy (fun x -> (probabilities x)[c]) |> shouldBeNear 1e-4 (1.0 / 3.0)

                    for j in 0..3 do
                        let residual =
                            Array.map2
                                (fun (x: float[]) label ->
                                    x[j] * ((probabilities x)[c] - (if label = c then 1.0 else 0.0)))
                                features
                                labels
                            |> Array.average

                        residual |> shouldBeNear 1e-4 0.0

            testCase "examples that come four times, more than are added up together, tell what they tell once"
            <| fun () ->
                let features, labels = clouds 3 4 600 2.0 6L
                let once = LogisticProbe.fit 3 1e-2 features labels

                let often =
                    LogisticProbe.fit
                        3
                        1e-2
                        (Array.concat (Array.replicate 4 features))
                        (Array.concat (Array.replicate 4 labels))

                for i in 0..4 do
                    for c in 0..2 do
                        often[i, c] |> shouldBeNear 1e-4 once[i, c]

            testCase "the penalty is ½·ridge on squares of weights of standardised features, and on no constant"
            <| fun () ->
                // Of x = ±1 with a class each the weights are ∓v where ridge = σ(−2v) / v.
                let v = 0.5
                let ridge = 1.0 / (1.0 + exp (2.0 * v)) / v
                ridge |> shouldBeNear 1e-12 0.5378828427399902

                for scale in [ 1.0; 10.0 ] do
                    let w = LogisticProbe.fit 2 ridge [| [| -scale |]; [| scale |] |] [| 0; 1 |]
                    w[0, 0] |> shouldBeNear 1e-5 (-v / scale)
                    w[0, 1] |> shouldBeNear 1e-5 (v / scale)
                    w[1, 0] |> shouldBeNear 1e-5 0.0
                    w[1, 1] |> shouldBeNear 1e-5 0.0

                // Where x tells nothing, three examples of one class for each of the other are in the constants alone.
                let w =
                    LogisticProbe.fit
                        2
                        1.0
                        (Array.init 8 (fun i -> [| float (2 * (i % 2) - 1) |]))
                        [| 0; 0; 0; 0; 0; 0; 1; 1 |]

                w[0, 1] |> shouldBeNear 1e-5 0.0
                w[1, 0] - w[1, 1] |> shouldBeNear 1e-5 (log 3.0)
        ]

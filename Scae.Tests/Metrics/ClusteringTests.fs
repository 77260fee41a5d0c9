module Scae.Tests.Metrics.ClusteringTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Scae.Tests.Claims
open Scae.Core.Metrics
open Scae.Tensors

/// The measures as functions of two partitions.
module private Clustering =
    let contingency truth predicted =
        let table = Contingency.Of(truth, predicted)
        Array2D.init table.Rows table.Columns (fun i j -> table[i, j])

    let entropy labels = Contingency.Of(labels, labels).RowEntropy
    let mutualInformation truth predicted = Contingency.Of(truth, predicted).MutualInformation
    let expectedMutualInformation truth predicted = Contingency.Of(truth, predicted).ExpectedMutualInformation

    let normalizedMutualInformation normalizer truth predicted =
        Contingency.Of(truth, predicted).NormalizedMutualInformation normalizer

    let adjustedMutualInformation normalizer truth predicted =
        Contingency.Of(truth, predicted).AdjustedMutualInformation normalizer

    let adjustedRandIndex truth predicted = Contingency.Of(truth, predicted).AdjustedRandIndex

let private normalizers =
    [ Normalizer.Arithmetic; Normalizer.Geometric; Normalizer.Max; Normalizer.Min ]

/// Every index of agreement.
let private indices =
    [
        for normalizer in normalizers do
            $"NMI {normalizer}", Clustering.normalizedMutualInformation normalizer
            $"AMI {normalizer}", Clustering.adjustedMutualInformation normalizer
        "ARI", Clustering.adjustedRandIndex
    ]

/// Everything that is measured of two partitions.
let private measures (table: Contingency) : float list =
    [
        table.RowEntropy
        table.MutualInformation
        table.ExpectedMutualInformation
        for normalizer in normalizers do
            table.NormalizedMutualInformation normalizer
            table.AdjustedMutualInformation normalizer
        table.AdjustedRandIndex
        table.VariationOfInformation
    ]

type Pair = { A: int[]; B: int[] }

type Partitions =
    /// Two partitions of the same few points.
    static member Pair() : Arbitrary<Pair> =
        gen {
            let! n = Gen.choose (0, 30)
            let! k = Gen.choose (1, 6)
            let labels = Gen.arrayOfLength n (Gen.choose (1, k))
            let! a = labels
            let! b = labels
            return { A = a; B = b }
        }
        |> Arb.fromGen

let private near tolerance (x: float) (y: float) = abs (x - y) <= tolerance

// scikit-learn, sklearn/metrics/cluster/tests/test_supervised.py: MI, EMI and AMI to five digits, the latter with the
// greater entropy up to 0.21 (0.27502) and with the mean since (0.27821). All digits: exact rational arithmetic over
// the hypergeometric model, computed apart from this code.
let private sklearnA = [| 1; 1; 1; 1; 1; 1; 2; 2; 2; 2; 2; 2; 3; 3; 3; 3; 3 |]

let private sklearnB = [| 1; 1; 1; 1; 2; 1; 2; 2; 2; 2; 3; 1; 3; 3; 3; 2; 2 |]

[<Tests>]
let tests =
    testList
        "Metrics.Clustering"
        [
            testCase "the example of scikit-learn's tests has its published values"
            <| fun () ->
                Clustering.contingency sklearnA sklearnB
                |> shouldEqual (array2D [ [ 5; 1; 0 ]; [ 1; 4; 1 ]; [ 0; 2; 3 ] ])

                let close = shouldBeNear 1e-12
                Clustering.mutualInformation sklearnA sklearnB |> close 0.4102186227404535
                Clustering.expectedMutualInformation sklearnA sklearnB |> close 0.15042480258217136

                List.map
                    (fun normalizer -> Clustering.adjustedMutualInformation normalizer sklearnA sklearnB)
                    normalizers
                |> List.iter2
                    (fun expected found -> found |> close expected)
                    [ 0.2782096465726977; 0.2782258135528583; 0.2750150624455168; 0.28147931972781925 ]

                List.map
                    (fun normalizer -> Clustering.normalizedMutualInformation normalizer sklearnA sklearnB)
                    normalizers
                |> List.iter2
                    (fun expected found -> found |> close expected)
                    [ 0.3783499278720409; 0.3783688635905904; 0.37460224238859985; 0.3821733581250758 ]

                Clustering.adjustedRandIndex sklearnA sklearnB |> close 0.2669404517453799

            testCase "a large example keeps its digits"
            <| fun () ->
                let many labels = Array.init (110 * 17) (fun i -> Array.get labels (i % 17))
                let a, b = many sklearnA, many sklearnB

                Clustering.expectedMutualInformation a b |> shouldBeNear 1e-12 0.0010711603436869292

                Clustering.adjustedMutualInformation Normalizer.Arithmetic a b
                |> shouldBeNear 1e-11 0.37773516443674954

                // One cell of 70,000: overflowed 2^32 in scikit-learn once. Nothing to know.
                let one = Array.zeroCreate<int> 70000
                Clustering.expectedMutualInformation one one |> shouldEqual 0.0

            // The examples of scikit-learn's documentation and tests; mclust's for the last.
            testCase "published small examples of the adjusted Rand index"
            <| fun () ->
                let close = shouldBeNear 1e-7
                Clustering.adjustedRandIndex [| 0; 0; 1; 2 |] [| 0; 0; 1; 1 |] |> close 0.5714285714
                Clustering.adjustedRandIndex [| 0; 0; 1; 1 |] [| 0; 0; 1; 2 |] |> close 0.5714285714
                Clustering.adjustedRandIndex [| 0; 0; 1; 1 |] [| 0; 1; 0; 1 |] |> close -0.5

                Clustering.adjustedRandIndex [| 0; 0; 0; 2; 2; 2 |] [| 0; 4; 0; 4; 2; 2 |] |> close 0.2424242424

                Clustering.adjustedRandIndex [| 0; 0; 0; 0 |] [| 0; 1; 2; 3 |] |> shouldEqual 0.0
                let cycle k = Array.init 12 (fun i -> i % k)
                Clustering.adjustedRandIndex (cycle 3) (cycle 4) |> close -0.2790698

            testCase "identical partitions have index 1, one cluster against singletons 0"
            <| fun () ->
                for name, index in indices do
                    for labels in [ [| 0; 0; 1; 1 |]; [| 5; 5; 5 |]; [| 0; 1; 2; 3 |]; [| 9 |]; [||] ] do
                        if index labels (Array.map (fun label -> 7 - label) labels) <> 1.0 then
                            failtest $"{name} of %A{labels} and itself"

                    for n in [ 2; 4; 100; 10000 ] do
                        if index (Array.zeroCreate n) [| 1..n |] <> 0.0 then
                            failtest $"{name} of one cluster and {n} singletons"

            testCase "adjusted information is negative below chance"
            <| fun () ->
                for normalizer in normalizers do
                    Clustering.adjustedMutualInformation normalizer [| 0; 0; 1; 1 |] [| 0; 1; 0; 1 |]
                    |> shouldBeNear 1e-12 -0.5

            testCase "what was expected of the partitions before isn't what is expected of the next"
            <| fun () ->
                let table = Contingency.Of(sklearnA, sklearnB)
                table.AdjustedMutualInformation Normalizer.Max |> shouldBeNear 1e-12 0.2750150624455168
                table.Count(ReadOnlySpan [| 0; 0; 1; 1 |], ReadOnlySpan [| 0; 1; 0; 1 |])
                table.AdjustedMutualInformation Normalizer.Max |> shouldBeNear 1e-12 -0.5

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Partitions> ] }
                "a contingency that takes up other partitions measures them as a new one does"
            <| fun (before: Pair) (next: Pair) ->
                let table = Contingency.Of(before.A, before.B)
                measures table |> ignore
                table.Count(ReadOnlySpan next.A, ReadOnlySpan next.B)
                measures table |> shouldEqual (measures (Contingency.Of(next.A, next.B)))

            testCase "entropy is that of the frequencies"
            <| fun () ->
                Clustering.entropy [| 0; 0; 42 |] |> shouldBeNear 1e-12 0.63651416829481278
                Clustering.entropy [| 1; 2; 3; 4 |] |> shouldBeNear 1e-12 (log 4.0)
                Clustering.entropy [| 3; 3 |] |> shouldEqual 0.0
                Clustering.entropy [||] |> shouldEqual 0.0

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Partitions> ] }
                "every index is symmetric and at most 1"
            <| fun { A = a; B = b } ->
                indices
                |> List.forall (fun (_, index) -> near 1e-9 (index a b) (index b a) && index a b <= 1.0 + 1e-9)

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Partitions> ] }
                "no index depends on names or on the order of points"
            <| fun { A = a; B = b } (seed: int64) ->
                let order = Array.zeroCreate<int> a.Length
                Key.OfSeed(seed).FillPermutation order
                let names = [| 0; 17; -4; 3; 1000000; 2; 9 |]
                let a' = order |> Array.map (fun i -> names[a[i]])
                let b' = order |> Array.map (fun i -> -names[b[i]])
                indices |> List.forall (fun (_, index) -> near 1e-9 (index a b) (index a' b'))

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Partitions> ] }
                "mutual information lies between 0 and either entropy"
            <| fun { A = a; B = b } ->
                let information = Clustering.mutualInformation a b
                let bound = min (Clustering.entropy a) (Clustering.entropy b)
                information >= 0.0 && information <= bound + 1e-12

            testPropertyWithConfig
                { samples 100 with arbitrary = [ typeof<Partitions> ] }
                "mutual information is what one entropy leaves of the joint one"
            <| fun { A = a; B = b } ->
                let joint = Array.map2 (fun x y -> 100 * x + y) a b

                near
                    1e-12
                    (Clustering.mutualInformation a b)
                    (Clustering.entropy a + Clustering.entropy b - Clustering.entropy joint)

            testPropertyWithConfig
                { samples 40 with arbitrary = [ typeof<Partitions> ] }
                "expected information is the mean over all permutations"
            <| fun { A = a; B = b } ->
                let n = min 7 a.Length
                let a, b = a[.. n - 1], b[.. n - 1]

                let mean =
                    Orders.permutations n
                    |> List.averageBy (fun order -> Clustering.mutualInformation a (Array.map (fun i -> b[i]) order))

                near 1e-12 (Clustering.expectedMutualInformation a b) mean

            testPropertyWithConfig
                { samples 40 with arbitrary = [ typeof<Partitions> ] }
                "the Rand index is adjusted by its mean over all permutations"
            <| fun { A = a; B = b } ->
                let n = min 6 a.Length
                let a, b = a[.. n - 1], b[.. n - 1]

                let together (labels: int[]) =
                    [
                        for i in 0 .. n - 1 do
                            for j in 0 .. i - 1 -> labels[i] = labels[j]
                    ]

                let agreeing b =
                    List.map2 (fun x y -> if x = y then 1.0 else 0.0) (together a) (together b) |> List.sum

                let mean =
                    Orders.permutations n |> List.averageBy (fun order -> agreeing (Array.map (fun i -> b[i]) order))

                // The greatest number of agreements that the sizes of the clusters allow, by Hubert & Arabie's bound.
                let pairs labels = together labels |> List.sumBy (fun x -> if x then 1.0 else 0.0)
                let total = float (n * (n - 1) / 2)
                let chance = if n < 2 then 0.0 else pairs a * pairs b / total
                let room = (pairs a + pairs b) / 2.0 - chance
                let index = Clustering.adjustedRandIndex a b

                if room < 1e-12 then
                    index = 1.0
                else
                    near 1e-9 index ((agreeing b - mean) / (2.0 * room))

            testCase "random partitions score 0 on average when adjusted, and not otherwise"
            <| fun () ->
                let key = Key.OfSeed 50L

                let average index =
                    Array.init 400 (fun trial ->
                        let labels (key: Key) =
                            let x = Array.zeroCreate<int> 60
                            key.FillIntegers(x, 0, 5)
                            x

                        let key = key.Fold trial
                        index (labels (key.Named "a")) (labels (key.Named "b")))
                    |> Array.average

                for name, index in indices do
                    let mean = average index

                    if name.StartsWith "NMI" then
                        mean |> shouldBeGreaterThan 0.05
                    else
                        abs mean |> shouldBeLessThan 0.01

            testCase "arrays of different length are refused"
            <| fun () ->
                for _, index in indices do
                    try
                        index [| 1; 2 |] [| 1 |] |> ignore
                        failtest "nothing was refused"
                    with :? ArgumentException as error ->
                        error.Message
                        |> shouldStartWith "clustering: 2 true and 1 predicted labels; there must be as many of both"
        ]

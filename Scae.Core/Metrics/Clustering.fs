namespace Scae.Core.Metrics

open System.Collections.Generic

/// What bounds the mutual information I(U, V) from above, by the entropies of the two partitions: their mean, their
/// geometric mean, the greater or the smaller. scikit-learn uses Arithmetic since 0.22; the older literature on
/// adjusted mutual information, Vinh et al. 2010 included, uses Max.
[<RequireQualifiedAccess>]
type Normalizer =
    | Arithmetic
    | Geometric
    | Max
    | Min

/// Agreement of two partitions of the same points. Labels are any integers, and only their equality counts: every
/// measure here is symmetric, and invariant to renaming labels and to reordering points. All raise ArgumentException
/// when the two arrays differ in length. Logarithms are natural.
[<RequireQualifiedAccess>]
module Clustering =

    /// Labels as 0, 1, … in order of first appearance, and how many differ.
    let private dense (labels: int[]) =
        let indices = Dictionary<int, int>()

        let relabelled =
            labels
            |> Array.map (fun label ->
                match indices.TryGetValue label with
                | true, index -> index
                | _ ->
                    let index = indices.Count
                    indices[label] <- index
                    index)

        struct (relabelled, indices.Count)

    /// How many points carry label i in the first and label j in the second partition: n_ij, with labels in order of
    /// first appearance. truth, predicted : [N] → [R, C], sums to N.
    let contingency (truth: int[]) (predicted: int[]) : int[,] =
        if truth.Length <> predicted.Length then
            invalidArg
                (nameof predicted)
                $"clustering: {truth.Length} true and {predicted.Length} predicted labels; there must be as many of both"

        let struct (rows, r) = dense truth
        let struct (columns, c) = dense predicted
        let table = Array2D.zeroCreate<int> r c

        for n in 0 .. rows.Length - 1 do
            let i, j = rows[n], columns[n]
            table[i, j] <- table[i, j] + 1

        table

    let private rowSums (table: int[,]) =
        Array.init (Array2D.length1 table) (fun i ->
            let mutable sum = 0

            for j in 0 .. Array2D.length2 table - 1 do
                sum <- sum + table[i, j]

            sum)

    let private columnSums (table: int[,]) =
        Array.init (Array2D.length2 table) (fun j ->
            let mutable sum = 0

            for i in 0 .. Array2D.length1 table - 1 do
                sum <- sum + table[i, j]

            sum)

    /// H = −Σ_i (a_i / N) ln (a_i / N) of counts a.
    let private entropyOfCounts (counts: int[]) =
        let n = float (Array.sum counts)

        counts |> Array.sumBy (fun a -> if a = 0 then 0.0 else float a / n * log (n / float a))

    /// H = −Σ_i (a_i / N) ln (a_i / N), a_i the number of points with label i. 0 for no points.
    let entropy (labels: int[]) : float =
        let struct (indices, count) = dense labels
        let counts = Array.zeroCreate<int> count

        for index in indices do
            counts[index] <- counts[index] + 1

        entropyOfCounts counts

    let private mutualInformationOf (table: int[,]) (a: int[]) (b: int[]) =
        let n = float (Array.sum a)
        let mutable sum = 0.0

        for i in 0 .. a.Length - 1 do
            for j in 0 .. b.Length - 1 do
                if table[i, j] > 0 then
                    let nij = float table[i, j]
                    sum <- sum + nij / n * log (n * nij / (float a[i] * float b[j]))

        // Rounding can leave independent partitions a hair below 0.
        max 0.0 sum

    /// I = Σ_ij (n_ij / N) ln (N n_ij / (a_i b_j)), a and b the sums of the contingency table's rows and columns.
    let mutualInformation (truth: int[]) (predicted: int[]) : float =
        let table = contingency truth predicted
        mutualInformationOf table (rowSums table) (columnSums table)

    /// ln 0!, …, ln n!, by a compensated sum: at n = 100,000 a plain one is off by 3e-9, this one by nothing.
    let private logFactorials n =
        let table = Array.zeroCreate<float>(n + 1)
        let mutable sum = 0.0
        let mutable lost = 0.0

        for i in 2..n do
            let term = log (float i) - lost
            let next = sum + term
            lost <- next - sum - term
            sum <- next
            table[i] <- sum

        table

    let private expectedMutualInformationOf (a: int[]) (b: int[]) =
        let n = Array.sum a
        let total = float n
        let logFactorial = logFactorials n
        let mutable sum = 0.0

        for ai in a do
            for bj in b do
                let marginals =
                    logFactorial[ai] + logFactorial[bj] + logFactorial[n - ai] + logFactorial[n - bj] - logFactorial[n]

                let product = float ai * float bj

                for nij in max 1 (ai + bj - n) .. min ai bj do
                    let logProbability =
                        marginals
                        - logFactorial[nij]
                        - logFactorial[ai - nij]
                        - logFactorial[bj - nij]
                        - logFactorial[n - ai - bj + nij]

                    let information = float nij / total * log (total * float nij / product)
                    sum <- sum + information * exp logProbability

        max 0.0 sum

    /// The mean of the mutual information over all ways of assigning the same numbers of labels to the points (Vinh,
    /// Epps & Bailey 2010, the hypergeometric model; exact):
    /// E = Σ_ij Σ_{n = max(1, a_i + b_j − N)}^{min(a_i, b_j)} (n / N) ln (N n / (a_i b_j)) · P(n),
    /// P(n) = a_i! b_j! (N − a_i)! (N − b_j)! / (N! n! (a_i − n)! (b_j − n)! (N − a_i − b_j + n)!).
    let expectedMutualInformation (truth: int[]) (predicted: int[]) : float =
        let table = contingency truth predicted
        expectedMutualInformationOf (rowSums table) (columnSums table)

    let private bound normalizer (u: float) (v: float) =
        match normalizer with
        | Normalizer.Arithmetic -> (u + v) / 2.0
        | Normalizer.Geometric -> sqrt (u * v)
        | Normalizer.Max -> max u v
        | Normalizer.Min -> min u v

    /// Whether the partitions are the same: every row and every column has a single entry.
    let private isIdentity (table: int[,]) =
        let mutable entries = 0

        table
        |> Array2D.iter (fun n ->
            if n > 0 then
                entries <- entries + 1)

        entries = Array2D.length1 table && entries = Array2D.length2 table

    /// I / bound(H(U), H(V)), in [0, 1]; 1 for identical partitions, those of one cluster and of no points included,
    /// and 0 where the bound is 0 otherwise.
    let normalizedMutualInformation (normalizer: Normalizer) (truth: int[]) (predicted: int[]) : float =
        let table = contingency truth predicted

        if isIdentity table then
            1.0
        else
            let a, b = rowSums table, columnSums table
            let bound = bound normalizer (entropyOfCounts a) (entropyOfCounts b)

            if bound > 0.0 then
                min 1.0 (mutualInformationOf table a b / bound)
            else
                0.0

    /// (I − E) / (bound(H(U), H(V)) − E), E the expected mutual information (Vinh et al. 2010):
    /// 1 for identical partitions, those of one cluster and of no points included; 0 on average for random ones, and
    /// below 0 for those that agree less than by chance. 0 where the bound leaves no room above chance.
    let adjustedMutualInformation (normalizer: Normalizer) (truth: int[]) (predicted: int[]) : float =
        let table = contingency truth predicted

        if isIdentity table then
            1.0
        else
            let a, b = rowSums table, columnSums table
            let bound = bound normalizer (entropyOfCounts a) (entropyOfCounts b)
            let expected = expectedMutualInformationOf a b
            let room = bound - expected

            // Then every assignment of labels has the same information, and the quotient would be rounding noise.
            if room < 1e-12 * (1.0 + bound) then
                0.0
            else
                (mutualInformationOf table a b - expected) / room

    /// The Rand index adjusted for chance (Hubert & Arabie 1985): with S = Σ_ij C(n_ij, 2), A = Σ_i C(a_i, 2),
    /// B = Σ_j C(b_j, 2) and M = A B / C(N, 2), the index is (S − M) / ((A + B) / 2 − M). 1 for identical partitions,
    /// those of one cluster, of singletons and of no points included.
    let adjustedRandIndex (truth: int[]) (predicted: int[]) : float =
        let table = contingency truth predicted

        if isIdentity table then
            1.0
        else
            let pairs (count: int) = float count * float (count - 1) / 2.0
            let mutable s = 0.0
            table |> Array2D.iter (fun n -> s <- s + pairs n)
            let a = rowSums table |> Array.sumBy pairs
            let b = columnSums table |> Array.sumBy pairs
            let chance = a * b / pairs truth.Length
            // The mean of a and b exceeds chance unless both partitions are trivial in the same way, which is identity.
            (s - chance) / ((a + b) / 2.0 - chance)

    /// H(U) + H(V) − 2 I(U, V) in nats (Meilă 2003): 0 for identical partitions, those of no points included.
    let variationOfInformation (truth: int[]) (predicted: int[]) : float =
        // Rounding can leave identical partitions a hair below 0.
        max 0.0 (entropy truth + entropy predicted - 2.0 * mutualInformation truth predicted)

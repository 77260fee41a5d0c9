namespace Scae.Core.Metrics

open System
open System.Collections.Generic

/// An upper bound of the mutual information I(U, V), from the entropies of the two partitions: their arithmetic mean,
/// their geometric mean, the greater or the smaller. scikit-learn uses Arithmetic since 0.22; the older literature on
/// adjusted mutual information, including Vinh et al. 2010, uses Max.
[<RequireQualifiedAccess>]
type Normalizer =
    | Arithmetic
    | Geometric
    | Max
    | Min

/// The table of how many points have label i in one partition and label j in another, n_ij, with labels in order of
/// first appearance, and measures of how well the two agree. Labels are any integers, and only their equality counts:
/// the measures are symmetric, and invariant to renaming labels and reordering points. Logarithms are natural. One
/// object can take in one pair of partitions after another, and allocates nothing once it has grown to the largest.
[<Sealed>]
type Contingency() =
    let rowIndices, columnIndices = Dictionary<int, int>(), Dictionary<int, int>()
    let mutable rowOf: int[] = [||]
    let mutable columnOf: int[] = [||]
    let mutable table: int[] = [||]
    let mutable rowSums: int[] = [||]
    let mutable columnSums: int[] = [||]
    let mutable logFactorial = [| 0.0 |]
    // What the sum for ln n!, of the largest n so far, has lost to rounding.
    let mutable lost = 0.0
    let mutable points = 0
    // NaN until it is needed.
    let mutable expected = nan

    static let room (present: 'element[]) (count: int) : 'element[] =
        if present.Length >= count then
            present
        else
            Array.zeroCreate (max count (2 * present.Length))

    /// Numbers labels 0, 1, … in order of first appearance.
    static let number (indices: Dictionary<int, int>) (labels: ReadOnlySpan<int>) (into: int[]) : unit =
        indices.Clear()

        for n in 0 .. labels.Length - 1 do
            let mutable index = 0

            if not (indices.TryGetValue(labels[n], &index)) then
                index <- indices.Count
                indices[labels[n]] <- index

            into[n] <- index

    /// Extends the table to ln n! by a compensated sum. At n = 100,000 a plain sum would be off by 3e-9; this one is
    /// exact.
    let growLogFactorials (n: int) : unit =
        let known = logFactorial.Length

        if n >= known then
            let mutable sum = logFactorial[known - 1]
            Array.Resize(&logFactorial, max (n + 1) (2 * known))

            for i in known .. logFactorial.Length - 1 do
                let term = log (float i) - lost
                let next = sum + term
                lost <- next - sum - term
                sum <- next
                logFactorial[i] <- sum

    static let entropyOf (counts: int[]) (count: int) (points: int) : float =
        let n = float points
        let mutable sum = 0.0

        for i in 0 .. count - 1 do
            if counts[i] > 0 then
                sum <- sum + float counts[i] / n * log (n / float counts[i])

        sum

    static let bound normalizer (u: float) (v: float) : float =
        match normalizer with
        | Normalizer.Arithmetic -> (u + v) / 2.0
        | Normalizer.Geometric -> sqrt (u * v)
        | Normalizer.Max -> max u v
        | Normalizer.Min -> min u v

    static let pairs (count: int) : float = float count * float (count - 1) / 2.0

    /// The table of two partitions.
    static member Of(truth: int[], predicted: int[]) : Contingency =
        let fresh = Contingency()
        fresh.Count(ReadOnlySpan truth, ReadOnlySpan predicted)
        fresh

    /// How many labels the first partition has.
    member _.Rows: int = rowIndices.Count

    /// How many labels the second partition has.
    member _.Columns: int = columnIndices.Count

    /// n_ij.
    member _.Item
        with get (i: int, j: int): int = table[i * columnIndices.Count + j]

    /// Takes in two partitions, given as one label per point. Raises ArgumentException if they differ in length.
    member this.Count(truth: ReadOnlySpan<int>, predicted: ReadOnlySpan<int>) : unit =
        if truth.Length <> predicted.Length then
            invalidArg
                (nameof predicted)
                $"clustering: {truth.Length} true and {predicted.Length} predicted labels; there must be as many of both"

        points <- truth.Length
        expected <- nan
        rowOf <- room rowOf points
        columnOf <- room columnOf points
        number rowIndices truth rowOf
        number columnIndices predicted columnOf
        table <- room table (this.Rows * this.Columns)
        rowSums <- room rowSums this.Rows
        columnSums <- room columnSums this.Columns
        Array.Clear(table, 0, this.Rows * this.Columns)
        Array.Clear(rowSums, 0, this.Rows)
        Array.Clear(columnSums, 0, this.Columns)

        for n in 0 .. points - 1 do
            let i, j = rowOf[n], columnOf[n]
            table[i * this.Columns + j] <- table[i * this.Columns + j] + 1
            rowSums[i] <- rowSums[i] + 1
            columnSums[j] <- columnSums[j] + 1

    /// Whether the partitions are the same, so that every row and every column has a single entry.
    member this.IsIdentity: bool =
        let mutable entries = 0

        for at in 0 .. this.Rows * this.Columns - 1 do
            if table[at] > 0 then
                entries <- entries + 1

        entries = this.Rows && entries = this.Columns

    /// The entropy of the first partition, H = −Σ_i (a_i / N) ln (a_i / N), a_i the number of points with label i. 0 for no points.
    member this.RowEntropy: float = entropyOf rowSums this.Rows points

    member private this.Bound(normalizer: Normalizer) : float =
        bound normalizer this.RowEntropy (entropyOf columnSums this.Columns points)

    /// I = Σ_ij (n_ij / N) ln (N n_ij / (a_i b_j)), a and b the sums of the table's rows and columns.
    member this.MutualInformation: float =
        let n = float points
        let mutable sum = 0.0

        for i in 0 .. this.Rows - 1 do
            for j in 0 .. this.Columns - 1 do
                let nij = float this[i, j]

                if nij > 0.0 then
                    sum <- sum + nij / n * log (n * nij / (float rowSums[i] * float columnSums[j]))

        // Rounding can make it slightly negative for independent partitions.
        max 0.0 sum

    /// The sum before, plus the terms of a row with ai points and a column with bj.
    member private _.WithExpected(before: float, ai: int, bj: int) : float =
        let n, total = points, float points
        let product = float ai * float bj
        let mutable sum = before

        let marginals =
            logFactorial[ai] + logFactorial[bj] + logFactorial[n - ai] + logFactorial[n - bj] - logFactorial[n]

        for nij in max 1 (ai + bj - n) .. min ai bj do
            let logProbability =
                marginals
                - logFactorial[nij]
                - logFactorial[ai - nij]
                - logFactorial[bj - nij]
                - logFactorial[n - ai - bj + nij]

            sum <- sum + float nij / total * log (total * float nij / product) * exp logProbability

        sum

    /// The mean of the mutual information over all ways of assigning the same numbers of labels to the points (Vinh,
    /// Epps & Bailey 2010, the hypergeometric model; exact): E = Σ_ij Σ_{n = max(1, a_i + b_j − N)}^{min(a_i, b_j)}
    /// (n / N) ln (N n / (a_i b_j)) · P(n), with P(n) = a_i! b_j! (N − a_i)! (N − b_j)! / (N! n! (a_i − n)! (b_j −
    /// n)! (N − a_i − b_j + n)!).
    member this.ExpectedMutualInformation: float =
        if Double.IsNaN expected then
            growLogFactorials points
            let mutable sum = 0.0

            for i in 0 .. this.Rows - 1 do
                for j in 0 .. this.Columns - 1 do
                    sum <- this.WithExpected(sum, rowSums[i], columnSums[j])

            expected <- max 0.0 sum

        expected

    /// I / bound(H(U), H(V)), in [0, 1]. It is 1 for identical partitions, including those of a single cluster and of
    /// no points, and 0 if the bound is 0 otherwise.
    member this.NormalizedMutualInformation(normalizer: Normalizer) : float =
        if this.IsIdentity then
            1.0
        else
            let bound = this.Bound normalizer

            if bound > 0.0 then
                min 1.0 (this.MutualInformation / bound)
            else
                0.0

    /// (I − E) / (bound(H(U), H(V)) − E), where E is the expected mutual information (Vinh et al. 2010). It is 1 for
    /// identical partitions, including those of a single cluster and of no points; 0 on average for random ones; and
    /// below 0 for those that agree less than by chance. 0 if the bound leaves no room above chance.
    member this.AdjustedMutualInformation(normalizer: Normalizer) : float =
        if this.IsIdentity then
            1.0
        else
            let bound = this.Bound normalizer
            let expected = this.ExpectedMutualInformation
            let room = bound - expected

            // In this case every assignment of labels has the same information, and the quotient would be rounding noise.
            if room < 1e-12 * (1.0 + bound) then
                0.0
            else
                (this.MutualInformation - expected) / room

    /// The Rand index adjusted for chance (Hubert & Arabie 1985): with S = Σ_ij C(n_ij, 2), A = Σ_i C(a_i, 2),
    /// B = Σ_j C(b_j, 2) and M = A B / C(N, 2), the index is (S − M) / ((A + B) / 2 − M). 1 for identical partitions,
    /// those of one cluster, of singletons and of no points included.
    member this.AdjustedRandIndex: float =
        if this.IsIdentity then
            1.0
        else
            let mutable s, a, b = 0.0, 0.0, 0.0

            for at in 0 .. this.Rows * this.Columns - 1 do
                s <- s + pairs table[at]

            for i in 0 .. this.Rows - 1 do
                a <- a + pairs rowSums[i]

            for j in 0 .. this.Columns - 1 do
                b <- b + pairs columnSums[j]

            let chance = a * b / pairs points
            // The mean of a and b exceeds chance unless both partitions are trivial in the same way, and then they
            // are identical.
            (s - chance) / ((a + b) / 2.0 - chance)

    /// H(U) + H(V) − 2 I(U, V) in nats (Meilă 2003): 0 for identical partitions, those of no points included.
    member this.VariationOfInformation: float =
        // Rounding can make it slightly negative for identical partitions.
        max 0.0 (this.RowEntropy + entropyOf columnSums this.Columns points - 2.0 * this.MutualInformation)

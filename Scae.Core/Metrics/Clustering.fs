namespace Scae.Core.Metrics

/// Agreement of two partitions of the same points. Labels are any integers, and only their equality counts: every
/// measure here is symmetric, and invariant to renaming labels and to reordering points. All raise ArgumentException
/// when the two arrays differ in length. Logarithms are natural. Whoever measures many partitions keeps a Contingency.
[<RequireQualifiedAccess>]
module Clustering =

    /// How many points carry label i in the first and label j in the second partition: n_ij, with labels in order of
    /// first appearance. truth, predicted : [N] → [R, C], sums to N.
    let contingency (truth: int[]) (predicted: int[]) : int[,] =
        let table = Contingency.Of(truth, predicted)
        Array2D.init table.Rows table.Columns (fun i j -> table[i, j])

    /// H = −Σ_i (a_i / N) ln (a_i / N), a_i the number of points with label i. 0 for no points.
    let entropy (labels: int[]) : float = Contingency.Of(labels, labels).RowEntropy

    /// I = Σ_ij (n_ij / N) ln (N n_ij / (a_i b_j)), a and b the sums of the contingency table's rows and columns.
    let mutualInformation (truth: int[]) (predicted: int[]) : float = Contingency.Of(truth, predicted).MutualInformation

    /// The mean of the mutual information over all ways of assigning the same numbers of labels to the points (Vinh,
    /// Epps & Bailey 2010, the hypergeometric model; exact):
    /// E = Σ_ij Σ_{n = max(1, a_i + b_j − N)}^{min(a_i, b_j)} (n / N) ln (N n / (a_i b_j)) · P(n),
    /// P(n) = a_i! b_j! (N − a_i)! (N − b_j)! / (N! n! (a_i − n)! (b_j − n)! (N − a_i − b_j + n)!).
    let expectedMutualInformation (truth: int[]) (predicted: int[]) : float =
        Contingency.Of(truth, predicted).ExpectedMutualInformation

    /// I / bound(H(U), H(V)), in [0, 1]; 1 for identical partitions, those of one cluster and of no points included,
    /// and 0 where the bound is 0 otherwise.
    let normalizedMutualInformation (normalizer: Normalizer) (truth: int[]) (predicted: int[]) : float =
        Contingency.Of(truth, predicted).NormalizedMutualInformation normalizer

    /// (I − E) / (bound(H(U), H(V)) − E), E the expected mutual information (Vinh et al. 2010):
    /// 1 for identical partitions, those of one cluster and of no points included; 0 on average for random ones, and
    /// below 0 for those that agree less than by chance. 0 where the bound leaves no room above chance.
    let adjustedMutualInformation (normalizer: Normalizer) (truth: int[]) (predicted: int[]) : float =
        Contingency.Of(truth, predicted).AdjustedMutualInformation normalizer

    /// The Rand index adjusted for chance (Hubert & Arabie 1985): with S = Σ_ij C(n_ij, 2), A = Σ_i C(a_i, 2),
    /// B = Σ_j C(b_j, 2) and M = A B / C(N, 2), the index is (S − M) / ((A + B) / 2 − M). 1 for identical partitions,
    /// those of one cluster, of singletons and of no points included.
    let adjustedRandIndex (truth: int[]) (predicted: int[]) : float = Contingency.Of(truth, predicted).AdjustedRandIndex

    /// H(U) + H(V) − 2 I(U, V) in nats (Meilă 2003): 0 for identical partitions, those of no points included.
    let variationOfInformation (truth: int[]) (predicted: int[]) : float =
        // Rounding can leave identical partitions a hair below 0.
        max 0.0 (entropy truth + entropy predicted - 2.0 * mutualInformation truth predicted)

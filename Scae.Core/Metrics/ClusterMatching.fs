namespace Scae.Core.Metrics

open Scae.Tensors

/// How well clusters stand for classes. The forms differ in what is fitted and matched on which set (LIN-MATCH of
/// Kosiorek et al. 2019 in the three forms that are in use).
type ClusterMatchingScore =
    {
        /// Clusters, matching and score of the training set itself.
        Train: float
        /// Clusters and matching from the training set, score on the test set: the labels of the test set are used
        /// only for the score.
        Strict: float
        /// Clusters from the training set, matching and score on the test set.
        MatchedOnTest: float
        /// Clusters, matching and score of the test set alone: the released program's.
        RefittedOnTest: float
        /// Normalised mutual information of test classes and clusters fitted on the training set.
        Information: float
        /// [classes, classes] counts on the test set in the strict form; rows are classes, columns are the classes
        /// that clusters stand for.
        Confusion: int[,]
        /// The clusters of the training set, and the class that each stands for in the strict form.
        Clusters: KMeans
        Matching: int[]
    }

/// One-to-one matching of clusters to classes.
[<RequireQualifiedAccess>]
module ClusterMatching =
    /// The class of each cluster, [clusters], such that most points agree and each class is used at most once. Labels
    /// and clusters are 0, …, classes − 1. Raises ArgumentException if the two arrays differ in length.
    let matching (classes: int) (labels: int[]) (clusters: int[]) : int[] =
        if labels.Length <> clusters.Length then
            invalidArg
                (nameof clusters)
                $"matching: {clusters.Length} clusters for {labels.Length} labels; there must be as many of both"

        let table = Array2D.zeroCreate<float> classes classes

        for i in 0 .. labels.Length - 1 do
            table[clusters[i], labels[i]] <- table[clusters[i], labels[i]] - 1.0

        Assignment.hungarian table

    /// The share of points whose cluster stands for their class; NaN for none.
    let accuracy (matching: int[]) (labels: int[]) (clusters: int[]) : float =
        if labels.Length = 0 then
            nan
        else
            Array.map2 (fun label cluster -> if matching[cluster] = label then 1.0 else 0.0) labels clusters
            |> Array.average

    /// [classes, classes] counts; rows are classes, columns the classes that clusters stand for.
    let confusion (classes: int) (matching: int[]) (labels: int[]) (clusters: int[]) : int[,] =
        let table = Array2D.zeroCreate<int> classes classes

        for i in 0 .. labels.Length - 1 do
            let predicted = matching[clusters[i]]
            table[labels[i], predicted] <- table[labels[i], predicted] + 1

        table

    /// Clusters representations [n][d] by k-means into as many clusters as there are classes, and matches and scores
    /// on the same points (LIN-MATCH as the released program measures it); a pure function of the key.
    let refitted (key: Key) (config: KMeansConfig) (points: float[][], labels: int[]) : float =
        let clusters = KMeans.assign (KMeans.fit config key points) points
        accuracy (matching config.Clusters labels clusters) labels clusters

    /// Clusters representations [n][d] by k-means into as many clusters as there are classes, and scores them in all
    /// forms; a pure function of the key.
    let evaluate
        (key: Key)
        (config: KMeansConfig)
        (train: float[][], trainLabels: int[])
        (test: float[][], testLabels: int[])
        : ClusterMatchingScore =
        let k = config.Clusters
        let fitted = KMeans.fit config (key.Named "train") train
        let onTrain, onTest = KMeans.assign fitted train, KMeans.assign fitted test
        let refitted = KMeans.assign (KMeans.fit config (key.Named "test") test) test
        let strict = matching k trainLabels onTrain

        {
            Train = accuracy strict trainLabels onTrain
            Strict = accuracy strict testLabels onTest
            MatchedOnTest = accuracy (matching k testLabels onTest) testLabels onTest
            RefittedOnTest = accuracy (matching k testLabels refitted) testLabels refitted
            Information = Contingency.Of(testLabels, onTest).NormalizedMutualInformation Normalizer.Arithmetic
            Confusion = confusion k strict testLabels onTest
            Clusters = fitted
            Matching = strict
        }

    /// The share of other points [n][d] that a score's clusters and matching, both from the training set, assign to
    /// their class; NaN for no points.
    let ofOthers (score: ClusterMatchingScore) (points: float[][], labels: int[]) : float =
        accuracy score.Matching labels (KMeans.assign score.Clusters points)

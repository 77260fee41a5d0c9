namespace Scae.Core.Metrics

open System

/// How well parts were attributed to wholes, averaged over examples.
type RecoveryScore =
    {
        /// Share of points with the right label: recognition.
        Raw: float
        /// The same after the best relabelling in each example: grouping.
        Best: float
        /// [K, K] counts over all points; rows are true labels, columns predicted ones.
        Confusion: int[,]
        /// The same with every example's labels replaced by its best relabelling.
        BestConfusion: int[,]
    }

/// Counts the points of examples, one example after the other, in memory that is reused; labels are 0, …, K − 1.
[<Sealed>]
type RecoveryCounter(k: int) =
    let counts = Array.zeroCreate<int>(k * k)
    let relabelling = Array.zeroCreate<int> k
    let assign = Assignment.square k
    let cost = fun p t -> -float counts[p * k + t]

    /// Writes the best true label for each predicted label. Up to three labels are tried in all orders, identity
    /// first, so that it wins ties. An example of 11 points takes 45 ns in this way, while assignment takes 380 ns (K
    /// = 4).
    let relabel () =
        match k with
        | 1 -> relabelling[0] <- 0
        | 2 ->
            let swap = counts[1] + counts[2] > counts[0] + counts[3]
            relabelling[0] <- if swap then 1 else 0
            relabelling[1] <- if swap then 0 else 1
        | 3 ->
            let mutable best = -1

            for a in 0..2 do
                for i in 0..1 do
                    let b =
                        if i = 0 then
                            (if a = 0 then 1 else 0)
                        else
                            (if a = 2 then 1 else 2)

                    let c = 3 - a - b
                    let agreement = counts[a] + counts[3 + b] + counts[6 + c]

                    if agreement > best then
                        best <- agreement
                        relabelling[0] <- a
                        relabelling[1] <- b
                        relabelling[2] <- c
        | _ -> assign cost relabelling

    /// counts[predicted·K + true] of the present example.
    member _.Counts: int[] = counts

    /// The one-to-one renaming of predicted labels that agrees best with the truth.
    member _.Relabelling: int[] = relabelling

    /// How many points of the example have the right label without relabelling.
    member _.Raw: int =
        let mutable sum = 0

        for p in 0 .. k - 1 do
            sum <- sum + counts[p * k + p]

        sum

    /// How many points have the right label after the best relabelling.
    member _.Best: int =
        let mutable sum = 0

        for p in 0 .. k - 1 do
            sum <- sum + counts[p * k + relabelling[p]]

        sum

    /// Takes in an example.
    member _.Take(truth: ReadOnlySpan<int>, predicted: ReadOnlySpan<int>) : unit =
        Array.Clear counts

        for n in 0 .. truth.Length - 1 do
            let at = predicted[n] * k + truth[n]
            counts[at] <- counts[at] + 1

        relabel ()

/// Part–capsule recovery: compares predicted with true labels 0, …, K − 1 of the points of an example. `raw` takes
/// labels as they are. `best` allows each example the one-to-one renaming of predicted labels that suits it best, so
/// it can't tell whether a shape was recognised. For three templates of 4, 4 and 3 points, random labels reach 0.33
/// raw and 0.53 best. All functions raise ArgumentException for an empty example, for lengths that differ, or for a
/// label that isn't in 0, …, K − 1.
[<RequireQualifiedAccess>]
module Recovery =

    let private check k (points: int) (truth: int[]) (predicted: int[]) =
        if truth.Length <> predicted.Length then
            invalidArg
                (nameof predicted)
                $"recovery: {truth.Length} true and {predicted.Length} predicted labels; there must be as many of both"

        if points < 1 || truth.Length = 0 || truth.Length % points <> 0 then
            invalidArg
                (nameof points)
                $"recovery: {truth.Length} labels don't make examples of {points} points; a positive multiple is needed"

        for n in 0 .. truth.Length - 1 do
            if uint truth[n] >= uint k || uint predicted[n] >= uint k then
                invalidArg
                    (nameof predicted)
                    $"recovery: point {n} has labels {truth[n]} (true) and {predicted[n]}; labels are 0 to {k - 1}"

    let private counted (k: int) (truth: int[]) (predicted: int[]) : RecoveryCounter =
        check k truth.Length truth predicted
        let counter = RecoveryCounter k
        counter.Take(ReadOnlySpan truth, ReadOnlySpan predicted)
        counter

    /// Share of points whose predicted label is the true one, in [0, 1]. truth, predicted : [N].
    let raw (k: int) (truth: int[]) (predicted: int[]) : float =
        float (counted k truth predicted).Raw / float truth.Length

    /// The one-to-one renaming of predicted labels that agrees best with the truth: [K], the true label for each
    /// predicted one. Up to K = 3 it is the first of several best ones in lexicographic order.
    let bestRelabelling (k: int) (truth: int[]) (predicted: int[]) : int[] = (counted k truth predicted).Relabelling

    /// Share of points whose label is the true one after the best relabelling, in [raw, 1] and at least 1 / K.
    let best (k: int) (truth: int[]) (predicted: int[]) : float =
        float (counted k truth predicted).Best / float truth.Length

    /// The score of many examples with the same number of points, one after the other in flat arrays; each example is
    /// relabelled by itself. truth, predicted : [examples · points].
    let evaluate (k: int) (points: int) (truth: int[]) (predicted: int[]) : RecoveryScore =
        check k points truth predicted
        let counter = RecoveryCounter k
        let confusion = Array2D.zeroCreate<int> k k
        let bestConfusion = Array2D.zeroCreate<int> k k
        let mutable raw = 0
        let mutable best = 0

        for first in 0..points .. truth.Length - 1 do
            counter.Take(ReadOnlySpan(truth, first, points), ReadOnlySpan(predicted, first, points))
            raw <- raw + counter.Raw
            best <- best + counter.Best

            for p in 0 .. k - 1 do
                for t in 0 .. k - 1 do
                    let n = counter.Counts[p * k + t]
                    let renamed = counter.Relabelling[p]
                    confusion[t, p] <- confusion[t, p] + n
                    bestConfusion[t, renamed] <- bestConfusion[t, renamed] + n

        {
            Raw = float raw / float truth.Length
            Best = float best / float truth.Length
            Confusion = confusion
            BestConfusion = bestConfusion
        }

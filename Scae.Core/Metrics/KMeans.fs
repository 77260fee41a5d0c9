namespace Scae.Core.Metrics

open System
open Scae.Tensors

/// Clusters around centres.
type KMeans =
    {
        /// [k][d].
        Centres: float[][]
        /// Σ of squared distances to the nearest centre.
        Inertia: float
        /// How many rounds it took until no point changed its cluster.
        Rounds: int
    }

/// How clusters are looked for.
type KMeansConfig =
    {
        Clusters: int
        /// How many starts are tried; the best is kept.
        Starts: int
        MostRounds: int
    }

/// Lloyd's algorithm from starts by k-means++ (Arthur & Vassilvitskii 2007), where each centre is the best of 2 + ⌊ln
/// k⌋ candidates, as in scikit-learn.
[<RequireQualifiedAccess>]
module KMeans =
    /// Ten clusters, ten starts, at most 1,000 rounds: what the released program of SCAE asks scikit-learn for.
    let digits: KMeansConfig = { Clusters = 10; Starts = 10; MostRounds = 1000 }

    let private square = NearestNeighbours.square

    /// The index at which the running sum of weights passes a share of the whole.
    let private draw (weights: float[]) (share: float) : int =
        let target = share * Array.sum weights
        let mutable i = 0
        let mutable sum = weights[0]

        while i < weights.Length - 1 && sum <= target do
            i <- i + 1
            sum <- sum + weights[i]

        i

    let private spread (k: int) (random: KeyStream) (points: float[][]) : float[][] =
        let centres = Array.zeroCreate<float[]> k
        centres[0] <- Array.copy points[random.NextInt points.Length]
        // Squared distances to the nearest centre: without a candidate, with one, and with the best candidate so far.
        let mutable nearest = points |> Array.map (square centres[0])
        let mutable trial = Array.zeroCreate<float> points.Length
        let mutable best = Array.zeroCreate<float> points.Length
        let candidates = 2 + int (log (float k))

        for c in 1 .. k - 1 do
            let mutable chosen = -1
            let mutable least = infinity

            for _ in 1..candidates do
                let candidate = draw nearest (random.NextDouble())

                for i in 0 .. points.Length - 1 do
                    trial[i] <- min nearest[i] (square points[candidate] points[i])

                let sum = Array.sum trial

                if chosen < 0 || sum < least then
                    chosen <- candidate
                    least <- sum
                    let better = trial
                    trial <- best
                    best <- better

            centres[c] <- Array.copy points[chosen]
            let after = best
            best <- nearest
            nearest <- after

        centres

    let private nearest (centres: float[][]) (point: float[]) : struct (int * float) =
        let mutable best = 0
        let mutable least = square centres[0] point

        for c in 1 .. centres.Length - 1 do
            let distance = square centres[c] point

            if distance < least then
                best <- c
                least <- distance

        struct (best, least)

    /// Moves each centre to its members' mean. A centre without members goes to the point that is farthest from its
    /// own centre; until the next round that point still counts in its own centre's mean.
    let private move (centres: float[][]) (points: float[][]) (labels: int[]) : unit =
        let counts = Array.zeroCreate<int> centres.Length

        for label in labels do
            counts[label] <- counts[label] + 1

        // Distances to the centres before they move; they are needed only for centres without members.
        let distances =
            if Array.contains 0 counts then
                Array.map2 (fun point (label: int) -> square centres[label] point) points labels
            else
                [||]

        for centre in centres do
            Array.Clear centre

        for i in 0 .. points.Length - 1 do
            let centre = centres[labels[i]]

            for j in 0 .. centre.Length - 1 do
                centre[j] <- centre[j] + points[i][j]

        for c in 0 .. centres.Length - 1 do
            if counts[c] > 0 then
                for j in 0 .. centres[c].Length - 1 do
                    centres[c][j] <- centres[c][j] / float counts[c]
            else
                let farthest = Seq.maxBy (fun i -> distances[i]) [ 0 .. points.Length - 1 ]
                Array.blit points[farthest] 0 centres[c] 0 centres[c].Length
                distances[farthest] <- 0.0

    // Bounds are widened by this share whenever centres move. It is far more than rounding adds, so that rounding
    // never hides a nearer centre.
    [<Literal>]
    let private Slack = 1e-9

    /// The least and the second least of a point's distances to centres, and the centre with the least.
    let private two (centres: float[][]) (point: float[]) : struct (int * float * float) =
        let mutable best = 0
        let mutable least = square centres[0] point
        let mutable second = infinity

        for c in 1 .. centres.Length - 1 do
            let distance = square centres[c] point

            if distance < least then
                best <- c
                second <- least
                least <- distance
            elif distance < second then
                second <- distance

        struct (best, sqrt least, sqrt second)

    // Negated, so that a point whose bounds are NaN is always compared.
    let private mayLeave (upper: float) (lower: float) : bool = not (upper < lower)

    /// Assigns each point to its nearest centre; returns whether any point changed. A point is compared with all
    /// centres only if its bounds allow that another one has become nearer than its own.
    let private reassign (centres: float[][]) (points: float[][]) (labels: int[]) (upper: float[]) (lower: float[]) =
        let mutable changed = false

        for i in 0 .. points.Length - 1 do
            if labels[i] >= 0 && mayLeave upper[i] lower[i] then
                upper[i] <- sqrt (square centres[labels[i]] points[i])

            if mayLeave upper[i] lower[i] then
                let struct (label, least, second) = two centres points[i]
                upper[i] <- least
                lower[i] <- second
                changed <- changed || label <> labels[i]
                labels[i] <- label

        changed

    /// Widens the bounds by the distances that the centres moved.
    let private widen (shifts: float[]) (labels: int[]) (upper: float[]) (lower: float[]) : unit =
        let largest = Array.fold max 0.0 shifts

        for i in 0 .. labels.Length - 1 do
            upper[i] <- (upper[i] + shifts[labels[i]]) * (1.0 + Slack)
            lower[i] <- lower[i] * (1.0 - Slack) - largest * (1.0 + Slack)

    /// Lloyd's rounds. `upper` bounds a point's distance to its own centre, and `lower` that to every other one
    /// (Hamerly 2010).
    let private run (config: KMeansConfig) (key: Key) (points: float[][]) : KMeans =
        let centres = spread config.Clusters (key.Stream()) points
        let labels = Array.create points.Length -1
        let upper = Array.create points.Length infinity
        let lower = Array.zeroCreate<float> points.Length
        let mutable rounds = 0
        let mutable changed = true

        while changed && rounds < config.MostRounds do
            rounds <- rounds + 1
            changed <- reassign centres points labels upper lower

            if changed then
                let before = centres |> Array.map Array.copy
                move centres points labels
                widen (Array.map2 (fun a b -> sqrt (square a b)) before centres) labels upper lower

        let inertia =
            points
            |> Array.sumBy (fun point ->
                let struct (_, distance) = nearest centres point
                distance)

        { Centres = centres; Inertia = inertia; Rounds = rounds }

    /// The best of several starts on points [n][d]; a pure function of the key. Raises ArgumentException for fewer points than
    /// clusters.
    let fit (config: KMeansConfig) (key: Key) (points: float[][]) : KMeans =
        if points.Length < config.Clusters then
            invalidArg
                (nameof points)
                $"k-means: {points.Length} points; must be at least the {config.Clusters} clusters"

        let results = Array.zeroCreate<KMeans> config.Starts

        Parallelism.Run(config.Starts, (fun start -> results[start] <- run config (key.Fold(int64 start)) points))

        results |> Array.minBy _.Inertia

    /// The nearest centre of each point, the first of equally near ones.
    let assign (clusters: KMeans) (points: float[][]) : int[] =
        points
        |> Array.map (fun point ->
            let struct (label, _) = nearest clusters.Centres point
            label)

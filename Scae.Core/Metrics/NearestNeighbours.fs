namespace Scae.Core.Metrics

open System
open Scae.Tensors

/// The k points nearest to each query, nearest first.
type Neighbours =
    {
        /// [queries][k].
        Indices: int[][]
        /// Squared distances, [queries][k].
        Squares: float[][]
    }

/// Nearest neighbours by comparing all pairs: first by lower bounds, and those that may be near by their distances.
[<RequireQualifiedAccess>]
module NearestNeighbours =
    // How many queries and points are compared at once. Their products fit into a core's own cache.
    [<Literal>]
    let private QueriesAtOnce = 256

    [<Literal>]
    let private PointsAtOnce = 512

    /// |x − y|².
    let internal square (x: float[]) (y: float[]) : float =
        let mutable sum = 0.0

        for i in 0 .. x.Length - 1 do
            let d = x[i] - y[i]
            sum <- sum + d * d

        sum

    /// The nearest points to a query found so far, nearest first; of equally near ones, the first one first.
    [<Sealed>]
    type private Nearest(query: float[], self: int, points: float[][], k: int) =
        member val Indices: int[] = Array.create k -1
        member val Squares: float[] = Array.create k infinity

        member private nearest.Insert(index: int, square: float) : unit =
            let indices, squares = nearest.Indices, nearest.Squares
            let mutable at = k - 1

            while at > 0 && squares[at - 1] > square do
                squares[at] <- squares[at - 1]
                indices[at] <- indices[at - 1]
                at <- at - 1

            squares[at] <- square
            indices[at] <- index

        /// Looks at points from number `first` on, given the query's rough products with them and their rough norms;
        /// `own` is the query's norm. The bound |x|² − 2 x·y + |y|² alone rules most of them out.
        member nearest.Look(first: int, own: float32, products: ReadOnlySpan<float32>, norms: float32[]) : unit =
            let mutable farthest = float32 nearest.Squares[k - 1] - own

            for i in 0 .. products.Length - 1 do
                // Negated, so that points with NaN are looked at, too.
                if not (norms[first + i] - 2f * products[i] > farthest) && first + i <> self then
                    let square = square query points[first + i]

                    if square < nearest.Squares[k - 1] then
                        nearest.Insert(first + i, square)
                        farthest <- float32 nearest.Squares[k - 1] - own

    let private search (others: bool) (k: int) (queries: float[][]) (points: float[][]) : Neighbours =
        let available = if others then points.Length - 1 else points.Length

        if k < 1 || k > available then
            invalidArg
                (nameof k)
                $"nearest neighbours: {k} of {available} points; must be from 1 to as many as there are"

        let n, m = points.Length, queries.Length
        let rough = RoughPoints.like points
        let roughPoints = rough points
        let roughQueries = if others then roughPoints else rough queries
        let found = Array.init m (fun i -> Nearest(queries[i], (if others then i else -1), points, k))

        let part number =
            let first = number * QueriesAtOnce
            let count = min QueriesAtOnce (m - first)
            let products = Array.zeroCreate<float32>(count * PointsAtOnce)

            for firstPoint in 0..PointsAtOnce .. n - 1 do
                let pointCount = min PointsAtOnce (n - firstPoint)
                RoughPoints.multiply roughQueries (first, count) roughPoints (firstPoint, pointCount) products

                for row in 0 .. count - 1 do
                    let products = ReadOnlySpan(products, row * pointCount, pointCount)
                    found[first + row].Look(firstPoint, roughQueries.Norms[first + row], products, roughPoints.Norms)

        Parallelism.Run((m + QueriesAtOnce - 1) / QueriesAtOnce, part)

        {
            Indices = found |> Array.map _.Indices
            Squares = found |> Array.map _.Squares
        }

    /// For each query [m][d], the k nearest of points [n][d]; of equally near ones, the first one comes first. Points
    /// whose distance is NaN or infinite are left out: in their place there are index −1 and an infinite distance.
    /// Raises ArgumentException for k below 1 or above n.
    let find (k: int) (queries: float[][]) (points: float[][]) : Neighbours = search false k queries points

    /// For each point, the k nearest other points. Raises ArgumentException for k below 1 or above n − 1.
    let among (k: int) (points: float[][]) : Neighbours = search true k points points

    /// The share of test examples whose nearest training example has the same label (NN-MATCH); NaN without test
    /// examples. A test example without any training example at a finite distance counts as wrong.
    let accuracy (train: float[][], trainLabels: int[]) (test: float[][], testLabels: int[]) : float =
        if test.Length = 0 then
            nan
        else
            let found = find 1 test train

            Array.map2
                (fun (nearest: int[]) label ->
                    if nearest[0] >= 0 && trainLabels[nearest[0]] = label then
                        1.0
                    else
                        0.0)
                found.Indices
                testLabels
            |> Array.average

    /// The average share of each point's k nearest others that are also among its k nearest others in another
    /// representation of the same points: 1 if all are, about k / n for unrelated representations. A point at no
    /// finite distance from others has no neighbours.
    let preservation (k: int) (original: float[][]) (embedded: float[][]) : float =
        let a, b = among k original, among k embedded
        let known (indices: int[]) = indices |> Seq.filter (fun i -> i >= 0) |> Set.ofSeq

        Array.map2 (fun x y -> float (Set.intersect (known x) (known y)).Count / float k) a.Indices b.Indices
        |> Array.average

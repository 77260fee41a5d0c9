namespace Scae.Core.Metrics

open System
open Scae.Tensors
open Scae.Tensors.Kernels

/// The k points nearest to each query, nearest first.
type Neighbours =
    {
        /// [queries][k].
        Indices: int[][]
        /// Squared distances, [queries][k].
        Squares: float[][]
    }

/// Nearest neighbours by comparing all pairs.
[<RequireQualifiedAccess>]
module NearestNeighbours =
    // Queries and points whose distances are held at once. Their products fit into a core's own cache.
    [<Literal>]
    let private QueriesAtOnce = 64

    [<Literal>]
    let private PointsAtOnce = 1024

    let private flat (rows: float[][]) : float[] = Array.concat rows

    let private squaredNorms (rows: float[][]) : float[] = rows |> Array.map (Array.sumBy (fun x -> x * x))

    /// Puts points from number `first` on, if their squared distances |x − y|² = |x|² − 2 x·y + |y|² are among the k least, in
    /// order, the first of equal ones first; given |x|², the query's products with these points and |y|² of each point.
    let private select
        (self: int)
        (own: float)
        (first: int)
        (products: ReadOnlySpan<float>)
        (norms: float[])
        (indices: int[])
        (squares: float[])
        : unit =
        let last = squares.Length - 1

        for i in 0 .. products.Length - 1 do
            // Rounding can leave equal points a hair below 0.
            let d = max 0.0 (own + norms[first + i] - 2.0 * products[i])

            if d < squares[last] && first + i <> self then
                let mutable at = last

                while at > 0 && squares[at - 1] > d do
                    squares[at] <- squares[at - 1]
                    indices[at] <- indices[at - 1]
                    at <- at - 1

                squares[at] <- d
                indices[at] <- first + i

    /// X·Yᵀ of rows X [m, d] and Y [n, d].
    let private multiply (m: int, n: int, d: int) (x: float[]) (y: ReadOnlySpan<float>) (products: float[]) : unit =
        MatMul.Multiply(m, n, d, ReadOnlySpan x, d, 1, y, 1, d, Span products, n, false)

    let private search (others: bool) (k: int) (queries: float[][]) (points: float[][]) : Neighbours =
        let available = if others then points.Length - 1 else points.Length

        if k < 1 || k > available then
            invalidArg
                (nameof k)
                $"nearest neighbours: {k} of {available} points; must be from 1 to as many as there are"

        let n, m, d = points.Length, queries.Length, points[0].Length
        let points, norms = flat points, squaredNorms points
        let queryNorms = squaredNorms queries
        let indices = Array.init m (fun _ -> Array.zeroCreate<int> k)
        let squares = Array.init m (fun _ -> Array.create k infinity)

        let part number =
            let first = number * QueriesAtOnce
            let count = min QueriesAtOnce (m - first)
            let block = flat (Array.sub queries first count)
            let products = Array.zeroCreate<float>(count * PointsAtOnce)

            for firstPoint in 0..PointsAtOnce .. n - 1 do
                let pointCount = min PointsAtOnce (n - firstPoint)
                let some = ReadOnlySpan(points, firstPoint * d, pointCount * d)
                multiply (count, pointCount, d) block some products

                for row in 0 .. count - 1 do
                    select
                        (if others then first + row else -1)
                        queryNorms[first + row]
                        firstPoint
                        (ReadOnlySpan(products, row * pointCount, pointCount))
                        norms
                        indices[first + row]
                        squares[first + row]

        Parallelism.Run((m + QueriesAtOnce - 1) / QueriesAtOnce, part)
        { Indices = indices; Squares = squares }

    /// For each query [m][d] the k nearest of points [n][d], the first of equally near ones first. Raises ArgumentException
    /// for k below 1 or above n.
    let find (k: int) (queries: float[][]) (points: float[][]) : Neighbours = search false k queries points

    /// For each point the k nearest others.
    let among (k: int) (points: float[][]) : Neighbours = search true k points points

    /// The share of test examples whose nearest training example has their label (NN-MATCH); NaN for no test example.
    let accuracy (train: float[][], trainLabels: int[]) (test: float[][], testLabels: int[]) : float =
        if test.Length = 0 then
            nan
        else
            let found = find 1 test train

            Array.map2
                (fun (nearest: int[]) label -> if trainLabels[nearest[0]] = label then 1.0 else 0.0)
                found.Indices
                testLabels
            |> Array.average

    /// How much of each point's k nearest others are among its k nearest others in another representation of the same points,
    /// on average: 1 when all are, about k / n for unrelated ones.
    let preservation (k: int) (original: float[][]) (embedded: float[][]) : float =
        let a, b = among k original, among k embedded

        Array.map2
            (fun (x: int[]) (y: int[]) -> float (Set.intersect (Set.ofArray x) (Set.ofArray y)).Count / float k)
            a.Indices
            b.Indices
        |> Array.average

namespace Scae.Core.Metrics

open System
open Scae.Tensors
open Scae.Tensors.Kernels

/// Points reduced to few numbers each, which quickly give lower bounds of squared distances: the coordinates along
/// some orthonormal directions, and the length of the rest. By the triangle inequality, points are at least as far
/// apart as their rough versions.
type internal RoughPoints =
    {
        /// r, the numbers of a rough point.
        Width: int
        /// [n, r].
        Rows: float32[]
        /// |row|² minus what rounding may add to distances, [n].
        Norms: float32[]
    }

/// Points reduced to few numbers each.
[<RequireQualifiedAccess>]
module internal RoughPoints =
    // With fewer directions points are compared faster, but more pairs remain that may be near.
    [<Literal>]
    let private Directions = 47

    // All orthonormal directions give bounds, but good ones give tighter bounds. These are the number of points from
    // which directions are found, and the rounds of the search.
    [<Literal>]
    let private Sampled = 2048

    [<Literal>]
    let private Rounds = 8

    /// A bound of the rounding error of a sum of r products in single precision, and of the rounding of its inputs,
    /// as a share of |x|² + |y|².
    let private rounding (r: int) : float = float (r + 16) * 2.0 ** -23

    /// The mean and the directions that rough points have in common, found from some of the points. Points with few
    /// numbers keep them all. Points that aren't finite are left out.
    let private frame (points: float[][]) : float[] * float[][] =
        let d, step = points[0].Length, (points.Length + Sampled - 1) / Sampled

        let some =
            Array.init (points.Length / step) (fun i -> points[i * step])
            |> Array.filter (Array.forall Double.IsFinite)

        if some.Length = 0 then
            Array.zeroCreate d, [||]
        else
            PrincipalComponents.directions Rounds (if d <= Directions then 0 else Directions) some

    /// Writes the numbers of a rough point.
    let private write (mean: float[]) (directions: float[][]) (point: float[]) (row: Span<float32>) : unit =
        let from = Array.map2 (-) point mean

        if directions.Length = 0 then
            for i in 0 .. from.Length - 1 do
                row[i] <- float32 from[i]
        else
            let mutable rest = 0.0

            for x in from do
                rest <- rest + x * x

            for i in 0 .. directions.Length - 1 do
                let mutable along = 0.0

                for j in 0 .. from.Length - 1 do
                    along <- along + directions[i][j] * from[j]

                row[i] <- float32 along
                rest <- rest - along * along

            row[directions.Length] <- float32 (sqrt (max 0.0 rest))

    // How many points one part of the work reduces.
    [<Literal>]
    let private AtOnce = 256

    /// A function that reduces points, with directions that suit the given points.
    let like (points: float[][]) : float[][] -> RoughPoints =
        let mean, directions = frame points

        let r =
            if directions.Length = 0 then
                mean.Length
            else
                directions.Length + 1

        let kept = float32 (1.0 - rounding r)

        fun points ->
            let n = points.Length
            let rows, norms = Array.zeroCreate<float32>(n * r), Array.zeroCreate<float32> n

            let part number =
                for i in number * AtOnce .. min n ((number + 1) * AtOnce) - 1 do
                    let own = Span(rows, i * r, r)
                    write mean directions points[i] own
                    let mutable norm = 0f

                    for x in own do
                        norm <- norm + x * x

                    norms[i] <- kept * norm

            Parallelism.Run((n + AtOnce - 1) / AtOnce, part)
            { Width = r; Rows = rows; Norms = norms }

    /// Computes X·Yᵀ [m, n] for `m` points of x from `first` on and `n` points of y from `firstOther` on.
    let multiply
        (x: RoughPoints)
        (first: int, m: int)
        (y: RoughPoints)
        (firstOther: int, n: int)
        (products: float32[])
        : unit =
        let r = x.Width
        let own = ReadOnlySpan(x.Rows, first * r, m * r)
        let others = ReadOnlySpan(y.Rows, firstOther * r, n * r)
        MatMul.Multiply(m, n, r, own, r, 1, others, 1, r, Span products, n, false)

namespace Scae.Core.Metrics

open System
open Scae.Tensors
open Scae.Tensors.Kernels

/// Points in few numbers each, from which squared distances are quickly bounded from below: coordinates along some orthonormal
/// directions, and the length of what those leave out. By the triangle inequality no two points are nearer than these are.
type internal RoughPoints =
    {
        /// Numbers a point, r.
        Width: int
        /// [n, r].
        Rows: float32[]
        /// |row|², less what rounding may add to distances, [n].
        Norms: float32[]
    }

/// Points in few numbers each.
[<RequireQualifiedAccess>]
module internal RoughPoints =
    // Fewer are compared sooner, but leave more pairs that may be near.
    [<Literal>]
    let private Directions = 47

    // Any orthonormal directions give bounds, and good ones good bounds: points that tell them, and rounds of the search.
    [<Literal>]
    let private Sampled = 2048

    [<Literal>]
    let private Rounds = 8

    /// The rounding of a sum of r products in single precision, and of what goes into it, as a share of |x|² + |y|².
    let private rounding (r: int) : float = float (r + 16) * 2.0 ** -23

    /// What makes points rough so that they can be compared with each other: the mean and directions of some of them. Points of
    /// few numbers keep them all. What isn't finite says nothing of the others.
    let private frame (points: float[][]) : float[] * float[][] =
        let d, step = points[0].Length, (points.Length + Sampled - 1) / Sampled

        let some =
            Array.init (points.Length / step) (fun i -> points[i * step])
            |> Array.filter (Array.forall Double.IsFinite)

        if some.Length = 0 then
            Array.zeroCreate d, [||]
        else
            PrincipalComponents.directions Rounds (if d <= Directions then 0 else Directions) some

    /// Writes a point's few numbers.
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

    // Points that one part of the work makes rough.
    [<Literal>]
    let private AtOnce = 256

    /// Makes points rough, in a way that suits some of them.
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

    /// X·Yᵀ of `m` points of x from `first` on and `n` points of y from `firstOther` on, [m, n].
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

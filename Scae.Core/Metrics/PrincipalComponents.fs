namespace Scae.Core.Metrics

/// The directions of largest variance.
[<RequireQualifiedAccess>]
module PrincipalComponents =
    // If less than this share of all variance is left of a direction, it is only rounding.
    [<Literal>]
    let private Negligible = 1e-12

    let private covariance (points: float[][]) : float[] * float[,] =
        let n, d = float points.Length, points[0].Length
        let mean = Array.init d (fun j -> Array.sumBy (fun (x: float[]) -> x[j]) points / n)
        let matrix = Array2D.zeroCreate<float> d d

        for x in points do
            for i in 0 .. d - 1 do
                for j in 0..i do
                    matrix[i, j] <- matrix[i, j] + (x[i] - mean[i]) * (x[j] - mean[j]) / n

        for i in 0 .. d - 1 do
            for j in 0 .. i - 1 do
                matrix[j, i] <- matrix[i, j]

        mean, matrix

    /// Makes vectors orthonormal, one after the other. If no more than `least` is left of a vector after removing
    /// those before it, it becomes 0.
    let private orthonormalise (least: float) (vectors: float[][]) : unit =
        for i in 0 .. vectors.Length - 1 do
            for j in 0 .. i - 1 do
                let along = Array.sum (Array.map2 (*) vectors[i] vectors[j])

                for a in 0 .. vectors[i].Length - 1 do
                    vectors[i][a] <- vectors[i][a] - along * vectors[j][a]

            let norm = sqrt (Array.sumBy (fun x -> x * x) vectors[i])
            let scale = if norm > least then 1.0 / norm else 0.0

            for a in 0 .. vectors[i].Length - 1 do
                vectors[i][a] <- scale * vectors[i][a]

    /// The mean of points [n][d], and the `count` orthonormal directions with the largest variance, largest first,
    /// [count][d], after `rounds` rounds of subspace iteration from a fixed start. If there aren't as many
    /// directions, the others are 0.
    let directions (rounds: int) (count: int) (points: float[][]) : float[] * float[][] =
        let mean, matrix = covariance points
        let d = mean.Length
        // Multiples of the golden ratio, so that the start isn't aligned with any structure of the data.
        let start i a = (float ((i + 1) * (a + 1)) * 0.6180339887498949) % 1.0 - 0.5
        let vectors = Array.init count (fun i -> Array.init d (start i))

        for _ in 1..rounds do
            for i in 0 .. count - 1 do
                vectors[i] <-
                    Array.init d (fun a ->
                        let mutable sum = 0.0

                        for b in 0 .. d - 1 do
                            sum <- sum + matrix[a, b] * vectors[i][b]

                        sum)

            orthonormalise (Negligible * Seq.sum (Seq.init d (fun a -> matrix[a, a]))) vectors

        // The little that is left of a direction that nearly depended on others isn't orthogonal to them yet.
        orthonormalise Negligible vectors
        mean, vectors

    // Each round multiplies a direction's error by the ratio of the next smaller variance to its own.
    [<Literal>]
    let private Rounds = 200

    /// Points [n][d] in coordinates along the `count` directions with the largest variance, largest first,
    /// [n][count]. Each direction's largest entry is positive. If there aren't as many directions, the other
    /// coordinates are 0.
    let project (count: int) (points: float[][]) : float[][] =
        let mean, vectors = directions Rounds count points
        let signs = vectors |> Array.map (fun v -> if v |> Array.maxBy abs < 0.0 then -1.0 else 1.0)

        points
        |> Array.map (fun x ->
            Array.map2
                (fun (v: float[]) sign -> sign * Array.sum (Array.mapi (fun j e -> e * (x[j] - mean[j])) v))
                vectors
                signs)

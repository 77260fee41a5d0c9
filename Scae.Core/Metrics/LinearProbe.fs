namespace Scae.Core.Metrics

open System

/// How much of a class a linear function can read from a representation.
[<RequireQualifiedAccess>]
module LinearProbe =
    /// Solves A·X = B in place for symmetric positive definite A [n, n] and B [n, m], by elimination without pivoting.
    let private solve (a: float[,]) (b: float[,]) : unit =
        let n, m = Array2D.length1 a, Array2D.length2 b

        for pivot in 0 .. n - 1 do
            for row in pivot + 1 .. n - 1 do
                let factor = a[row, pivot] / a[pivot, pivot]

                if factor <> 0.0 then
                    for column in pivot .. n - 1 do
                        a[row, column] <- a[row, column] - factor * a[pivot, column]

                    for column in 0 .. m - 1 do
                        b[row, column] <- b[row, column] - factor * b[pivot, column]

        for row in n - 1 .. -1 .. 0 do
            for column in 0 .. m - 1 do
                let mutable value = b[row, column]

                for other in row + 1 .. n - 1 do
                    value <- value - a[row, other] * b[other, column]

                b[row, column] <- value / a[row, row]

    /// Least-squares weights [features + 1, classes] from features and a constant to one-hot classes. The squares of
    /// all weights, including those of the constant, are penalised by `ridge` (at least 10⁻⁹) times the number of
    /// examples. Raises ArgumentException without examples.
    let fit (classes: int) (ridge: float) (features: float[][]) (labels: int[]) : float[,] =
        if features.Length = 0 || features.Length <> labels.Length then
            invalidArg
                (nameof features)
                $"probe: {features.Length} examples with {labels.Length} labels; must be as many, and not none"

        let n = features[0].Length + 1
        let gram = Array2D.zeroCreate n n
        let moments = Array2D.zeroCreate n classes

        for example in 0 .. features.Length - 1 do
            let at i = if i = n - 1 then 1.0 else features[example][i]

            for i in 0 .. n - 1 do
                moments[i, labels[example]] <- moments[i, labels[example]] + at i

                for j in 0 .. n - 1 do
                    gram[i, j] <- gram[i, j] + at i * at j

        for i in 0 .. n - 1 do
            gram[i, i] <- gram[i, i] + max 1e-9 ridge * float features.Length

        solve gram moments
        moments

    /// The class of the largest output.
    let private predict (weights: float[,]) (features: float[]) : int =
        let last = Array2D.length1 weights - 1

        let score k =
            let mutable sum = weights[last, k]

            for i in 0 .. last - 1 do
                sum <- sum + weights[i, k] * features[i]

            sum

        Seq.maxBy score [ 0 .. Array2D.length2 weights - 1 ]

    /// The share of examples whose class is predicted; NaN for none.
    let accuracy (weights: float[,]) (features: float[][]) (labels: int[]) : float =
        if features.Length = 0 then
            Double.NaN
        else
            Array.map2 (fun x label -> if predict weights x = label then 1.0 else 0.0) features labels
            |> Array.average

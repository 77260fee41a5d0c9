namespace Scae.Core.Layers

open Scae.Tensors

/// How weights are drawn. Each draw is a pure function of its key.
[<RequireQualifiedAccess>]
module Initialization =
    let private draw (dtype: Dtype) (shape: int list) (fill: float[] -> unit) : Tensor =
        let shape = Array.ofList shape
        let elements = Array.zeroCreate (Shape.Count(System.ReadOnlySpan shape))
        fill elements
        (Tensor.``of`` (elements, shape)).cast dtype

    /// Normal with the given standard deviation.
    let normal (deviation: float) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        draw dtype shape (fun elements ->
            key.FillNormal(System.Span elements)

            for i in 0 .. elements.Length - 1 do
                elements[i] <- deviation * elements[i])

    /// Uniform in ±bound.
    let uniform (bound: float) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        draw dtype shape (fun elements -> key.FillUniform(System.Span elements, -bound, bound))

    /// Normal with deviation gain·√(2 / fanIn) (He et al. 2015, eq. 10).
    let he (gain: float) (fanIn: int) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        normal (gain * sqrt (2.0 / float fanIn)) dtype shape key

    // Values beyond this many deviations are drawn again.
    [<Literal>]
    let private Cut = 2.0

    /// Normal with the given deviation, where values more than two deviations off are drawn again: TensorFlow's
    /// truncated normal, whose own deviation is 0.88 of the given one.
    let truncated (deviation: float) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        draw dtype shape (fun elements ->
            let again = Array.zeroCreate<float> elements.Length
            key.FillNormal(System.Span elements)
            let mutable round = 0

            while elements |> Array.exists (fun x -> abs x > Cut) do
                round <- round + 1
                (key.Fold(int64 round)).FillNormal(System.Span again)

                for i in 0 .. elements.Length - 1 do
                    if abs elements[i] > Cut then
                        elements[i] <- again[i]

            for i in 0 .. elements.Length - 1 do
                elements[i] <- deviation * elements[i])

    /// Uniform in ±√(6 / fans), where fans is the sum of fan-in and fan-out (Glorot & Bengio 2010, eq. 16).
    let glorot (fans: int) (dtype: Dtype) (shape: int list) (key: Key) : Tensor =
        uniform (sqrt (6.0 / float fans)) dtype shape key

    /// Applies the reflector 1 − 2vvᵀ/vᵀv that makes column j of A [n, n] zero below its diagonal: to A from the
    /// left, and to Q from the right. The sign is LAPACK's, opposite to the diagonal's, so that nothing cancels.
    let private reflect (a: float[,]) (q: float[,]) (j: int) : unit =
        let n = Array2D.length1 a
        let v = Array.init n (fun i -> if i < j then 0.0 else a[i, j])
        let norm = sqrt (Array.sumBy (fun x -> x * x) v)
        v[j] <- v[j] + (if v[j] < 0.0 then -norm else norm)
        let square = Array.sumBy (fun x -> x * x) v

        if square > 0.0 then
            for column in j .. n - 1 do
                let mutable along = 0.0

                for i in j .. n - 1 do
                    along <- along + v[i] * a[i, column]

                for i in j .. n - 1 do
                    a[i, column] <- a[i, column] - 2.0 * along / square * v[i]

            for row in 0 .. n - 1 do
                let mutable along = 0.0

                for i in j .. n - 1 do
                    along <- along + q[row, i] * v[i]

                for i in j .. n - 1 do
                    q[row, i] <- q[row, i] - 2.0 * along / square * v[i]

    /// The orthogonal factor [n, n] of a matrix whose elements are uniform in [0, 1), by Householder's reflections with
    /// LAPACK's signs.
    let orthogonal (n: int) (key: Key) : float[,] =
        let elements = Array.zeroCreate<float>(n * n)
        key.FillUniform(System.Span elements)
        let a = Array2D.init n n (fun i j -> elements[i * n + j])
        let q = Array2D.init n n (fun i j -> if i = j then 1.0 else 0.0)

        for j in 0 .. n - 2 do
            reflect a q j

        q

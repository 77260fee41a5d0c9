namespace Scae.Core.Metrics

open System
open Scae.Tensors

/// How much of a class multinomial logistic regression can read from a representation: the linear classifier that
/// online probes converge to. Weights have the form of LinearProbe's, which also predicts with them.
[<RequireQualifiedAccess>]
module LogisticProbe =
    // How many rows' gradients are added up together; sums don't depend on the number of threads.
    [<Literal>]
    let private RowsAtOnce = 1000

    // How many pairs of a step and a change of the gradient stand for the curvature.
    [<Literal>]
    let private Memory = 10

    [<Literal>]
    let private MostRounds = 200

    // The norm of the gradient at which the search ends.
    [<Literal>]
    let private Tolerance = 1e-6

    let private dot (a: float[]) (b: float[]) : float =
        let mutable sum = 0.0

        for i in 0 .. a.Length - 1 do
            sum <- sum + a[i] * b[i]

        sum

    /// Adds the cross-entropy of some rows to the last number of `into`, and its gradient to the numbers before.
    let private addRows
        (classes: int)
        (w: float[])
        (rows: float[][])
        (labels: int[])
        (first: int)
        (into: float[])
        : unit =
        let d = rows[0].Length
        let scores = Array.zeroCreate<float> classes

        for row in first .. min rows.Length (first + RowsAtOnce) - 1 do
            let x = rows[row]
            Array.blit w (d * classes) scores 0 classes

            for i in 0 .. d - 1 do
                for c in 0 .. classes - 1 do
                    scores[c] <- scores[c] + x[i] * w[i * classes + c]

            let most = Array.max scores
            let own = scores[labels[row]]
            let mutable sum = 0.0

            for c in 0 .. classes - 1 do
                scores[c] <- exp (scores[c] - most)
                sum <- sum + scores[c]

            into[into.Length - 1] <- into[into.Length - 1] + log sum + most - own

            for c in 0 .. classes - 1 do
                scores[c] <- scores[c] / sum

            scores[labels[row]] <- scores[labels[row]] - 1.0

            for i in 0..d do
                let value = if i = d then 1.0 else x[i]

                for c in 0 .. classes - 1 do
                    into[i * classes + c] <- into[i * classes + c] + value * scores[c]

    /// The mean cross-entropy plus ½·ridge·|W|², without the constants' weights, and its gradient.
    let private evaluate
        (classes: int)
        (ridge: float)
        (rows: float[][])
        (labels: int[])
        (w: float[])
        : float * float[] =
        let blocks = (rows.Length + RowsAtOnce - 1) / RowsAtOnce
        let parts = Array.init blocks (fun _ -> Array.zeroCreate<float>(w.Length + 1))

        Parallelism.Run(blocks, (fun block -> addRows classes w rows labels (block * RowsAtOnce) parts[block]))

        let total = Array.zeroCreate<float>(w.Length + 1)

        for part in parts do
            for i in 0 .. w.Length do
                total[i] <- total[i] + part[i] / float rows.Length

        let mutable penalty = 0.0

        for i in 0 .. w.Length - classes - 1 do
            total[i] <- total[i] + ridge * w[i]
            penalty <- penalty + 0.5 * ridge * w[i] * w[i]

        total[w.Length] + penalty, Array.truncate w.Length total

    /// −H·g by the two-loop recursion (Nocedal & Wright 2006, algorithm 7.4) over pairs (s, y), the latest first.
    let private direction (pairs: (float[] * float[]) list) (gradient: float[]) : float[] =
        let q = Array.map (~-) gradient

        let weights =
            pairs
            |> List.map (fun (s, y) ->
                let alpha = dot s q / dot y s

                for i in 0 .. q.Length - 1 do
                    q[i] <- q[i] - alpha * y[i]

                alpha)

        match pairs with
        | (s, y) :: _ ->
            let scale = dot s y / dot y y

            for i in 0 .. q.Length - 1 do
                q[i] <- scale * q[i]
        | [] -> ()

        for (s, y), alpha in List.rev (List.zip pairs weights) do
            let beta = dot y q / dot y s

            for i in 0 .. q.Length - 1 do
                q[i] <- q[i] + (alpha - beta) * s[i]

        q

    /// Halves the step until the value falls enough (Armijo); None if no step helps any more.
    let private lineSearch (value: float[] -> float * float[]) (w: float[]) (f: float) (g: float[]) (step: float[]) =
        let slope = dot g step

        let rec attempt (size: float) =
            let next = Array.map2 (fun x s -> x + size * s) w step
            let f', g' = value next

            if f' <= f + 1e-4 * size * slope then Some(next, f', g')
            elif size < 1e-10 then None
            else attempt (size / 2.0)

        attempt 1.0

    /// Minimises a convex function by limited-memory quasi-Newton steps (Liu & Nocedal 1989).
    let private minimise (value: float[] -> float * float[]) (start: float[]) : float[] =
        let rec go round w f g pairs =
            if round = MostRounds || sqrt (dot g g) < Tolerance then
                w
            else
                match lineSearch value w f g (direction pairs g) with
                | None -> w
                | Some(w', f', g') ->
                    let s, y = Array.map2 (-) w' w, Array.map2 (-) g' g

                    let pairs =
                        if dot s y > 1e-12 then
                            List.truncate Memory ((s, y) :: pairs)
                        else
                            pairs

                    go (round + 1) w' f' g' pairs

        let f, g = value start
        go 0 start f g []

    /// The regression's weights [features + 1, classes] from features [n][d] to labels 0, …, classes − 1, with a
    /// penalty of ½·ridge on the squares of the weights of standardised features. Raises ArgumentException without
    /// examples.
    let fit (classes: int) (ridge: float) (features: float[][]) (labels: int[]) : float[,] =
        if features.Length = 0 || features.Length <> labels.Length then
            invalidArg
                (nameof features)
                $"probe: {features.Length} examples with {labels.Length} labels; must be as many, and not none"

        let d, n = features[0].Length, float features.Length
        let mean = Array.init d (fun j -> Array.sumBy (fun (x: float[]) -> x[j]) features / n)

        let deviation =
            Array.init d (fun j ->
                let variance = Array.sumBy (fun (x: float[]) -> (x[j] - mean[j]) ** 2.0) features / n
                if variance > 1e-20 then sqrt variance else 1.0)

        let rows = features |> Array.map (Array.mapi (fun j x -> (x - mean[j]) / deviation[j]))
        let w = minimise (evaluate classes ridge rows labels) (Array.zeroCreate<float>((d + 1) * classes))

        Array2D.init (d + 1) classes (fun i c ->
            if i < d then
                w[i * classes + c] / deviation[i]
            else
                w[d * classes + c]
                - Seq.sum (seq { for j in 0 .. d - 1 -> w[j * classes + c] * mean[j] / deviation[j] }))

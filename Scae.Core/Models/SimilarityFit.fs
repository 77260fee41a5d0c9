namespace Scae.Core.Models

open System
open Scae.Core.Data

/// A template prepared for least-squares fits: its points as complex numbers p_i, and the correspondences that are worth
/// trying.
type FittedTemplate =
    {
        X: float[]
        Y: float[]
        /// Σ|p_i|².
        Norm: float
        /// Correspondences, m indices each, one behind the other: template point i is drawn at member order[i]. Of those
        /// that differ by a rotational symmetry of the template only one is kept: 6 of 24 for a square, 2 of 6 for an
        /// equilateral triangle.
        Orders: int[]
    }

/// How well a set of points is a scaled, turned and moved copy of a template, by closed-form least squares with
/// unknown correspondence. With x' = x − mean(x) and a template centred on 0, the similarity that minimises
/// Σ|z·p_i + t − x_o(i)|² is t = mean(x), z = s·e^{iθ} = Σ conj(p_i)·x'_o(i) / Σ|p|² (Umeyama 1991, in the plane), and
/// leaves Σ|x'|² − |Σ conj(p_i)·x'_o(i)|² / Σ|p|².
[<RequireQualifiedAccess>]
module SimilarityFit =
    let rec private permutations (items: int list) : int list list =
        match items with
        | [] -> [ [] ]
        | _ ->
            [
                for item in items do
                    for rest in permutations (List.except [ item ] items) -> item :: rest
            ]

    /// Whether order turns the template into itself; the published triangle, whose height is rounded, misses by 10⁻⁹.
    let private isSymmetry (x: float[]) (y: float[]) (norm: float) (order: int[]) =
        let re = Array.sum (Array.mapi (fun i o -> x[i] * x[o] + y[i] * y[o]) order)
        let im = Array.sum (Array.mapi (fun i o -> x[i] * y[o] - y[i] * x[o]) order)
        re * re + im * im > (1.0 - 1e-6) * norm * norm

    /// Prepares a template of at least two different points.
    let prepare (template: Template) : FittedTemplate =
        let x = template.Points |> Array.map (fun struct (x, _) -> x)
        let y = template.Points |> Array.map (fun struct (_, y) -> y)
        let norm = Array.sumBy (fun v -> v * v) x + Array.sumBy (fun v -> v * v) y
        let all = permutations [ 0 .. x.Length - 1 ] |> List.map Array.ofList
        let symmetries = all |> List.filter (isSymmetry x y norm)

        let representative (order: int[]) =
            symmetries |> List.map (fun symmetry -> symmetry |> Array.map (fun i -> order[i])) |> List.min

        {
            X = x
            Y = y
            Norm = norm
            Orders = all |> List.filter (fun order -> representative order = order) |> Array.concat
        }

    /// The best correspondence to `members`: the index in Orders at which it begins, the members' mean, Σ|x'|², and its
    /// Σ conj(p_i)·x'_o(i). NaN where a coordinate is NaN.
    let private best (template: FittedTemplate) (xs: float[]) (ys: float[]) (members: ReadOnlySpan<int>) =
        let m = template.X.Length
        let mutable tx = 0.0
        let mutable ty = 0.0

        for i in 0 .. m - 1 do
            tx <- tx + xs[members[i]]
            ty <- ty + ys[members[i]]

        tx <- tx / float m
        ty <- ty / float m
        let mutable spread = 0.0

        for i in 0 .. m - 1 do
            let dx, dy = xs[members[i]] - tx, ys[members[i]] - ty
            spread <- spread + dx * dx + dy * dy

        let mutable largest = -1.0
        let mutable start = 0
        let mutable bestRe = nan
        let mutable bestIm = nan
        let mutable at = 0

        while at < template.Orders.Length do
            let mutable re = 0.0
            let mutable im = 0.0

            for i in 0 .. m - 1 do
                let point = members[template.Orders[at + i]]
                let dx, dy = xs[point] - tx, ys[point] - ty
                re <- re + template.X[i] * dx + template.Y[i] * dy
                im <- im + template.X[i] * dy - template.Y[i] * dx

            let square = re * re + im * im

            if square > largest then
                largest <- square
                start <- at
                bestRe <- re
                bestIm <- im

            at <- at + m

        struct (start, spread, bestRe, bestIm, tx, ty)

    /// The fit to `members`, indices into the scene's coordinates xs and ys, as many as the template has points: squared
    /// residual, s·cos θ, s·sin θ, t_x, t_y. NaN where a coordinate is NaN.
    let fit (template: FittedTemplate) (xs: float[]) (ys: float[]) (members: ReadOnlySpan<int>) =
        let struct (_, spread, re, im, tx, ty) = best template xs ys members
        let residual = spread - re * re / template.Norm - im * im / template.Norm
        struct (residual, re / template.Norm, im / template.Norm, tx, ty)

    /// For each template point the index of the scene's point at which the best fit to `members` draws it.
    let correspondence (template: FittedTemplate) (xs: float[]) (ys: float[]) (members: int[]) : int[] =
        let struct (start, _, _, _, _, _) = best template xs ys (ReadOnlySpan members)
        Array.init members.Length (fun i -> members[template.Orders[start + i]])

    /// How far two shapes of as many points are from being similar, in [0, 1]: the square root of the share of b's Σ|x'|²
    /// that the best scaled, turned and moved copy of a leaves, whatever the order of the points (the full Procrustes
    /// distance). Raises ArgumentException when they don't have as many points.
    let distance (a: Template) (b: Template) : float =
        if a.Points.Length <> b.Points.Length then
            invalidArg
                (nameof b)
                $"Procrustes distance: {a.Points.Length} and {b.Points.Length} points; there must be as many of both"

        let xs = b.Points |> Array.map (fun struct (x, _) -> x)
        let ys = b.Points |> Array.map (fun struct (_, y) -> y)
        let members = Array.init xs.Length id
        let fitted = prepare a
        let struct (_, spread, re, im, _, _) = best fitted xs ys (ReadOnlySpan members)
        sqrt (max 0.0 (1.0 - (re * re + im * im) / (fitted.Norm * spread)))

namespace Scae.Core.Models

open System
open Scae.Core.Data
open Scae.Tensors

/// A template prepared for least-squares fits: its points as complex numbers p_i, and the correspondences that are worth
/// trying.
type FittedTemplate =
    {
        X: float[]
        Y: float[]
        /// Σ|p_i|².
        mutable Norm: float
        /// Correspondences, m indices each, one behind the other: template point i is drawn at member order[i]. Of those
        /// that differ by a rotational symmetry of the template only one is kept: 6 of 24 for a square, 2 of 6 for an
        /// equilateral triangle.
        mutable Orders: int[]
        /// All orders, and which of them turn the template into itself.
        All: int[]
        IsSymmetry: bool[]
    }

/// How well a set of points is a scaled, turned and moved copy of a template, by closed-form least squares with
/// unknown correspondence. With x' = x − mean(x) and a template centred on 0, the similarity that minimises
/// Σ|z·p_i + t − x_o(i)|² is t = mean(x), z = s·e^{iθ} = Σ conj(p_i)·x'_o(i) / Σ|p|² (Umeyama 1991, in the plane), and
/// leaves Σ|x'|² − |Σ conj(p_i)·x'_o(i)|² / Σ|p|².
[<RequireQualifiedAccess>]
module SimilarityFit =
    /// |Σ_i conj(p_i)·x_i|² of templates p and points x, both centred, with a gradient: x [a, b, V, 2], and p of that shape or
    /// one that broadcasts to it → [a, b].
    let overlap (p: Tensor) (x: Tensor) : Tensor =
        let along (points: Tensor) i = points.slice (points.dim - 1, i, i + 1)
        let px, py = along p 0, along p 1
        let x0, x1 = along x 0, along x 1
        let re = (px * x0 + py * x1).sum [| 2; 3 |]
        let im = (px * x1 - py * x0).sum [| 2; 3 |]
        re * re + im * im

    /// All orders of m points in lexicographic order, one behind the other.
    let private orders (m: int) : int[] =
        let count = List.fold (*) 1 [ 1..m ]
        let all = Array.zeroCreate<int>(count * m)

        for o in 0 .. count - 1 do
            let order = Span(all, o * m, m)

            if o = 0 then
                for i in 0 .. m - 1 do
                    order[i] <- i
            else
                Span(all, (o - 1) * m, m).CopyTo order
                // The last element that has a larger one behind it gives way to the least of these.
                let mutable i = m - 2

                while order[i] > order[i + 1] do
                    i <- i - 1

                let mutable j = m - 1

                while order[j] < order[i] do
                    j <- j - 1

                let given = order[i]
                order[i] <- order[j]
                order[j] <- given
                order.Slice(i + 1).Reverse()

        all

    /// Room for a template of m points, all zeros until points are taken up.
    let room (m: int) : FittedTemplate =
        let all = orders m

        {
            X = Array.zeroCreate m
            Y = Array.zeroCreate m
            Norm = 0.0
            Orders = [||]
            All = all
            IsSymmetry = Array.zeroCreate (all.Length / max 1 m)
        }

    /// A template that takes the given number of points and draws none: it fits any points, and leaves no residual.
    let nothing (points: int) : FittedTemplate =
        {
            X = Array.zeroCreate points
            Y = Array.zeroCreate points
            Norm = 0.0
            Orders = [||]
            All = [||]
            IsSymmetry = [||]
        }

    /// Whether it draws nothing.
    let isNothing (template: FittedTemplate) : bool = template.All.Length = 0

    /// Whether an order turns the template into itself; the published triangle, whose height is rounded, misses by 10⁻⁹.
    let private isSymmetry (template: FittedTemplate) (order: ReadOnlySpan<int>) : bool =
        let { X = x; Y = y; Norm = norm } = template
        let mutable re = 0.0
        let mutable im = 0.0

        for i in 0 .. order.Length - 1 do
            let o = order[i]
            re <- re + (x[i] * x[o] + y[i] * y[o])
            im <- im + (x[i] * y[o] - y[i] * x[o])

        re * re + im * im > (1.0 - 1e-6) * norm * norm

    /// Whether a symmetry followed by an order is an order that comes before that order lexicographically.
    let private comesBefore (symmetry: ReadOnlySpan<int>) (order: ReadOnlySpan<int>) : bool =
        let mutable i = 0

        while i < order.Length && order[symmetry[i]] = order[i] do
            i <- i + 1

        i < order.Length && order[symmetry[i]] < order[i]

    /// Computes norm and correspondences from the points in X and Y. Allocates only when the number of symmetries changes.
    let private refit (template: FittedTemplate) : unit =
        let m = template.X.Length
        template.Norm <- Array.sumBy (fun v -> v * v) template.X + Array.sumBy (fun v -> v * v) template.Y

        for s in 0 .. template.IsSymmetry.Length - 1 do
            template.IsSymmetry[s] <- isSymmetry template (ReadOnlySpan(template.All, s * m, m))

        let isKept (o: int) =
            let mutable first = true

            for s in 0 .. template.IsSymmetry.Length - 1 do
                if first && template.IsSymmetry[s] then
                    first <-
                        not (comesBefore (ReadOnlySpan(template.All, s * m, m)) (ReadOnlySpan(template.All, o * m, m)))

            first

        let mutable kept = 0

        for o in 0 .. template.IsSymmetry.Length - 1 do
            if isKept o then
                kept <- kept + 1

        if template.Orders.Length <> kept * m then
            template.Orders <- Array.zeroCreate (kept * m)

        let mutable at = 0

        for o in 0 .. template.IsSymmetry.Length - 1 do
            if isKept o then
                Array.blit template.All (o * m) template.Orders at m
                at <- at + m

    /// Copies a template into a room that was made for its number of points. At least two of its points must differ.
    let put (template: Template) (fitted: FittedTemplate) : unit =
        for i in 0 .. fitted.X.Length - 1 do
            let struct (x, y) = template.Points[i]
            fitted.X[i] <- x
            fitted.Y[i] <- y

        refit fitted

    /// Prepares a template, of whose points at least two must differ.
    let prepare (template: Template) : FittedTemplate =
        let fitted = room template.Points.Length
        put template fitted
        fitted

    /// Copies the first of the given points [.., 2], as many as the template has, moved and scaled such that their mean is 0 and
    /// their mean squared radius 1. `least` is added to the squared radius before it divides.
    let take (least: float) (points: ReadOnlySpan<float32>) (template: FittedTemplate) : unit =
        let m = template.X.Length
        let mutable x = 0.0
        let mutable y = 0.0

        for i in 0 .. m - 1 do
            x <- x + float points[2 * i]
            y <- y + float points[2 * i + 1]

        let meanX, meanY = x / float m, y / float m
        let mutable square = 0.0

        for i in 0 .. m - 1 do
            template.X[i] <- float points[2 * i] - meanX
            template.Y[i] <- float points[2 * i + 1] - meanY
            square <- square + (template.X[i] * template.X[i] + template.Y[i] * template.Y[i])

        let radius = sqrt (square / float m + least)

        for i in 0 .. m - 1 do
            template.X[i] <- template.X[i] / radius
            template.Y[i] <- template.Y[i] / radius

        refit template

    /// The best correspondence to `members`: the index in Orders at which it begins, Σ|x'|², the real and imaginary parts of
    /// its Σ conj(p_i)·x'_o(i), and the members' mean. NaN where a coordinate is NaN.
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

    /// The fit to `members`, which are indices into the scene's coordinates xs and ys, as many as the template has points.
    /// Returns the squared residual, s·cos θ, s·sin θ, t_x and t_y, NaN where a coordinate is NaN.
    let fit (template: FittedTemplate) (xs: float[]) (ys: float[]) (members: ReadOnlySpan<int>) =
        let struct (_, spread, re, im, tx, ty) = best template xs ys members
        let residual = spread - re * re / template.Norm - im * im / template.Norm
        struct (residual, re / template.Norm, im / template.Norm, tx, ty)

    /// Writes, for each template point, the index of the scene's point at which the best fit to `members` draws it.
    let correspond
        (template: FittedTemplate)
        (xs: float[])
        (ys: float[])
        (members: ReadOnlySpan<int>)
        (into: Span<int>)
        =
        let struct (start, _, _, _, _, _) = best template xs ys members

        for i in 0 .. members.Length - 1 do
            into[i] <- members[template.Orders[start + i]]

    /// The points as a template.
    let shape (name: string) (template: FittedTemplate) : Template =
        {
            Name = name
            Points = Array.map2 (fun x y -> struct (x, y)) template.X template.Y
        }

    /// How far two shapes of equally many points are from being similar, in [0, 1] (the full Procrustes distance). A scaled,
    /// turned and moved copy of a is fitted to b, in the best order of the points. The distance is the square root of the share
    /// of b's Σ|x'|² that remains: 0 where b's points coincide, else 1 where a's do. Raises ArgumentException when the numbers of points differ.
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

        if spread = 0.0 then
            0.0
        elif fitted.Norm = 0.0 then
            1.0
        else
            sqrt (max 0.0 (1.0 - (re * re + im * im) / (fitted.Norm * spread)))

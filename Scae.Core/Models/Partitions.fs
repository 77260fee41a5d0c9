namespace Scae.Core.Models

open System
open System.Collections.Generic
open Scae.Core.Data

/// One scene whose points are to be divided among templates. Residuals of fits are computed when first asked for. Sets of
/// points are bit masks.
type Partitions =
    {
        Templates: FittedTemplate[]
        Xs: float[]
        Ys: float[]
        /// [K][2ⁿ]: for each template the residual of each set of points, NaN while unknown; empty for many points.
        Residuals: float[][]
        /// What replaces Residuals for many points: the residuals that are known, by template and set.
        Known: Dictionary<struct (int * int), float>
        /// Room for the members of one set.
        Members: int[]
        /// How many fits were computed for the present scene.
        mutable Fits: int
    }

/// Ways to divide a scene's points among templates, each of which gets as many as it has itself, and their cost: the
/// sum of squared residuals of the templates' least-squares fits. For noise-free scenes the truth costs 0; under Gaussian
/// noise the cheapest division is the most likely one.
[<RequireQualifiedAccess>]
module Partitions =
    // Tables of more points would leave the cache, and clearing them would take longer than filling them.
    [<Literal>]
    let private MostTabulated = 12

    /// Sets of points are bits of an integer.
    [<Literal>]
    let MostPoints = 30

    /// All sets of `size` among n points, at most MostPoints of them, in ascending order (Gosper's step, HAKMEM 175).
    let setsOf (n: int) (size: int) : int[] =
        [|
            if size = 0 then
                0
            elif size <= n then
                let mutable set = (1 <<< size) - 1

                while set < (1 <<< n) do
                    set
                    let low = set &&& -set
                    let high = set + low
                    set <- high ||| (((set ^^^ high) >>> 2) / low)
        |]

    /// Room for the scenes of templates whose points may still change. Raises ArgumentException for more than 30 points.
    let ofFitted (templates: FittedTemplate[]) : Partitions =
        let n = templates |> Array.sumBy _.X.Length

        if n > MostPoints then
            invalidArg
                (nameof templates)
                $"partitions: the templates have {n} points; at most {MostPoints} can be divided"

        {
            Templates = templates
            Xs = Array.zeroCreate n
            Ys = Array.zeroCreate n
            Members = Array.zeroCreate n
            Residuals =
                if n > MostTabulated then
                    [||]
                else
                    Array.init templates.Length (fun _ -> Array.create (1 <<< n) nan)
            Known = Dictionary()
            Fits = 0
        }

    /// Room for the scenes of a set of templates. Raises ArgumentException for more than 30 points.
    let create (templates: Template list) : Partitions =
        templates |> List.map SimilarityFit.prepare |> Array.ofList |> ofFitted

    /// Room for scenes with distractors, points that belong to no template. They are the last set of a division and cost
    /// nothing. Since their number is given, all divisions of a scene leave the same degrees of freedom and may be compared.
    let withDistractors (distractors: int) (templates: Template list) : Partitions =
        [ yield! templates |> List.map SimilarityFit.prepare; SimilarityFit.nothing distractors ]
        |> Array.ofList
        |> ofFitted

    /// Takes up the next scene: points [n, 2] in row-major order. Raises ArgumentException for another number of points.
    let load (points: ReadOnlySpan<float32>) (scene: Partitions) : unit =
        if points.Length <> 2 * scene.Xs.Length then
            invalidArg
                (nameof points)
                $"partitions: {points.Length / 2} points; the templates have {scene.Xs.Length}, and each point must belong to one"

        for i in 0 .. scene.Xs.Length - 1 do
            scene.Xs[i] <- float points[2 * i]
            scene.Ys[i] <- float points[2 * i + 1]

        for table in scene.Residuals do
            Array.Fill(table, nan)

        scene.Known.Clear()
        scene.Fits <- 0

    let private membersOf (scene: Partitions) (set: int) : ReadOnlySpan<int> =
        PointSet.write set (Span scene.Members)
        ReadOnlySpan<int>(scene.Members, 0, PointSet.count set)

    /// The residual of template k fitted to a set of points, which is the squared distance summed over the set, and the pose
    /// (s·cos θ, s·sin θ, t_x, t_y) of the fit.
    let pose (scene: Partitions) (k: int) (set: int) =
        SimilarityFit.fit scene.Templates[k] scene.Xs scene.Ys (membersOf scene set)

    /// Writes, for each point of template k, the point of a set at which the best fit draws it.
    let correspond (scene: Partitions) (k: int) (set: int) (into: Span<int>) : unit =
        SimilarityFit.correspond scene.Templates[k] scene.Xs scene.Ys (membersOf scene set) into

    let private compute (scene: Partitions) (k: int) (set: int) : float =
        if SimilarityFit.isNothing scene.Templates[k] then
            0.0
        else
            let struct (residual, _, _, _, _) = pose scene k set
            scene.Fits <- scene.Fits + 1
            residual

    /// The residual alone, which is remembered for the scene.
    let residual (scene: Partitions) (k: int) (set: int) : float =
        if scene.Residuals.Length > 0 then
            let known = scene.Residuals[k][set]

            if Double.IsNaN known then
                let residual = compute scene k set
                scene.Residuals[k][set] <- residual
                residual
            else
                known
        else
            match scene.Known.TryGetValue(struct (k, set)) with
            | true, known -> known
            | _ ->
                let residual = compute scene k set
                scene.Known[struct (k, set)] <- residual
                residual

    /// The cost of a division, which has one set for each template.
    let cost (scene: Partitions) (sets: int[]) : float =
        let mutable sum = 0.0

        for k in 0 .. sets.Length - 1 do
            sum <- sum + residual scene k sets[k]

        sum

    /// Writes the pose (log s, θ, t_x, t_y) in which template k fits a set best.
    let writePose (scene: Partitions) (k: int) (set: int) (into: Span<float32>) : unit =
        let struct (_, re, im, tx, ty) = pose scene k set
        into[0] <- float32 (0.5 * log (re * re + im * im))
        into[1] <- float32 (atan2 im re)
        into[2] <- float32 tx
        into[3] <- float32 ty

    /// Writes the poses of a division, 4 numbers a template.
    let writePoses (scene: Partitions) (sets: int[]) (poses: Span<float32>) : unit =
        for k in 0 .. sets.Length - 1 do
            writePose scene k sets[k] (poses.Slice(4 * k, 4))

    /// For each of n points names[k] of the template k whose set contains it.
    let labels (names: int[]) (n: int) (sets: int[]) : int[] =
        let labels = Array.zeroCreate n

        for k in 0 .. sets.Length - 1 do
            for i in 0 .. n - 1 do
                if sets[k] &&& (1 <<< i) <> 0 then
                    labels[i] <- names[k]

        labels

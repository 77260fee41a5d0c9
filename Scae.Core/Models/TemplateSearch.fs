namespace Scae.Core.Models

open System
open System.Numerics
open Scae.Core.Data

/// The objects by which scenes are explained.
type SearchedObjects =
    {
        Sizes: ObjectSizes
        /// Templates of mean squared radius 1, as many points as sizes say.
        Templates: FittedTemplate[]
        /// σ_k, the deviation of points, relative to the object's scale.
        Deviations: float[]
        /// Mean and deviation of ln s.
        LogScales: float[]
        Spreads: float[]
    }

/// The most probable explanation of a scene.
type SceneExplanation =
    {
        /// The points of each object as bits; none for one that isn't there.
        Sets: int[]
        /// ln p(points, explanation).
        Value: float
    }

/// Explains scenes by objects with templates, exactly. It tries all sets of objects that together have as many points as the
/// scene, and all divisions of the points among them, and takes the most probable.
[<RequireQualifiedAccess>]
module TemplateSearch =
    let private ln2Pi = log (2.0 * Math.PI)

    // The prior of a place is even over [−1, 1]².
    let private lnArea = log 4.0

    /// ln p of m points as a copy of a template with Σ|p|² = m. Place, angle and scale of the copy are integrated out around the
    /// best fit, which has squared residual r² and scale s. This gives −(m − 2)·ln(2πσ²s²) − r²/2σ²s² − 2 ln m, plus the log
    /// priors of the place, of the angle, and of ln s ~ N(μ, τ²).
    let evidence (m: int) (sigma: float) (logScale: float) (spread: float) (residual: float) (scale: float) : float =
        let size = float m
        let lnScale = log scale
        let away = (lnScale - logScale) / spread

        -(size - 2.0) * (ln2Pi + 2.0 * (log sigma + lnScale))
        - residual / (2.0 * sigma * sigma * scale * scale)
        - 2.0 * log size
        - lnArea
        - ln2Pi
        - 2.0 * lnScale
        - 0.5 * away * away
        - log spread
        - 0.5 * ln2Pi

    // Scales are at least this, since points that all lie in one place would have scale 0.
    [<Literal>]
    let private LeastScale = 1e-9

    let private ofSet
        (objects: SearchedObjects)
        (xs: float[])
        (ys: float[])
        (members: int[])
        (k: int)
        (set: int)
        : float =
        let m = objects.Sizes.Sizes[k]
        PointSet.write set (Span members)

        let struct (residual, re, im, _, _) =
            SimilarityFit.fit objects.Templates[k] xs ys (ReadOnlySpan(members, 0, m))

        let scale = max LeastScale (sqrt (re * re + im * im))

        evidence m objects.Deviations[k] objects.LogScales[k] objects.Spreads[k] (max 0.0 residual) scale

    let private prior (presence: float[]) (there: int) : float =
        presence
        |> Array.mapi (fun k p -> if there &&& (1 <<< k) <> 0 then log p else log (1.0 - p))
        |> Array.sum

    /// Searches one scene after the other for explanations by at most `most` objects; keeps its arrays.
    type private Search(objects: SearchedObjects, most: int) =
        let { Sizes = sizes; Presence = presence } = objects.Sizes
        let candidates = PointCounts.sets sizes
        let members = Array.zeroCreate<int>(Array.max sizes)
        let chosen = Array.zeroCreate<int> sizes.Length
        // For each object the evidence of each set of points, NaN while unknown.
        let known = sizes |> Array.map (fun _ -> Array.empty<float>)
        let mutable best = None
        let mutable greatest = -infinity

        let forget (sets: int) =
            for k in 0 .. known.Length - 1 do
                if known[k].Length < sets then
                    known[k] <- Array.zeroCreate sets

                Array.Fill(known[k], nan, 0, sets)

        let value xs ys k set =
            let ofCapsule = known[k]

            if Double.IsNaN ofCapsule[set] then
                ofCapsule[set] <- ofSet objects xs ys members k set

            ofCapsule[set]

        let rec divide xs ys (there: int) (rest: int) (soFar: float) : unit =
            let k = BitOperations.TrailingZeroCount there
            let others = there &&& (there - 1)

            if others = 0 then
                let total = soFar + value xs ys k rest

                if total > greatest then
                    greatest <- total
                    chosen[k] <- rest
                    best <- Some(Array.copy chosen)
            else
                let mutable set = rest

                while set <> 0 do
                    if BitOperations.PopCount(uint set) = sizes[k] then
                        chosen[k] <- set
                        divide xs ys others (rest &&& ~~~set) (soFar + value xs ys k set)

                    set <- (set - 1) &&& rest

        member _.Find (xs: float[]) (ys: float[]) : SceneExplanation option =
            let n = xs.Length
            best <- None
            greatest <- -infinity

            if n < candidates.Length then
                forget (1 <<< n)

                for there in candidates[n] do
                    if BitOperations.PopCount(uint there) <= most then
                        Array.Clear chosen

                        if there = 0 then
                            greatest <- prior presence 0
                            best <- Some(Array.copy chosen)
                        else
                            divide xs ys there ((1 <<< n) - 1) (prior presence there)

            best |> Option.map (fun sets -> { Sets = sets; Value = greatest })

    /// The most probable explanation of points by at most `most` objects. None if no set of objects has as many points, or if a
    /// coordinate is NaN.
    let explain (objects: SearchedObjects) (most: int) : float[] -> float[] -> SceneExplanation option =
        let search = Search(objects, most)
        search.Find

    /// The points of a set in the order of the best fit: for each template point the index of the scene's point.
    let order (objects: SearchedObjects) (xs: float[]) (ys: float[]) (k: int) (set: int) : int[] =
        let members = PointSet.members set
        let order = Array.zeroCreate<int> members.Length
        SimilarityFit.correspond objects.Templates[k] xs ys (ReadOnlySpan members) (Span order)
        order

    /// Where the best fit to a set draws the template's points, and its scale.
    let draw
        (objects: SearchedObjects)
        (xs: float[])
        (ys: float[])
        (k: int)
        (set: int)
        : struct (float * float)[] * float =
        let template = objects.Templates[k]
        let members = PointSet.members set
        let struct (_, re, im, tx, ty) = SimilarityFit.fit template xs ys (ReadOnlySpan members)

        Array.init members.Length (fun i ->
            let x, y = template.X[i], template.Y[i]
            struct (re * x - im * y + tx, im * x + re * y + ty)),
        sqrt (re * re + im * im)

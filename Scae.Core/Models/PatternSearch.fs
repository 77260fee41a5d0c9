namespace Scae.Core.Models

open System
open System.Numerics
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics

/// What the search of pattern scenes is told beside the points.
type PatternSearchConfig =
    {
        Scenes: PatternScenesConfig
        /// The deviation of points that the search assumes, in pattern units; it takes at least 0.01.
        Noise: float
        /// Pairs of points that are tried for each pattern; 0 tries all sets of points.
        Draws: int
    }

/// A set of points that may be a pattern.
[<Struct>]
type private PatternCandidate = { Set: int; Cost: float }

/// Baselines of pattern scenes that learn nothing. Two are told the patterns and look for copies of them: for the sets of
/// points that patterns fit best, among all sets or among those that random pairs of points propose (RANSAC). The others
/// are k-means, and everything in one capsule.
[<RequireQualifiedAccess>]
module PatternSearch =
    /// A pattern ready to be fitted, and the ids of its copies in a scene.
    type private Prepared = { Ids: int[]; Size: int; Fitted: FittedTemplate }

    let private prepare (config: PatternScenesConfig) : Prepared[] =
        config.Patterns
        |> Array.indexed
        |> Array.groupBy snd
        |> Array.map (fun (points, ids) ->
            {
                Ids = Array.map fst ids
                Size = points.Length
                Fitted = SimilarityFit.prepare (Template.create "" [ for struct (x, y) in points -> x, y ])
            })

    /// What a set of m points costs as a copy of a pattern: −ln of its probability under deviation σ·s, up to a constant, which
    /// is r² / 2σ²s² + 2(m − 2) ln s. A scale outside its range adds b²/2σ², where b is the distance from the range in ln s.
    let private cost
        (config: PatternSearchConfig)
        (pattern: Prepared)
        (xs: float[])
        (ys: float[])
        (members: int[])
        : float =
        let struct (residual, re, im, _, _) = SimilarityFit.fit pattern.Fitted xs ys (ReadOnlySpan members)
        let sigma = max 0.01 config.Noise
        let scale = max 1e-6 (sqrt (re * re + im * im))
        let struct (low, high) = config.Scenes.Scales
        let beyond = max 0.0 (max (log (low / scale)) (log (scale / high)))

        residual / (2.0 * sigma * sigma * scale * scale)
        + 2.0 * float (members.Length - 2) * log scale
        + 0.5 * (beyond / sigma) ** 2.0

    /// The set of points that lie nearest to a pattern's points when its points i and j lie at the scene's points a and b.
    let private proposed (pattern: Prepared) (xs: float[]) (ys: float[]) (i: int, j: int) (a: int, b: int) : int =
        let at (x: float[]) (y: float[]) k = Complex(x[k], y[k])
        let p = at pattern.Fitted.X pattern.Fitted.Y
        let q = at xs ys
        let turn = (q b - q a) / (p j - p i)

        (0, [ 0 .. pattern.Size - 1 ])
        ||> List.fold (fun taken k ->
            let place = q a + turn * (p k - p i)
            let free = [ 0 .. xs.Length - 1 ] |> List.filter (fun n -> taken &&& (1 <<< n) = 0)
            taken ||| (1 <<< List.minBy (fun n -> Complex.Abs(q n - place)) free))

    let private randomSets (draws: int) (random: KeyStream) (pattern: Prepared) (xs: float[]) (ys: float[]) : int[] =
        let pair count =
            let first = random.NextInt count
            let second = random.NextInt(count - 1)
            first, (if second < first then second else second + 1)

        [|
            for _ in 1..draws do
                let ofPattern = pair pattern.Size
                let ofScene = pair xs.Length
                proposed pattern xs ys ofPattern ofScene
        |]
        |> Array.distinct

    /// How many points scenes may have whose divisions are all tried: 4 + 3 + 4 points have 11,550, 5 + 4 + 4 have 90,090, and 4 + 4 + 4 + 4
    /// two million.
    [<Literal>]
    let MostTried = 13

    /// The cheapest way to cover all n points with disjoint candidate sets, as (id, set), with at most as many copies of a
    /// pattern as it has ids. None where no sets cover all points.
    let private combine (patterns: Prepared[]) (candidates: PatternCandidate[][]) (n: int) : (int * int) list option =
        let whole = (1 <<< n) - 1
        let mutable best = None
        let mutable least = infinity

        let rec descend (used: int[]) covered soFar (chosen: (int * int) list) =
            if covered = whole then
                if soFar < least then
                    least <- soFar
                    best <- Some chosen
            else
                // One of the sets must contain the first point that isn't covered.
                let first = BitOperations.TrailingZeroCount(~~~covered)

                for p in 0 .. patterns.Length - 1 do
                    if used[p] < patterns[p].Ids.Length then
                        let id = patterns[p].Ids[used[p]]

                        for candidate in candidates[p] do
                            if candidate.Set &&& (1 <<< first) <> 0 && candidate.Set &&& covered = 0 then
                                let used' = Array.copy used
                                used'[p] <- used[p] + 1

                                descend
                                    used'
                                    (covered ||| candidate.Set)
                                    (soFar + candidate.Cost)
                                    ((id, candidate.Set) :: chosen)

        descend (Array.zeroCreate patterns.Length) 0 0.0 []
        best

    let private solveScene
        (config: PatternSearchConfig)
        (patterns: Prepared[])
        (random: KeyStream)
        (xs: float[])
        (ys: float[])
        : int[] =
        let n = xs.Length

        let sets (pattern: Prepared) =
            if pattern.Size > n then [||]
            elif config.Draws = 0 then Partitions.setsOf n pattern.Size
            else randomSets config.Draws random pattern xs ys

        let candidates =
            patterns
            |> Array.map (fun pattern ->
                sets pattern
                |> Array.map (fun set -> { Set = set; Cost = cost config pattern xs ys (PointSet.members set) }))

        match combine patterns candidates n with
        | Some chosen ->
            let owners = Array.zeroCreate n

            for id, set in chosen do
                for i in PointSet.members set do
                    owners[i] <- id

            owners
        // Sets that random pairs propose may not cover the scene.
        | None -> Array.zeroCreate n

    /// The indices of a scene's present points, and their x and y in pattern units.
    let private presentPoints
        (config: PatternScenesConfig)
        (scenes: PatternScenes)
        (scene: int)
        : int[] * float[] * float[] =
        let n = PatternScenes.pointCount config
        let unit = PatternScenes.unit config

        let kept, xs, ys =
            PatternScenes.present
                (Span.op_Implicit (scenes.Points.Elements<float32>().Slice(2 * n * scene, 2 * n)))
                (Span.op_Implicit (scenes.Presence.Elements<float32>().Slice(n * scene, n)))

        kept, xs |> Array.map (fun x -> x / unit), ys |> Array.map (fun y -> y / unit)

    let private eachScene
        (config: PatternScenesConfig)
        (scenes: PatternScenes)
        (solve: float[] -> float[] -> int[])
        : int[] =
        let n = PatternScenes.pointCount config
        let owners = Array.zeroCreate scenes.Owners.Length

        for scene in 0 .. scenes.Points.shape[0] - 1 do
            let kept, xs, ys = presentPoints config scenes scene

            if kept.Length > 0 then
                let found = solve xs ys
                kept |> Array.iteri (fun i point -> owners[scene * n + point] <- found[i])

        owners

    /// The id of the pattern that owns each point of each scene (b · n); 0 for absent points. A pure function of the key, which
    /// only random pairs need. Scenes are in pattern units or normalised; under SceneScale.Chunk the unit is an average over scenes,
    /// right to about a hundredth.
    let solve (config: PatternSearchConfig) (key: Key) (scenes: PatternScenes) : int[] =
        let patterns, random = prepare config.Scenes, key.Stream()
        eachScene config.Scenes scenes (solveScene config patterns random)

    /// The cluster of each point by k-means of its scene alone, with as many clusters as patterns. The number of a cluster means
    /// nothing.
    let kMeans (config: PatternScenesConfig) (key: Key) (scenes: PatternScenes) : int[] =
        let random = key.Stream()

        eachScene config scenes (fun xs ys ->
            let points = Array.map2 (fun x y -> [| x; y |]) xs ys
            let clusters = min points.Length config.Patterns.Length
            let settings: KMeansConfig = { Clusters = clusters; Starts = 3; MostRounds = 100 }
            KMeans.assign (KMeans.fit settings (key.Fold(int64 (random.NextInt Int32.MaxValue))) points) points)

    /// Everything in one capsule.
    let oneCapsule (scenes: PatternScenes) : int[] = Array.zeroCreate scenes.Owners.Length

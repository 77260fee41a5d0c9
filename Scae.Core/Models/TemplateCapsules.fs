namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data

/// Sizes of capsules that each know a template.
type TemplateCapsulesConfig =
    {
        [<Setting("K, object capsules", Min = 1.0, Max = 6.0)>]
        Objects: int
        [<Setting("V, the most points that a capsule may have", Min = 2.0, Max = 6.0)>]
        Votes: int
        [<Setting("deviation of points at the beginning, relative to an object's scale", Min = 0.02, Max = 10.0)>]
        Deviation: float
    }

/// The parameters of K capsules and what they have counted.
type TemplateCapsules =
    {
        /// [K, V, 2]. A capsule of m points uses the first m. Place, size and rotation of a template don't matter.
        Points: Tensor
        /// [K]: ln of the points' deviation, relative to an object's scale; the variance is σ² = e^{2·LogDeviation} + 0.01².
        LogDeviation: Tensor
        /// [K]: mean of ln s, s the root of the mean squared radius.
        LogScale: Tensor
        /// [K]: ln of the deviation of ln s.
        LogSpread: Tensor
        /// [K·V + 1]: how many scenes so far had n points, for each n. This is state, not a parameter.
        Counts: Tensor
    }

/// Scenes, and the most objects by which one is explained. Scenes that need more objects teach nothing.
type TemplateCapsulesBatch =
    {
        /// [b, n, 2].
        Points: Tensor
        /// 1 for a point that is there, else 0; [b, n].
        Presence: Tensor
        /// [1].
        Most: Tensor
    }

/// How the capsules explain scenes.
type TemplateExplanations =
    {
        /// The capsule of each slot, [b · n].
        Owners: int[]
        /// 1 for a capsule that is there, else 0; [b · K].
        Presence: float[]
        /// ln p of each scene with its best explanation.
        LogLikelihood: float[]
        /// Where the templates' points are drawn, [b, K, V, 2].
        Votes: Tensor
        /// The deviation of each drawn point, [b, K, V].
        Scales: Tensor
        /// 1 for a point that is drawn, else 0; [b, K, V].
        VotePresence: Tensor
    }

/// Capsules for the paper's constellations that each learn a template, without a network. In the E-step, which is hard,
/// exact search explains every scene with the current templates. In the M-step templates, noise and scales follow the
/// gradient of the explanations' probability. How many points each capsule has, and how often it is there, is inferred from
/// the numbers of points in scenes (see PointCounts).
[<RequireQualifiedAccess>]
module TemplateCapsules =
    /// As many capsules and votes as in the paper.
    let standard: TemplateCapsulesConfig = { Objects = 3; Votes = 4; Deviation = 0.3 }

    // Deviations are at least this, as are the scales of the paper's votes.
    [<Literal>]
    let private LeastDeviation = 0.01

    // The mean of ln s before any object was seen, in a scene from −1 to 1.
    [<Literal>]
    let private FirstLogScale = -1.5

    /// Points from a standard normal distribution.
    let init (config: TemplateCapsulesConfig) (dtype: Dtype) (key: Key) : TemplateCapsules =
        let { Objects = k; Votes = v } = config
        let points = Array.zeroCreate<float>(2 * k * v)
        (key.Named "points").FillNormal(Span points)
        let all (value: float) = Tensor.full ([| k |], value, dtype)

        {
            Points = (Tensor.``of`` (points, k, v, 2)).cast dtype
            LogDeviation = all (log config.Deviation)
            LogScale = all FirstLogScale
            LogSpread = all 0.0
            Counts = Tensor.zeros ([| k * v + 1 |], dtype)
        }

    /// The capsules with the points of known patterns, at most K patterns of at most V points. The largest pattern comes first,
    /// as in the sizes that PointCounts finds.
    let told (patterns: struct (float * float)[][]) (capsules: TemplateCapsules) : TemplateCapsules =
        let shape = capsules.Points.shape
        let values = (capsules.Points.cast Dtype.Float64).toArray<float>()

        for k, pattern in patterns |> Array.sortByDescending _.Length |> Array.indexed do
            pattern
            |> Array.iteri (fun i struct (x, y) ->
                values[2 * (k * shape[1] + i)] <- x
                values[2 * (k * shape[1] + i) + 1] <- y)

        { capsules with
            Points = (Tensor.``of`` (values, shape)).cast capsules.Points.dtype
        }

    /// Room for scenes of n points, all zeros.
    let allocate (points: int) (count: int) : TemplateCapsulesBatch =
        {
            Points = Tensor.zeros [| count; points; 2 |]
            Presence = Tensor.zeros [| count; points |]
            Most = Tensor.zeros [| 1 |]
        }

    // --- from values to objects

    let private template (values: ReadOnlySpan<float32>) (m: int) : FittedTemplate =
        let template = SimilarityFit.room m
        SimilarityFit.take 1e-12 values template
        template

    let private deviation (logarithm: float) : float = sqrt (exp (2.0 * logarithm) + LeastDeviation * LeastDeviation)

    let private sizesOf (config: TemplateCapsulesConfig) (counts: ReadOnlyMemory<float32>) : ObjectSizes =
        PointCounts.fit config.Objects config.Votes (counts.ToArray() |> Array.map float)

    let private assemble (config: TemplateCapsulesConfig) (sizes: ObjectSizes) (values: ReadOnlyMemory<float32>[]) =
        let numbers i = values[i].ToArray() |> Array.map float
        let stride = 2 * config.Votes

        {
            Sizes = sizes
            Templates = sizes.Sizes |> Array.mapi (fun k m -> template (values[0].Span.Slice(k * stride, stride)) m)
            Deviations = numbers 1 |> Array.map deviation
            LogScales = numbers 2
            Spreads = numbers 3 |> Array.map exp
        }

    /// The objects by which scenes are explained: the capsules with the sizes and presences that the counts imply.
    let objects (config: TemplateCapsulesConfig) (capsules: TemplateCapsules) : SearchedObjects =
        let memory (x: Tensor) = ReadOnlyMemory(x.toArray<float32>())

        let {
                Points = points
                LogDeviation = deviation
                LogScale = scale
                LogSpread = spread
            } =
            capsules

        assemble
            config
            (sizesOf config (memory capsules.Counts))
            [| memory points; memory deviation; memory scale; memory spread |]

    /// The indices of a scene's present points, and their x and y.
    let private present (points: ReadOnlySpan<float32>) (presence: ReadOnlySpan<float32>) : int[] * float[] * float[] =
        let presence, points = presence.ToArray(), points.ToArray()
        let kept = [| 0 .. presence.Length - 1 |] |> Array.filter (fun i -> presence[i] > 0.5f)
        kept, kept |> Array.map (fun i -> float points[2 * i]), kept |> Array.map (fun i -> float points[2 * i + 1])

    /// Calls a function for each scene, on as many threads as tensors may use. `work` makes each thread its own function.
    let private eachScene (count: int) (work: unit -> int -> unit) : unit =
        let threads = Parallelism.Threads

        Parallelism.Run(
            threads,
            fun number ->
                let explain = work ()

                for scene in count * number / threads .. count * (number + 1) / threads - 1 do
                    explain scene
        )

    // --- training

    /// The capsules' counts plus those of a batch, [K·V + 1].
    let private count
        (config: TemplateCapsulesConfig)
        (capsules: TemplateCapsules)
        (batch: TemplateCapsulesBatch)
        : Tensor =
        let bins = config.Objects * config.Votes + 1

        Tensor.computed (
            [| bins |],
            [| capsules.Counts; batch.Presence.sum 1 |],
            fun inputs output ->
                inputs[0].Span.CopyTo output.Span

                for points in inputs[1].ToArray() do
                    let bin = int points

                    if bin < bins then
                        output.Span[bin] <- output.Span[bin] + 1.0f
        )

    /// Writes, for each capsule that is there, its points in its template's order and a 1 behind them: [K, 2V + 1].
    let private writeSorted
        (objects: SearchedObjects)
        (sets: int[])
        (kept: int[], xs: float[], ys: float[])
        (points: ReadOnlyMemory<float32>)
        (into: Memory<float32>)
        : unit =
        let width = into.Length / sets.Length

        for capsule in 0 .. sets.Length - 1 do
            if sets[capsule] <> 0 then
                let own = into.Span.Slice(capsule * width, width)
                own[width - 1] <- 1.0f
                let order = TemplateSearch.order objects xs ys capsule sets[capsule]

                for i in 0 .. order.Length - 1 do
                    own[2 * i] <- points.Span[2 * kept[order[i]]]
                    own[2 * i + 1] <- points.Span[2 * kept[order[i]] + 1]

    /// Explains each scene of n slots and writes [b, K, 2V + 1], a scene as in `writeSorted`. The inputs are the capsules'
    /// points, deviations, scales, spreads and counts, the scenes' points and presence, and the most objects of an explanation.
    let private writeCorrespondences
        (config: TemplateCapsulesConfig)
        (scenes: int)
        (n: int)
        (inputs: ReadOnlyMemory<float32>[])
        (output: Memory<float32>)
        : unit =
        let objects = assemble config (sizesOf config inputs[4]) inputs
        let most = int inputs[7].Span[0]
        let width = output.Length / scenes
        output.Span.Clear()

        eachScene scenes (fun () ->
            let explain = TemplateSearch.explain objects most

            fun scene ->
                let points = inputs[5].Slice(2 * n * scene, 2 * n)
                let kept, xs, ys = present points.Span (inputs[6].Span.Slice(n * scene, n))

                match explain xs ys with
                | None -> ()
                | Some explanation ->
                    writeSorted objects explanation.Sets (kept, xs, ys) points (output.Slice(scene * width, width)))

    /// 1 where a capsule has a v-th point, else 0; [K, V].
    let private ownedPoints (config: TemplateCapsulesConfig) (counts: Tensor) : Tensor =
        let { Objects = k; Votes = v } = config

        Tensor.computed (
            [| k; v |],
            [| counts |],
            fun inputs output ->
                let sizes = (sizesOf config inputs[0]).Sizes

                for i in 0 .. k * v - 1 do
                    output.Span[i] <- if i % v < sizes[i / v] then 1.0f else 0.0f
        )

    /// The points of each capsule in its template's order, and a last number that is 1 for a capsule that is there:
    /// [b, K, 2V + 1]. Beside it, whether each capsule has a v-th point, [K, V]. Neither carries a gradient.
    let private correspond
        (config: TemplateCapsulesConfig)
        (capsules: TemplateCapsules)
        (batch: TemplateCapsulesBatch)
        (counts: Tensor)
        : Tensor * Tensor =
        let b, n = batch.Points.shape[0], batch.Points.shape[1]

        let sorted =
            Tensor.computed (
                [| b; config.Objects; 2 * config.Votes + 1 |],
                [|
                    capsules.Points
                    capsules.LogDeviation
                    capsules.LogScale
                    capsules.LogSpread
                    counts
                    batch.Points
                    batch.Presence
                    batch.Most
                |],
                fun inputs output -> writeCorrespondences config b n inputs output
            )

        sorted, ownedPoints config counts

    let private ln2Pi = log (2.0 * Math.PI)

    /// TemplateSearch.evidence of each capsule's points, [b, K], up to a constant that depends on its size alone. x are the
    /// sorted points [b, K, V, 2], `there` is the presence of capsules [b, K], `owned` is that of template points [K, V].
    let private evidence (capsules: TemplateCapsules) (x: Tensor) (there: Tensor) (owned: Tensor) : Tensor =
        let m = owned.sum 1
        let mask = owned.unsqueeze 2

        let centred (points: Tensor) (axis: int) : Tensor =
            (points - (points * mask).sum(axis, true) / m.view (-1, 1, 1)) * mask

        let x = centred x 2
        let p = centred capsules.Points 1
        let square = (p * p).sum [| 1; 2 |]
        let px, py = p.slice (2, 0, 1), p.slice (2, 1, 2)
        let x0, x1 = x.slice (3, 0, 1), x.slice (3, 1, 2)
        let re = (px * x0 + py * x1).sum [| 2; 3 |]
        let im = (px * x1 - py * x0).sum [| 2; 3 |]
        // |Σ conj(p)x|² with the template scaled to Σ|p|² = m. For capsules that aren't there it would be 0, which has no
        // logarithm.
        let product = (re * re + im * im) * (m / (square + 1e-12)) + (1.0 - there) + 1e-18
        let logScale = 0.5 * product.log () - m.log ()
        let residual = (x * x).sum [| 2; 3 |] * (m * m) / product - m
        let variance = (2.0 * capsules.LogDeviation).exp() + LeastDeviation * LeastDeviation
        let away = (logScale - capsules.LogScale) / capsules.LogSpread.exp ()

        -(m - 2.0) * (ln2Pi + variance.log () + 2.0 * logScale)
        - 0.5 * residual.relu () / variance
        - 2.0 * logScale
        - 0.5 * away * away
        - capsules.LogSpread

    /// The loss: minus the log-probability of each scene's best explanation, up to a constant, averaged over scenes. Beside it
    /// the counts after the batch.
    let loss
        (config: TemplateCapsulesConfig)
        (capsules: TemplateCapsules)
        (batch: TemplateCapsulesBatch)
        : Tensor * Tensor =
        let { Objects = k; Votes = v } = config
        let b = batch.Points.shape[0]
        let counts = count config capsules batch
        let sorted, owned = correspond config capsules batch counts
        let sorted, owned = sorted.cast capsules.Points.dtype, owned.cast capsules.Points.dtype
        let there = (sorted.slice (2, 2 * v, 2 * v + 1)).squeeze 2
        let x = (sorted.slice (2, 0, 2 * v)).contiguous().view(b, k, v, 2)
        -((there * evidence capsules x there owned).sum() * (1.0 / float b)), counts

    // --- inference

    /// The learned templates, each with as many points as it was found to have.
    let templates (config: TemplateCapsulesConfig) (capsules: TemplateCapsules) : Template list =
        (objects config capsules).Templates |> Array.map (SimilarityFit.shape "") |> List.ofArray

    /// Writes one scene's explanation. Its slots begin at `first`; those at `kept` have the points xs, ys.
    let private write
        (objects: SearchedObjects)
        (into: TemplateExplanations)
        (first: int, scene: int)
        (kept: int[], xs: float[], ys: float[])
        (explanation: SceneExplanation)
        : unit =
        let k, v = explanation.Sets.Length, into.Scales.shape[2]
        into.LogLikelihood[scene] <- explanation.Value

        for capsule in 0 .. k - 1 do
            let set = explanation.Sets[capsule]

            if set <> 0 then
                into.Presence[scene * k + capsule] <- 1.0
                let drawn, scale = TemplateSearch.draw objects xs ys capsule set

                for i in 0 .. kept.Length - 1 do
                    if set &&& (1 <<< i) <> 0 then
                        into.Owners[first + kept[i]] <- capsule

                for i in 0 .. drawn.Length - 1 do
                    let at = (scene * k + capsule) * v + i
                    let struct (x, y) = drawn[i]
                    into.Votes.Elements<float32>()[2 * at] <- float32 x
                    into.Votes.Elements<float32>()[2 * at + 1] <- float32 y
                    into.Scales.Elements<float32>()[at] <- float32 (scale * objects.Deviations[capsule])
                    into.VotePresence.Elements<float32>()[at] <- 1.0f

    /// How the capsules explain scenes with points [b, n, 2] and presence [b, n]. The points of a scene that can't be explained
    /// belong to the first capsule, and have the density 0.01.
    let explain
        (config: TemplateCapsulesConfig)
        (capsules: TemplateCapsules)
        (points: Tensor)
        (presence: Tensor)
        : TemplateExplanations =
        let k, v = config.Objects, config.Votes
        let count, n = points.shape[0], points.shape[1]
        let objects = objects config capsules
        let xy, there = points.toArray<float32>(), presence.toArray<float32>()

        let explanations =
            {
                Owners = Array.zeroCreate (count * n)
                Presence = Array.zeroCreate (count * k)
                LogLikelihood = Array.zeroCreate count
                Votes = Tensor.zeros [| count; k; v; 2 |]
                Scales = Tensor.zeros [| count; k; v |]
                VotePresence = Tensor.zeros [| count; k; v |]
            }

        eachScene count (fun () ->
            let explain = TemplateSearch.explain objects k

            fun scene ->
                let kept, xs, ys = present (ReadOnlySpan(xy, 2 * n * scene, 2 * n)) (ReadOnlySpan(there, n * scene, n))

                match explain xs ys with
                | Some found -> write objects explanations (n * scene, scene) (kept, xs, ys) found
                | None -> explanations.LogLikelihood[scene] <- -2.0 * log 10.0 * float kept.Length)

        explanations

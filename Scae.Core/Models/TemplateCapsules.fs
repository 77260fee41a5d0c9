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
        let counts, points, presence, most = inputs[4], inputs[5], inputs[6], int inputs[7].Span[0]
        let objects = assemble config (sizesOf config counts) inputs
        let width = output.Length / scenes
        output.Span.Clear()

        SceneWorkers(fun () -> TemplateSearch.explain objects most)
            .Each(
                scenes,
                fun explain scene ->
                    let own = points.Slice(2 * n * scene, 2 * n)
                    let kept, xs, ys = PatternScenes.present own.Span (presence.Span.Slice(n * scene, n))

                    match explain xs ys with
                    | None -> ()
                    | Some explanation ->
                        writeSorted objects explanation.Sets (kept, xs, ys) own (output.Slice(scene * width, width))
            )

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
        // |Σ conj(p)x|² with the template scaled to Σ|p|² = m. For capsules that aren't there it would be 0, which has no
        // logarithm.
        let product = SimilarityFit.overlap p x * (m / (square + 1e-12)) + (1.0 - there) + 1e-18
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
        (into: CcaeReading)
        (first: int, scene: int)
        (kept: int[], xs: float[], ys: float[])
        (explanation: SceneExplanation)
        : unit =
        let votes = into.Votes
        let k, v = explanation.Sets.Length, votes.Scales.shape[2]
        into.LogLikelihood[scene] <- explanation.Value

        for capsule in 0 .. k - 1 do
            let set = explanation.Sets[capsule]

            if set <> 0 then
                into.Presence[scene * k + capsule] <- 1.0
                let drawn, scale = TemplateSearch.draw objects xs ys capsule set

                for i in PointSet.members set do
                    into.Owners[first + kept[i]] <- capsule

                for i in 0 .. drawn.Length - 1 do
                    let at = (scene * k + capsule) * v + i
                    let struct (x, y) = drawn[i]
                    votes.Places.Elements<float32>()[2 * at] <- float32 x
                    votes.Places.Elements<float32>()[2 * at + 1] <- float32 y
                    votes.Scales.Elements<float32>()[at] <- float32 (scale * objects.Deviations[capsule])
                    votes.Presence.Elements<float32>()[at] <- 1.0f

    /// How the capsules explain scenes: with presences and votes that are 0 or 1. The points of a scene that can't be explained
    /// belong to the first capsule, and have the density 0.01.
    let explain (config: TemplateCapsulesConfig) (capsules: TemplateCapsules) (scenes: PatternScenes) : CcaeReading =
        let k, v = config.Objects, config.Votes
        let count, n = scenes.Points.shape[0], scenes.Points.shape[1]
        let objects = objects config capsules
        let xy, there = scenes.Points.toArray<float32>(), scenes.Presence.toArray<float32>()

        let reading =
            {
                Scenes = scenes
                Owners = Array.zeroCreate (count * n)
                Presence = Array.zeroCreate (count * k)
                LogLikelihood = Array.zeroCreate count
                Votes =
                    {
                        Places = Tensor.zeros [| count; k; v; 2 |]
                        Scales = Tensor.zeros [| count; k; v |]
                        Presence = Tensor.zeros [| count; k; v |]
                    }
            }

        SceneWorkers(fun () -> TemplateSearch.explain objects k)
            .Each(
                count,
                fun explain scene ->
                    let kept, xs, ys =
                        PatternScenes.present
                            (ReadOnlySpan(xy, 2 * n * scene, 2 * n))
                            (ReadOnlySpan(there, n * scene, n))

                    match explain xs ys with
                    | Some found -> write objects reading (n * scene, scene) (kept, xs, ys) found
                    | None -> reading.LogLikelihood[scene] <- -2.0 * log 10.0 * float kept.Length
            )

        reading

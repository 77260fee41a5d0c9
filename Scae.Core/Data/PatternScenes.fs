namespace Scae.Core.Data

open System
open Scae.Tensors

/// How the coordinates of pattern scenes are normalised.
[<RequireQualifiedAccess>]
type SceneScale =
    /// The least and the largest coordinate of a chunk of 3,200 scenes go to −1 and 1, as in the released program.
    | Chunk
    /// The same, with the limits that such chunks have on average, so that a scene doesn't depend on others.
    | Fixed
    /// Pattern units, as they are drawn.
    | Raw

/// How pattern scenes are drawn.
type PatternScenesConfig =
    {
        /// The points of each pattern, in the order of the patterns' ids; a pattern that occurs twice has two ids.
        Patterns: struct (float * float)[][]
        /// s ~ U(lowest, highest).
        Scales: struct (float * float)
        /// The probability of leaving out a pattern, independently for each.
        Drop: float
        /// Standard deviation of the noise on each point before the pattern is scaled, in pattern units (a square has
        /// side 2).
        Noise: float
        Normalised: SceneScale
    }

/// Scenes of patterns, some of which are absent, with the truth that training never sees.
type PatternScenes =
    {
        /// Float32 [b, n, 2], in random order; absent points have coordinates too.
        Points: Tensor
        /// Float32 [b, n]: 1 for a point that is there, else 0.
        Presence: Tensor
        /// For each point of each scene (b · n) the id of its pattern, present or not.
        Owners: int[]
        /// For each scene (b · ids) whether the pattern is there.
        Present: bool[]
    }

/// The constellations of Kosiorek et al. 2019 as their released program draws them: a square, a triangle and a
/// square, with θ ~ U(−π/2, π/2), s ~ U(1, 4) and t ~ U(0, 24)²/s, each present with probability ½.
[<RequireQualifiedAccess>]
module PatternScenes =
    let private pattern (points: (float * float) list) = [| for x, y in points -> struct (x, y) |]

    /// Integer coordinates, not centred, as in the program.
    let square = pattern [ 3.0, 3.0; 1.0, 1.0; 3.0, 1.0; 1.0, 3.0 ]

    /// Three points.
    let triangle = pattern [ 1.0, 2.0; 3.0, 1.0; 3.0, 3.0 ]

    /// Five points; the released program defines it and draws no scenes with it.
    let pentagon = pattern [ 1.0, 1.0; 2.0, -1.0; 3.0, 0.0; 3.0, 2.0; 2.0, 3.0 ]

    /// Five points; the released program defines it and draws no scenes with it.
    let corner = pattern [ 1.0, 1.0; 2.0, 1.0; 3.0, 1.0; 3.0, 2.0; 3.0, 3.0 ]

    /// The paper's scenes, normalised by fixed limits, so that no scene depends on others.
    let paper: PatternScenesConfig =
        {
            Patterns = [| square; triangle; square |]
            Scales = struct (1.0, 4.0)
            Drop = 0.5
            Noise = 0.0
            Normalised = SceneScale.Fixed
        }

    // Averages over chunks of the least and the largest coordinate; both vary by 0.3 among chunks.
    [<Literal>]
    let private Low = -11.4

    [<Literal>]
    let private High = 27.5

    /// The length of a pattern unit in the coordinates of scenes; for chunks it is an average.
    let unit (config: PatternScenesConfig) : float =
        match config.Normalised with
        | SceneScale.Raw -> 1.0
        | SceneScale.Fixed
        | SceneScale.Chunk -> 2.0 / (High - Low)

    /// Scenes that the program normalises together: 100 batches of 32.
    [<Literal>]
    let ChunkSize = 3200

    // The limit of translations, before they are divided by the scale.
    [<Literal>]
    let private Reach = 24.0

    /// Points of a scene: those of all patterns.
    let pointCount (config: PatternScenesConfig) : int = config.Patterns |> Array.sumBy _.Length

    /// The indices of a scene's present points, and their x and y, from points [n, 2] and presence [n].
    let present (points: ReadOnlySpan<float32>) (presence: ReadOnlySpan<float32>) : int[] * float[] * float[] =
        let presence, points = presence.ToArray(), points.ToArray()
        let kept = [| 0 .. presence.Length - 1 |] |> Array.filter (fun i -> presence[i] > 0.5f)
        kept, kept |> Array.map (fun i -> float points[2 * i]), kept |> Array.map (fun i -> float points[2 * i + 1])

    /// Room for scenes, all zeros.
    let private allocate (config: PatternScenesConfig) (count: int) : PatternScenes =
        let n = pointCount config

        {
            Points = Tensor.zeros [| count; n; 2 |]
            Presence = Tensor.zeros [| count; n |]
            Owners = Array.zeroCreate (count * n)
            Present = Array.zeroCreate (count * config.Patterns.Length)
        }

    /// Draws a scene of a batch, in pattern units. Without noise the same numbers are drawn, so that scenes of one
    /// key differ only by the noise.
    let private drawScene (config: PatternScenesConfig) (random: KeyStream) (scene: int) (batch: PatternScenes) : unit =
        let points = batch.Points.Elements<float32>()
        let presence = batch.Presence.Elements<float32>()
        let n = pointCount config
        let struct (smallest, largest) = config.Scales
        let order = Array.zeroCreate<int> n
        random.FillPermutation(Span order)
        let mutable drawn = 0

        for id in 0 .. config.Patterns.Length - 1 do
            let angle = (random.NextDouble() - 0.5) * Math.PI
            let scale = smallest + (largest - smallest) * random.NextDouble()
            let tx = Reach * random.NextDouble() / scale
            let ty = Reach * random.NextDouble() / scale
            let present = random.NextDouble() >= config.Drop
            let c, s = cos angle, sin angle
            batch.Present[scene * config.Patterns.Length + id] <- present

            for struct (px, py) in config.Patterns[id] do
                let x = px + config.Noise * random.NextNormal()
                let y = py + config.Noise * random.NextNormal()
                let at = scene * n + order[drawn]
                points[2 * at] <- float32 (scale * (x * c - y * s) + tx)
                points[2 * at + 1] <- float32 (scale * (x * s + y * c) + ty)
                presence[at] <- (if present then 1.0f else 0.0f)
                batch.Owners[at] <- id
                drawn <- drawn + 1

    /// p ← 2(p − low) / (high − low + 10⁻⁸) − 1.
    let private normalise (low: float) (high: float) (points: Span<float32>) : unit =
        for i in 0 .. points.Length - 1 do
            points[i] <- float32 (2.0 * (float points[i] - low) / (high - low + 1e-8) - 1.0)

    let private normaliseByLimits (points: Span<float32>) : unit =
        let mutable low = infinityf
        let mutable high = -infinityf

        for x in points do
            low <- min low x
            high <- max high x

        normalise (float low) (float high) points

    /// Draws every scene of a batch anew, in place; a pure function of the key. Under SceneScale.Chunk every 3,200 scenes of
    /// the batch are normalised together.
    let private fill (config: PatternScenesConfig) (key: Key) (batch: PatternScenes) : unit =
        let count, n = batch.Points.shape[0], pointCount config
        let random = key.Stream()

        for scene in 0 .. count - 1 do
            drawScene config random scene batch

        match config.Normalised with
        | SceneScale.Raw -> ()
        | SceneScale.Fixed -> normalise Low High (batch.Points.Elements<float32>())
        | SceneScale.Chunk ->
            for first in 0..ChunkSize .. count - 1 do
                let size = 2 * n * min ChunkSize (count - first)
                normaliseByLimits (batch.Points.Elements<float32>().Slice(2 * n * first, size))

    /// Some of the scenes, by number.
    let pick (chosen: int[]) (scenes: PatternScenes) : PatternScenes =
        let n = scenes.Points.shape[1]
        let patterns = scenes.Present.Length / scenes.Points.shape[0]
        let rows (size: int) (values: 'value[]) = chosen |> Array.collect (fun i -> Array.sub values (i * size) size)

        let tensor (x: Tensor) (sizes: int list) size =
            Tensor.``of`` (rows size (x.toArray<float32>()), Array.ofList sizes)

        {
            Points = tensor scenes.Points [ chosen.Length; n; 2 ] (2 * n)
            Presence = tensor scenes.Presence [ chosen.Length; n ] n
            Owners = rows n scenes.Owners
            Present = rows patterns scenes.Present
        }

    /// New scenes; a pure function of the key. Under SceneScale.Chunk they are normalised together with as many
    /// others as fill whole chunks, so that the size of patterns doesn't depend on how many scenes are wanted.
    let sample (config: PatternScenesConfig) (count: int) (key: Key) : PatternScenes =
        let drawn =
            match config.Normalised with
            | SceneScale.Chunk -> (count + ChunkSize - 1) / ChunkSize * ChunkSize
            | _ -> count

        let batch = allocate config drawn
        fill config key batch

        if drawn = count then
            batch
        else
            pick [| 0 .. count - 1 |] batch

    /// How many patterns a scene has.
    let patternCount (config: PatternScenesConfig) (scene: int) (scenes: PatternScenes) : int =
        let k = config.Patterns.Length
        Array.sub scenes.Present (scene * k) k |> Array.filter id |> Array.length

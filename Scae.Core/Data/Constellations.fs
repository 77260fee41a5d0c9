namespace Scae.Core.Data

open System
open Scae.Tensors

/// How constellations are drawn: each template scaled, turned and moved on its own.
type ConstellationsConfig =
    {
        Templates: Template list
        /// Uniform scale s ~ U(lowest, highest).
        Scale: struct (float * float)
        /// Translation ~ U(−reach, reach) along each axis.
        Reach: float
        /// The translations of each scene are divided by one factor, log-uniform in [1/crowding, crowding]. So
        /// templates of the same sizes lie closer together or further apart. 1 for no effect.
        Crowding: float
        /// How many points belong to nothing, each uniform in the square of the translations of a scene without crowding.
        Distractors: int
    }

/// A batch of scenes with the truth that training never sees.
type Constellations =
    {
        /// Float32 [b, n, 2]: the points in random order.
        Points: Tensor
        /// For each point of each scene (b · n), the index of its template; for a distractor, the number of templates.
        Labels: int[]
        /// Float32 [b, k, 4]: log s, θ, t_x, t_y of each template.
        Poses: Tensor
    }

/// Scenes that are the union of transformed templates (the published small program after Kosiorek et al. 2019, §4.1).
[<RequireQualifiedAccess>]
module Constellations =
    /// The published task: three templates, s ~ U(0.5, 1.5), θ ~ U(0, 2π), translation ~ U(−3, 3)².
    let published: ConstellationsConfig =
        {
            Templates = Template.published
            Scale = struct (0.5, 1.5)
            Reach = 3.0
            Crowding = 1.0
            Distractors = 0
        }

    /// Points of a scene: those of all templates, and distractors.
    let pointCount (config: ConstellationsConfig) : int = Template.pointCount config.Templates + config.Distractors

    /// Room for a batch of scenes, all zeros.
    let allocate (config: ConstellationsConfig) (count: int) : Constellations =
        let points = pointCount config

        {
            Points = Tensor.zeros [| count; points; 2 |]
            Labels = Array.zeroCreate (count * points)
            Poses = Tensor.zeros [| count; config.Templates.Length; 4 |]
        }

    /// Adds a point to a scene by an inside-out shuffle: point number `filled` swaps places with a random one among
    /// those before it and itself.
    let private place (random: KeyStream) (points: Span<float32>) (labels: int[]) first (filled: int) (label: int) x y =
        let at = first + random.NextInt(filled + 1)
        let last = first + filled
        points[2 * last] <- points[2 * at]
        points[2 * last + 1] <- points[2 * at + 1]
        labels[last] <- labels[at]
        points[2 * at] <- x
        points[2 * at + 1] <- y
        labels[at] <- label

    /// Draws every scene of a batch anew, in place. Point p of a template becomes s·R(θ)·p + t, and the points of
    /// each scene are shuffled. A pure function of the key.
    let fill (config: ConstellationsConfig) (key: Key) (batch: Constellations) : unit =
        let points = batch.Points.Elements<float32>()
        let poses = batch.Poses.Elements<float32>()
        let templates = Array.ofList config.Templates
        let perScene = pointCount config
        let struct (smallest, largest) = config.Scale
        let random = key.Stream()
        // Crowding and distractors have streams of their own, so that with them a scene of the same key has the same
        // templates in the same poses otherwise. The streams are made only if needed, since a step without them must
        // leave no garbage.
        let other name isUsed = if isUsed then (key.Named name).Stream() else random
        let crowding = other "crowding" (config.Crowding <> 1.0)
        let distractors = other "distractors" (config.Distractors > 0)

        for scene in 0 .. batch.Labels.Length / perScene - 1 do
            let first = scene * perScene
            let mutable filled = 0

            let reach =
                if config.Crowding = 1.0 then
                    float32 config.Reach
                else
                    float32 (config.Reach * config.Crowding ** (2.0 * crowding.NextDouble() - 1.0))

            for k in 0 .. templates.Length - 1 do
                let scale = float32 smallest + random.NextFloat() * float32 (largest - smallest)

                let angle = random.NextFloat() * 2.0f * MathF.PI
                let tx = (2.0f * random.NextFloat() - 1.0f) * reach
                let ty = (2.0f * random.NextFloat() - 1.0f) * reach
                let struct (sine, cosine) = MathF.SinCos angle
                let pose = 4 * (scene * templates.Length + k)
                poses[pose] <- MathF.Log scale
                poses[pose + 1] <- angle
                poses[pose + 2] <- tx
                poses[pose + 3] <- ty
                let template = templates[k].Points

                for i in 0 .. template.Length - 1 do
                    let struct (px, py) = template[i]
                    let x, y = float32 px, float32 py

                    place
                        random
                        points
                        batch.Labels
                        first
                        filled
                        k
                        (scale * (cosine * x - sine * y) + tx)
                        (scale * (sine * x + cosine * y) + ty)

                    filled <- filled + 1

            for _ in 1 .. config.Distractors do
                let x = (2.0f * distractors.NextFloat() - 1.0f) * float32 config.Reach
                let y = (2.0f * distractors.NextFloat() - 1.0f) * float32 config.Reach
                place distractors points batch.Labels first filled templates.Length x y
                filled <- filled + 1

    /// A new batch of scenes; a pure function of the key.
    let sample (config: ConstellationsConfig) (count: int) (key: Key) : Constellations =
        let batch = allocate config count
        fill config key batch
        batch

    /// The first scenes of a batch.
    let truncate (count: int) (batch: Constellations) : Constellations =
        let count = min count batch.Points.shape[0]

        {
            Points = (batch.Points.slice (0, 0, count)).clone()
            Labels = Array.truncate (count * batch.Points.shape[1]) batch.Labels
            Poses = (batch.Poses.slice (0, 0, count)).clone()
        }

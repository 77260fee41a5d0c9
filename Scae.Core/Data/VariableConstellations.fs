namespace Scae.Core.Data

open System
open Scae.Tensors

/// A batch of scenes that each have some of the templates, with the truth that training never sees.
type VariableConstellations =
    {
        /// Scenes with all templates, of which these scenes are parts.
        Whole: Constellations
        /// Float32 [b, N, 2]: the points in random order, then zeros up to the N points of all templates together.
        Points: Tensor
        /// Float32 [b, N, 1]: 1 for a point, 0 for padding.
        Mask: Tensor
        /// For each row of each scene (b · N), the index of its template, or −1 for padding.
        Labels: int[]
        /// For each scene (b · K) whether a template is in it.
        Presence: bool[]
    }

/// Scenes whose number of templates varies.
[<RequireQualifiedAccess>]
module VariableConstellations =
    /// Room for a batch of scenes. Raises ArgumentException for distractors, which these scenes don't have.
    let allocate (config: ConstellationsConfig) (count: int) : VariableConstellations =
        if config.Distractors > 0 then
            invalidArg (nameof config) $"{config.Distractors} distractors; scenes whose templates vary have none"

        let n = Template.pointCount config.Templates

        {
            Whole = Constellations.allocate config count
            Points = Tensor.zeros [| count; n; 2 |]
            Mask = Tensor.zeros [| count; n; 1 |]
            Labels = Array.create (count * n) -1
            Presence = Array.zeroCreate (count * config.Templates.Length)
        }

    /// Draws every scene anew, in place. The number of templates is uniform in {least, …, K}, and every set of so
    /// many is equally probable. The points are those of a scene with all templates. A pure function of the key.
    let fillFrom (config: ConstellationsConfig) (least: int) (key: Key) (batch: VariableConstellations) : unit =
        Constellations.fill config (key.Named "whole") batch.Whole
        let k = config.Templates.Length
        let n = Template.pointCount config.Templates
        let count = batch.Labels.Length / n
        let random = (key.Named "presence").Stream()
        let whole = batch.Whole.Points.Elements<float32>()
        let points = batch.Points.Elements<float32>()
        let mask = batch.Mask.Elements<float32>()
        points.Clear()
        mask.Clear()
        Array.Fill(batch.Labels, -1)
        Array.Clear batch.Presence
        let order = Array.zeroCreate<int> k

        for scene in 0 .. count - 1 do
            random.FillPermutation(Span order)

            for i in 0 .. random.NextInt(least, k + 1) - 1 do
                batch.Presence[scene * k + order[i]] <- true

            let mutable filled = scene * n

            for point in scene * n .. scene * n + n - 1 do
                let label = batch.Whole.Labels[point]

                if batch.Presence[scene * k + label] then
                    points[2 * filled] <- whole[2 * point]
                    points[2 * filled + 1] <- whole[2 * point + 1]
                    mask[filled] <- 1.0f
                    batch.Labels[filled] <- label
                    filled <- filled + 1

    /// The same with at least one template.
    let fill (config: ConstellationsConfig) (key: Key) (batch: VariableConstellations) : unit =
        fillFrom config 1 key batch

    /// A new batch of scenes; a pure function of the key.
    let sample (config: ConstellationsConfig) (count: int) (key: Key) : VariableConstellations =
        let batch = allocate config count
        fill config key batch
        batch

    /// How many points a scene has.
    let pointCount (scene: int) (batch: VariableConstellations) : int =
        let n = batch.Points.shape[1]
        let labels = Span(batch.Labels, scene * n, n)
        let padding = labels.IndexOf -1
        if padding < 0 then n else padding

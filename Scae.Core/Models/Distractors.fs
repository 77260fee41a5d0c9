namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Data

/// Scenes with more points than the templates have. The surplus points are distractors, which belong to no template. A
/// division has one more set for them. It costs nothing, so the points that fit worst are left to it.
[<RequireQualifiedAccess>]
module Distractors =
    /// How many points each set of a division has: first those of the templates, then that of distractors.
    let sizes (distractors: int) (templates: Template list) : int[] =
        [| yield! templates |> List.map _.Points.Length; distractors |]

    /// Writes scores [n, K + 1]: the given scores [n, K] and a last column for distractors. That column is lower than all
    /// others, so that points are left over only when each template has its points.
    let writeScores (k: int) (scores: ReadOnlySpan<float32>) (into: Span<float32>) : unit =
        let mutable least = 0.0f

        for score in scores do
            least <- min least score

        for i in 0 .. into.Length / (k + 1) - 1 do
            scores.Slice(i * k, k).CopyTo(into.Slice(i * (k + 1), k))
            into[i * (k + 1) + k] <- least - 100.0f

    /// Points [b, n, 2] → poses [b, K, 4]. `search` makes a search from the number of distractors. Given a scene's index and
    /// points, that search returns a division, K + 1 sets. Raises ArgumentException for fewer points than the templates have.
    let solve (templates: Template list) (search: int -> int -> Partitions -> int[]) (points: Tensor) : Tensor =
        let count, n, k = points.shape[0], points.shape[1], templates.Length
        let distractors = n - Template.pointCount templates

        if distractors < 0 then
            invalidArg (nameof points) $"{n} points; the templates have {Template.pointCount templates}"

        let divide = search distractors
        let scene = Partitions.withDistractors distractors templates
        let poses = Tensor.zeros [| count; k; 4 |]
        let source = points.toArray<float32>()

        for i in 0 .. count - 1 do
            Partitions.load (ReadOnlySpan(source, 2 * n * i, 2 * n)) scene
            let sets = divide i scene
            Partitions.writePoses scene (Array.truncate k sets) (poses.Elements<float32>().Slice(4 * k * i, 4 * k))

        poses

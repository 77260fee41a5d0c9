namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Data

/// Scenes with more points than the templates have: as many as are too many belong to nothing. A division has one more
/// set for them, which costs nothing, so that the points are left over that fit worst.
[<RequireQualifiedAccess>]
module Distractors =
    /// Points of each set of a division: the templates', then those that belong to nothing.
    let sizes (distractors: int) (templates: Template list) : int[] =
        [| yield! templates |> List.map _.Points.Length; distractors |]

    /// Writes scores [n, K + 1] of which the first K columns are those given, [n, K]. The last column lies below all: a point
    /// is left over when each template has its points.
    let writeScores (k: int) (scores: ReadOnlySpan<float32>) (into: Span<float32>) : unit =
        let mutable least = 0.0f

        for score in scores do
            least <- min least score

        for i in 0 .. into.Length / (k + 1) - 1 do
            scores.Slice(i * k, k).CopyTo(into.Slice(i * (k + 1), k))
            into[i * (k + 1) + k] <- least - 100.0f

    /// Points [b, n, 2] → poses [b, K, 4]. From the number of points that belong to nothing follows a search; it finds a
    /// division of a scene's K + 1 sets from its index and points. Raises ArgumentException for fewer points than the
    /// templates have.
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

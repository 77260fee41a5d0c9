namespace Scae.Core.Models

open System
open Scae.Tensors

/// Where the scenes of a batch lie and how large they are: the means of their points, [b, 2], and the root mean square
/// distances from them, [b].
type SceneFrame = { Centres: float[]; Radii: float[] }

/// Coordinates in which every scene has mean 0 and radius 1. Similar scenes are the same there, whatever their place and
/// scale, so that nothing has to be learned about either.
[<RequireQualifiedAccess>]
module SceneFrame =
    /// Points [b, n, 2] in their scene's own coordinates, and the frame that leads back. A scene of coincident points keeps its
    /// scale; one with NaN is NaN.
    let enter (points: Tensor) : Tensor * SceneFrame =
        let count, n = points.shape[0], points.shape[1]
        let values = points.toArray<float32>()
        let centres = Array.zeroCreate<float>(2 * count)
        let radii = Array.create count 1.0

        for i in 0 .. count - 1 do
            let scene = Span(values, 2 * n * i, 2 * n)
            let mutable x = 0.0
            let mutable y = 0.0

            for j in 0 .. n - 1 do
                x <- x + float scene[2 * j]
                y <- y + float scene[2 * j + 1]

            let x, y = x / float (max 1 n), y / float (max 1 n)
            let mutable square = 0.0

            for j in 0 .. n - 1 do
                let dx, dy = float scene[2 * j] - x, float scene[2 * j + 1] - y
                square <- square + (dx * dx + dy * dy)

            let radius = if square = 0.0 then 1.0 else sqrt (square / float n)

            for j in 0 .. n - 1 do
                scene[2 * j] <- float32 ((float scene[2 * j] - x) / radius)
                scene[2 * j + 1] <- float32 ((float scene[2 * j + 1] - y) / radius)

            centres[2 * i] <- x
            centres[2 * i + 1] <- y
            radii[i] <- radius

        Tensor.``of`` (values, points.shape), { Centres = centres; Radii = radii }

    /// Takes poses (log s, θ, t_x, t_y) [b, K, 4] from the scenes' own coordinates back to those in which the scenes came.
    let leave (frame: SceneFrame) (poses: Tensor) : Tensor =
        let k = poses.shape[1]
        let values = poses.toArray<float32>()

        for at in 0..4 .. values.Length - 1 do
            let i = at / (4 * k)
            values[at] <- float32 (float values[at] + log frame.Radii[i])
            values[at + 2] <- float32 (float values[at + 2] * frame.Radii[i] + frame.Centres[2 * i])
            values[at + 3] <- float32 (float values[at + 3] * frame.Radii[i] + frame.Centres[2 * i + 1])

        Tensor.``of`` (values, poses.shape)

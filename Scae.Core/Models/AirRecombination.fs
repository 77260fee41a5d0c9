namespace Scae.Core.Models

open System
open Scae.Tensors

/// Scenes laid on scenes, whose parts are known.
type RecombinedScenes =
    {
        /// The pixelwise maximum of two scenes, [m, D].
        Images: Tensor
        /// The two scenes, [m, 2, D].
        Layers: Tensor
        /// 1 for a scene, 0 for a place that no scene was found for, whose images are empty; [m].
        Weights: Tensor
    }

/// Training scenes made of training scenes: two in which one object was inferred, laid on each other, are a scene of two
/// objects whose parts are known. No truth enters: what the model believes of a batch says which scenes are combined. In the
/// manner of the sleep phase of wake-sleep (Hinton, Dayan, Frey & Neal 1995), with the data's own ink instead of dreams.
[<RequireQualifiedAccess>]
module AirRecombination =
    /// The scenes in which one object was inferred and a second is no likelier than the doubt, each with the next, the last
    /// with the first; then each with the next but one, up to as many partners; at most m pairs.
    /// present : cumulative presence of each step, [T] a scene.
    let pairs (steps: int) (partners: int) (doubt: float) (m: int) (present: ReadOnlySpan<float32>) : (int * int)[] =
        let singles = ResizeArray<int>()

        for i in 0 .. present.Length / steps - 1 do
            if present[i * steps] > 0.5f && (steps = 1 || present[i * steps + 1] <= float32 doubt) then
                singles.Add i

        let n = singles.Count

        if n < 2 then
            [||]
        else
            Array.init (min m (n * min partners (n - 1))) (fun i -> singles[i % n], singles[(i + 1 + i / n) % n])

    /// m scenes from images [b, D] and the cumulative presence that was inferred from them [b, T]. No gradient passes.
    let compose (partners: int) (doubt: float) (m: int) (images: Tensor) (present: Tensor) : RecombinedScenes =
        let d, steps = images.shape[1], present.shape[1]

        // A row holds, one behind the other, a scene, its two layers and its weight.
        let rows =
            Tensor.computed (
                [| m; 3 * d + 1 |],
                [| images; present |],
                fun inputs output ->
                    let x = inputs[0].Span
                    let chosen = pairs steps partners doubt m inputs[1].Span
                    output.Span.Clear()

                    for i in 0 .. chosen.Length - 1 do
                        let a, b = chosen[i]
                        let first = x.Slice(a * d, d)
                        let second = x.Slice(b * d, d)
                        let row = output.Span.Slice(i * (3 * d + 1), 3 * d + 1)

                        for p in 0 .. d - 1 do
                            row[p] <- max first[p] second[p]

                        first.CopyTo(row.Slice d)
                        second.CopyTo(row.Slice(2 * d))
                        row[3 * d] <- 1.0f
            )

        let rows = rows.cast images.dtype

        {
            Images = rows.slice (1, 0, d)
            Layers = (rows.slice (1, d, 3 * d)).unflatten(1, 2, d)
            Weights = rows.select (1, 3 * d)
        }

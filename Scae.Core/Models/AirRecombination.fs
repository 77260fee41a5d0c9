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
        /// [m]: 1 for a scene; 0 for a row for which no pair was found, whose images are zeros.
        Weights: Tensor
    }

/// Which scenes are laid on each other.
[<Struct>]
type RecombinationRule =
    {
        /// How many others each scene is laid on, at most.
        Partners: int
        /// The largest probability of a second object in a scene that is used.
        Doubt: float
        /// Whether only scenes whose ink doesn't meet are laid on each other.
        Apart: bool
    }

/// Training scenes made of training scenes. Two scenes in which the model infers one object each are laid on each other:
/// that is a scene of two objects whose parts are known. No truth enters, since the model's own beliefs choose the scenes.
/// It resembles the sleep phase of wake-sleep (Hinton, Dayan, Frey & Neal 1995), with the data's own ink instead of dreams.
[<RequireQualifiedAccess>]
module AirRecombination =
    /// Pairs of scenes to be laid on each other, at most m. The candidates are the scenes in which an object was inferred and a
    /// second is no likelier than the rule's doubt. They stand in a circle: each is paired with the next one, then each with
    /// the next but one, and so on, if the two fit and the first has fewer partners than the rule allows.
    /// present : cumulative presence, T numbers for each scene.
    let pairs
        (steps: int)
        (rule: RecombinationRule)
        (m: int)
        (fit: int -> int -> bool)
        (present: ReadOnlySpan<float32>)
        : (int * int)[] =
        let singles = ResizeArray<int>()

        for i in 0 .. present.Length / steps - 1 do
            if present[i * steps] > 0.5f && (steps = 1 || present[i * steps + 1] <= float32 rule.Doubt) then
                singles.Add i

        let n = singles.Count
        let partners = Array.zeroCreate<int> n
        let found = ResizeArray<int * int>()

        for apart in 1 .. n - 1 do
            for i in 0 .. n - 1 do
                let one, other = singles[i], singles[(i + apart) % n]

                if found.Count < m && partners[i] < rule.Partners && fit one other then
                    partners[i] <- partners[i] + 1
                    found.Add(one, other)

        found.ToArray()

    // The ink of scenes x and y meets where Σ x·y is more than this share of the smaller of Σ x² and Σ y². It isn't 0, because
    // restored scenes are nowhere quite black.
    [<Literal>]
    let private LargestMeeting = 0.01f

    /// Whether the ink of scenes i and j of images [b, d] meets.
    let private meet (images: ReadOnlySpan<float32>) (d: int) (i: int) (j: int) : bool =
        let x = images.Slice(i * d, d)
        let y = images.Slice(j * d, d)
        let mutable together, ofX, ofY = 0f, 0f, 0f

        for p in 0 .. x.Length - 1 do
            together <- together + x[p] * y[p]
            ofX <- ofX + x[p] * x[p]
            ofY <- ofY + y[p] * y[p]

        together > LargestMeeting * min ofX ofY

    /// m recombined scenes from images [b, D] and the cumulative presence [b, T] that was inferred from them. No gradient passes.
    let compose (rule: RecombinationRule) (m: int) (images: Tensor) (present: Tensor) : RecombinedScenes =
        let d, steps = images.shape[1], present.shape[1]

        // A row holds, one behind the other, a scene, its two layers and its weight.
        let rows =
            Tensor.computed (
                [| m; 3 * d + 1 |],
                [| images; present |],
                fun inputs output ->
                    let fit i j = not (rule.Apart && meet inputs[0].Span d i j)
                    let x = inputs[0].Span
                    let chosen = pairs steps rule m fit inputs[1].Span
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

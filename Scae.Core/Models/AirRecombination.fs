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

/// Which scenes are laid on each other.
[<Struct>]
type RecombinationRule =
    {
        /// On how many others each is laid, at most.
        Partners: int
        /// The largest probability of a second object in them.
        Doubt: float
        /// Whether their ink may not meet.
        Apart: bool
    }

/// Training scenes made of training scenes: two in which one object was inferred, laid on each other, are a scene of two
/// objects whose parts are known. No truth enters: what the model believes of a batch says which scenes are combined. In the
/// manner of the sleep phase of wake-sleep (Hinton, Dayan, Frey & Neal 1995), with the data's own ink instead of dreams.
[<RequireQualifiedAccess>]
module AirRecombination =
    /// Pairs of scenes to be laid on each other, at most m. Those in which one object was inferred, and a second is no likelier
    /// than the doubt, stand in a circle: each is paired with the next, then each with the next but one, and so on, where the
    /// two fit, until it has as many partners as the rule allows.
    /// present : cumulative presence of each step, [T] a scene.
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

    // The largest share of the fainter scene's squared ink that lies on the other's, where their ink doesn't meet: restored
    // scenes are nowhere quite black.
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

    /// m scenes from images [b, D] and the cumulative presence that was inferred from them [b, T]. No gradient passes.
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

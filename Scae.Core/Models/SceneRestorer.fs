namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// A network that draws a scene without its lighting. Two convolutions halve the picture, two transposed ones double it
/// again, and those between keep its size. There are c channels at half of the resolution and 2c at a quarter; k is 4 where
/// a side is even and 3 where it is odd.
type SceneRestorer =
    {
        /// [c, 1, k, k].
        First: Convolution
        /// [c, c, 3, 3].
        Fine: Convolution
        /// [2c, c, k, k].
        Second: Convolution
        /// [2c, 2c, 3, 3] each.
        Coarse: Convolution[]
        /// Transposed: [2c, c, k, k].
        Widening: Convolution
        /// Transposed: [c, 1, k, k].
        Last: Convolution
        /// What lighting adds to a pixel on average, [1].
        Offset: Tensor
    }

/// Scenes without their lighting, learned from pairs of the same scene in two lights. Nobody says which part of a picture is
/// lighting. The network predicts the scene in the second light, which is drawn independently of the first, so the
/// prediction can't know it. The prediction of least squared error is then the mean over lights: the scene at its mean
/// contrast, plus a constant (as Lehtinen et al. 2018, "Noise2Noise", learn to denoise without clean pictures).
[<RequireQualifiedAccess>]
module SceneRestorer =
    // Together they see 44 pixels, most of a canvas.
    [<Literal>]
    let private CoarseLayers = 3

    // The picture starts dark, so that the offset, not the picture, takes up what lighting adds on average. A grey picture would
    // be explained as an object as large as the canvas.
    [<Literal>]
    let private DarkBias = -6.0

    // What a white pixel costs beside squared errors. It keeps the picture dark, and makes ink fainter by half of this.
    [<Literal>]
    let private InkCost = 0.02

    let private halved (side: int) = (side + 1) / 2

    let private kernel (side: int) = if side % 2 = 0 then 4 else 3

    /// Parameters for scenes of canvas² pixels, drawn from a key, with He's deviation; the last layer has a tenth of it.
    let init (canvas: int) (channels: int) (dtype: Dtype) (key: Key) : SceneRestorer =
        let c, k, k' = channels, kernel canvas, kernel (halved canvas)

        let layer inputs outputs size (name: string) = Convolution.he size inputs outputs dtype (key.Named name)

        // A pixel of the doubled picture sees a quarter of each channel's filter.
        let transposed gain inputs outputs size (name: string) : Convolution =
            let fanIn = inputs * size * size / 4

            {
                Filters = Initialization.he gain fanIn dtype [ inputs; outputs; size; size ] (key.Named name)
                Bias = Tensor.zeros ([| outputs |], dtype)
            }

        let last = transposed 0.1 c 1 k "last"

        {
            First = layer 1 c k "first"
            Fine = layer c c 3 "fine"
            Second = layer c (2 * c) k' "second"
            Coarse = Array.init CoarseLayers (fun i -> layer (2 * c) (2 * c) 3 $"coarse {i}")
            Widening = transposed 1.0 (2 * c) c k' "widening"
            Last = { last with Bias = last.Bias.fullLike DarkBias }
            Offset = Tensor.zeros ([| 1 |], dtype)
        }

    let private doubled (layer: Convolution) (x: Tensor) : Tensor =
        (x.convTranspose2d (layer.Filters, 2, 1)) + layer.Bias.view (1, -1, 1, 1)

    /// Scenes [b, canvas²] without their lighting, [b, canvas²] in (0, 1).
    let restore (canvas: int) (restorer: SceneRestorer) (scenes: Tensor) : Tensor =
        let fine =
            scenes.view (-1, 1, canvas, canvas)
            |> Convolution.rectifiedWithin 1 2 restorer.First
            |> Convolution.rectifiedWithin 1 1 restorer.Fine

        let coarse =
            (Convolution.rectifiedWithin 1 2 restorer.Second fine, restorer.Coarse)
            ||> Array.fold (fun x layer -> x + Convolution.rectifiedWithin 1 1 layer x)

        ((doubled restorer.Widening coarse + fine).relu() |> doubled restorer.Last).sigmoid().flatten 1

    /// Σ(restored + offset − target)² + 0.02·Σ restored, [b]. Both inputs are [b, D]; the target is the same scene in another
    /// light or in none.
    let error (restorer: SceneRestorer) (restored: Tensor) (target: Tensor) : Tensor =
        let difference = restored + restorer.Offset - target
        (difference * difference + InkCost * restored).sum 1

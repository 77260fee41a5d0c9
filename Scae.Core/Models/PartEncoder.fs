namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// From images to parts: four convolutions, a bias for each channel and place, and a linear layer that is applied at each
/// place.
type PartEncoder =
    {
        Convolutions: Convolution[]
        /// [channels, e, e], e the side after the convolutions.
        Position: Tensor
        /// [channels, M·(6 + features + 1) + M]: the numbers of one part after the other, then an attention logit for each part.
        Head: Linear
    }

/// What is inferred of the parts of images.
type Parts =
    {
        /// From template to canvas, [b, M, 6]: see Pose.
        Poses: Tensor
        /// z_m, [b, M, features].
        Features: Tensor
        /// d_m, [b, M] in (0, 1).
        Presence: Tensor
    }

/// The encoder of part capsules (Kosiorek et al. 2019, §2.2; sizes and initialisation are the released program's).
[<RequireQualifiedAccess>]
module PartEncoder =
    /// The convolutions' strides.
    let internal strides = [| 2; 2; 1; 1 |]

    [<Literal>]
    let private Size = 3

    /// The side of the canvas after the convolutions: 40 becomes 5, 28 becomes 2.
    let side (config: ScaeConfig) : int =
        (config.Canvas, strides) ||> Array.fold (fun side stride -> Convolution.side Size stride side)

    /// Parameters drawn from a key.
    let init (config: ScaeConfig) (dtype: Dtype) (key: Key) : PartEncoder =
        let c, e = config.Channels, side config
        let outputs = config.Parts * (ScaeConfig.partOutputs config + 1)

        {
            Convolutions =
                strides
                |> Array.mapi (fun i _ ->
                    Convolution.init Size (if i = 0 then 1 else c) c dtype ((key.Named "convolution").Fold(int64 i)))
            Position = Initialization.glorot (e * (e + c)) dtype [ c; e; e ] (key.Named "position")
            Head = Linear.truncated c outputs dtype (key.Named "head")
        }

    /// Images [b, 1, canvas, canvas] and noise on the logits of presence [b, M] → parts.
    let forward (config: ScaeConfig) (model: PartEncoder) (noise: Tensor) (images: Tensor) : Parts =
        let h =
            (images, Array.zip strides model.Convolutions)
            ||> Array.fold (fun h (stride, layer) -> Convolution.rectified stride layer h)

        let places = (h + model.Position).flatten 2
        let n, features = ScaeConfig.partOutputs config, config.Features
        let parts = PartPooling.pool config.Pooling config.Parts model.Head places
        let logits = parts.select (2, n - 1)

        {
            Poses = Pose.ofRaw PoseKind.Affine (parts.slice (2, 0, 6))
            Features = parts.slice (2, 6, 6 + features)
            Presence = (logits + noise).sigmoid()
        }

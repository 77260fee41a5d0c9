namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers
open Scae.Core.Data

/// Sizes of the set-transformer capsule autoencoder, in the symbols of its published small program.
type ConstellationCapsulesConfig =
    {
        Templates: Template list
        [<Setting("D, width of a point's embedding", Min = 1.0, Max = 4096.0)>]
        Width: int
        [<Setting("F, width of the feed-forward layer", Min = 1.0, Max = 65536.0)>]
        Hidden: int
        [<Setting("attention heads; must divide the width", Min = 1.0)>]
        Heads: int
        [<Setting("weights have deviation gain·√(2 / inputs)", Min = 0.0)>]
        Gain: float
    }

/// The parameters: 12,708 numbers at the published sizes.
type ConstellationCapsules =
    {
        /// W_in [2, D], b_in.
        Embedding: Linear
        /// W_q, W_k, W_v, W_o.
        SelfAttention: Attention
        /// W_f1 [D, F], b_f1.
        Hidden: Linear
        /// W_f2 [F, D], b_f2.
        Back: Linear
        /// S [K, D], W_qp, W_kp, W_vp, W_op.
        Pooling: Pooling
        /// W_dec [D, 4], b_dec.
        Pose: Linear
    }

/// A set encoder that names no point's place in the order, and capsules that each draw one known template (the
/// published small program after Kosiorek et al. 2019, "Stacked Capsule Autoencoders", §4.1).
[<RequireQualifiedAccess>]
module ConstellationCapsules =
    /// The published sizes: D = 32, F = 64, one head, half of He's deviation.
    let published: ConstellationCapsulesConfig =
        {
            Templates = Template.published
            Width = 32
            Hidden = 64
            Heads = 1
            Gain = 0.5
        }

    /// Parameters drawn from a key.
    let init (config: ConstellationCapsulesConfig) (dtype: Dtype) (key: Key) : ConstellationCapsules =
        let { Width = d; Hidden = f; Gain = gain } = config

        {
            Embedding = Linear.init gain 2 d dtype (key.Named "embedding")
            SelfAttention = Attention.init gain d dtype (key.Named "self-attention")
            Hidden = Linear.init gain d f dtype (key.Named "hidden")
            Back = Linear.init gain f d dtype (key.Named "back")
            Pooling = Pooling.init gain config.Templates.Length d dtype (key.Named "pooling")
            Pose = Linear.init gain d 4 dtype (key.Named "pose")
        }

    /// h ← x·W_in + b_in; h ← h + attention(h); h ← h + relu(h·W_f1 + b_f1)·W_f2 + b_f2: points [b, n, 2] → [b, n, D],
    /// equivariant to their order.
    let embed (config: ConstellationCapsulesConfig) (model: ConstellationCapsules) (points: Tensor) : Tensor =
        let h = Linear.forward model.Embedding points
        let h = Attention.selfResidual config.Heads model.SelfAttention h

        h + (h |> Linear.activated Activation.Relu model.Hidden |> Linear.forward model.Back)

    /// The pose (log s, θ, t_x, t_y) of every capsule, [b, n, 2] → [b, K, 4], and how each capsule's attention weighs the
    /// points, [b, heads, K, n]. Invariant to the order of the points.
    let encode (config: ConstellationCapsulesConfig) (model: ConstellationCapsules) (points: Tensor) : Tensor * Tensor =
        let pooled, weights = embed config model points |> Pooling.forward config.Heads model.Pooling

        Linear.forward model.Pose pooled, weights

    /// The constant [4·K, 2·M] that maps (s·cos θ, s·sin θ, t_x, t_y) of each capsule to the points of its template:
    /// a similarity transform is linear in these four.
    let private basis (templates: Template list) (dtype: Dtype) : Tensor =
        let columns = 2 * Template.pointCount templates
        let entries = Array.zeroCreate (4 * templates.Length * columns)
        let mutable m = 0

        templates
        |> List.iteri (fun k template ->
            for struct (x, y) in template.Points do
                let set row column value = entries[(4 * k + row) * columns + column] <- value

                set 0 (2 * m) x
                set 1 (2 * m) -y
                set 2 (2 * m) 1.0
                set 0 (2 * m + 1) y
                set 1 (2 * m + 1) x
                set 3 (2 * m + 1) 1.0
                m <- m + 1)

        (Tensor.``of`` (entries, 4 * templates.Length, columns)).cast dtype

    /// Capsule k draws template k: s·R(θ)·p + t for each of its points; poses [b, K, 4] → [b, M, 2].
    let decode (templates: Template list) (poses: Tensor) : Tensor =
        let scale = (poses.slice (2, 0, 1)).exp()
        let angle = poses.slice (2, 1, 2)
        let translation = poses.slice (2, 2, 4)

        Tensor
            .cat([| scale * angle.cos (); scale * angle.sin (); translation |], 2)
            .flatten(1)
            .matmul(basis templates poses.dtype)
            .unflatten(1, -1, 2)

    /// Points [b, n, 2] → the points that the capsules draw, [b, M, 2].
    let reconstruct (config: ConstellationCapsulesConfig) (model: ConstellationCapsules) (points: Tensor) : Tensor =
        encode config model points |> fst |> decode config.Templates

    /// The symmetric Chamfer distance between drawn and given points, averaged over the batch; a scalar.
    let loss (config: ConstellationCapsulesConfig) (model: ConstellationCapsules) (points: Tensor) : Tensor =
        (reconstruct config model points).chamfer(points).mean()

    /// For each given point the capsule that drew the nearest point: decoded [b, M, 2], points [b, n, 2] → b·n indices.
    let assign (templates: Template list) (decoded: Tensor) (points: Tensor) : int[] =
        let owner = Template.owners templates
        (points.nearest decoded).toArray<int>() |> Array.map (fun m -> owner[m])

namespace Scae.Core.Layers

open Scae.Tensors

/// Sizes of a set transformer.
type SetTransformerConfig =
    {
        /// Numbers a point.
        Inputs: int
        /// d, the width of the blocks; the feed-forward layers have twice as many.
        Width: int
        Layers: int
        Heads: int
        /// Numbers that come out for each seed.
        Outputs: int
        /// How many vectors come out.
        Seeds: int
        LayerNorm: bool
        Mask: SetMask
    }

/// Attention and a feed-forward layer, each with a layer norm behind it, or none.
type SetBlock =
    {
        Attention: MaskedAttention
        AttentionNorm: LayerNorm option
        Hidden: Linear
        Back: Linear
        BackNorm: LayerNorm option
    }

/// From a set to one vector a seed.
type SetTransformer =
    {
        Embedding: Linear
        Blocks: SetBlock[]
        Projection: Linear
        /// [seeds, outputs].
        Seeds: Tensor
        Pooling: MaskedAttention
    }

/// The set transformer of stacked capsule autoencoders (Lee et al. 2019; the released program of Kosiorek et al. 2019), over
/// points that are present to a degree. Invariant to the order of the points; absent points have no influence.
[<RequireQualifiedAccess>]
module SetTransformer =
    let private initBlock (config: SetTransformerConfig) (dtype: Dtype) (key: Key) : SetBlock =
        let d = config.Width

        let norm () =
            if config.LayerNorm then
                Some(LayerNorm.init d dtype)
            else
                None

        {
            Attention = MaskedAttention.init config.Heads d d d dtype (key.Named "attention")
            AttentionNorm = norm ()
            Hidden = Linear.truncated d (2 * d) dtype (key.Named "hidden")
            Back = Linear.truncated (2 * d) d dtype (key.Named "back")
            BackNorm = norm ()
        }

    /// Parameters drawn from a key: weights truncated normal by fan-in, biases 0, seeds Glorot-uniform.
    let init (config: SetTransformerConfig) (dtype: Dtype) (key: Key) : SetTransformer =
        let d, out = config.Width, config.Outputs

        {
            Embedding = Linear.truncated config.Inputs d dtype (key.Named "embedding")
            Blocks = Array.init config.Layers (fun l -> initBlock config dtype ((key.Named "block").Fold(int64 l)))
            Projection = Linear.truncated d out dtype (key.Named "projection")
            Seeds = Initialization.glorot (config.Seeds + out) dtype [ config.Seeds; out ] (key.Named "seeds")
            Pooling = MaskedAttention.init config.Heads out out out dtype (key.Named "pooling")
        }

    /// y = norm(presence · (attention(h) + h)); h ← norm(y + relu(y·W₁ + b₁)·W₂ + b₂).
    let private block (config: SetTransformerConfig) (block: SetBlock) (presence: Tensor) (h: Tensor) : Tensor =
        let seen = MaskedAttention.attend config.Mask config.Heads block.Attention h h presence
        let y = (seen + h) * presence.unsqueeze 2 |> LayerNorm.forwardIf block.AttentionNorm

        y + (y |> Linear.activated Activation.Relu block.Hidden |> Linear.forward block.Back)
        |> LayerNorm.forwardIf block.BackNorm

    /// Points x [b, n, inputs] with presence [b, n] in [0, 1] → [b, seeds, outputs]. Raises ShapeError when sizes differ.
    let forward (config: SetTransformerConfig) (model: SetTransformer) (x: Tensor) (presence: Tensor) : Tensor =
        let h =
            (Linear.forward model.Embedding x, model.Blocks)
            ||> Array.fold (fun h layer -> block config layer presence h)

        let z = Linear.forward model.Projection h
        MaskedAttention.attend config.Mask config.Heads model.Pooling model.Seeds z presence

namespace Scae.Core.Layers

open Scae.Tensors

/// Sizes of a set transformer.
type SetTransformerConfig =
    {
        /// How many numbers a point has.
        Inputs: int
        /// d, the width of the blocks; the feed-forward layers have twice as many.
        Width: int
        Layers: int
        Heads: int
        /// How many numbers the result has for each seed.
        Outputs: int
        /// How many vectors the result has.
        Seeds: int
        LayerNorm: bool
        Mask: SetMask
    }

/// Attention and a feed-forward layer, each followed by a layer norm, or none.
type SetBlock =
    {
        Attention: MaskedAttention
        AttentionNorm: LayerNorm option
        Hidden: Linear
        Back: Linear
        BackNorm: LayerNorm option
    }

/// Maps a set to one vector per seed.
type SetTransformer =
    {
        Embedding: Linear
        Blocks: SetBlock[]
        Projection: Linear
        /// [seeds, outputs].
        Seeds: Tensor
        Pooling: MaskedAttention
    }

/// The set transformer of stacked capsule autoencoders (Lee et al. 2019; the released program of Kosiorek et al.
/// 2019), over points that are present to a degree. It is invariant to the order of the points. Absent points have no
/// influence, except with SetMask.None.
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

    /// y = norm(told); returns norm(y + relu(y·W₁ + b₁)·W₂ + b₂).
    let private digest (block: SetBlock) (told: Tensor) : Tensor =
        let y = told |> LayerNorm.forwardIf block.AttentionNorm

        y + (y |> Linear.activated Activation.Relu block.Hidden |> Linear.forward block.Back)
        |> LayerNorm.forwardIf block.BackNorm

    /// h ← digest(presence · (attention(h) + h)).
    let private block (config: SetTransformerConfig) (block: SetBlock) (presence: Tensor) (h: Tensor) : Tensor =
        let seen = MaskedAttention.attend config.Mask config.Heads block.Attention h h presence
        (seen + h) * presence.unsqueeze 2 |> digest block

    /// The pooling's queries in terms of the blocks' points, [seeds, heads·d], and the layer from what they see,
    /// [b, seeds, heads·d], to the outputs. With the projection P, a head's scores are (q·W_kᵀ·Pᵀ)·h. Since weights
    /// sum to 1, what a head sees of projected points is the projection of what it sees of h. The scores lack a
    /// constant, which doesn't change the softmax.
    let private questions (config: SetTransformerConfig) (model: SetTransformer) : Tensor * Linear =
        let { Projection = projection; Pooling = pooling } = model
        let share = pooling.Key.Weight.shape[1] / config.Heads
        let byHead (axis: int) (x: Tensor) = x.unflatten (axis, [| config.Heads; share |])
        let queries = (Linear.forward pooling.Query model.Seeds |> byHead 1).transpose(0, 1)
        let keys = (projection.Weight.matmul pooling.Key.Weight |> byHead 1).permute(1, 2, 0)
        let values = (projection.Weight.matmul pooling.Value.Weight |> byHead 1).transpose(0, 1)
        let asked = (queries.matmul keys).transpose(0, 1).flatten 1

        // Attention will divide scores by √d, the root of the width that it sees; the projected points have another
        // width.
        asked * sqrt (float config.Width / float share),
        {
            Weight = (values.matmul (byHead 0 pooling.Output.Weight)).flatten(0, 1)
            Bias = Linear.forward pooling.Output (Linear.forward pooling.Value projection.Bias)
        }

    /// The blocks' points [b, n, d].
    let private blocks (config: SetTransformerConfig) (model: SetTransformer) (x: Tensor) (presence: Tensor) : Tensor =
        (Linear.forward model.Embedding x, model.Blocks)
        ||> Array.fold (fun h layer -> block config layer presence h)

    /// The same for presences of 0 or 1. An absent point isn't attended to, and a block maps it to what it makes of
    /// zeros, so no time is spent on it.
    let private blocksOfPresent
        (config: SetTransformerConfig)
        (model: SetTransformer)
        (x: Tensor)
        (presence: Tensor)
        : Tensor =
        let block (h: Tensor) (block: SetBlock) =
            MaskedAttention.amongPresent config.Heads block.Attention h + h |> digest block

        let h = (Linear.forward model.Embedding (x.pack presence), model.Blocks) ||> Array.fold block
        let absent = Tensor.zeros ([| config.Width |], x.dtype) |> digest (Array.last model.Blocks)
        h.unpack absent

    let private poolOver
        (config: SetTransformerConfig)
        (model: SetTransformer)
        (h: Tensor)
        (presence: Tensor)
        : Tensor * Linear =
        let asked, layer = questions config model

        let points =
            if config.Heads = 1 then
                h
            else
                Tensor.cat (Array.replicate config.Heads h, 2)

        MaskedAttention.see config.Mask config.Heads asked points points presence, layer

    /// What each seed sees of points x [b, n, inputs] with presence [b, n] in [0, 1], [b, seeds, heads·d], and the
    /// linear layer from there to the outputs. A caller whose next layer is linear can merge the two and never
    /// compute the outputs. Raises ShapeError if sizes differ.
    let pool (config: SetTransformerConfig) (model: SetTransformer) (x: Tensor) (presence: Tensor) : Tensor * Linear =
        poolOver config model (blocks config model x presence) presence

    /// The same as pool for presences of 0 or 1, which get no gradient from the blocks. Absent points cost next to
    /// nothing.
    let poolPresent
        (config: SetTransformerConfig)
        (model: SetTransformer)
        (x: Tensor)
        (presence: Tensor)
        : Tensor * Linear =
        // Without a mask, absent points are attended to. Without blocks, nothing maps them to what is made of zeros.
        let h =
            if config.Mask.IsNone || config.Layers = 0 then
                blocks config model x presence
            else
                blocksOfPresent config model x presence

        poolOver config model h presence

    /// Points x [b, n, inputs] with presence [b, n] in [0, 1] → [b, seeds, outputs]. Raises ShapeError when sizes differ.
    let forward (config: SetTransformerConfig) (model: SetTransformer) (x: Tensor) (presence: Tensor) : Tensor =
        let seen, layer = pool config model x presence
        Linear.forward layer seen

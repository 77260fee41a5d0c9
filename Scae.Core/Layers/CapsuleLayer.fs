namespace Scae.Core.Layers

open Scae.Tensors

/// Sizes of a capsule layer.
type CapsuleLayerConfig =
    {
        /// How many numbers each capsule gets as input.
        Inputs: int
        /// K.
        Capsules: int
        /// V, the votes of a capsule.
        Votes: int
        /// Units of the two hidden layers.
        Hidden: int
        /// How many numbers a capsule's parameters are compressed to.
        Code: int
        Kind: PoseKind
    }

/// The parameters of K capsules that share none.
type CapsuleLayer =
    {
        Encode: CapsuleLinear
        Code: CapsuleLinear
        Decode: CapsuleLinear
        /// Without a bias. Its outputs get the biases below, except those for the votes' own poses.
        Output: CapsuleLinear
        /// [K, 6], the bias of OV.
        PoseBias: Tensor
        /// [K, 1].
        PresenceBias: Tensor
        /// [K, V].
        VoteBias: Tensor
        /// [K, V].
        ScaleBias: Tensor
        /// [K, V, 6], the part of OP that doesn't depend on the input.
        StaticVotes: Tensor
    }

/// The outputs of capsules.
type CapsuleVotes =
    {
        /// OV_k·OP_kv, [b, K, V, 6]: see Pose.
        Poses: Tensor
        /// l_k with noise, [b, K].
        Logits: Tensor
        /// a_k = σ(l_k), [b, K].
        Presence: Tensor
        /// a_kv = a_k·σ(l_kv), [b, K, V].
        VotePresence: Tensor
        /// s_kv, [b, K, V], at least 0.01.
        Scales: Tensor
        /// R = ½ Σ(dynamic part of OP)² / b over all raw numbers, whether they are used or not; a scalar.
        DynamicPenalty: Tensor
    }

/// Capsules that each predict where their V parts should be (Kosiorek et al. 2019; the details are the released
/// program's).
[<RequireQualifiedAccess>]
module CapsuleLayer =
    /// How the raw numbers of a capsule are divided: V poses, its own pose, its presence, V presences and V scales.
    let private widths (config: CapsuleLayerConfig) : int[] =
        let v = config.Votes
        [| 6 * v; 6; 1; v; v |]

    /// How many raw numbers a capsule has.
    let outputs (config: CapsuleLayerConfig) : int = Array.sum (widths config)

    /// Which of them is the logit of its presence.
    let internal presenceAt (config: CapsuleLayerConfig) : int =
        let widths = widths config
        widths[0] + widths[1]

    /// Weights truncated normal by fan-in, biases 0, static votes Glorot-uniform.
    let init (config: CapsuleLayerConfig) (dtype: Dtype) (key: Key) : CapsuleLayer =
        let { Capsules = k; Votes = v } = config
        let layer (name: string) biased i o = CapsuleLinear.init biased k i o dtype (key.Named name)
        let zeros (n: int) = Tensor.zeros ([| k; n |], dtype)

        {
            Encode = layer "encode" true config.Inputs config.Hidden
            Code = layer "code" true config.Hidden config.Code
            Decode = layer "decode" true (config.Code + 1) config.Hidden
            Output = layer "output" false config.Hidden (outputs config)
            PoseBias = zeros 6
            PresenceBias = zeros 1
            VoteBias = zeros v
            ScaleBias = zeros v
            StaticVotes = Initialization.glorot (k * (v + 6)) dtype [ k; v; 6 ] (key.Named "static")
        }

    /// Merges a linear layer before the capsules into them: the result takes the linear layer's input. This saves
    /// each capsule a product, and its remaining first product is narrower.
    let after (first: Linear) (model: CapsuleLayer) : CapsuleLayer =
        { model with Encode = CapsuleLinear.after first model.Encode }

    // softplus(raw + ½) + 0.01 is 0.984 at raw 0.
    let private scales (raw: Tensor) = (raw + 0.5).softplus() + 0.01

    /// The layer's raw numbers, [b, K, inputs] → [b, K, 8V + 7].
    let raw (model: CapsuleLayer) (h: Tensor) : Tensor =
        let code = h |> CapsuleLinear.activated Activation.Relu model.Encode |> CapsuleLinear.forward model.Code

        // The input "the capsule exists". The released program can drop capsules, and signals it here.
        let exists = Tensor.ones ([| code.shape[0]; code.shape[1]; 1 |], code.dtype)

        Tensor.cat ([| code; exists |], 2)
        |> CapsuleLinear.activated Activation.Relu model.Decode
        |> CapsuleLinear.forward model.Output

    /// The capsules' outputs for inputs h [b, K, inputs]. Noise [b, K, 1] and [b, K, V] is added to the logits of
    /// capsules and votes (the released program draws it from U(−2, 2), in evaluation, too).
    let forward
        (config: CapsuleLayerConfig)
        (model: CapsuleLayer)
        (capsuleNoise: Tensor)
        (voteNoise: Tensor)
        (h: Tensor)
        : CapsuleVotes =
        let raw = raw model h
        let parts = raw.split (widths config, 2)
        let dynamic = parts[0]
        let logits = parts[2] + model.PresenceBias + capsuleNoise
        let voteLogits = parts[3] + model.VoteBias + voteNoise
        let presence = logits.sigmoid ()

        {
            Poses = raw.votePoses (model.StaticVotes, model.PoseBias, config.Kind.IsSimilarity)
            Logits = logits.squeeze 2
            Presence = presence.squeeze 2
            VotePresence = presence * voteLogits.sigmoid ()
            Scales = scales (parts[4] + model.ScaleBias)
            DynamicPenalty = (dynamic * dynamic).sum() * (0.5 / float h.shape[0])
        }

namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Losses

/// The sizes and weights of a constellation capsule autoencoder.
type CcaeConfig =
    {
        [<Setting("K, object capsules", Min = 1.0, Max = 4096.0)>]
        Objects: int
        [<Setting("V, votes of a capsule", Min = 1.0, Max = 4096.0)>]
        Votes: int
        [<Setting("width of the set transformer", Min = 1.0, Max = 1024.0)>]
        Width: int
        [<Setting("blocks of the set transformer", Min = 0.0, Max = 16.0)>]
        Layers: int
        [<Setting("heads of the set transformer", Min = 1.0)>]
        Heads: int
        [<Setting("numbers that a capsule is told", Min = 1.0, Max = 1024.0)>]
        SetOutputs: int
        [<Setting("layer norm in the set transformer")>]
        LayerNorm: bool
        [<Setting("how presence counts in attention")>]
        Mask: SetMask
        [<Setting("hidden units of a capsule's layers", Min = 1.0, Max = 1024.0)>]
        CapsuleHidden: int
        [<Setting("numbers to which a capsule's parameters are compressed", Min = 1.0, Max = 1024.0)>]
        CapsuleCode: int
        [<Setting("weight of the dynamic penalty", Min = 0.0)>]
        DynamicWeight: float
        [<Setting("weight of the sparsity of wins", Min = 0.0)>]
        WinWeight: float
        [<Setting("weight of the prior's sparsity within examples", Min = 0.0)>]
        PriorWithin: float
        [<Setting("weight of the prior's spread over the batch", Min = 0.0)>]
        PriorBetween: float
        [<Setting("whether the prior's sparsity counts votes, without gradient, as the released program does")>]
        CountedPrior: bool
    }

/// A constellation capsule autoencoder.
type Ccae = { Set: SetTransformer; Capsules: CapsuleLayer }

/// Scenes and the noise of a step.
type CcaeBatch =
    {
        /// [b, n, 2].
        Points: Tensor
        /// 1 for a point that is there, else 0; [b, n].
        Presence: Tensor
        /// Added to the logits of capsules, [b, K, 1].
        CapsuleNoise: Tensor
        /// Added to the logits of votes, [b, K, V].
        VoteNoise: Tensor
    }

/// How votes explain points.
type PointExplanation =
    {
        Votes: CapsuleVotes
        /// Logarithm of mixing weight times density of each vote for each point, [b, n, K, V].
        Joint: Tensor
        /// ln p(x_i), [b, n].
        LogLikelihood: Tensor
    }

/// The points that K capsules with V votes each draw in b scenes.
type DrawnVotes =
    {
        /// Where they lie, [b, K, V, 2].
        Places: Tensor
        /// Their deviations, [b, K, V].
        Scales: Tensor
        /// How much each is there, [b, K, V].
        Presence: Tensor
    }

/// How capsules explain scenes of n slots each.
type CcaeReading =
    {
        Scenes: PatternScenes
        /// The capsule that explains each slot best, [b · n].
        Owners: int[]
        /// The probability that each capsule is there, [b · K].
        Presence: float[]
        /// ln p of each scene's present points, nats.
        LogLikelihood: float[]
        Votes: DrawnVotes
    }

    /// K, the number of capsules.
    member this.Capsules: int = this.Votes.Places.shape[1]

/// The loss with its terms by name, scalars.
type CcaeLoss = { Total: Tensor; Terms: (string * Tensor) list }

/// Constellation capsule autoencoders (Kosiorek et al. 2019, §2.1; the details are the released program's).
[<RequireQualifiedAccess>]
module Ccae =
    /// The released configuration.
    let paper: CcaeConfig =
        {
            Objects = 3
            Votes = 4
            Width = 128
            Layers = 4
            Heads = 4
            SetOutputs = 32
            LayerNorm = true
            Mask = SetMask.Hard
            CapsuleHidden = 128
            CapsuleCode = 32
            DynamicWeight = 10.0
            WinWeight = 10.0
            PriorWithin = 1.0
            PriorBetween = 1.0
            CountedPrior = true
        }

    /// Sizes of the set transformer.
    let set (config: CcaeConfig) : SetTransformerConfig =
        {
            Inputs = 2
            Width = config.Width
            Layers = config.Layers
            Heads = config.Heads
            Outputs = config.SetOutputs
            Seeds = config.Objects
            LayerNorm = config.LayerNorm
            Mask = config.Mask
        }

    /// Sizes of the capsules.
    let capsules (config: CcaeConfig) : CapsuleLayerConfig =
        {
            Inputs = config.SetOutputs
            Capsules = config.Objects
            Votes = config.Votes
            Hidden = config.CapsuleHidden
            Code = config.CapsuleCode
            Kind = PoseKind.Similarity
        }

    /// Parameters drawn from a key.
    let init (config: CcaeConfig) (dtype: Dtype) (key: Key) : Ccae =
        {
            Set = SetTransformer.init (set config) dtype (key.Named "set")
            Capsules = CapsuleLayer.init (capsules config) dtype (key.Named "capsules")
        }

    /// Room for scenes of n points, all zeros: no noise.
    let allocate (config: CcaeConfig) (points: int) (count: int) : CcaeBatch =
        {
            Points = Tensor.zeros [| count; points; 2 |]
            Presence = Tensor.zeros [| count; points |]
            CapsuleNoise = Tensor.zeros [| count; config.Objects; 1 |]
            VoteNoise = Tensor.zeros [| count; config.Objects; config.Votes |]
        }

    /// Noise U(−reach, reach) in place; a pure function of the key.
    let fillNoise (reach: float) (key: Key) (batch: CcaeBatch) : unit =
        let fill (name: string) (tensor: Tensor) =
            (key.Named name).FillUniform(tensor.Elements<float32>(), float32 -reach, float32 reach)

        fill "capsule" batch.CapsuleNoise
        fill "vote" batch.VoteNoise

    /// The capsules' votes for the points of scenes.
    let vote (config: CcaeConfig) (model: Ccae) (batch: CcaeBatch) : CapsuleVotes =
        let seen, layer = SetTransformer.poolPresent (set config) model.Set batch.Points batch.Presence
        let layer = CapsuleLayer.after layer model.Capsules
        CapsuleLayer.forward (capsules config) layer batch.CapsuleNoise batch.VoteNoise seen

    // The logarithm of both the density and the mixing weight of the dummy, which explains the points that no vote explains.
    let private dummy = -2.0 * log 10.0

    /// The mixture of all votes and a dummy over points [b, n, 2]. Mixing weights are normalised, and the same for every
    /// point.
    let explain (points: Tensor) (votes: CapsuleVotes) : PointExplanation =
        let b, n = points.shape[0], points.shape[1]
        let k, v = votes.Scales.shape[1], votes.Scales.shape[2]
        let means = (Pose.origin votes.Poses).view(b, 1, k * v, 2)
        let scales = votes.Scales.view (b, 1, k * v, 1)
        let density = ((points.unsqueeze 2).gaussianLogLikelihood(means, scales)).sum 3
        let logits = (Logarithm.safe votes.VotePresence).view(b, k * v)
        let constant shape = Tensor.full (shape, dummy, points.dtype)
        let mixing = (Tensor.cat ([| logits; constant [| b; 1 |] |], 1)).logsoftmax 1

        let joint = Tensor.cat ([| density; constant [| b; n; 1 |] |], 2) + mixing.unsqueeze 1

        {
            Votes = votes
            Joint = (joint.slice (2, 0, k * v)).unflatten(2, [| k; v |])
            LogLikelihood = joint.logsumexp 2
        }

    /// The capsule whose vote explains each point best, [b, n] as Int32. The dummy is left out, so every point has a capsule.
    let winner (explanation: PointExplanation) : Tensor = (explanation.Joint.max 3).argmax 2

    /// How many present points each capsule wins, [b, K].
    let private wins (presence: Tensor) (explanation: PointExplanation) : Tensor =
        let k = explanation.Joint.shape[2]
        let won = (winner explanation).onehot(k, presence.dtype)
        (won * presence.unsqueeze 2).sum 1

    /// S, for capsules that win a point: the binary cross-entropy of a capsule's logit against whether it wins a second, summed
    /// over capsules and averaged over scenes. A capsule that wins one stray point is pushed off; one that wins nothing gets no
    /// signal.
    let winSparsity (presence: Tensor) (explanation: PointExplanation) : Tensor =
        let wins = wins presence explanation
        let entropy = -((wins.ge 2.0).bernoulliLogLikelihood explanation.Votes.Logits)
        ((entropy * wins.ge 1.0).sum 1).mean()

    // The program's count of classes.
    [<Literal>]
    let private Classes = 2

    // Votes above this count as present in the program's sparsity.
    [<Literal>]
    let private Counted = 0.01

    /// P_within and P_between, the sparsity of capsules' presence. The program replaces a vote's presence by whether it exceeds
    /// 0.01, which has no gradient.
    let priorSparsity (config: CcaeConfig) (votes: CapsuleVotes) : SparsityCost =
        let presence =
            if config.CountedPrior then
                votes.VotePresence.gt Counted
            else
                votes.VotePresence

        presence.max 2
        |> CapsuleSparsity.cost SparsityForm.Squares (float config.Objects / float Classes) Classes

    /// The loss of a batch, with the released weights −L + 10 R + 10 S + P_within + P_between. The last two have no gradient in
    /// the program.
    let loss (config: CcaeConfig) (model: Ccae) (batch: CcaeBatch) : CcaeLoss =
        let votes = vote config model batch
        let explanation = explain batch.Points votes
        let likelihood = ((batch.Presence * explanation.LogLikelihood).sum 1).mean()
        let wins = winSparsity batch.Presence explanation
        let prior = priorSparsity config votes

        {
            Total =
                config.DynamicWeight * votes.DynamicPenalty - likelihood
                + config.WinWeight * wins
                + config.PriorWithin * prior.Within
                + config.PriorBetween * prior.Between
            Terms =
                [
                    "likelihood", likelihood
                    "dynamic_penalty", votes.DynamicPenalty
                    "win_sparsity", wins
                    "prior_within", prior.Within
                    "prior_between", prior.Between
                ]
        }

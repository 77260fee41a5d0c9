namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Losses

/// A stacked capsule autoencoder of images.
type Scae =
    {
        Encoder: PartEncoder
        Decoder: PartDecoder
        Set: SetTransformer
        Capsules: CapsuleLayer
        /// [M, 6], the released program's pose of parts that no capsule explains. Nothing reads it; it is here for the number of
        /// parameters and for checkpoints.
        Dummy: Tensor
        /// From the capsules' presence to classes. The probe learns, but nothing learns from it (unless ProbesTeach).
        PriorProbe: Linear
        /// From explained mass to classes, likewise.
        PosteriorProbe: Linear
    }

/// Images with their classes, which only the probes see, and the noise of a step.
type ScaeBatch =
    {
        /// [b, 1, canvas, canvas] in [0, 1].
        Images: Tensor
        /// One-hot, [b, 10].
        Classes: Tensor
        /// Noise on the logits of parts [b, M], capsules [b, K, 1] and votes [b, K, M]; U(−2, 2) in the program, 0 for none.
        PartNoise: Tensor
        CapsuleNoise: Tensor
        VoteNoise: Tensor
        /// Power, balance and slack of the labels that views make for each other, [1] (see ViewLabels).
        Power: Tensor
        Balance: Tensor
        Slack: Tensor
    }

/// What is inferred of images.
type ScaeInference = { Parts: Parts; Objects: Objects }

/// The loss with its terms by name, scalars.
type ScaeLoss = { Total: Tensor; Terms: (string * Tensor) list; Inference: ScaeInference }

/// Stacked capsule autoencoders (Kosiorek, Sabour, Teh & Hinton 2019), as released: parts explain images, and objects explain
/// parts.
[<RequireQualifiedAccess>]
module Scae =
    /// Parameters drawn from a key.
    let init (config: ScaeConfig) (dtype: Dtype) (key: Key) : Scae =
        let probe (name: string) = Linear.truncated config.Objects ScaeConfig.Classes dtype (key.Named name)

        {
            Encoder = PartEncoder.init config dtype (key.Named "encoder")
            Decoder = PartDecoder.init config dtype (key.Named "decoder")
            Set = SetTransformer.init (ScaeConfig.set config) dtype (key.Named "set")
            Capsules = CapsuleLayer.init (ScaeConfig.capsules config) dtype (key.Named "capsules")
            Dummy = Initialization.glorot (config.Parts + 6) dtype [ config.Parts; 6 ] (key.Named "dummy")
            PriorProbe = probe "prior probe"
            PosteriorProbe = probe "posterior probe"
        }

    /// Room for a batch, all zeros, so that there is no noise; but the labels that views make for each other are balanced.
    let allocate (config: ScaeConfig) (count: int) : ScaeBatch =
        let { Parts = m; Objects = k; Canvas = side } = config

        {
            Images = Tensor.zeros [| count; 1; side; side |]
            Classes = Tensor.zeros [| count; ScaeConfig.Classes |]
            PartNoise = Tensor.zeros [| count; m |]
            CapsuleNoise = Tensor.zeros [| count; k; 1 |]
            VoteNoise = Tensor.zeros [| count; k; m |]
            Power = Tensor.zeros [| 1 |]
            Balance = Tensor.ones [| 1 |]
            Slack = Tensor.zeros [| 1 |]
        }

    /// Noise U(−reach, reach) in place; a pure function of the key.
    let fillNoise (reach: float) (key: Key) (batch: ScaeBatch) : unit =
        let fill (name: string) (tensor: Tensor) =
            (key.Named name).FillUniform(tensor.Elements<float32>(), float32 -reach, float32 reach)

        fill "part" batch.PartNoise
        fill "capsule" batch.CapsuleNoise
        fill "vote" batch.VoteNoise

    let private stopped (config: ScaeConfig) (x: Tensor) : Tensor = if config.StopGradients then x.noDiff () else x

    /// What object capsules are told of parts, [b, M, 144] at the paper's sizes: pose, 1 − presence, features, coloured template.
    /// Of these, the features alone carry gradients back (all do without StopGradients).
    let private told (config: ScaeConfig) (model: Scae) (parts: Parts) : Tensor =
        let template = PartDecoder.coloured config model.Decoder parts.Features
        let stopped = stopped config
        let absence = (1.0 - parts.Presence).unsqueeze 2

        Tensor.cat ([| stopped parts.Poses; stopped absence; parts.Features; stopped (template.flatten 2) |], 2)

    /// Parts and objects of a batch.
    let infer (config: ScaeConfig) (model: Scae) (batch: ScaeBatch) : ScaeInference =
        let parts = PartEncoder.forward config model.Encoder batch.PartNoise batch.Images
        let presence = stopped config parts.Presence

        let seen, layer =
            SetTransformer.pool (ScaeConfig.set config) model.Set (told config model parts) presence

        let capsules = CapsuleLayer.after layer model.Capsules

        let votes =
            CapsuleLayer.forward (ScaeConfig.capsules config) capsules batch.CapsuleNoise batch.VoteNoise seen

        {
            Parts = parts
            Objects = ObjectCapsules.explain (stopped config parts.Poses) votes
        }

    /// The probes' logits of classes, [b, 10]: of presence and of explained mass.
    let classify (config: ScaeConfig) (model: Scae) (objects: Objects) : Tensor * Tensor =
        let seen (x: Tensor) = if config.ProbesTeach then x else x.noDiff ()
        Linear.forward model.PriorProbe (seen objects.Prior), Linear.forward model.PosteriorProbe (seen objects.Mass)

    let private crossEntropy (classes: Tensor) (logits: Tensor) =
        (classes * logits.logsoftmax 1).sum() * (-1.0 / float classes.shape[0])

    /// The part of the loss that teaches object capsules, −w·OCAE + 10 R + the sparsity of posterior and prior, and its terms.
    let ofObjects (config: ScaeConfig) (inference: ScaeInference) : Tensor * (string * Tensor) list =
        let objects = inference.Objects
        let likelihood = ObjectCapsules.logLikelihood (stopped config inference.Parts.Presence) objects
        let sparsity form = CapsuleSparsity.cost form (ScaeConfig.active config) ScaeConfig.Classes
        let posterior = sparsity config.PosteriorForm objects.Mass
        let prior = sparsity config.PriorForm objects.Prior

        let total =
            config.DynamicWeight * objects.Votes.DynamicPenalty - config.ObjectWeight * likelihood
            + config.PosteriorWithin * posterior.Within
            + config.PosteriorBetween * posterior.Between
            + config.PriorWithin * prior.Within
            + config.PriorBetween * prior.Between

        let terms =
            [
                "part_likelihood", likelihood
                "dynamic_penalty", objects.Votes.DynamicPenalty
                "posterior_within", posterior.Within
                "posterior_between", posterior.Between
                "prior_within", prior.Within
                "prior_between", prior.Between
            ]

        total, terms

    /// The cost of two views of a digit that don't name the same capsule, from logits without noise; None where its weight is 0.
    let private agreement (config: ScaeConfig) (batch: ScaeBatch) (objects: Objects) : Tensor option =
        if config.Agreement = 0.0 then
            None
        else
            let logits = objects.Votes.Logits - batch.CapsuleNoise.squeeze 2

            let labels =
                {
                    Sharpness = config.Sharpness
                    Together = config.BalancedTogether
                    Power = batch.Power
                    Balance = batch.Balance
                    Slack = batch.Slack
                }

            Some(ViewAgreement.cost config.Views labels logits)

    /// The loss of a batch: −rec, plus `ofObjects`, the probes' cross-entropies and the weighed disagreement of views.
    let loss (config: ScaeConfig) (model: Scae) (batch: ScaeBatch) : ScaeLoss =
        let inference = infer config model batch

        let reconstruction =
            (PartDecoder.logLikelihood config model.Decoder inference.Parts batch.Images).mean()

        let ofObjects, terms = ofObjects config inference
        let ofPrior, ofPosterior = classify config model inference.Objects
        let probes = crossEntropy batch.Classes ofPrior + crossEntropy batch.Classes ofPosterior

        let total = ofObjects - reconstruction + probes
        let terms = ("reconstruction", reconstruction) :: terms @ [ "probes", probes ]

        match agreement config batch inference.Objects with
        | None -> { Total = total; Terms = terms; Inference = inference }
        | Some disagreement ->
            {
                Total = total + config.Agreement * disagreement
                Terms = terms @ [ "views", disagreement ]
                Inference = inference
            }

namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Losses

/// The negative evidence bound of attend-infer-repeat and its gradient.
[<RequireQualifiedAccess>]
module AirObjective =
    // Inferred probabilities are limited to [clip, 1 − clip] in KL terms, as the small program does.
    [<Literal>]
    let private Clip = 1e-6

    // Once this share of the places for recombined scenes is filled, the bound no longer needs to teach presence.
    [<Literal>]
    let private LeastFilled = 0.5

    /// KL(Bern(q) ‖ Bern(p)) of each step: q [b, T], p [T] in (0, 1) → [b, T].
    let presenceDivergence (q: Tensor) (p: Tensor) : Tensor =
        let q = q.clamp (Clip, 1.0 - Clip)
        q * (q.log () - p.log ()) + (1.0 - q) * ((1.0 - q).log() - (1.0 - p).log())

    /// The weighted KL term of each step's presence, [b, T].
    let private ofPresence (config: AirConfig) (q: Tensor) (batch: AirBatch) : Tensor =
        presenceDivergence q batch.Prior * config.PresenceWeight

    /// (1, v_1, …, v_{T−1}) for v [b, T]: the value before each step.
    let private before (v: Tensor) : Tensor =
        let t = v.shape[1]
        let ones = Tensor.ones ([| v.shape[0]; 1 |], v.dtype)

        if t = 1 then
            ones
        else
            Tensor.cat ([| ones; v.slice (1, 0, t - 1) |], 1)

    /// The weighted KL terms of the latents of each step, [b, T].
    let private latentDivergence (config: AirConfig) (inference: AirInference) : Tensor =
        match inference.WhereDivergence with
        | Some ofWhere -> config.WhatWeight * (inference.WhatDivergence + ofWhere)
        | None -> config.WhatWeight * inference.WhatDivergence

    /// −log p(x | z) up to a constant, [b]: Σ(x − y)² / 2σ² for drawn y [b, D].
    let private pixelCost (config: AirConfig) (x: Tensor) (drawn: Tensor) : Tensor =
        let difference = drawn - x
        (difference * difference).sum(1) * (0.5 / (config.Sigma * config.Sigma))

    /// The small program's loss: every step pays its KL terms, present or not.
    let private relaxed (config: AirConfig) (inference: AirInference) (batch: AirBatch) : Tensor =
        let z = ((inference.Logits + batch.PresenceNoise) / batch.Temperature).sigmoid()
        let drawn = Air.compose config (z.cumprod 1) inference.Renders
        let ofPresence = ofPresence config (inference.Logits.sigmoid ()) batch
        let divergence = (latentDivergence config inference + ofPresence).sum()

        ((pixelCost config batch.Images drawn).sum() + batch.Warmth * divergence)
        * (1.0 / float batch.Images.shape[0])

    /// Σ_{s ≥ t} v_s along the axis of steps.
    let private fromHere (v: Tensor) : Tensor = v.sum (1, true) - v.cumsum 1 + v

    /// For given choices z [b, T]: the part of the cost that depends on the choice of each step, [b, T], and the whole
    /// cost, [b].
    let private costs (config: AirConfig) (inference: AirInference) (batch: AirBatch) (z: Tensor) : Tensor * Tensor =
        let present = z.cumprod 1
        let ofPresence = ofPresence config (inference.Logits.sigmoid ()) batch
        let pixels = pixelCost config batch.Images (Air.compose config present inference.Renders)
        let ofLatents = batch.Warmth * present * latentDivergence config inference
        let ofChoices = batch.Warmth * before present * ofPresence
        let following = pixels.unsqueeze 1 + fromHere ofLatents + (fromHere ofChoices - ofChoices)
        following, pixels + (ofLatents + ofChoices).sum 1

    /// Hard presence, as in the paper. The value is the bound at drawn z. Its gradient reaches everything but the choices
    /// z; two terms are added for these. The score function, log q(z) times how much the choice cost beyond the baseline,
    /// trains q(z); the squared error of the baseline trains the baseline. Both terms count in the gradient only: from
    /// each its own value is subtracted, as a constant.
    let private discrete (config: AirConfig) (inference: AirInference) (batch: AirBatch) : Tensor =
        let logits = inference.Logits
        let z = (logits + batch.PresenceNoise).gt 0.0
        let reached = before (z.cumprod 1)
        let following, whole = costs config inference batch z

        let baseline =
            match inference.Baseline with
            | Some baseline -> baseline
            | None -> following.zerosLike ()

        // log q(z): log σ(l) where z = 1, log σ(−l) where z = 0.
        let logProbability = -((1.0 - 2.0 * z) * logits).softplus()
        // A small σ makes costs large. The baseline predicts the cost times 2σ², so that its errors don't outweigh
        // everything else.
        let scale = 2.0 * config.Sigma * config.Sigma
        let surprise = following.noDiff () - baseline / scale
        let score = (reached * logProbability * surprise.noDiff ()).sum 1
        let learned = (reached * surprise * surprise).sum(1) * (0.5 * scale * scale)

        let inGradientOnly = score + learned
        (whole + (inGradientOnly - inGradientOnly.noDiff ())).mean()

    /// The logits [b, T] that the bound trains. Once recombined scenes count, they teach the presence of a second object, and
    /// that there is no third, so the bound passes no gradient to those logits. A replay can't branch on whether they count yet,
    /// so `Recombination` blends the logits with a copy that has no gradient. If too few scenes seem to have one object,
    /// recombined scenes are rare, and the bound goes on teaching.
    let private ofBound
        (config: AirConfig)
        (logits: Tensor)
        (scenes: RecombinedScenes option)
        (batch: AirBatch)
        : Tensor =
        match scenes with
        | Some scenes when not (config.SecondFromBound && config.ThirdFromBound) ->
            let enough = (scenes.Weights.mean () * (1.0 / LeastFilled)).clamp(0.0, 1.0)
            let taught = batch.Recombination * enough

            let part first next fromBound =
                let part = logits.slice (1, first, next)

                if fromBound then
                    part
                else
                    (1.0 - taught) * part + taught * part.noDiff ()

            Tensor.cat (
                [|
                    logits.slice (1, 0, 1)
                    part 1 2 config.SecondFromBound
                    if config.Steps > 2 then
                        part 2 config.Steps config.ThirdFromBound
                |],
                1
            )
        | _ -> logits

    /// The expectation of the whole cost over the counts n = 0..T, whose probabilities are Π_{i ≤ n} q_i · (1 − q_{n+1}), with
    /// q_{T+1} = 0.
    let private expected (config: AirConfig) (inference: AirInference) (batch: AirBatch) : Tensor =
        let x = batch.Images
        let q = inference.Logits.sigmoid ()
        let present = q.cumprod 1 // the probability of n ≥ t
        let renders = inference.Renders

        let drawn =
            [ 0 .. config.Steps - 1 ]
            |> List.scan
                (fun (drawn: Tensor) t -> drawn + Air.addition config drawn (renders.select (1, t)))
                (x.zerosLike ())

        let errors = Tensor.stack (drawn |> List.map (pixelCost config x), 1)
        let none = Tensor.zeros ([| x.shape[0]; 1 |], x.dtype)

        let probability =
            Tensor.cat ([| before present; present.slice (1, config.Steps - 1, config.Steps) |], 1)

        let probability = probability - Tensor.cat ([| present; none |], 1)

        let divergence =
            present * latentDivergence config inference + before present * ofPresence config q batch

        ((probability * errors).sum 1 + batch.Warmth * divergence.sum 1).mean()

    /// The probability that there are at least t objects, [b, T]; it never grows with t.
    let cumulativePresence (inference: AirInference) : Tensor = (inference.Logits.sigmoid ()).cumprod 1

    /// −log q(n = 2) of logits [b, T]; [b]. Unless q is told about second objects, the second step's term is left out, since it
    /// is learned through `ofSecond`.
    let private surpriseOfTwo (config: AirConfig) (logits: Tensor) : Tensor =
        let told =
            if config.SecondLearning = AirSecondLearning.Told then
                2
            else
                1

        let two = (-(logits.slice (1, 0, told))).softplus().sum 1

        if logits.shape[1] > 2 then
            two + logits.select(1, 2).softplus()
        else
            two

    /// The cost of q's probability of a second object (see AirSecondLearning), summed over scenes. The logits and weights of
    /// recombined scenes are given in `recombined`, the logits [b, T] and cumulative presence of the batch's own beside them.
    let private ofSecond
        (config: AirConfig)
        (recombined: WeighedLogits)
        (logits: Tensor)
        (present: Tensor)
        (batch: AirBatch)
        : Tensor =
        let own = logits.select (1, 1)
        let some = present.select(1, 0).gt 0.5
        let unlabelled = { Logits = own; Weights = some }
        let prior = batch.Prior.select (0, 1)

        match config.SecondLearning with
        | AirSecondLearning.Told -> (some * present.select(1, 1).lt 0.5 * own.softplus ()).sum()
        | AirSecondLearning.NonNegative -> PositiveUnlabelled.nonNegative prior recombined unlabelled
        | AirSecondLearning.Likelihood -> PositiveUnlabelled.likelihood prior recombined unlabelled

    /// The cost of recombined scenes, whose two layers are known: the first two steps must draw one layer each, in the order
    /// that costs less, and q must count two. What q learns about second objects in the batch's own scenes depends on
    /// AirSecondLearning. The cost is summed and divided by b, like the bound.
    let private recombined
        (config: AirConfig)
        (model: Air)
        (inferred: AirInference)
        (scenes: RecombinedScenes)
        (batch: AirBatch)
        : Tensor =
        let b = batch.Images.shape[0]
        let m = scenes.Weights.shape[0]
        let present = (cumulativePresence inferred).noDiff()
        let part (tensor: Tensor) = tensor.slice (0, 0, m)

        let inference =
            AirEncoder.inferAsIs
                config
                model
                { batch with
                    Images = scenes.Images
                    PresenceNoise = part batch.PresenceNoise
                    WhereNoise = part batch.WhereNoise
                    WhatNoise = part batch.WhatNoise
                }

        let cost (layer: int) (step: int) =
            pixelCost config (scenes.Layers.select (1, layer)) (inference.Renders.select (1, step))

        let straight, crossed = cost 0 0 + cost 1 1, cost 1 0 + cost 0 1
        let swap = ((straight - crossed).noDiff()).gt 0.0
        let ofLayers = straight + swap * (crossed - straight)
        let ofLatents = batch.Warmth * ((latentDivergence config inference).slice(1, 0, 2)).sum 1
        let ofCount = config.RecombinedWeight * surpriseOfTwo config inference.Logits

        let seconds = { Logits = inference.Logits.select (1, 1); Weights = scenes.Weights }
        let ofSecond = config.RecombinedWeight * ofSecond config seconds inferred.Logits present batch

        ((scenes.Weights * (ofLayers + ofLatents + ofCount)).sum() + ofSecond)
        * batch.Recombination
        * (1.0 / float b)

    /// The restorer's error divided by 2σ², as that of the pixels is; None without a restorer.
    let private restoration
        (config: AirConfig)
        (model: Air)
        (inferred: AirInference)
        (batch: AirBatch)
        : Tensor option =
        match model.Restorer, inferred.Restored, batch.Target with
        | Some restorer, Some restored, Some target ->
            Some((SceneRestorer.error restorer restored target).mean() * (0.5 / (config.Sigma * config.Sigma)))
        | _ -> None

    /// The loss of a batch, a scalar: the negative bound, averaged over scenes, plus the costs of recombined scenes and of the
    /// restorer's error. Where there is a restorer, the bound is that of the restored scenes.
    let loss (config: AirConfig) (model: Air) (batch: AirBatch) : Tensor =
        let inference = AirEncoder.infer config model batch
        let explained = AirEncoder.withRestored config inference.Restored batch

        let scenes =
            if config.Recombined > 0 then
                let m = min config.Recombined explained.Images.shape[0]
                let present = (cumulativePresence inference).noDiff()

                let rule =
                    {
                        Partners = config.RecombinedPartners
                        Doubt = config.RecombinedDoubt
                        Apart = config.RecombinedApart
                    }

                Some(AirRecombination.compose rule m explained.Images present)
            else
                None

        let bound =
            match config.Presence with
            | AirPresence.Relaxed -> relaxed config inference explained
            | AirPresence.Discrete -> discrete config inference explained
            | AirPresence.Expected ->
                let logits = ofBound config inference.Logits scenes explained
                expected config { inference with Logits = logits } explained

        let bound =
            match scenes with
            | Some scenes -> bound + recombined config model inference scenes explained
            | None -> bound

        match restoration config model inference batch with
        | Some cost -> bound + cost
        | None -> bound

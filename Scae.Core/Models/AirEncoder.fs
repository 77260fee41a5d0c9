namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// What was inferred from scenes, all steps side by side.
type AirInference =
    {
        /// The logit of z_pres given that all earlier steps are present, [b, T].
        Logits: Tensor
        /// (log s, t_x, t_y) as drawn, [b, T, 3].
        Where: Tensor
        /// KL of z_where to its prior, [b, T]; None when it isn't drawn.
        WhereDivergence: Tensor option
        /// The mean of z_what, [b, T, Z].
        WhatMean: Tensor
        /// KL of z_what to the standard normal, [b, T].
        WhatDivergence: Tensor
        /// [b, T, P²] in (0, 1).
        Patches: Tensor
        /// The patches where they land, not weighed by presence, [b, T, D].
        Renders: Tensor
        /// The baseline's prediction of the cost from each step on, times 2σ², [b, T]; only for AirPresence.Discrete.
        Baseline: Tensor option
        /// The scenes without their lighting, [b, D], which the latents explain instead; None without a restorer.
        Restored: Tensor option
    }

/// Inference of z_where, z_what and z_pres.
[<RequireQualifiedAccess>]
module AirEncoder =
    // Log-variances are clipped, as in the small program; beyond, they have no gradient.
    let private limited (logVariance: Tensor) = logVariance.clamp (-8.0, 4.0)

    let private draw (mean: Tensor) (logVariance: Tensor) (noise: Tensor) : Tensor =
        mean + (0.5 * logVariance).exp() * noise

    /// KL(N(μ, e^l) ‖ N(0, 1)) over the last axis.
    let private standardDivergence (mean: Tensor) (logVariance: Tensor) : Tensor =
        ((mean * mean + logVariance.exp () - logVariance).sum(-1) - float mean.shape[mean.dim - 1]) * 0.5

    /// KL of (log s, t_x, t_y) to its prior over the last axis.
    let private whereDivergence (config: AirConfig) (mean: Tensor) (logVariance: Tensor) : Tensor =
        let constant (a: float) (b: float) = Tensor.``of`` ([| a; b; b |], [| 3 |], mean.dtype)
        let centre = constant config.LogScale 0.0
        let s, t = config.LogScaleDeviation, config.PlaceDeviation
        let precision = constant (1.0 / (s * s)) (1.0 / (t * t))
        let distance = mean - centre
        let spread = (distance * distance + logVariance.exp ()) * precision - logVariance
        (spread.sum (-1) + (2.0 * log s + 4.0 * log t - 3.0)) * 0.5

    /// The baseline's prediction from features of the scene. It passes no gradient on to the features.
    let private foretold (model: Air) (features: Tensor) : Tensor option =
        model.Baseline
        |> Option.map (fun baseline ->
            features.noDiff ()
            |> Linear.activated Activation.Relu baseline.Hidden
            |> Linear.forward baseline.Output)

    /// The steps' logits of presence, plus what the counter's look at the whole scene adds, if there is one.
    let private counted (ofScene: Tensor option) (logits: Tensor) : Tensor =
        match ofScene with
        | Some ofScene -> logits + ofScene
        | None -> logits

    // --- the small program's encoder

    let private inferGlobally
        (config: AirConfig)
        (model: Air)
        (encoder: GlobalEncoder)
        (batch: AirBatch)
        (ofScene: Tensor option)
        : AirInference =
        let { Steps = t; What = z } = config

        let features =
            batch.Images
            |> Linear.activated Activation.Relu encoder.First
            |> Linear.activated Activation.Relu encoder.Second

        let head (layer: Linear) (size: int) = (Linear.forward layer features).unflatten(1, t, size)
        let whereMean = head encoder.Where 3

        let where, divergence =
            match encoder.WhereLogVariance with
            | Some layer ->
                let logVariance = limited (head layer 3)

                draw whereMean logVariance batch.WhereNoise, Some(whereDivergence config whereMean logVariance)
            | None -> whereMean, None

        let mean = head encoder.What z
        let logVariance = limited (head encoder.WhatLogVariance z)
        let patches = Air.decode config model ((draw mean logVariance batch.WhatNoise).view(-1, z))
        let renders = Air.render config (where.view (-1, 3)) patches

        {
            Logits = Linear.forward encoder.Presence features |> counted ofScene
            Where = where
            WhereDivergence = divergence
            WhatMean = mean
            WhatDivergence = standardDivergence mean logVariance
            Patches = patches.view (-1, t, config.Patch * config.Patch)
            Renders = renders.view (-1, t, Air.pixels config)
            Baseline = foretold model features
            Restored = None
        }

    // --- the paper's encoder

    /// One step of the recurrent encoder, for b scenes of D pixels and patches of P × P.
    type private Step =
        {
            /// The cell's state, [b, H] each.
            State: CellState
            /// z_where, [b, 3].
            Where: Tensor
            /// Its KL term, [b, 1].
            WhereDivergence: Tensor
            /// The mean of z_what, [b, Z].
            WhatMean: Tensor
            /// z_what, [b, Z].
            What: Tensor
            /// Its KL term, [b, 1].
            WhatDivergence: Tensor
            /// What the step draws, [b, P²].
            Patch: Tensor
            /// The same in its place on the canvas, [b, D].
            Render: Tensor
            /// The logit of z_pres, [b, 1].
            Logit: Tensor
            /// What the score function's cost is expected to be, [b, 1].
            Baseline: Tensor option
            /// The picture that the steps so far draw, [b, D]; weighed by presence where that is relaxed.
            Drawn: Tensor
            /// The product of the relaxed z_pres of the steps so far, [b, 1]; 1 where presence isn't relaxed.
            Present: Tensor
        }

    // Brings the gain in log-likelihood, from which z_pres is inferred, to order one.
    [<Literal>]
    let private EvidenceScale = 0.02

    let private overview (config: AirConfig) (picture: Tensor) : Tensor =
        let side = Air.overview config

        if side = config.Canvas then
            picture
        else
            let b = picture.shape[0]
            let whole = (Tensor.``of`` ([| 1.0; 0.0; 0.0 |], 1, 3)).cast(picture.dtype).expand(b, 3)

            (picture.view(b, 1, config.Canvas, config.Canvas).spatialTransform(whole, side, side)).view(b, side * side)

    /// How much log p(x | z) grows when the addition joins the picture, times EvidenceScale; [b, 1]. That is
    /// Σ a·(2r − a)/2σ² for a residual r and an addition a, [b, D].
    let private evidence (config: AirConfig) (residual: Tensor) (addition: Tensor) : Tensor =
        let gain = (addition * (2.0 * residual - addition)).sum(1, true)
        gain * (EvidenceScale / (2.0 * config.Sigma * config.Sigma))

    // How much wider than the prior's mean scale the glimpse around a place is.
    [<Literal>]
    let private ContextScale = 2.0

    /// Encodes what stands around a place [b, 2], what of it isn't yet explained, and what the step would add there: wider
    /// glimpses of scene and residual, `pictures` [b, 2, C, C], and of the addition [b, D] → [b, Context].
    let private context
        (config: AirConfig)
        (layers: TwoLayers)
        (place: Tensor)
        (pictures: Tensor)
        (addition: Tensor)
        : Tensor =
        let side = config.Canvas
        let scale = (place.slice (1, 0, 1)).fullLike(config.LogScale + log ContextScale)

        Tensor.cat ([| pictures; addition.view (-1, 1, side, side) |], 1)
        |> Air.glimpse config (Tensor.cat ([| scale; place |], 1))
        |> Linear.activated Activation.Relu layers.Hidden
        |> Linear.activated Activation.Relu layers.Output

    // Only places this near the map's peak count, in overview pixels. Otherwise the mean over two digits would be a place
    // between them.
    [<Literal>]
    let private FinderReach = 3.5

    /// Where something stands in the residual's overview [b, s²]: the mean place (t_x, t_y) [b, 2] under the softmax of the
    /// finder's map, taken around the map's peak.
    let private find (config: AirConfig) (finder: Finder) (residual: Tensor) : Tensor =
        let side = Air.overview config

        let channels =
            ((residual.view (-1, 1, side, side)).conv2d(finder.Filters, 1, Air.FinderSide / 2) + finder.Bias)
                .relu()
                .flatten
                2

        let map = (finder.Output.matmul channels).squeeze 1

        let tick (i: int) = 2.0 * float i / float (side - 1) - 1.0

        // [s², 2]: the places of the map's pixels, x and y from −1 to 1.
        let places =
            Tensor.``of`` (
                [|
                    for i in 0 .. side * side - 1 do
                        tick (i % side)
                        tick (i / side)
                |],
                [| side * side; 2 |],
                residual.dtype
            )

        let peak = places.indexSelect (0, map.argmax 1)
        let away = places.unsqueeze 0 - peak.unsqueeze 1
        let reach = FinderReach * 2.0 / float (side - 1)
        let beyond = ((away * away).sum 2).gt(reach * reach)
        ((map - 1e4 * beyond).softmax 1).matmul places

    /// A normal latent of one step, and what was drawn from it.
    type private Latent = { Mean: Tensor; LogVariance: Tensor; Value: Tensor }

    /// z_where from the cell's output h. A finder's place, if there is one, is added to the cell's.
    let private locate
        (config: AirConfig)
        (encoder: RecurrentEncoder)
        (batch: AirBatch)
        t
        (shown: Tensor)
        (h: Tensor)
        : Latent =
        let sums = Linear.forward encoder.Where h

        let mean =
            match encoder.Finder with
            | Some finder -> Tensor.cat ([| sums.slice (1, 0, 1); sums.slice (1, 1, 3) + find config finder shown |], 1)
            | None -> sums.slice (1, 0, 3)

        let logVariance = limited (sums.slice (1, 3, 6))

        {
            Mean = mean
            LogVariance = logVariance
            Value =
                if config.WhereDrawn then
                    draw mean logVariance (batch.WhereNoise.select (1, t))
                else
                    mean
        }

    /// z_what from the glimpse.
    let private describe
        (config: AirConfig)
        (encoder: RecurrentEncoder)
        (batch: AirBatch)
        t
        (glimpse: Tensor)
        : Latent =
        let z = config.What
        let sums = Linear.forward encoder.What glimpse
        let mean = sums.slice (1, 0, z)
        let logVariance = limited (sums.slice (1, z, 2 * z))

        {
            Mean = mean
            LogVariance = logVariance
            Value = draw mean logVariance (batch.WhatNoise.select (1, t))
        }

    /// Scene and residual as two channels, [b, 2, C, C].
    let private channels (config: AirConfig) (batch: AirBatch) (residual: Tensor) : Tensor =
        let side = config.Canvas
        Tensor.cat ([| batch.Images.view (-1, 1, side, side); residual.view (-1, 1, side, side) |], 1)

    /// The tensor as an input of a network: gradients pass through it if the configuration says so.
    let private input (config: AirConfig) (tensor: Tensor) = if config.ThroughInputs then tensor else tensor.noDiff ()

    /// The product of the relaxed z_pres up to this step, [b, 1]; 1 where presence isn't relaxed.
    let private present (config: AirConfig) (batch: AirBatch) t (previous: Step) (logit: Tensor) : Tensor =
        match config.Presence with
        | AirPresence.Relaxed ->
            previous.Present * ((logit + batch.PresenceNoise.slice (1, t, t + 1)) / batch.Temperature).sigmoid()
        | _ -> previous.Present

    /// The cell's next state, from what it sees of image and residual and from the previous latents.
    let private remember (encoder: RecurrentEncoder) (ofImage: Tensor) (shown: Tensor) (previous: Step) =
        let seen = (ofImage + shown.linear encoder.Residual).relu()
        let inputs = Tensor.cat ([| seen; previous.Where; previous.What |], 1)
        LongShortTermMemory.step encoder.Cell previous.State inputs

    /// The inputs of a step's heads of presence and baseline: the cell's output [b, H], the encoded glimpse [b, G] and, where
    /// the configuration has them, evidence and context. These are computed from z_where [b, 3], scene and residual as
    /// pictures [b, 2, C, C], the residual [b, D] and what the step would add to the picture [b, D].
    let private headInputs
        (config: AirConfig)
        (encoder: RecurrentEncoder)
        (hidden: Tensor)
        (glimpse: Tensor)
        (where: Tensor)
        (pictures: Tensor)
        (residual: Tensor)
        (addition: Tensor)
        : Tensor =
        let input = input config

        let features =
            [|
                hidden
                glimpse
                if config.Evidence then
                    evidence config residual addition
                match encoder.Context with
                | Some layers -> context config layers (input (where.slice (1, 1, 3))) (input pictures) (input addition)
                | None -> ()
            |]

        Tensor.cat (features, 1)

    /// What all steps up to this one draw, [b, D].
    let private drawnWith (config: AirConfig) (previous: Step) (present: Tensor) (render: Tensor) : Tensor =
        match config.Presence with
        | AirPresence.Relaxed -> previous.Drawn + Air.addition config previous.Drawn (present * render)
        | _ -> previous.Drawn + Air.addition config previous.Drawn render

    let private step
        (config: AirConfig)
        (model: Air)
        (encoder: RecurrentEncoder)
        (batch: AirBatch)
        (ofImage: Tensor)
        (ofScene: Tensor option)
        (previous: Step)
        (t: int)
        : Step =
        let drawn = input config previous.Drawn
        let residual = batch.Images - drawn
        let shown = overview config residual
        let state = remember encoder ofImage shown previous
        let pictures = channels config batch residual
        let where = locate config encoder batch t shown state.Hidden

        let glimpse =
            Air.glimpse config where.Value pictures |> Linear.activated Activation.Relu encoder.Glimpse

        let what = describe config encoder batch t glimpse
        let patch = Air.decode config model what.Value
        let render = Air.render config where.Value patch
        let addition = Air.addition config drawn render
        let features = headInputs config encoder state.Hidden glimpse where.Value pictures residual addition

        let logit =
            Linear.forward encoder.Presence features
            |> counted (ofScene |> Option.map (fun logits -> logits.slice (1, t, t + 1)))

        let present = present config batch t previous logit

        {
            State = state
            Where = where.Value
            WhereDivergence = whereDivergence config where.Mean where.LogVariance
            WhatMean = what.Mean
            What = what.Value
            WhatDivergence = standardDivergence what.Mean what.LogVariance
            Patch = patch
            Render = render
            Logit = logit
            Baseline = foretold model features
            Drawn = drawnWith config previous present render
            Present = present
        }

    let private inferRecurrently
        (config: AirConfig)
        (model: Air)
        (encoder: RecurrentEncoder)
        (batch: AirBatch)
        (ofScene: Tensor option)
        : AirInference =
        let b = batch.Images.shape[0]
        let zeros (sizes: int list) = Tensor.zeros (Array.ofList (b :: sizes), batch.Images.dtype)
        let nothing = zeros [ 1 ]

        let start =
            {
                State = LongShortTermMemory.start encoder.Cell b
                Where = zeros [ 3 ]
                WhereDivergence = nothing
                WhatMean = nothing
                What = zeros [ config.What ]
                WhatDivergence = nothing
                Patch = nothing
                Render = nothing
                Logit = nothing
                Baseline = None
                Drawn = zeros [ Air.pixels config ]
                Present = Tensor.ones ([| b; 1 |], batch.Images.dtype)
            }

        let ofImage = overview config batch.Images |> Linear.forward encoder.Image

        let steps =
            List.scan (step config model encoder batch ofImage ofScene) start [ 0 .. config.Steps - 1 ]
            |> List.tail

        let beside (part: Step -> Tensor) = Tensor.stack (List.map part steps, 1)

        {
            Logits = Tensor.cat (steps |> List.map _.Logit, 1)
            Where = beside _.Where
            WhereDivergence =
                if config.WhereDrawn then
                    Some(beside _.WhereDivergence)
                else
                    None
            WhatMean = beside _.WhatMean
            WhatDivergence = beside _.WhatDivergence
            Patches = beside _.Patch
            Renders = beside _.Render
            Baseline =
                match model.Baseline with
                | Some _ -> Some(Tensor.cat (steps |> List.choose _.Baseline, 1))
                | None -> None
            Restored = None
        }

    /// The latents of a batch and what they draw, inferred from the scenes as they are, without a restorer.
    let inferAsIs (config: AirConfig) (model: Air) (batch: AirBatch) : AirInference =
        let ofScene =
            model.Counter
            |> Option.map (fun counter ->
                let logits = SceneCounter.logits config.Canvas counter batch.Images

                if config.CounterLate then
                    batch.Recombination * logits
                else
                    logits)

        match model.Global, model.Recurrent with
        | Some encoder, _ -> inferGlobally config model encoder batch ofScene
        | _, Some encoder -> inferRecurrently config model encoder batch ofScene
        | _ -> invalidArg (nameof model) "AIR: the model has no encoder"

    /// The batch with the scenes that an inference explains, which are the restored ones where there is a restorer. The
    /// restorer has a loss of its own; with ThroughInputs it also gets the gradient of the bound.
    let withRestored (config: AirConfig) (restored: Tensor option) (batch: AirBatch) : AirBatch =
        match restored with
        | Some restored -> { batch with Images = input config restored }
        | None -> batch

    /// The latents of a batch and what they draw. A restorer, if there is one, first removes the lighting.
    let infer (config: AirConfig) (model: Air) (batch: AirBatch) : AirInference =
        let restored =
            model.Restorer
            |> Option.map (fun restorer -> SceneRestorer.restore config.Canvas restorer batch.Images)

        { inferAsIs config model (withRestored config restored batch) with
            Restored = restored
        }

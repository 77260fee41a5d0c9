namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// The encoder of the published small program: two layers over the whole scene, and heads that each put out all T steps
/// side by side.
type GlobalEncoder =
    {
        /// [D, Hidden].
        First: Linear
        /// [Hidden, Features].
        Second: Linear
        /// [Features, T].
        Presence: Linear
        /// [Features, 3·T]: log s, t_x, t_y of each step.
        Where: Linear
        /// [Features, 3·T]; only where z_where is drawn.
        WhereLogVariance: Linear option
        /// [Features, Z·T].
        What: Linear
        /// [Features, Z·T].
        WhatLogVariance: Linear
    }

/// A hidden layer with relu, and an output layer.
type TwoLayers = { Hidden: Linear; Output: Linear }

/// Tells a step where to look. A convolution with relu runs over the overview of the residual, which is the scene without
/// what earlier steps drew. A weighted sum of its C channels is a map, and the step looks near the map's peak.
type Finder =
    {
        /// [C, 1, 7, 7].
        Filters: Tensor
        /// [1, C, 1, 1].
        Bias: Tensor
        /// [1, C].
        Output: Tensor
    }

/// The paper's encoder.
type RecurrentEncoder =
    {
        /// [D′, Hidden], over the overview of the image; D′ is the number of the overview's pixels.
        Image: Linear
        /// [D′, Hidden], over the overview of the residual.
        Residual: Tensor
        /// Hidden + 3 + Z inputs.
        Cell: LongShortTermMemory
        /// [Features, 6]: mean and log-variance of (log s, t_x, t_y).
        Where: Linear
        Finder: Finder option
        /// [2·P², GlimpseHidden], over the glimpses of image and residual.
        Glimpse: Linear
        /// [GlimpseHidden, 2·Z]: mean and log-variance.
        What: Linear
        /// [3·P², Context] and [Context, Context], over wider glimpses of image, residual and what the step would add.
        Context: TwoLayers option
        /// [Features + GlimpseHidden (+ 1 with evidence) + Context, 1].
        Presence: Linear
    }

/// The convolutional decoder: Z → [C, P/4, P/4], relu; → [C/2, P/2, P/2], relu; → [1, P, P], sigmoid.
type ConvolutionalDecoder =
    {
        Start: Linear
        /// [C, C/2, 4, 4].
        Middle: Tensor
        /// [1, C/2, 1, 1].
        MiddleBias: Tensor
        /// [C/2, 1, 4, 4].
        Last: Tensor
        /// [1, 1, 1, 1].
        LastBias: Tensor
    }

/// The parameters; which of them there are follows from the configuration.
type Air =
    {
        Global: GlobalEncoder option
        Recurrent: RecurrentEncoder option
        Decoder: TwoLayers option
        Convolutions: ConvolutionalDecoder option
        /// Predicts the cost of the rest of the scene, one value a step; only for AirPresence.Discrete.
        Baseline: TwoLayers option
        /// Looks at the whole scene and adds to the logits of presence.
        Counter: SceneCounter option
        /// Removes the lighting from scenes before they are explained.
        Restorer: SceneRestorer option
    }

/// A batch of scenes with the noise of its draws; all float32.
type AirBatch =
    {
        /// x [b, D] in [0, 1].
        Images: Tensor
        /// log u − log(1 − u) for u uniform, [b, T]. Zeros make inference deterministic: z_pres = 1 where its probability exceeds ½.
        PresenceNoise: Tensor
        /// Standard normal, [b, T, 3]; zeros for the mean.
        WhereNoise: Tensor
        /// Standard normal, [b, T, Z]; zeros for the mean.
        WhatNoise: Tensor
        /// τ of the Gumbel-sigmoid, a scalar.
        Temperature: Tensor
        /// The share of the KL terms that counts, a scalar.
        Warmth: Tensor
        /// The share of the recombined scenes' cost that counts, a scalar.
        Recombination: Tensor
        /// The prior probability of z_pres at each step, [T].
        Prior: Tensor
        /// What the restorer should draw, [b, D]; None without a restorer.
        Target: Tensor option
    }

/// Generative model and parameters of attend-infer-repeat (Eslami et al. 2016, "Attend, Infer, Repeat: Fast Scene
/// Understanding with Generative Models").
[<RequireQualifiedAccess>]
module Air =
    /// The published small program.
    let published: AirConfig =
        {
            Canvas = 32
            Steps = 3
            What = 20
            Patch = 16
            Encoding = AirEncoding.Global
            Hidden = 200
            Features = 100
            GlimpseHidden = 200
            Overview = 0
            Finder = 0
            Evidence = false
            Context = 0
            Counter = 0
            CounterLate = false
            ThroughInputs = true
            Decoding = AirDecoding.Mlp
            DecoderHidden = 100
            Composition = AirComposition.Sum
            Presence = AirPresence.Relaxed
            WhereDrawn = false
            LogScale = -0.7
            LogScaleDeviation = 0.3
            PlaceDeviation = 1.0
            // Σ(x − y)² / 2σ² is then the small program's squared error.
            Sigma = sqrt 0.5
            WhatWeight = 0.05
            PresenceWeight = 0.3
            PresenceBias = 0.0
            Recombined = 0
            RecombinedWeight = 1.0
            RecombinedPartners = 1
            RecombinedDoubt = 0.5
            RecombinedApart = false
            SecondLearning = AirSecondLearning.Told
            SecondFromBound = true
            ThirdFromBound = true
            Restorer = 0
            RestorerTarget = RestorerTarget.Other
        }

    // Patches start almost dark. Drawing one where nothing is then costs little, and where a digit is, the first gradients
    // ask for more presence.
    [<Literal>]
    let private DarkBias = -2.0

    let private small (inputs: int) (outputs: int) (bias: float[]) (dtype: Dtype) (key: Key) : Linear =
        {
            Weight = Initialization.normal 0.01 dtype [ inputs; outputs ] key
            Bias = (Tensor.``of`` (bias, outputs)).cast dtype
        }

    let private biased (bias: float) (layer: Linear) : Linear = { layer with Bias = layer.Bias.fullLike bias }

    /// Pixels a scene, D.
    let pixels (config: AirConfig) : int = config.Canvas * config.Canvas

    /// Width and height of the picture that the recurrent cell sees.
    let overview (config: AirConfig) : int =
        if config.Overview = 0 then
            config.Canvas
        else
            config.Overview

    let private globalEncoder (config: AirConfig) (dtype: Dtype) (key: Key) : GlobalEncoder =
        let { Hidden = h; Features = f; Steps = t; What = z } = config
        let head gain outputs (name: string) = Linear.init gain f outputs dtype (key.Named name)

        let where = Array.concat (Array.replicate t [| config.LogScale; 0.0; 0.0 |])

        {
            First = Linear.init 1.0 (pixels config) h dtype (key.Named "first")
            Second = Linear.init 1.0 h f dtype (key.Named "second")
            Presence = head 1.0 t "presence" |> biased config.PresenceBias
            Where = small f (3 * t) where dtype (key.Named "where")
            WhereLogVariance =
                if config.WhereDrawn then
                    Some(small f (3 * t) (Array.create (3 * t) -4.0) dtype (key.Named "where-log-variance"))
                else
                    None
            What = head 0.5 (z * t) "what"
            WhatLogVariance = small f (z * t) (Array.zeroCreate (z * t)) dtype (key.Named "what-log-variance")
        }

    /// Width and height of the finder's filters.
    [<Literal>]
    let FinderSide = 7

    // Filters start as blobs about as wide as a stroke, so that at first a step looks where most ink is. This is how much
    // higher the map is over full ink than over none.
    [<Literal>]
    let private FinderGain = 30.0

    let private finder (config: AirConfig) (dtype: Dtype) (key: Key) : Finder option =
        if config.Finder = 0 then
            None
        else
            let c, side = config.Finder, FinderSide

            let blob =
                Array2D.init side side (fun y x ->
                    let far (i: int) = float (i - side / 2) ** 2.0
                    exp (-(far y + far x) / 4.5))

            let total = Seq.sum (Seq.cast<float> blob)
            let filters = Array.init (c * side * side) (fun i -> blob[i / side % side, i % side] / total)

            Some
                {
                    Filters =
                        (Tensor.``of`` (filters, c, 1, side, side)).cast dtype
                        + Initialization.normal 0.02 dtype [ c; 1; side; side ] key
                    Bias = Tensor.zeros ([| 1; c; 1; 1 |], dtype)
                    Output = Tensor.full ([| 1; c |], FinderGain / float c, dtype)
                }

    /// What the heads of presence and baseline see.
    let private headInputs (config: AirConfig) : int =
        match config.Encoding with
        | AirEncoding.Global -> config.Features
        | AirEncoding.Recurrent ->
            config.Features + config.GlimpseHidden + (if config.Evidence then 1 else 0) + config.Context

    let private recurrentEncoder (config: AirConfig) (dtype: Dtype) (key: Key) : RecurrentEncoder =
        let { Hidden = h; Features = f; What = z; GlimpseHidden = g } = config
        let seen = overview config * overview config
        let where = [| config.LogScale; 0.0; 0.0; -4.0; -4.0; -4.0 |]

        {
            // The contributions of image and residual are added, so each gets half of the variance.
            Image = Linear.init (sqrt 0.5) seen h dtype (key.Named "image")
            Residual = Initialization.he (sqrt 0.5) seen dtype [ seen; h ] (key.Named "residual")
            Cell = LongShortTermMemory.init (h + 3 + z) f dtype (key.Named "cell")
            Where = small f 6 where dtype (key.Named "where")
            Finder = finder config dtype (key.Named "finder")
            Glimpse = Linear.init 1.0 (2 * config.Patch * config.Patch) g dtype (key.Named "glimpse")
            What = Linear.init 0.5 g (2 * z) dtype (key.Named "what")
            Context =
                if config.Context > 0 then
                    let c = config.Context

                    Some
                        {
                            Hidden =
                                Linear.init 1.0 (3 * config.Patch * config.Patch) c dtype (key.Named "context-hidden")
                            Output = Linear.init 1.0 c c dtype (key.Named "context-output")
                        }
                else
                    None
            Presence = small (headInputs config) 1 [| config.PresenceBias |] dtype (key.Named "presence")
        }

    let private convolutions (config: AirConfig) (dtype: Dtype) (key: Key) : ConvolutionalDecoder =
        let { What = z; Patch = p; DecoderHidden = c } = config
        let half = max 1 (c / 2)

        {
            Start = Linear.init 1.0 z (c * (p / 4) * (p / 4)) dtype (key.Named "start")
            // Each output pixel sees 2 × 2 of the 4 × 4 entries of each channel.
            Middle = Initialization.he 1.0 (4 * c) dtype [ c; half; 4; 4 ] (key.Named "middle")
            MiddleBias = Tensor.zeros ([| 1; half; 1; 1 |], dtype)
            Last = Initialization.he 1.0 (4 * half) dtype [ half; 1; 4; 4 ] (key.Named "last")
            LastBias = Tensor.full ([| 1; 1; 1; 1 |], DarkBias, dtype)
        }

    let private imageDecoder (config: AirConfig) (dtype: Dtype) (key: Key) : TwoLayers =
        let { What = z; DecoderHidden = d } = config

        {
            Hidden = Linear.init 1.0 z d dtype (key.Named "decoder-hidden")
            Output =
                Linear.init 1.0 d (config.Patch * config.Patch) dtype (key.Named "decoder-output")
                |> biased DarkBias
        }

    // A global encoder has one expectation for each object at once, a recurrent one for the object at hand.
    let private baseline (config: AirConfig) (dtype: Dtype) (key: Key) : TwoLayers =
        let outputs =
            match config.Encoding with
            | AirEncoding.Global -> config.Steps
            | AirEncoding.Recurrent -> 1

        {
            Hidden = Linear.init 1.0 (headInputs config) config.GlimpseHidden dtype (key.Named "baseline-hidden")
            Output = Linear.init 0.1 config.GlimpseHidden outputs dtype (key.Named "baseline-output")
        }

    /// Parameters drawn from a key. Most weights are normal with He's deviation √(2/fan-in). The layers that see image and
    /// residual, and the cell, have √½ of it. The head of z_what's mean has half of it, in a recurrent encoder that of its
    /// log-variance too. The last layers of baseline, counter and restorer have a tenth of it. The deviation is 0.01 in the heads
    /// of z_where, in the head of presence of a recurrent encoder, and in that of z_what's log-variance of a global one.
    let init (config: AirConfig) (dtype: Dtype) (key: Key) : Air =
        // Only the parts that the configuration asks for.
        let only (isWanted: bool) (part: unit -> 'part) : 'part option = if isWanted then Some(part ()) else None

        {
            Global =
                only (config.Encoding = AirEncoding.Global) (fun () -> globalEncoder config dtype (key.Named "global"))
            Recurrent =
                only (config.Encoding = AirEncoding.Recurrent) (fun () ->
                    recurrentEncoder config dtype (key.Named "recurrent"))
            Decoder = only (config.Decoding = AirDecoding.Mlp) (fun () -> imageDecoder config dtype key)
            Convolutions =
                only (config.Decoding = AirDecoding.Convolutional) (fun () ->
                    convolutions config dtype (key.Named "convolutions"))
            Baseline = only (config.Presence = AirPresence.Discrete) (fun () -> baseline config dtype key)
            Counter =
                only (config.Counter > 0) (fun () ->
                    SceneCounter.init config.Canvas config.Counter config.Steps dtype (key.Named "counter"))
            Restorer =
                only (config.Restorer > 0) (fun () ->
                    SceneRestorer.init config.Canvas config.Restorer dtype (key.Named "restorer"))
        }

    /// Room for a batch of the given size. It has no noise, so that inference is deterministic; temperature, warmth and the
    /// share of recombined scenes are 1, the prior is ½.
    let allocate (config: AirConfig) (count: int) : AirBatch =
        {
            Images = Tensor.zeros [| count; pixels config |]
            PresenceNoise = Tensor.zeros [| count; config.Steps |]
            WhereNoise = Tensor.zeros [| count; config.Steps; 3 |]
            WhatNoise = Tensor.zeros [| count; config.Steps; config.What |]
            Temperature = Tensor.scalar 1.0
            Warmth = Tensor.scalar 1.0
            Recombination = Tensor.scalar 1.0
            Prior = Tensor.full ([| config.Steps |], 0.5)
            Target =
                if config.Restorer > 0 then
                    Some(Tensor.zeros [| count; pixels config |])
                else
                    None
        }

    /// The patches that latents draw: z_what [n, Z] → [n, P²] in (0, 1).
    let decode (config: AirConfig) (model: Air) (what: Tensor) : Tensor =
        match model.Decoder, model.Convolutions with
        | Some layers, _ ->
            what
            |> Linear.activated Activation.Relu layers.Hidden
            |> Linear.activated Activation.Sigmoid layers.Output
        | _, Some layers ->
            let start = Linear.activated Activation.Relu layers.Start what
            let image = start.view (-1, config.DecoderHidden, config.Patch / 4, config.Patch / 4)
            let middle = ((image.convTranspose2d (layers.Middle, 2, 1)) + layers.MiddleBias).relu()
            ((middle.convTranspose2d (layers.Last, 2, 1)) + layers.LastBias).sigmoid().flatten 1
        | _ -> invalidArg (nameof model) "AIR: the model has no decoder"

    /// The least ln s at which a patch is read or rendered, as in the small program; below, it has no gradient.
    [<Literal>]
    let LeastLogScale = -3.0

    /// The greatest ln s at which a patch is read or rendered, as in the small program; above, it has no gradient.
    [<Literal>]
    let MostLogScale = 1.5

    let private pose (where: Tensor) : Tensor =
        let scale = (where.slice (-1, 0, 1)).clamp(LeastLogScale, MostLogScale).exp()
        Tensor.cat ([| scale; where.slice (-1, 1, 3) |], -1)

    /// Patches [n, P²] rendered at (log s, t_x, t_y) [n, 3] → [n, D]: the pixel at (u, v) of linspace(−1, 1) shows the
    /// patch's ((u − t_x)/s, (v − t_y)/s), bilinear, 0 outside.
    let render (config: AirConfig) (where: Tensor) (patches: Tensor) : Tensor =
        (patches
            .view(-1, 1, config.Patch, config.Patch)
            .spatialTransform(pose where, config.Canvas, config.Canvas, true))
            .view(-1, pixels config)

    /// What a render [b, D], weighed by its presence, adds to the picture that is drawn already, [b, D].
    let addition (config: AirConfig) (drawn: Tensor) (render: Tensor) : Tensor =
        match config.Composition with
        | AirComposition.Sum -> render
        | AirComposition.Union -> (1.0 - drawn) * render

    /// The picture [b, D] that renders [b, T, D] make when they are weighed by v [b, T].
    let compose (config: AirConfig) (v: Tensor) (renders: Tensor) : Tensor =
        match config.Composition with
        | AirComposition.Sum -> (v.unsqueeze(1).bmm renders).squeeze 1
        | AirComposition.Union ->
            let empty =
                [ 0 .. config.Steps - 1 ] |> List.map (fun t -> 1.0 - v.slice (1, t, t + 1) * renders.select (1, t))

            1.0 - List.reduce (*) empty

    /// What stands at (log s, t_x, t_y) [n, 3] of pictures [n, c, C, C] → [n, c·P²]: the inverse of render.
    let glimpse (config: AirConfig) (where: Tensor) (pictures: Tensor) : Tensor =
        pictures.spatialTransform(pose where, config.Patch, config.Patch).flatten 1

namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers

/// Sizes and choices of topographic variational autoencoders, in the paper's symbols.
type TopographicVaeConfig =
    {
        /// Colour channels of a frame.
        Channels: int
        /// Width and height of a frame in pixels.
        Side: int
        /// S, frames a sequence.
        Frames: int
        [<Setting("N, capsules", Min = 1.0, Max = 4096.0)>]
        Capsules: int
        [<Setting("D, entries of a capsule", Min = 1.0, Max = 4096.0)>]
        Entries: int
        [<Setting("which latents share a scale")>]
        Grouping: Grouping
        [<Setting("the grouping's edge in frames", Min = 1.0, Max = 64.0)>]
        Kernel: int
        [<Setting("K, entries that share a scale within a frame", Min = 1.0, Max = 64.0)>]
        Width: int
        [<Setting("μ at the start")>]
        Mu: float
        [<Setting("ε, added to the sum of squares", Min = 1e-12)>]
        Epsilon: float
        // An encoder whose deviation reaches 0 has an infinite loss.
        [<Setting("least log-variance of what is inferred", Max = 0.0)>]
        LeastLogVariance: float
        /// Whether the decoder sees T minus its prior mean, divided by its prior deviation, and weights start so large that
        /// what is inferred and drawn differs from frame to frame. The same functions can be learned either way. The
        /// published models start as PyTorch does.
        Standardised: bool
    }

/// Three layers with relu between them, [C·P, 3s], [3s, 2s] and [2s, 2s], where s = N·D. The output is mean and log-variance
/// side by side.
type LatentEncoder = { First: Linear; Second: Linear; Third: Linear }

/// Three layers with relu between them, [s, 2s], [2s, 3s] and [3s, C·P]. The bias of the last is one number for each colour
/// channel, [C].
type FrameDecoder = { First: Linear; Second: Linear; Third: Linear }

/// The parameters; a plain autoencoder has neither u nor μ.
type TopographicVae =
    {
        Z: LatentEncoder
        U: LatentEncoder option
        Decoder: FrameDecoder
        /// A scalar.
        Mu: Tensor option
    }

/// A batch of sequences, frame by frame, with the noise of its draws; all float32. Frame t of sequence b is row b·S + t.
type TopographicVaeBatch =
    {
        /// x [b·S, C·P] in [0, 1], channel by channel.
        Frames: Tensor
        /// Standard normal, [b·S, s].
        NoiseZ: Tensor
        /// The same for u; None where there is none.
        NoiseU: Tensor option
    }

/// A diagonal normal posterior of each frame, both [b·S, s].
type Posterior = { Mean: Tensor; LogVariance: Tensor }

/// What is inferred of frames.
type Posteriors = { Z: Posterior; U: Posterior option }

/// Latents drawn from the posteriors of a batch, and what they decode to.
type TopographicDraw =
    {
        /// z [b·S, s].
        Z: Tensor
        /// u [b·S, s].
        U: Tensor option
        /// T [b·S, s], all that the decoder sees.
        Topographic: Tensor
        /// The logits of x̂ [b·S, C·P].
        Logits: Tensor
    }

/// Generative model and encoders of Keller & Welling 2021, "Topographic VAEs learn Equivariant Capsules". Z and U are
/// standard normal; T = (Z + μ)/√(W·U² + ε) is like Student's t, and latents that share a scale are active together. A frame
/// is decoded from its T alone.
[<RequireQualifiedAccess>]
module TopographicVae =
    /// Preset lpartial-mnist.
    let published: TopographicVaeConfig =
        {
            Channels = 3
            Side = 28
            Frames = 18
            Capsules = 18
            Entries = 18
            Grouping = Grouping.Shifting
            Kernel = 13
            Width = 3
            Mu = 30.0
            Epsilon = 1e-6
            LeastLogVariance = -20.0
            Standardised = false
        }

    // e^ℓ must stay finite in float32; nothing that is learned comes near.
    [<Literal>]
    let private LargestLogVariance = 60.0

    /// s, latents a frame.
    let latents (config: TopographicVaeConfig) : int = config.Capsules * config.Entries

    /// C·P, numbers a frame.
    let inputs (config: TopographicVaeConfig) : int = config.Channels * config.Side * config.Side

    let private isPlain (config: TopographicVaeConfig) = config.Grouping = Grouping.Plain

    /// Whether frames don't depend on each other: no latent shares its scale with one of another frame.
    let framesAreIndependent (config: TopographicVaeConfig) : bool =
        match config.Grouping with
        | Grouping.Plain
        | Grouping.Torus -> true
        | Grouping.Shifting
        | Grouping.Box ->
            Grouping.offsets config.Grouping config.Kernel config.Width
            |> Array.forall (fun struct (frames, _) -> frames = 0)

    // A layer as PyTorch starts it, weights and biases uniform in ±1/√fan, but with weights multiplied by the gain.
    let private uniform
        (gain: float)
        (fan: int)
        (inputs: int)
        (outputs: int)
        (biases: int)
        (dtype: Dtype)
        (key: Key)
        : Linear =
        let bound = 1.0 / sqrt (float fan)

        {
            Weight = Initialization.uniform (gain * bound) dtype [ inputs; outputs ] (key.Named "weight")
            Bias = Initialization.uniform bound dtype [ biases ] (key.Named "bias")
        }

    // For a standardised model, the gain under which a layer and its relu put out numbers of mean square 1 (He et al. 2015),
    // given the number of inputs and their mean square; else 1.
    let private rectified (config: TopographicVaeConfig) (fan: int) (inputs: int) (meanSquare: float) : float =
        if config.Standardised then
            sqrt (6.0 * float fan / (float inputs * meanSquare))
        else
            1.0

    // It is about the same for coloured digits and for sprites; still digits in grey have 0.11.
    [<Literal>]
    let private MeanSquareOfFrames = 0.04

    let private encoder (config: TopographicVaeConfig) (dtype: Dtype) (key: Key) : LatentEncoder =
        let s = latents config

        let layer gain inputs outputs (name: string) = uniform gain inputs inputs outputs outputs dtype (key.Named name)

        let first, second = inputs config, 3 * s

        {
            First = layer (rectified config first first MeanSquareOfFrames) first second "first"
            Second = layer (rectified config second second 1.0) second (2 * s) "second"
            Third = layer 1.0 (2 * s) (2 * s) "third"
        }

    // The fan is a layer's outputs: the authors' decoder has transposed convolutions, whose outputs PyTorch takes for fan-in.
    let private decoder (config: TopographicVaeConfig) (dtype: Dtype) (key: Key) : FrameDecoder =
        let s = latents config

        let layer gain inputs outputs biases (name: string) =
            uniform gain outputs inputs outputs biases dtype (key.Named name)

        let relu inputs outputs = layer (rectified config outputs inputs 1.0) inputs outputs outputs

        {
            First = relu s (2 * s) "first"
            Second = relu (2 * s) (3 * s) "second"
            Third = layer 1.0 (3 * s) (inputs config) config.Channels "third"
        }

    // Where q(u | x) of a standardised model starts. v is a sum of squares, so a mean of 0 is a saddle, from which nothing tells
    // u to grow to either side. The second moment is about that of the prior, as T's prior mean and deviation suppose.
    [<Literal>]
    let private FirstMeanOfU = 0.7

    [<Literal>]
    let private FirstLogVarianceOfU = -1.0

    let private away (config: TopographicVaeConfig) (layers: LatentEncoder) : LatentEncoder =
        if not config.Standardised then
            layers
        else
            let s = latents config
            let third: Linear = layers.Third
            let dtype = third.Weight.dtype
            let full value = Tensor.full ([| s |], value, dtype)

            let start = Tensor.cat [ full FirstMeanOfU; full FirstLogVarianceOfU ]
            { layers with Third = { third with Linear.Bias = third.Bias + start } }

    /// Parameters drawn from a key: weights and biases uniform in ±1/√f, where f is a layer's inputs in an encoder and its
    /// outputs in the decoder. In a standardised model the weights before a relu are larger (He et al. 2015), and u's means
    /// start away from 0.
    let init (config: TopographicVaeConfig) (dtype: Dtype) (key: Key) : TopographicVae =
        let unlessPlain make = if isPlain config then None else Some(make ())

        {
            Z = encoder config dtype (key.Named "z")
            U = unlessPlain (fun () -> encoder config dtype (key.Named "u") |> away config)
            Decoder = decoder config dtype (key.Named "decoder")
            Mu = unlessPlain (fun () -> Tensor.full ([||], config.Mu, dtype))
        }

    /// Room for `count` sequences, all zeros. Without noise the draws are the posteriors' means.
    let allocate (config: TopographicVaeConfig) (count: int) : TopographicVaeBatch =
        let rows, s = count * config.Frames, latents config

        {
            Frames = Tensor.zeros [| rows; inputs config |]
            NoiseZ = Tensor.zeros [| rows; s |]
            NoiseU =
                if isPlain config then
                    None
                else
                    Some(Tensor.zeros [| rows; s |])
        }

    /// Draws the noise of a batch anew, in place; a pure function of the key.
    let fillNoise (key: Key) (batch: TopographicVaeBatch) : unit =
        (key.Named "z").FillNormal(batch.NoiseZ.Elements<float32>())

        batch.NoiseU |> Option.iter (fun noise -> (key.Named "u").FillNormal(noise.Elements<float32>()))

    let private infer (config: TopographicVaeConfig) (layers: LatentEncoder) (x: Tensor) : Posterior =
        let s = latents config

        let both =
            x
            |> Linear.activated Activation.Relu layers.First
            |> Linear.activated Activation.Relu layers.Second
            |> Linear.forward layers.Third

        {
            Mean = both.slice (1, 0, s)
            LogVariance = (both.slice (1, s, 2 * s)).clamp(config.LeastLogVariance, LargestLogVariance)
        }

    /// q(z | x) and q(u | x) of frames x [n, C·P].
    let encode (config: TopographicVaeConfig) (model: TopographicVae) (x: Tensor) : Posteriors =
        {
            Z = infer config model.Z x
            U = model.U |> Option.map (fun layers -> infer config layers x)
        }

    // m + e^(ℓ/2)·ε.
    let private sample (posterior: Posterior) (noise: Tensor) : Tensor =
        posterior.Mean + (posterior.LogVariance * 0.5).exp() * noise

    /// v = W·u² [b·S, s] of u [b·S, s].
    let energy (config: TopographicVaeConfig) (u: Tensor) : Tensor =
        let n, d = config.Capsules, config.Entries

        let lattice =
            match config.Grouping with
            | Grouping.Torus ->
                let edge = int (sqrt (float (n * d)))
                [| -1; edge; 1; edge |]
            | _ -> [| -1; config.Frames; n; d |]

        let square = (u * u).view lattice

        (square.neighbourSum (Grouping.offsets config.Grouping config.Kernel config.Width)).view(-1, latents config)

    /// T = (z + μ)/√(W·u² + ε) [b·S, s]; z itself without u.
    let topographic (config: TopographicVaeConfig) (mu: Tensor option) (z: Tensor) (u: Tensor option) : Tensor =
        match mu, u with
        | Some mu, Some u -> (z + mu) / (energy config u + config.Epsilon).sqrt()
        | _ -> z

    // Γ((k − 1)/2)/Γ(k/2), k from 2 on.
    let rec private ratioOfGammas (k: int) : float =
        match k with
        | 2 -> sqrt Math.PI
        | 3 -> 2.0 / sqrt Math.PI
        | _ -> ratioOfGammas (k - 2) * float (k - 3) / float (k - 2)

    /// Mean and deviation of an entry of T under the prior, with the initial μ and ε = 0. v has a χ² distribution whose degrees
    /// of freedom k are the number of latents that share a scale, so E v^−½ = Γ((k − 1)/2)/(√2·Γ(k/2)) and E v⁻¹ = 1/(k − 2).
    /// Infinite where k < 3; (0, 1) for a plain autoencoder.
    let priorMoments (config: TopographicVaeConfig) : struct (float * float) =
        let k = (Grouping.offsets config.Grouping config.Kernel config.Width).Length

        if isPlain config then
            struct (0.0, 1.0)
        elif k < 3 then
            struct (infinity, infinity)
        else
            let mean = config.Mu * ratioOfGammas k / sqrt 2.0
            let square = (1.0 + config.Mu * config.Mu) / float (k - 2)
            struct (mean, sqrt (square - mean * mean))

    /// The logits of x̂ [n, C·P] that T [n, s] decodes to.
    let decode (config: TopographicVaeConfig) (model: TopographicVae) (t: Tensor) : Tensor =
        let { First = first; Second = second; Third = third }: FrameDecoder = model.Decoder
        // One bias a channel, for all of its pixels.
        let pixels = config.Side * config.Side
        let bias = (third.Bias.unsqueeze 1).expand(config.Channels, pixels).flatten()

        let seen =
            if config.Standardised then
                let struct (mean, deviation) = priorMoments config
                (t - mean) * (1.0 / deviation)
            else
                t

        (seen |> Linear.activated Activation.Relu first |> Linear.activated Activation.Relu second)
            .linear(third.Weight, bias)

    /// Draws z and u from posteriors, given standard normal noise [b·S, s] for each, and decodes their T.
    let draw
        (config: TopographicVaeConfig)
        (model: TopographicVae)
        (posteriors: Posteriors)
        (noiseZ: Tensor)
        (noiseU: Tensor option)
        : TopographicDraw =
        let z = sample posteriors.Z noiseZ
        let u = Option.map2 sample posteriors.U noiseU
        let t = topographic config model.Mu z u

        { Z = z; U = u; Topographic = t; Logits = decode config model t }

    /// T [count·S, s] drawn from the prior under the given μ, float32: what T is like before anything is learned.
    let sampleOfPrior (config: TopographicVaeConfig) (mu: float) (count: int) (key: Key) : Tensor =
        let batch = allocate config count
        fillNoise key batch
        let mu = batch.NoiseU |> Option.map (fun _ -> Tensor.scalar mu)
        topographic config mu batch.NoiseZ batch.NoiseU

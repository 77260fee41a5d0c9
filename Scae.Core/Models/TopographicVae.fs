namespace Scae.Core.Models

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
    }

/// Three layers, relu between them: [D′, 3s], [3s, 2s], [2s, 2s]; mean and log-variance side by side. s = N·D.
type LatentEncoder = { First: Linear; Second: Linear; Third: Linear }

/// Three layers, relu between them: [s, 2s], [2s, 3s], [3s, D′]; the bias of the last is one number a channel, [C].
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

/// What a batch's noise makes of it.
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
/// standard normal; T = (Z + μ)/√(W·U² + ε) is like Student's t, and what shares a scale is active together. A frame is
/// decoded from its T alone.
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
        }

    // e^ℓ must stay finite in float32; nothing that is learned comes near.
    [<Literal>]
    let private LargestLogVariance = 60.0

    /// s, latents a frame.
    let latents (config: TopographicVaeConfig) : int = config.Capsules * config.Entries

    /// C·P, numbers a frame.
    let inputs (config: TopographicVaeConfig) : int = config.Channels * config.Side * config.Side

    let private isPlain (config: TopographicVaeConfig) = config.Grouping = Grouping.Plain

    // Weights and biases uniform in ±1/√fan.
    let private uniform (fan: int) (inputs: int) (outputs: int) (biases: int) (dtype: Dtype) (key: Key) : Linear =
        let bound = 1.0 / sqrt (float fan)

        {
            Weight = Initialization.uniform bound dtype [ inputs; outputs ] (key.Named "weight")
            Bias = Initialization.uniform bound dtype [ biases ] (key.Named "bias")
        }

    let private encoder (config: TopographicVaeConfig) (dtype: Dtype) (key: Key) : LatentEncoder =
        let s = latents config
        let layer inputs outputs (name: string) = uniform inputs inputs outputs outputs dtype (key.Named name)

        {
            First = layer (inputs config) (3 * s) "first"
            Second = layer (3 * s) (2 * s) "second"
            Third = layer (2 * s) (2 * s) "third"
        }

    // PyTorch takes the outputs of a transposed convolution for its fan-in, and so do the authors' runs.
    let private decoder (config: TopographicVaeConfig) (dtype: Dtype) (key: Key) : FrameDecoder =
        let s = latents config
        let layer inputs outputs biases (name: string) = uniform outputs inputs outputs biases dtype (key.Named name)

        {
            First = layer s (2 * s) (2 * s) "first"
            Second = layer (2 * s) (3 * s) (3 * s) "second"
            Third = layer (3 * s) (inputs config) config.Channels "third"
        }

    /// Parameters drawn from a key: weights and biases uniform in ±1/√f, where f is a layer's inputs in an encoder and its
    /// outputs in the decoder.
    let init (config: TopographicVaeConfig) (dtype: Dtype) (key: Key) : TopographicVae =
        let unlessPlain make = if isPlain config then None else Some(make ())

        {
            Z = encoder config dtype (key.Named "z")
            U = unlessPlain (fun () -> encoder config dtype (key.Named "u"))
            Decoder = decoder config dtype (key.Named "decoder")
            Mu = unlessPlain (fun () -> Tensor.full ([||], config.Mu, dtype))
        }

    /// Room for a number of sequences: zeros, so that means are drawn.
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

    /// The logits of x̂ [n, C·P] that T [n, s] decodes to.
    let decode (config: TopographicVaeConfig) (model: TopographicVae) (t: Tensor) : Tensor =
        let { First = first; Second = second; Third = third }: FrameDecoder = model.Decoder
        // One bias a channel, for all of its pixels.
        let pixels = config.Side * config.Side
        let bias = (third.Bias.unsqueeze 1).expand(config.Channels, pixels).flatten()

        (t |> Linear.activated Activation.Relu first |> Linear.activated Activation.Relu second)
            .linear(third.Weight, bias)

    /// What a noise [b·S, s] for z and one for u make of posteriors.
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

    /// T [count·S, s] drawn from the prior of a μ, float32: what T is like before anything is learned.
    let sampleOfPrior (config: TopographicVaeConfig) (mu: float) (count: int) (key: Key) : Tensor =
        let batch = allocate config count
        fillNoise key batch
        let mu = batch.NoiseU |> Option.map (fun _ -> Tensor.scalar mu)
        topographic config mu batch.NoiseZ batch.NoiseU

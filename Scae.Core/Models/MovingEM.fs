namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers

/// How the slots of a sequence's first frame differ.
[<RequireQualifiedAccess>]
type FirstFrame =
    /// Random responsibilities.
    | Random
    /// Responsibilities that fall off with the distance from lit pixels, which are drawn far apart.
    | Spread

/// Sizes and choices of neural expectation maximization of moving objects.
type MovingEMConfig =
    {
        Core: SlotsConfig
        [<Setting("frames of a training sequence", Min = 2.0, Max = 1000.0)>]
        TrainedFrames: int
        [<Setting("what makes slots differ at the first frame")>]
        FirstFrame: FirstFrame
        [<Setting("whether the M-step sees its share of the frame, γ ∘ x, beside the residual")>]
        SeesFrame: bool
        [<Setting("rectified units between a residual and the cell; 0 for none", Min = 0.0, Max = 4096.0)>]
        EncoderUnits: int
    }

    member this.Pixels: int = this.Core.Pixels
    member this.Slots: int = this.Core.Slots
    member this.Hidden: int = this.Core.Hidden

/// The parameters.
type MovingEM =
    {
        /// A layer between a residual and the cell, [D, units], or [2D, units] where the M-step also sees the frame.
        Encoder: Linear option
        /// Cell and decoder.
        Slots: NeuralEM
    }

/// A batch of sequences; all float32.
type MovingEMBatch =
    {
        /// x̃ [b, F, D], what the M-steps see.
        Input: Tensor
        /// x [b, F, D], what is explained.
        Target: Tensor
        /// The responsibilities of the first frame, [b, K, D].
        Noise: Tensor
        /// What is added to the states of each step, [F − 1, b, K, H]; None adds nothing.
        StateNoise: Tensor option
    }

/// Neural expectation maximization of sequences: one EM iteration a frame, and each slot predicts its object's next frame
/// (Greff, van Steenkiste & Schmidhuber 2017, "Neural Expectation Maximization", §4.2 and §5.2).
[<RequireQualifiedAccess>]
module MovingEM =
    /// RNN-EM with a gated cell for three of the paper's flying shapes.
    let standard: MovingEMConfig =
        {
            Core =
                {
                    Pixels = 784
                    Slots = 4
                    Hidden = 250
                    MStep = MStep.Gated
                    InterCluster = 1.0
                    ThroughResponsibilities = false
                    Floor = 1e-3
                    StateNoise = 0.0
                    DecoderLayers = 1
                    DecoderUnits = 500
                    InputGain = 12.0
                    StartLogit = -3.0
                    Memory = 0.0
                }
            TrainedFrames = 20
            FirstFrame = FirstFrame.Spread
            SeesFrame = false
            EncoderUnits = 250
        }

    /// The configuration of NeuralEM under which a frame is one EM iteration of an image.
    let still (config: MovingEMConfig) : NeuralEMConfig =
        { NeuralEM.published with
            Core = config.Core
            Iterations = 1
            SymmetryBreaking =
                match config.FirstFrame with
                | FirstFrame.Random -> SymmetryBreaking.Random
                | FirstFrame.Spread -> SymmetryBreaking.Spread
            Objective = Objective.Expected
        }

    /// Parameters drawn from a key, as those of NeuralEM.init; the encoder's are uniform in ±InputGain/√D, and the cell's behind
    /// it in ±1/√units.
    let init (config: MovingEMConfig) (dtype: Dtype) (key: Key) : MovingEM =
        let core, units = config.Core, config.EncoderUnits
        let inputs = if config.SeesFrame then 2 * core.Pixels else core.Pixels

        let encoder: Linear option =
            if units > 0 then
                let gain = core.InputGain / sqrt (float core.Pixels)

                Some
                    {
                        Weight = Initialization.uniform gain dtype [ inputs; units ] (key.Named "encoder")
                        Bias = Tensor.zeros ([| units |], dtype)
                    }
            else
                None

        let seen, gain = if units > 0 then units, 1.0 else inputs, core.InputGain

        {
            Encoder = encoder
            Slots =
                { NeuralEM.init (still config) dtype key with
                    Recurrence = NeuralEM.initRecurrence core seen gain dtype key
                }
        }

    /// Room for a batch of `count` sequences of `frames` frames, all zeros.
    let allocateFrames (config: MovingEMConfig) (frames: int) (count: int) : MovingEMBatch =
        let { Pixels = d; Hidden = h; Slots = k } = config.Core

        {
            Input = Tensor.zeros [| count; frames; d |]
            Target = Tensor.zeros [| count; frames; d |]
            Noise = Tensor.zeros [| count; k; d |]
            StateNoise =
                if config.Core.StateNoise > 0.0 then
                    Some(Tensor.zeros [| frames - 1; count; k; h |])
                else
                    None
        }

    /// Room for a training batch of `count` sequences, all zeros.
    let allocate (config: MovingEMConfig) (count: int) : MovingEMBatch =
        allocateFrames config config.TrainedFrames count

    /// The configuration without the disturbances that only training has.
    let undisturbed (config: MovingEMConfig) : MovingEMConfig = { config with Core.StateNoise = 0.0 }

    /// Frame number t of sequences [b, F, D]; [b, D].
    let frame (sequences: Tensor) (t: int) : Tensor = (sequences.select (1, t)).contiguous()

    /// The M-step of a frame: states θ [b, K, H], residuals δ [b, K, D] and shares of the frame γ ∘ x̃ [b, K, D] → the next
    /// states. The shares are read only with SeesFrame.
    let mStep (config: MovingEMConfig) (model: MovingEM) (theta: Tensor) (delta: Tensor) (share: Tensor) : Tensor =
        let input =
            if config.SeesFrame then
                Tensor.cat ([| delta; share |], 2)
            else
                delta

        let seen =
            match model.Encoder with
            | Some encoder -> Linear.activated Activation.Relu encoder input
            | None -> input

        NeuralEM.mStep (still config) model.Slots theta seen

    /// The F − 1 EM iterations of a sequence. Element t has the state after frame t, the means ψ that it predicts for frame
    /// t + 1, and the responsibilities of these means for the true frame t + 1. The M-step of a frame sees γ_k ∘ (x̃ − ψ_k), where
    /// ψ was predicted from the frames before it, and γ is computed from the clean frame.
    let unroll (config: MovingEMConfig) (model: MovingEM) (batch: MovingEMBatch) : EMIteration list =
        let still = still config
        let { Input = inputs; Target = targets; Noise = noise } = batch

        // Element t, from the state before frame t and from the residual and the share of frame t.
        let following t (theta: Tensor) (delta: Tensor) (share: Tensor) =
            let theta = mStep config model theta delta share

            let theta =
                match batch.StateNoise with
                | Some noise -> theta + noise.select (0, t)
                | None -> theta

            let psi = NeuralEM.decode still model.Slots theta
            let gamma = lazy (NeuralEM.responsibilities still psi (frame targets (t + 1)))
            { State = theta; Means = psi; Gamma = gamma }

        let first =
            let states = Tensor.zeros ([| targets.shape[0]; config.Slots; config.Hidden |], targets.dtype)
            let share = noise * (frame inputs 0).unsqueeze 1
            // ψ = 0, so that the residual is the share.
            following 0 states share share

        let next (last: EMIteration) t =
            let input = frame inputs t
            let delta = NeuralEM.residual still last.Means (frame targets t) input

            let share =
                if config.SeesFrame then
                    last.Responsibilities * input.unsqueeze 1
                else
                    // It isn't read.
                    delta

            following t last.State delta share

        List.scan next first [ 1 .. targets.shape[1] - 2 ]

    /// The loss of frame t + 1 ≥ 1 as element t of `unroll` predicts it, a scalar (eq. 8, with λ).
    let frameLoss (config: MovingEMConfig) (batch: MovingEMBatch) (t: int) (iteration: EMIteration) : Tensor =
        NeuralEM.iterationLoss (still config) (frame batch.Target (t + 1)) iteration

    /// The mean of the predicted frames' losses, a scalar.
    let loss (config: MovingEMConfig) (model: MovingEM) (batch: MovingEMBatch) : Tensor =
        let losses = unroll config model batch |> List.mapi (frameLoss config batch)
        List.reduce (+) losses * (1.0 / float losses.Length)

    /// Q of each sequence, [b], summed over the predicted frames (see NeuralEM.expectedLogLikelihood). Of several starts, the one
    /// with the greatest Q should be kept.
    let expectedLogLikelihood (config: MovingEMConfig) (batch: MovingEMBatch) (iterations: EMIteration list) : Tensor =
        iterations
        |> List.mapi (fun t -> NeuralEM.expectedLogLikelihood (still config) (frame batch.Target (t + 1)))
        |> List.reduce (+)

    /// The next frame as predicted before it is seen, 1 − Π_k (1 − ψ_k): a pixel is dark only if all slots draw it dark.
    /// ψ [b, K, D] → [b, D].
    let prediction (psi: Tensor) : Tensor =
        let dark = 1.0 - psi
        1.0 - ([ 0 .. psi.shape[1] - 1 ] |> List.map (fun k -> dark.select (1, k)) |> List.reduce (*))

    // Probabilities are limited to [clip, 1 − clip].
    [<Literal>]
    let private Clip = 1e-6

    /// Nats that a prediction p [b, D] pays for a frame x [b, D]: the cross-entropy, summed over pixels, averaged over frames;
    /// a scalar.
    let surprise (p: Tensor) (x: Tensor) : Tensor =
        let p = p.clamp (Clip, 1.0 - Clip)
        let bits = x * p.log () + (1.0 - x) * (1.0 - p).log()
        -(bits.sum ()) * (1.0 / float x.shape[0])

    /// Makes a function that fills the first frame's responsibilities of a batch (see NeuralEMStarts); its calls must not
    /// overlap.
    let start (config: MovingEMConfig) : Key -> MovingEMBatch -> unit =
        let start = NeuralEMStarts.fillFrom (still config)
        fun key batch -> start key batch.Target batch.Noise

namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers

/// What makes the slots of an image differ before they have seen it.
[<RequireQualifiedAccess>]
type SymmetryBreaking =
    /// θ_0 = θ_init[k] + noise, and the first responsibilities are those of the decoded θ_0.
    | Learned
    /// h = 0, ψ = 0, and random responsibilities.
    | Random
    /// As Random, but the responsibilities fall off with the distance from lit pixels. These are drawn far apart, as
    /// k-means++ draws its centres (Arthur & Vassilvitskii 2007).
    | Spread

/// The distribution of a pixel, given a slot's mean ψ.
[<RequireQualifiedAccess>]
type Likelihood =
    /// 0 or 1; ψ is the probability of 1.
    | Bernoulli
    /// A grey value, normal around ψ with deviation σ.
    | Gaussian

/// The loss of one EM iteration.
[<RequireQualifiedAccess>]
type Objective =
    /// −log (1/K) Σ_k p(x | ψ_k), averaged over pixels and images.
    | Evidence
    /// Σ_k γ_k·BCE(ψ_k, x) + λ·(1 − γ_k)·KL(0 ‖ ψ_k), summed over pixels, averaged over images (eq. 8). With
    /// Likelihood.Gaussian BCE and KL become the squared errors (x − ψ_k)²/2σ² and ψ_k²/2σ².
    | Expected

/// How much the loss of each iteration counts.
[<RequireQualifiedAccess>]
type StepWeights =
    | All
    | Last
    /// t / T for iteration t of 1..T.
    | Increasing

/// A slot for the pixels that no object covers.
[<RequireQualifiedAccess>]
type BackgroundSlot =
    | None
    /// One more slot with mean 0.
    | Zero
    /// One more slot with a learned mean, the same for all pixels.
    | Learned

/// Sizes and choices of neural expectation maximization of images.
type NeuralEMConfig =
    {
        Core: SlotsConfig
        [<Setting("T, EM iterations", Min = 1.0, Max = 1000.0)>]
        Iterations: int
        [<Setting("what makes slots differ at the start")>]
        SymmetryBreaking: SymmetryBreaking
        [<Setting("deviation of the noise on a learned start", Min = 0.0)>]
        StartNoise: float
        [<Setting("what a pixel is given its mean; grey images need gaussian")>]
        Likelihood: Likelihood
        [<Setting("σ of the gaussian likelihood", Min = 1e-3)>]
        Sigma: float
        [<Setting("the loss of an iteration: evidence of the mixture, or expected over slots")>]
        Objective: Objective
        [<Setting("which iterations' losses count")>]
        StepWeights: StepWeights
        [<Setting("one more slot for the background: its mean zero or learned")>]
        Background: BackgroundSlot
        [<Setting("whether each EM iteration of training sees flips of its own", Name = "flip-anew")>]
        FreshInput: bool
    }

    member this.Pixels: int = this.Core.Pixels
    member this.Slots: int = this.Core.Slots
    member this.Hidden: int = this.Core.Hidden

/// A recurrent cell: Input [D, G·H] with bias, Recurrent [H, G·H]; G = 3 for a gated cell, else 1.
type Recurrence = { Input: Linear; Recurrent: Tensor }

/// The parameters; which of them there are follows from the configuration.
type NeuralEM =
    {
        /// W_dec [H, D], b_dec: ψ_k = σ(θ_k·W_dec + b_dec). If there are hidden layers, W_dec is [units, D].
        Decoder: Linear
        /// The hidden layers before that: the first is [H, units], the others [units, units].
        DecoderHidden: Linear[]
        Recurrence: Recurrence option
        /// η, a scalar; only for MStep.Gradient.
        StepSize: Tensor option
        /// θ_init [K, H]; only for SymmetryBreaking.Learned.
        Start: Tensor option
        /// The logit of the background's mean, [1, 1, 1]; only for BackgroundSlot.Learned.
        BackgroundLogit: Tensor option
    }

/// A batch of images; all float32.
type NeuralEMBatch =
    {
        /// x̃ [b, n, D], what the M-steps see: n = 1 copy for all of them, or n = T copies, one for each.
        Input: Tensor
        /// x [b, D], what is explained.
        Target: Tensor
        /// With SymmetryBreaking.Learned the noise added to θ_init, [b, K, H]; otherwise the first responsibilities,
        /// [b, slots, D].
        Noise: Tensor
        /// What is added to the states of each iteration, [T, b, K, H]; None adds nothing.
        StateNoise: Tensor option
    }

/// One EM iteration.
type EMIteration =
    {
        /// θ [b, K, H].
        State: Tensor
        /// ψ [b, slots, D] in [0, 1]; the background's slot is the last.
        Means: Tensor
        /// γ, computed only when it is asked for, since training on the evidence never needs it.
        Gamma: Lazy<Tensor>
    }

    /// γ [b, slots, D], sums to 1 over slots.
    member iteration.Responsibilities: Tensor = iteration.Gamma.Value

/// Perceptual grouping by unrolled expectation maximization with a learned M-step (Greff, van Steenkiste & Schmidhuber
/// 2017, "Neural Expectation Maximization") of binary or grey images.
[<RequireQualifiedAccess>]
module NeuralEM =
    /// The published small program: 24×24, K = 3, H = 24, T = 4.
    let published: NeuralEMConfig =
        {
            Core =
                {
                    Pixels = 576
                    Slots = 3
                    Hidden = 24
                    MStep = MStep.Tanh
                    InterCluster = 1.0
                    ThroughResponsibilities = true
                    Floor = 0.0
                    StateNoise = 0.0
                    DecoderLayers = 0
                    DecoderUnits = 250
                    InputGain = 1.0
                    StartLogit = 0.0
                    Memory = 0.0
                }
            Iterations = 4
            SymmetryBreaking = SymmetryBreaking.Learned
            StartNoise = 0.1
            Likelihood = Likelihood.Bernoulli
            Sigma = 0.25
            Objective = Objective.Evidence
            StepWeights = StepWeights.All
            Background = BackgroundSlot.None
            FreshInput = false
        }

    // Probabilities are limited to [clip, 1 − clip], as the small program does.
    [<Literal>]
    let private Clip = 1e-6

    // The deviation of θ_init in the small program.
    [<Literal>]
    let private StartDeviation = 0.5

    /// The number of slots, including the background's.
    let slots (config: NeuralEMConfig) : int =
        match config.Background with
        | BackgroundSlot.None -> config.Slots
        | _ -> config.Slots + 1

    /// What belongs to a cell of one gate, to weights of inputs, or to hidden layers of the decoder.
    let dependences (config: SlotsConfig) : Dependence list =
        [
            Dependence.needs
                "--m-step sigmoid or tanh"
                (config.MStep = MStep.Sigmoid || config.MStep = MStep.Tanh)
                [ "memory" ]
            Dependence.needs "an --m-step other than gradient" (config.MStep <> MStep.Gradient) [ "input-gain" ]
            Dependence.needs "--decoder-layers above 0" (config.DecoderLayers > 0) [ "decoder-units" ]
        ]

    let private weight (gain: float) (inputs: int) (outputs: int) (dtype: Dtype) (key: Key) =
        Initialization.uniform (gain / sqrt (float inputs)) dtype [ inputs; outputs ] key

    /// The recurrent cell with 1 or 3 gates. In a cell with one gate Memory is added to the diagonal of the recurrent weights;
    /// a sigmoid cell's bias is −Memory/2, so that a state of ½ is mapped to the sigmoid's middle.
    let private initCell (config: SlotsConfig) inputs gain (gates: int) (dtype: Dtype) (key: Key) : Recurrence =
        let h = config.Hidden

        let diagonal =
            Tensor.``of`` (Array.init (h * h) (fun i -> if i % (h + 1) = 0 then config.Memory else 0.0), [| h; h |])

        let halfway =
            match config.MStep with
            | MStep.Sigmoid -> -0.5 * config.Memory
            | _ -> 0.0

        {
            Input =
                {
                    Weight = weight gain inputs (gates * h) dtype (key.Named "input")
                    Bias = Tensor.full ([| gates * h |], halfway, dtype)
                }
            Recurrent =
                let drawn = weight 1.0 h (gates * h) dtype (key.Named "recurrent")
                if gates = 1 then drawn + diagonal.cast dtype else drawn
        }

    /// The recurrent cell of a number of inputs, whose weights are uniform in ±gain/√inputs; None for MStep.Gradient.
    let internal initRecurrence (config: SlotsConfig) (inputs: int) (gain: float) (dtype: Dtype) (key: Key) =
        match config.MStep with
        | MStep.Tanh
        | MStep.Sigmoid -> Some(initCell config inputs gain 1 dtype key)
        | MStep.Gated -> Some(initCell config inputs gain 3 dtype key)
        | MStep.Gradient -> None

    /// Parameters drawn from a key. Weights are uniform in ±1/√fan-in, times InputGain for the cell's input weights; those of the
    /// decoder's hidden layers are He-normal. Biases are 0, but StartLogit in the decoder's last layer and −Memory/2 in a
    /// sigmoid cell. θ_init is normal with deviation 0.5.
    let init (config: NeuralEMConfig) (dtype: Dtype) (key: Key) : NeuralEM =
        let core = config.Core
        let { Pixels = d; Hidden = h; Slots = k } = core

        {
            Decoder =
                {
                    Weight =
                        let inputs = if core.DecoderLayers > 0 then core.DecoderUnits else h
                        weight 1.0 inputs d dtype (key.Named "decoder")
                    Bias = Tensor.full ([| d |], core.StartLogit, dtype)
                }
            DecoderHidden =
                [|
                    for layer in 0 .. core.DecoderLayers - 1 do
                        let inputs = if layer = 0 then h else core.DecoderUnits
                        Linear.init 1.0 inputs core.DecoderUnits dtype ((key.Named "decoderHidden").Fold(int64 layer))
                |]
            Recurrence = initRecurrence core d core.InputGain dtype key
            StepSize =
                match core.MStep with
                | MStep.Gradient -> Some(Tensor.full ([||], 0.1, dtype))
                | _ -> None
            Start =
                match config.SymmetryBreaking with
                | SymmetryBreaking.Learned ->
                    Some(Initialization.normal StartDeviation dtype [ k; h ] (key.Named "start"))
                | SymmetryBreaking.Random
                | SymmetryBreaking.Spread -> None
            BackgroundLogit =
                match config.Background with
                | BackgroundSlot.Learned -> Some(Tensor.full ([| 1; 1; 1 |], -2.0, dtype))
                | _ -> None
        }

    /// Room for a batch of the given size, all zeros.
    let allocate (config: NeuralEMConfig) (count: int) : NeuralEMBatch =
        let { Pixels = d; Hidden = h; Slots = k } = config.Core

        {
            Input = Tensor.zeros [| count; (if config.FreshInput then config.Iterations else 1); d |]
            Target = Tensor.zeros [| count; d |]
            Noise =
                match config.SymmetryBreaking with
                | SymmetryBreaking.Learned -> Tensor.zeros [| count; k; h |]
                | SymmetryBreaking.Random
                | SymmetryBreaking.Spread -> Tensor.zeros [| count; slots config; d |]
            StateNoise =
                if config.Core.StateNoise > 0.0 then
                    Some(Tensor.zeros [| config.Iterations; count; k; h |])
                else
                    None
        }

    /// The configuration without the disturbances that only training has.
    let undisturbed (config: NeuralEMConfig) : NeuralEMConfig =
        { config with FreshInput = false; Core.StateNoise = 0.0 }

    /// ψ of every slot: θ [b, K, H] → [b, slots, D] in [0, 1], the background's slot last.
    let decode (config: NeuralEMConfig) (model: NeuralEM) (theta: Tensor) : Tensor =
        let psi =
            (theta, model.DecoderHidden)
            ||> Array.fold (fun x layer -> Linear.activated Activation.Relu layer x)
            |> Linear.activated Activation.Sigmoid model.Decoder

        let background = [| theta.shape[0]; 1; config.Pixels |]

        match config.Background, model.BackgroundLogit with
        | BackgroundSlot.None, _ -> psi
        | _, Some logit -> Tensor.cat ([| psi; (logit.sigmoid ()).expand background |], 1)
        | _, None -> Tensor.cat ([| psi; Tensor.zeros (background, theta.dtype) |], 1)

    /// −(x − ψ)²/2σ²: log p(x | ψ) of a grey pixel, up to a constant.
    let private gaussian (config: NeuralEMConfig) (psi: Tensor) (x: Tensor) : Tensor =
        let error = x.unsqueeze 1 - psi
        error * error * (-0.5 / config.Sigma ** 2.0)

    /// The E-step: γ_k ∝ p(x | ψ_k) + floor (eq. 3); ψ [b, slots, D], x [b, D] → [b, slots, D]. With Likelihood.Gaussian the
    /// density is divided by its maximum before the floor is added.
    let responsibilities (config: NeuralEMConfig) (psi: Tensor) (x: Tensor) : Tensor =
        let gamma =
            match config.Likelihood with
            | Likelihood.Bernoulli -> psi.bernoulliResponsibilities (x, Clip, config.Core.Floor)
            | Likelihood.Gaussian when config.Core.Floor = 0.0 -> (gaussian config psi x).softmax 1
            | Likelihood.Gaussian ->
                let density = (gaussian config psi x).exp() + config.Core.Floor
                density / density.sum (1, true)

        if config.Core.ThroughResponsibilities then
            gamma
        else
            gamma.noDiff ()

    /// δ = γ ∘ (x̃ − ψ), where γ is computed from x; ψ [b, slots, D], x and x̃ [b, D] → [b, slots, D].
    let residual (config: NeuralEMConfig) (psi: Tensor) (x: Tensor) (input: Tensor) : Tensor =
        match config.Likelihood with
        | Likelihood.Bernoulli ->
            psi.bernoulliResidual (x, input, Clip, config.Core.Floor, config.Core.ThroughResponsibilities)
        | Likelihood.Gaussian -> responsibilities config psi x * (input.unsqueeze 1 - psi)

    let private gated (cell: Recurrence) (h: int) (theta: Tensor) (delta: Tensor) : Tensor =
        let ofInput = Linear.forward cell.Input delta
        let ofState = theta.linear cell.Recurrent
        let part (i: int) (x: Tensor) = x.slice (-1, i * h, (i + 1) * h)
        let update = (part 0 ofInput + part 0 ofState).sigmoid()
        let reset = (part 1 ofInput + part 1 ofState).sigmoid()
        let candidate = (part 2 ofInput + reset * part 2 ofState).tanh()
        candidate + update * (theta - candidate)

    /// The gradient of the expected log-likelihood in θ, passed back through the decoder from the gradient in ψ's logits. In the
    /// logits it is δ = γ ∘ (x − ψ) for bits, and δ ∘ ψ ∘ (1 − ψ) / σ² for grey values.
    let private ascent (config: NeuralEMConfig) (model: NeuralEM) (theta: Tensor) (delta: Tensor) : Tensor =
        let layers =
            (theta, model.DecoderHidden)
            ||> Array.scan (fun x layer -> Linear.activated Activation.Relu layer x)

        let outputs = Array.tail layers

        let ofLogits =
            match config.Likelihood with
            | Likelihood.Bernoulli -> delta
            | Likelihood.Gaussian ->
                let psi = Linear.activated Activation.Sigmoid model.Decoder (Array.last layers)
                delta * psi * (1.0 - psi) * (1.0 / config.Sigma ** 2.0)

        let back (layer: Linear) (output: Tensor) (direction: Tensor) =
            ((output.gt 0.0).where(direction, 0.0)).matmul(layer.Weight.transpose ())

        Array.foldBack2 back model.DecoderHidden outputs (ofLogits.matmul (model.Decoder.Weight.transpose ()))

    /// The M-step: states θ [b, K, H] and residuals δ [b, K, D] → the next states.
    let mStep (config: NeuralEMConfig) (model: NeuralEM) (theta: Tensor) (delta: Tensor) : Tensor =
        match config.Core.MStep, model.Recurrence, model.StepSize with
        | MStep.Tanh, Some cell, _ -> (Linear.forward cell.Input delta + theta.linear cell.Recurrent).tanh()
        | MStep.Sigmoid, Some cell, _ -> (Linear.forward cell.Input delta + theta.linear cell.Recurrent).sigmoid()
        | MStep.Gated, Some cell, _ -> gated cell config.Hidden theta delta
        | MStep.Gradient, _, Some eta -> theta + eta * ascent config model theta delta
        | kind, _, _ -> invalidArg (nameof model) $"neural EM: the model has no parameters for the M-step %A{kind}"

    /// The slots without the background's.
    let private objects (config: NeuralEMConfig) (x: Tensor) : Tensor =
        match config.Background with
        | BackgroundSlot.None -> x
        | _ -> x.slice (1, 0, config.Slots)

    /// The T iterations in their order. A learned start is the first iteration itself; random responsibilities come before the
    /// first, which begins with their M-step.
    let unroll (config: NeuralEMConfig) (model: NeuralEM) (batch: NeuralEMBatch) : EMIteration list =
        let { Input = inputs; Target = x; Noise = noise } = batch

        // What M-step t of 1..T sees.
        let input t = inputs.select (1, min t inputs.shape[1] - 1)

        let disturbed (theta: Tensor) t =
            match batch.StateNoise with
            | Some noise -> theta + noise.select (0, t - 1)
            | None -> theta

        // Iteration t of 1..T.
        let iteration t theta =
            let theta = disturbed theta t
            let psi = decode config model theta

            { State = theta; Means = psi; Gamma = lazy (responsibilities config psi x) }

        let next t (theta: Tensor) (delta: Tensor) = iteration t (mStep config model theta (objects config delta))

        let following (last: EMIteration) t = residual config last.Means x (input t) |> next t last.State

        let first =
            match model.Start with
            | Some start -> iteration 1 (start + noise)
            | None ->
                // ψ = 0, so the residual is γ ∘ x̃.
                next
                    1
                    (Tensor.zeros ([| x.shape[0]; config.Slots; config.Hidden |], x.dtype))
                    (noise * (input 1).unsqueeze 1)

        [ 2 .. config.Iterations ] |> List.scan following first

    /// The loss of one iteration, a scalar.
    let iterationLoss (config: NeuralEMConfig) (x: Tensor) (iteration: EMIteration) : Tensor =
        let psi = iteration.Means

        match config.Objective, config.Likelihood with
        | Objective.Evidence, Likelihood.Bernoulli -> -((psi.bernoulliMixture (x, Clip)).mean())
        | Objective.Evidence, Likelihood.Gaussian ->
            let constant = log (float psi.shape[1]) + log (config.Sigma * sqrt (2.0 * Math.PI))
            constant - ((gaussian config psi x).logsumexp 1).mean()
        | Objective.Expected, Likelihood.Bernoulli ->
            (psi.bernoulliSlotLoss (iteration.Responsibilities, x, config.Core.InterCluster, Clip)).mean()
        | Objective.Expected, Likelihood.Gaussian ->
            let gamma = iteration.Responsibilities
            let other = psi * psi * (0.5 * config.Core.InterCluster / config.Sigma ** 2.0)
            ((1.0 - gamma) * other - gamma * gaussian config psi x).sum() * (1.0 / float psi.shape[0])

    /// The weighted sum of the iterations' losses, a scalar.
    let loss (config: NeuralEMConfig) (model: NeuralEM) (batch: NeuralEMBatch) : Tensor =
        let iterations = unroll config model batch
        let last = iterations.Length

        let weighted (t: int) (iteration: EMIteration) =
            let loss () = iterationLoss config batch.Target iteration

            match config.StepWeights with
            | StepWeights.All -> Some(loss ())
            | StepWeights.Increasing -> Some(loss () * (float (t + 1) / float last))
            | StepWeights.Last when t + 1 = last -> Some(loss ())
            | StepWeights.Last -> None

        iterations |> List.mapi weighted |> List.choose id |> List.reduce (+)

    /// Q of each image, Σ_{k,i} γ_k·log p(x_i | ψ_k) without constants (eq. 2, with γ of the same iteration): x [b, D] → [b].
    /// Of several starts, the one with the greatest Q should be kept. The evidence is no such guide: it isn't lower when two
    /// slots draw one shape.
    let expectedLogLikelihood (config: NeuralEMConfig) (x: Tensor) (iteration: EMIteration) : Tensor =
        let psi = iteration.Means

        let logLikelihood =
            match config.Likelihood with
            | Likelihood.Bernoulli ->
                let psi = psi.clamp (Clip, 1.0 - Clip)
                let x = x.unsqueeze 1
                x * psi.log () + (1.0 - x) * (1.0 - psi).log()
            | Likelihood.Gaussian -> gaussian config psi x

        (iteration.Responsibilities * logLikelihood).sum([| 1; 2 |])

    /// The slot of the largest responsibility: γ [b, slots, D] → b·D indices.
    let assign (gamma: Tensor) : int[] = (gamma.argmax 1).toArray<int>()

    /// The mixture's mean Σ_k γ_k ∘ ψ_k of γ and ψ [b, slots, D]; [b, D].
    let mixture (gamma: Tensor) (psi: Tensor) : Tensor = (gamma * psi).sum 1

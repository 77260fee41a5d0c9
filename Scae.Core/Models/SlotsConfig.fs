namespace Scae.Core.Models

open Scae.Core.Configuration

/// How the M-step turns the residual δ_k = γ_k ∘ (x − ψ_k) of a slot into its next state.
[<RequireQualifiedAccess>]
type MStep =
    /// θ ← tanh(δ·W_x + θ·W_h + b_h): the published small program.
    | Tanh
    /// h ← σ(δ·W + h·R + b): RNN-EM, the paper's cell.
    | Sigmoid
    /// A gated recurrent unit (Cho et al. 2014) whose reset gate is applied after the product with the recurrent weights.
    | Gated
    /// θ ← θ + η·δ·W_decᵀ: N-EM proper, a gradient step of the expected log-likelihood in θ (eq. 7); η is learned.
    | Gradient

/// Sizes and choices of slots, in the paper's symbols: what neural expectation maximization of images and of sequences have in
/// common.
type SlotsConfig =
    {
        /// D, pixels an image.
        Pixels: int
        [<Setting("K, slots without the background's", Min = 1.0, Max = 64.0)>]
        Slots: int
        [<Setting("H, size of a slot's state", Min = 1.0, Max = 4096.0)>]
        Hidden: int
        [<Setting("how a slot's state follows from its residual: sigmoid is the paper's RNN-EM, gradient its N-EM")>]
        MStep: MStep
        [<Setting("λ, weight of what a slot pays for pixels it doesn't answer for", Min = 0.0)>]
        InterCluster: float
        [<Setting("whether gradients pass through the responsibilities")>]
        ThroughResponsibilities: bool
        [<Setting("added to each probability in the E-step", Min = 0.0)>]
        Floor: float
        // A state that is read through noise has room for a whole shape, but not for an arbitrary set of pixels.
        [<Setting("deviation of noise on the states in training", Min = 0.0)>]
        StateNoise: float
        [<Setting("layers of rectified units between a state and its mean; 0 for none, as in the paper",
                  Min = 0.0,
                  Max = 16.0)>]
        DecoderLayers: int
        [<Setting("units of each of these layers", Min = 1.0, Max = 4096.0)>]
        DecoderUnits: int
        [<Setting("at the start the input weights are uniform in ± this / √pixels", Min = 0.0)>]
        InputGain: float
        [<Setting("at the start the decoder's bias")>]
        StartLogit: float
        // A sigmoid cell's bias starts at −memory/2, so that with memory 4 a unit near ½ keeps its value. Gated cells keep
        // their values anyway and ignore this.
        [<Setting("at the start what is added to the diagonal of a sigmoid or tanh cell's recurrent weights", Min = 0.0)>]
        Memory: float
    }

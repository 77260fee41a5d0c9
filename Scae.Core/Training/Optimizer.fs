namespace Scae.Core.Training

open System
open Scae.Tensors

/// RMSProp's constants: v ← ρv + (1 − ρ)g², u ← μu + η·g / (√v + ε), p ← p − u.
type RmsProp =
    {
        /// ρ.
        Decay: float
        /// μ.
        Momentum: float
        /// ε.
        Epsilon: float
        /// √(v + ε) instead of √v + ε.
        EpsilonInsideRoot: bool
        /// v before the first step.
        Start: float
    }

/// How gradients change parameters.
type Optimizer =
    /// Kingma & Ba 2015, algorithm 1, bias-corrected; ε stands outside the root.
    | Adam of beta1: float * beta2: float * epsilon: float
    /// Tieleman & Hinton 2012: the gradient over the root of its decaying mean square.
    | RmsProp of RmsProp
    /// Gradient descent with momentum: u ← μu + g, p ← p − η·u.
    | Momentum of momentum: float

/// The optimizer's memory: one or two tensors per parameter, all updated in place.
type OptimizerState = { Optimizer: Optimizer; First: Tensor list; Second: Tensor list }

/// Parameters with their gradients and the optimizer's memory, as arrays, so that a step allocates nothing.
[<Sealed>]
type internal Updater(state: OptimizerState, parameters: Tensor array, gradients: Tensor array) =
    let first = Array.ofList state.First
    let second = Array.ofList state.Second

    // The step of one parameter, as a function of its number, the step size, the number of the step counted from 1,
    // and the factor of the gradient.
    let update =
        match state.Optimizer with
        | Adam(beta1, beta2, epsilon) ->
            fun i (rate: float) (step: int) (scale: float) ->
                Updates.Adam(parameters[i], gradients[i], first[i], second[i], rate, beta1, beta2, epsilon, step, scale)
        | RmsProp {
                      Decay = decay
                      Momentum = momentum
                      Epsilon = epsilon
                      EpsilonInsideRoot = inside
                  } ->
            fun i rate _ scale ->
                let velocity: Tensor | null = if second.Length > 0 then second[i] else null

                Updates.RmsProp(
                    parameters[i],
                    gradients[i],
                    first[i],
                    rate,
                    decay,
                    epsilon,
                    scale,
                    velocity,
                    momentum,
                    inside
                )
        | Momentum momentum ->
            fun i rate _ scale -> Updates.SgdMomentum(parameters[i], gradients[i], first[i], rate, momentum, scale)

    /// √Σg² over all gradients.
    member _.GradientNorm() : float = Updates.GlobalNorm gradients

    /// For each parameter, whether its whole gradient is finite.
    member _.FiniteGradients() : bool[] =
        gradients |> Array.map (fun gradient -> Double.IsFinite(Updates.GlobalNorm [| gradient |]))

    /// One step of the given size; steps are counted from 1. If the global norm of the gradients exceeds `clip`, they
    /// are scaled down to it.
    member this.Step(learningRate: float, step: int, clip: float voption) : unit =
        let scale =
            match clip with
            | ValueSome most -> min 1.0 (most / max 1e-300 (this.GradientNorm()))
            | ValueNone -> 1.0

        for i in 0 .. parameters.Length - 1 do
            update i learningRate step scale

/// Updates of parameters in place.
[<RequireQualifiedAccess>]
module Optimizer =
    /// Adam with the usual constants: 0.9, 0.999, 10⁻⁸.
    let adam: Optimizer = Adam(0.9, 0.999, 1e-8)

    /// RMSProp as TensorFlow 1 has it: ε inside the root, mean squares of 1 before the first step.
    let tensorFlowRmsProp (decay: float) (momentum: float) (epsilon: float) : Optimizer =
        RmsProp
            {
                Decay = decay
                Momentum = momentum
                Epsilon = epsilon
                EpsilonInsideRoot = true
                Start = 1.0
            }

    /// The memory before the first step.
    let init (optimizer: Optimizer) (parameters: Tensor list) : OptimizerState =
        let all (value: float) = parameters |> List.map _.fullLike(value)

        match optimizer with
        | Adam _ -> { Optimizer = optimizer; First = all 0.0; Second = all 0.0 }
        | RmsProp settings ->
            {
                Optimizer = optimizer
                First = all settings.Start
                Second = if settings.Momentum > 0.0 then all 0.0 else []
            }
        | Momentum _ -> { Optimizer = optimizer; First = all 0.0; Second = [] }

    /// One step in place, from the parameters' present derivatives; `step` is counted from 1. The parameters are those that the
    /// memory was made for, in their order. Raises ArgumentException if there are more or fewer, ShapeError if shapes differ.
    let step (state: OptimizerState) (learningRate: float) (step: int) (parameters: Tensor list) : unit =
        let parameters = Array.ofList parameters

        if parameters.Length <> state.First.Length then
            invalidArg
                (nameof parameters)
                $"optimizer: {parameters.Length} parameters, and memory for {state.First.Length}; must be those of Optimizer.init"

        Updater(state, parameters, parameters |> Array.map _.derivative).Step(learningRate, step, ValueNone)

    /// The memory with names, for a checkpoint.
    let named (names: string list) (state: OptimizerState) : (string * Tensor) list =
        let label (prefix: string) (tensors: Tensor list) =
            if tensors.IsEmpty then
                []
            else
                List.map2 (fun name tensor -> $"optimizer.{prefix}.{name}", tensor) names tensors

        label "first" state.First @ label "second" state.Second

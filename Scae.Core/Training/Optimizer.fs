namespace Scae.Core.Training

open Scae.Tensors

/// How gradients change parameters.
type Optimizer =
    /// Kingma & Ba 2015, algorithm 1, bias-corrected; ε stands outside the root.
    | Adam of beta1: float * beta2: float * epsilon: float
    /// Tieleman & Hinton 2012: the gradient over the root of its decaying mean square.
    | RmsProp of decay: float * epsilon: float
    /// Gradient descent with momentum.
    | Momentum of momentum: float

/// The optimizer's memory: one tensor or two a parameter, all updated in place.
type OptimizerState = { Optimizer: Optimizer; First: Tensor list; Second: Tensor list }

/// Parameters with their gradients and memory as arrays, so that a step allocates nothing.
[<Sealed>]
type internal Updater(state: OptimizerState, parameters: Tensor array, gradients: Tensor array) =
    let first = Array.ofList state.First
    let second = Array.ofList state.Second

    /// √Σg² over all gradients.
    member _.GradientNorm() : float = Updates.GlobalNorm gradients

    /// Whether every gradient of a parameter is finite, parameter by parameter.
    member _.FiniteGradients() : bool[] =
        gradients |> Array.map (fun gradient -> System.Double.IsFinite(Updates.GlobalNorm [| gradient |]))

    /// One step with the given learning rate; step counts from 1. Gradients whose global norm exceeds `clip` are scaled
    /// down to it.
    member this.Step(learningRate: float, step: int, clip: float voption) : unit =
        let scale =
            match clip with
            | ValueSome most -> min 1.0 (most / max 1e-300 (this.GradientNorm()))
            | ValueNone -> 1.0

        for i in 0 .. parameters.Length - 1 do
            match state.Optimizer with
            | Adam(beta1, beta2, epsilon) ->
                Updates.Adam(
                    parameters[i],
                    gradients[i],
                    first[i],
                    second[i],
                    learningRate,
                    beta1,
                    beta2,
                    epsilon,
                    step,
                    scale
                )
            | RmsProp(decay, epsilon) ->
                Updates.RmsProp(parameters[i], gradients[i], first[i], learningRate, decay, epsilon, scale)
            | Momentum momentum ->
                Updates.SgdMomentum(parameters[i], gradients[i], first[i], learningRate, momentum, scale)

/// Updates of parameters in place.
[<RequireQualifiedAccess>]
module Optimizer =
    /// Adam with the usual constants: 0.9, 0.999, 10⁻⁸.
    let adam: Optimizer = Adam(0.9, 0.999, 1e-8)

    /// The memory before the first step: zeros.
    let init (optimizer: Optimizer) (parameters: Tensor list) : OptimizerState =
        let zeros () = parameters |> List.map _.zerosLike()

        match optimizer with
        | Adam _ -> { Optimizer = optimizer; First = zeros (); Second = zeros () }
        | RmsProp _
        | Momentum _ -> { Optimizer = optimizer; First = zeros (); Second = [] }

    /// One step in place from the parameters' present derivatives; step counts from 1.
    let step (state: OptimizerState) (learningRate: float) (step: int) (parameters: Tensor list) : unit =
        let parameters = Array.ofList parameters

        Updater(state, parameters, parameters |> Array.map _.derivative).Step(learningRate, step, ValueNone)

    /// The memory with names, for a checkpoint.
    let named (names: string list) (state: OptimizerState) : (string * Tensor) list =
        let label (prefix: string) (tensors: Tensor list) =
            if tensors.IsEmpty then
                []
            else
                List.map2 (fun name tensor -> $"optimizer.{prefix}.{name}", tensor) names tensors

        label "first" state.First @ label "second" state.Second

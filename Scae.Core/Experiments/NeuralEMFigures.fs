namespace Scae.Core

open Scae.Tensors

/// The pictures of neural expectation maximization.
[<RequireQualifiedAccess>]
module NeuralEMFigures =
    /// What the animation shows of a moment: γ of the shown images after every iteration, [T·b, slots, D].
    let snapshot (data: NeuralEMData) (model: NeuralEM) : (string * Tensor) list =
        let frozen = Parameters.map (fun (tensor: Tensor) -> tensor.primal) model
        let iterations = NeuralEMData.iterations data data.Shown frozen
        [ "gamma", Tensor.cat ([| for iteration in iterations -> iteration.Responsibilities |], 0) ]

    /// All figures.
    let all (_: NeuralEMData) (_: NeuralEM) (_: History) : Figure list = []

    /// A frame a snapshot.
    let animation (_: NeuralEMData) (_: History) : Animation option = None

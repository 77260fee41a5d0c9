namespace Scae.Core.Training

open Scae.Tensors

/// What a training step computes from a batch.
type Loss =
    {
        /// What is minimised, a scalar.
        Total: Tensor
        /// Named scalars whose means over each epoch are reported, such as the terms of the loss.
        Terms: (string * Tensor) list
        /// State that isn't a parameter (see ParameterGroup.Kept), each with its value after the step.
        Next: (Tensor * Tensor) list
    }

/// What a training step computes from a batch.
[<RequireQualifiedAccess>]
module Loss =
    /// A loss without terms and without state.
    let ofTotal (total: Tensor) : Loss = { Total = total; Terms = []; Next = [] }

/// A model with its data, as training sees it.
type Learner =
    {
        /// The model's tensors by name, float32: parameters, which are marked and updated in place, and other state.
        Tensors: (string * Tensor) list
        /// Draws the batch of a step, in place; steps are counted from 0.
        Fill: int -> unit
        /// The loss of the present batch. It is recorded once and replayed: see Recording.
        Loss: unit -> Loss
        /// Metrics of the present parameters on validation scenes.
        Validate: unit -> Metrics
        /// What an animation shows of the present parameters.
        Snapshot: unit -> (string * Tensor) list
    }

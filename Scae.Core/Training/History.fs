namespace Scae.Core.Training

open Scae.Tensors

/// Named figures of merit, in the order in which they are shown.
type Metrics = (string * float) list

/// What was measured at the end of an epoch, on validation scenes.
type Evaluation =
    {
        Epoch: int
        Step: int
        /// The mean loss over the epoch's training steps.
        TrainLoss: float
        /// The means of the loss' terms over the same steps.
        TrainTerms: Metrics
        Metrics: Metrics
    }

/// What an experiment keeps of a moment of training, for the animation.
type Snapshot = { Step: int; Values: (string * Tensor) list }

/// The course of a training, oldest first.
type History = { Evaluations: Evaluation list; Snapshots: Snapshot list }

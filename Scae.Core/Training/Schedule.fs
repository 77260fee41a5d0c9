namespace Scae.Core.Training

open System

/// How the step size falls over a training, as a share of the largest size; steps are counted from 0.
type Decay =
    /// It stays the same.
    | Constant
    /// Half a cosine wave from 1 to `final`, which is reached at step `steps` and stays.
    | Cosine of final: float * steps: int
    /// The same factor in every step, from 1 to `final`, which is reached at step `steps` and stays.
    | Geometric of final: float * steps: int

/// How step sizes fall.
[<RequireQualifiedAccess>]
module Decay =
    /// Geometric, or constant if `final` is 1: a constant size doesn't depend on where the training ends.
    let geometric (final: float) (steps: int) : Decay = if final = 1.0 then Constant else Geometric(final, steps)

/// The step size over a training: it grows linearly during the warm-up, and falls by the decay.
type Schedule =
    {
        Largest: float
        /// How many steps the growth takes: its step n, counted from 1, has the share n / WarmUp. 1 for no growth.
        WarmUp: int
        Decay: Decay
    }

/// Step sizes over a training.
[<RequireQualifiedAccess>]
module Schedule =
    /// The same size throughout.
    let constant (size: float) : Schedule = { Largest = size; WarmUp = 1; Decay = Constant }

    let private share (decay: Decay) (step: int) : float =
        let progress (steps: int) = if step >= steps then 1.0 else float step / float steps

        match decay with
        | Constant -> 1.0
        | Cosine(final, steps) -> final + (1.0 - final) * 0.5 * (1.0 + cos (Math.PI * progress steps))
        | Geometric(final, steps) -> final ** progress steps

    /// The size of a step, which is counted from 0.
    let at (schedule: Schedule) (step: int) : float =
        let grown = min 1.0 (float (step + 1) / float (max 1 schedule.WarmUp))
        schedule.Largest * grown * share schedule.Decay step

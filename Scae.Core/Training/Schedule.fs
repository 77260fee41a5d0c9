namespace Scae.Core.Training

/// Step sizes over a training.
[<RequireQualifiedAccess>]
module Schedule =
    /// Linear growth to `largest` over `warmup` steps, times a cosine that falls to a hundredth at step `steps`; steps are
    /// counted from 0.
    let warmCosine (largest: float) (warmup: int) (steps: int) (step: int) : float =
        let warm = min 1.0 (float (step + 1) / float warmup)
        let progress = float step / float steps
        largest * warm * (0.01 + 0.99 * 0.5 * (1.0 + cos (System.Math.PI * progress)))

    /// Linear growth to `largest`, which step `warmup` is the first to have, times a factor that falls by equal shares from 1 to `final` at step
    /// `steps`; steps are counted from 0.
    let geometric (largest: float) (final: float) (warmup: int) (steps: int) (step: int) : float =
        let grown = min 1.0 (float (step + 1) / float (warmup + 1))
        largest * grown * final ** (float step / float steps)

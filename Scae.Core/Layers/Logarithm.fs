namespace Scae.Core.Layers

open Scae.Tensors

/// Logarithms of probabilities that may be 0.
[<RequireQualifiedAccess>]
module Logarithm =
    // Below this a probability counts as 0.
    [<Literal>]
    let private Least = 1e-16

    /// ln x, and −10⁸ without gradient below 10⁻¹⁶, as the program of Kosiorek et al. 2019 has it.
    let safe (x: Tensor) : Tensor = (x.ge Least).where(x.safelog Least, -1e8)

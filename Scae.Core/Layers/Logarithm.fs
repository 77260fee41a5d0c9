namespace Scae.Core.Layers

open Scae.Tensors

/// Logarithms of probabilities that may be 0.
[<RequireQualifiedAccess>]
module Logarithm =
    // Below this a probability counts as 0.
    [<Literal>]
    let private Least = 1e-16

    /// ln x; below 10⁻¹⁶ it is −10⁸, without gradient, as in the program of Kosiorek et al. 2019.
    let safe (x: Tensor) : Tensor = (x.ge Least).where(x.safelog Least, -1e8)

namespace Scae.Core

open Scae.Tensors

/// The pictures of attend-infer-repeat.
[<RequireQualifiedAccess>]
module AirFigures =
    /// What the animation shows of a moment.
    let snapshot (_: AirData) (_: Air) : (string * Tensor) list = []

    /// Every figure.
    let all (_: AirData) (_: Air) (_: History) : Figure list = []

    /// A frame a snapshot.
    let animation (_: AirData) (_: History) : Animation option = None

namespace Scae.Core.Data

open Scae.Tensors

/// A number of the configuration that may be a range: a single number, or two between which it is drawn uniformly.
[<RequireQualifiedAccess>]
module Extent =
    /// Draws the number. If there is only one, nothing is drawn from the stream.
    let draw (extent: float list) (random: KeyStream) : float =
        match extent with
        | [ low; high ] -> low + (high - low) * random.NextDouble()
        | _ -> extent.Head

    /// Why a list isn't an extent, in words that follow the hyperparameter's name and value; None if it is one.
    let refusal (extent: float list) : string option =
        match extent with
        | [ _ ] -> None
        | [ low; high ] when low <= high -> None
        | _ -> Some "must be one number, or two of which the second isn't the smaller"

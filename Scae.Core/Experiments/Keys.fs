namespace Scae.Core.Experiments

open Scae.Tensors

/// The streams of randomness of a run.
type Keys = { Init: Key; Train: Key; Validation: Key; Test: Key }

/// The streams of a run.
[<RequireQualifiedAccess>]
module Keys =
    /// The streams of a seed.
    let ofSeed (seed: int64) : Keys =
        let root = Key.OfSeed seed

        {
            Init = root.Named "init"
            Train = root.Named "train"
            Validation = root.Named "validation"
            Test = root.Named "test"
        }

    /// The streams with those of validation and test scenes replaced, so that no run of the seed has drawn the scenes.
    let fresh (evaluationSeed: int64) (keys: Keys) : Keys =
        let root = (Key.OfSeed evaluationSeed).Named "fresh"

        { keys with Validation = root.Named "validation"; Test = root.Named "test" }

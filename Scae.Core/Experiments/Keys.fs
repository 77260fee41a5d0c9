namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data

/// Which scenes are looked at. Epochs are chosen on validation scenes; test scenes are seen once, at the end.
type Split =
    | Validation
    | Test

/// Where data that isn't generated comes from. Finding it, on this machine or on the network, is the shell's matter.
type Resources =
    {
        /// The uncompressed bytes of a file of MNIST, the original ones; the error is one line with the ways out.
        Mnist: MnistFile -> Result<byte[], string>
    }

/// Where data that isn't generated comes from.
[<RequireQualifiedAccess>]
module Resources =
    /// No data but what is generated.
    let none: Resources = { Mnist = fun file -> Error $"{file.Name}: there is no data here" }

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

    /// The same with validation and test scenes that no run of the seed has seen.
    let fresh (evaluationSeed: int64) (keys: Keys) : Keys =
        let root = (Key.OfSeed evaluationSeed).Named "fresh"

        { keys with Validation = root.Named "validation"; Test = root.Named "test" }

namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data

/// Which scenes are measured. The best epoch is chosen on validation scenes; test scenes are measured only at the end.
type Split =
    | Validation
    | Test

/// Where data that isn't generated comes from. The shell finds it, on this machine or on the network.
type Resources =
    {
        /// The uncompressed bytes of one of MNIST's original files. The error is one line that says what can be done.
        Mnist: MnistFile -> Result<byte[], string>
        /// Why MNIST can't be had here, if it can't. A damaged file is no such reason: it is an error of Mnist.
        MnistMissing: unit -> string option
        /// Both sets of other images, from files in MNIST's format. The error is one line.
        Pairs: unit -> Result<DigitSets, string>
        /// The SHA-256 of these files' uncompressed bytes; None if they can't be read. Pairs then says why.
        PairsDigest: unit -> string option
        /// The images of dSprites' published file that are used. The error is one line that says what can be done.
        Sprites: unit -> Result<Sprites, string>
        /// Why that file can't be had here, if it can't. A damaged file is no such reason.
        SpritesMissing: unit -> string option
    }

/// Where data that isn't generated comes from.
[<RequireQualifiedAccess>]
module Resources =
    /// No data but what is generated.
    let none: Resources =
        let why = "there is no data here"

        {
            Mnist = fun file -> Error $"{file.Name}: {why}"
            MnistMissing = fun () -> Some why
            Pairs = fun () -> Error why
            PairsDigest = fun () -> None
            Sprites = fun () -> Error $"{SpriteArchive.FileName}: {why}"
            SpritesMissing = fun () -> Some why
        }

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

namespace Scae.Core.Experiments

open Scae.Core.Data

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

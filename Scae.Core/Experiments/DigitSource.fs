namespace Scae.Core.Experiments

open Scae.Core.Data

/// Where single digits come from.
[<RequireQualifiedAccess>]
type DigitSource =
    /// MNIST where it can be had, strokes elsewhere. A run settles which before it begins: see `DigitSource.settle`.
    | Auto
    | Mnist
    /// A stroke font: needs no data.
    | Strokes
    /// Files of the form that MNIST's have, whatever they show: Fashion-MNIST, EMNIST, one's own.
    | Idx

/// Where single digits come from.
[<RequireQualifiedAccess>]
module DigitSource =
    // The hyperparameter that holds a source.
    [<Literal>]
    let private Name = "digits"

    /// Both sets. The error is one line.
    let load (source: DigitSource) (resources: Resources) : Result<DigitSets, string> =
        match source with
        | DigitSource.Strokes -> Ok(StrokeDigits.sets ())
        | DigitSource.Idx -> resources.Pairs()
        | DigitSource.Auto when (resources.MnistMissing()).IsSome -> Ok(StrokeDigits.sets ())
        | DigitSource.Auto
        | DigitSource.Mnist -> Mnist.sets resources.Mnist

    // Sequences of sprites and moving shapes have the hyperparameter, too, and no digits.
    let private comesFrom (source: string) (settings: (string * string) list) =
        let hasNoDigits =
            [ "sprites"; "shapes" ] |> List.exists (fun other -> List.contains ("source", other) settings)

        List.contains (Name, source) settings && not hasNoDigits

    let private isOpen = comesFrom "auto"

    /// What --digits auto means here: the hyperparameter as it is to be, and a line to tell where strokes stand in. Nothing
    /// for hyperparameters that leave nothing open. A run keeps the answer, so that it stays the same run elsewhere.
    let settle (resources: Resources) (settings: (string * string) list) : (string * string) list * string option =
        if not (isOpen settings) then
            [], None
        else
            match resources.MnistMissing() with
            | None -> [ Name, "mnist" ], None
            | Some why -> [ Name, "strokes" ], Some $"no MNIST ({why}): stroke digits serve; --digits mnist insists"

    /// The same where nothing but MNIST will do: published figures are of it.
    let insist (settings: (string * string) list) : (string * string) list =
        if isOpen settings then [ Name, "mnist" ] else []

    /// What tells one's own images (--digits idx) from others, where hyperparameters ask for them: their files' SHA-256. A run
    /// with it in its identity isn't gone on with, or taken for finished, with other images.
    let fingerprint (resources: Resources) (settings: (string * string) list) : string option =
        if comesFrom "idx" settings then
            resources.PairsDigest()
        else
            None

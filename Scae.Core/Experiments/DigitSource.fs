namespace Scae.Core.Experiments

open Scae.Core.Data

/// Where single digits come from.
[<RequireQualifiedAccess>]
type DigitSource =
    /// MNIST where it can be had, else strokes. Which of the two is settled before a run begins: see `DigitSource.settle`.
    | Auto
    | Mnist
    /// A stroke font, which needs no data.
    | Strokes
    /// Files in MNIST's format, whatever they show: Fashion-MNIST, EMNIST, one's own.
    | Idx

/// Where single digits come from.
[<RequireQualifiedAccess>]
module DigitSource =
    // The hyperparameter that holds a source.
    [<Literal>]
    let private Name = "digits"

    /// The training and the test set. The error is one line.
    let load (source: DigitSource) (resources: Resources) : Result<DigitSets, string> =
        match source with
        | DigitSource.Strokes -> Ok(StrokeDigits.sets ())
        | DigitSource.Idx -> resources.Pairs()
        | DigitSource.Auto when (resources.MnistMissing()).IsSome -> Ok(StrokeDigits.sets ())
        | DigitSource.Auto
        | DigitSource.Mnist -> Mnist.sets resources.Mnist

    // Experiments with sprites or moving shapes have the hyperparameter too, but no digits.
    let private comesFrom (source: string) (settings: (string * string) list) =
        let hasNoDigits =
            [ "sprites"; "shapes" ] |> List.exists (fun other -> List.contains ("source", other) settings)

        List.contains (Name, source) settings && not hasNoDigits

    let private isOpen = comesFrom "auto"

    /// What --digits auto means on this machine: the hyperparameter with its settled value and, where strokes stand in for MNIST,
    /// a line that says so. Nothing for hyperparameters that don't say auto. A run keeps the answer, so that it stays the same
    /// run on another machine.
    let settle (resources: Resources) (settings: (string * string) list) : (string * string) list * string option =
        if not (isOpen settings) then
            [], None
        else
            match resources.MnistMissing() with
            | None -> [ Name, "mnist" ], None
            | Some why -> [ Name, "strokes" ], Some $"no MNIST ({why}): stroke digits serve; --digits mnist insists"

    /// What --digits auto means where nothing but MNIST will do, because published figures are of MNIST.
    let insist (settings: (string * string) list) : (string * string) list =
        if isOpen settings then [ Name, "mnist" ] else []

    /// The SHA-256 of the files of one's own images, where hyperparameters ask for them (--digits idx). It is part of a run's
    /// identity, so that the run isn't continued, or taken for finished, with other images.
    let fingerprint (resources: Resources) (settings: (string * string) list) : string option =
        if comesFrom "idx" settings then
            resources.PairsDigest()
        else
            None

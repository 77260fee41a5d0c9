namespace Scae.Core.Experiments

open Scae.Core.Data

/// Where sprites come from.
[<RequireQualifiedAccess>]
type SpriteSource =
    /// The published file where it is, else our own drawings. Which of the two is settled before a run begins.
    | Auto
    /// The published file.
    | File
    /// Our own drawings, which need no data.
    | Drawn

/// Where sprites come from.
[<RequireQualifiedAccess>]
module SpriteSource =
    // The hyperparameter that holds a source.
    [<Literal>]
    let private Name = "sprites"

    /// The images that are used. The error is one line.
    let load (source: SpriteSource) (resources: Resources) : Result<Sprites, string> =
        match source with
        | SpriteSource.Drawn -> Ok(Sprites.drawn ())
        | SpriteSource.Auto when (resources.SpritesMissing()).IsSome -> Ok(Sprites.drawn ())
        | SpriteSource.Auto
        | SpriteSource.File -> resources.Sprites()

    /// What --sprites auto means on this machine, as in `DigitSource.settle`. There is no line that says so, since our own
    /// drawings are within two pixels of the file's; `SpritesMissing` may have one, where a folder was named.
    let settle (resources: Resources) (settings: (string * string) list) : (string * string) list =
        if not (List.contains (Name, "auto") settings) || not (List.contains ("source", "sprites") settings) then
            []
        elif (resources.SpritesMissing()).IsSome then
            [ Name, "drawn" ]
        else
            [ Name, "file" ]

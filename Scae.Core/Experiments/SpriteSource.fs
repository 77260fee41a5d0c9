namespace Scae.Core.Experiments

open Scae.Core.Data

/// Where sprites come from.
[<RequireQualifiedAccess>]
type SpriteSource =
    /// The published file where it is, our own drawings elsewhere. A run settles which before it begins.
    | Auto
    /// The published file.
    | File
    /// Our own geometry: needs no data.
    | Drawn

/// Where sprites come from.
[<RequireQualifiedAccess>]
module SpriteSource =
    // The hyperparameter that holds a source.
    [<Literal>]
    let private Name = "sprites"

    /// The used images. The error is one line.
    let load (source: SpriteSource) (resources: Resources) : Result<Sprites, string> =
        match source with
        | SpriteSource.Drawn -> Ok(Sprites.drawn ())
        | SpriteSource.Auto when (resources.SpritesMissing()).IsSome -> Ok(Sprites.drawn ())
        | SpriteSource.Auto
        | SpriteSource.File -> resources.Sprites()

    /// What --sprites auto means here, as with `DigitSource.settle`. Nothing is told here, since our own drawings are within two
    /// pixels of the file's; `SpritesMissing` may tell, where a folder was named.
    let settle (resources: Resources) (settings: (string * string) list) : (string * string) list =
        if not (List.contains (Name, "auto") settings) || not (List.contains ("source", "sprites") settings) then
            []
        elif (resources.SpritesMissing()).IsSome then
            [ Name, "drawn" ]
        else
            [ Name, "file" ]

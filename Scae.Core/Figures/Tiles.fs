namespace Scae.Core.Figures

/// Puts many small pictures side by side into one.
[<RequireQualifiedAccess>]
module Tiles =
    // A gap is a light line, one pixel wide.
    [<Literal>]
    let private Gap = 1

    [<Literal>]
    let private GapLevel = 0.85

    /// Pictures [C, side, side], row by row in a grid with `columns` columns, as colours [H, W, 3]; a single channel
    /// is shown as grey. Values are limited to 0..1. Places without a picture are as light as the gaps.
    let colours (channels: int) (side: int) (columns: int) (pictures: float32[][]) : float[,,] =
        let rows = (pictures.Length + columns - 1) / columns
        let pitch = side + Gap
        let values = Array3D.create (max 1 (rows * pitch - Gap)) (columns * pitch - Gap) 3 GapLevel

        for i in 0 .. pictures.Length - 1 do
            let top, left = i / columns * pitch, i % columns * pitch

            for y in 0 .. side - 1 do
                for x in 0 .. side - 1 do
                    for channel in 0..2 do
                        let plane = if channels = 1 then 0 else channel
                        let pixel = (plane * side + y) * side + x
                        let value = pictures[i][pixel]
                        values[top + y, left + x, channel] <- max 0.0 (min 1.0 (float value))

        values

    /// The same as a panel.
    let panel (channels: int) (side: int) (columns: int) (pictures: float32[][]) (title: string) : Panel =
        Panel.create title |> Panel.rgb (colours channels side columns pictures)

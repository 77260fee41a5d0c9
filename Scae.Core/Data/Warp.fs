namespace Scae.Core.Data

open System

/// A projective map of the plane, [a b c; d e f; g h i] applied to (x, y, 1), row by row. It is the same map whatever number
/// all nine are multiplied by.
type Projection = float[]

/// Square images seen under similarities and perspective: bilinear, in coordinates where pixel (column, row) lies at
/// (column, row), 0 outside. The centre is (W/2, W/2), half a pixel beside the image's middle, as in the authors' data.
[<RequireQualifiedAccess>]
module Warp =
    let private radians (degrees: float) : float = degrees * Math.PI / 180.0

    /// A multiple of the inverse map.
    let inverse (m: Projection) : Projection =
        let minor a b c d = m[a] * m[d] - m[b] * m[c]

        [|
            minor 4 5 7 8
            minor 2 1 8 7
            minor 1 2 4 5
            minor 5 3 8 6
            minor 0 2 6 8
            minor 2 0 5 3
            minor 3 4 6 7
            minor 1 0 7 6
            minor 0 1 3 4
        |]

    /// Where a pixel goes under a rotation, in degrees, counter-clockwise on the screen, and a magnification about the
    /// centre of an image of the given side.
    let similarity (side: int) (degrees: float) (scale: float) : Projection =
        let centre = float side / 2.0
        let alpha, beta = scale * cos (radians degrees), scale * sin (radians degrees)

        [|
            alpha
            beta
            (1.0 - alpha) * centre - beta * centre
            -beta
            alpha
            beta * centre + (1.0 - alpha) * centre
            0.0
            0.0
            1.0
        |]

    /// Where a pixel goes when the image is turned by an angle about the line of sight and about the vertical alike, seen
    /// from f = d/(2 sin angle), d the image's diagonal. At 0 nothing moves; 180, where f isn't finite, counts as 181.
    let perspective (side: int) (degrees: float) : Projection =
        if degrees = 0.0 then
            similarity side 0.0 1.0
        else
            let angle = radians (if degrees = 180.0 then 181.0 else degrees)
            let centre = float side / 2.0
            let c, s = cos angle, sin angle
            let focal = float side * sqrt 2.0 / (2.0 * s)
            // R = R_Y·R_Z; its columns are what x, y and 1 are multiplied by, after the centre was moved to 0.
            let x, y, z = [| c * c; s; s * c |], [| -c * s; c; -s * s |], [| -s; 0.0; c |]
            let rest = Array.init 3 (fun i -> z[i] - centre * (x[i] + y[i]) + (if i = 2 then focal else 0.0))
            let camera (v: float[]) = [| focal * v[0] + centre * v[2]; focal * v[1] + centre * v[2]; v[2] |]
            let x, y, rest = camera x, camera y, camera rest
            [| for i in 0..2 -> [| x[i]; y[i]; rest[i] |] |] |> Array.concat

    // The value between four pixels of which those outside are 0.
    let private between (side: int) (source: ReadOnlySpan<float32>) (x: float) (y: float) : float32 =
        let left, top = int (floor x), int (floor y)
        let fx, fy = float32 (x - float left), float32 (y - float top)

        if left >= 0 && top >= 0 && left + 1 < side && top + 1 < side then
            let at = top * side + left
            let above = source[at] + fx * (source[at + 1] - source[at])
            let below = source[at + side] + fx * (source[at + side + 1] - source[at + side])
            above + fy * (below - above)
        else
            let mutable sum = 0.0f

            for dy in 0..1 do
                for dx in 0..1 do
                    let column, row = left + dx, top + dy

                    if column >= 0 && row >= 0 && column < side && row < side then
                        let weight = (if dx = 0 then 1.0f - fx else fx) * (if dy = 0 then 1.0f - fy else fy)
                        sum <- sum + weight * source[row * side + column]

            sum

    /// Draws the image at (x, y) ↦ source(inverse(x, y)), side² values each.
    let draw (side: int) (inverse: Projection) (source: ReadOnlySpan<float32>) (into: Span<float32>) : unit =
        let limit = float side
        let isProjective = inverse[6] <> 0.0 || inverse[7] <> 0.0
        let last = 1.0 / inverse[8]

        for row in 0 .. side - 1 do
            let v = float row
            let xs, ys, ws = inverse[1] * v + inverse[2], inverse[4] * v + inverse[5], inverse[7] * v + inverse[8]

            for column in 0 .. side - 1 do
                let u = float column
                let over = if isProjective then 1.0 / (inverse[6] * u + ws) else last
                let x, y = (inverse[0] * u + xs) * over, (inverse[3] * u + ys) * over

                into[row * side + column] <-
                    // Neither is true of NaN, which the line at infinity may give.
                    if x > -1.0 && x < limit && y > -1.0 && y < limit then
                        between side source x y
                    else
                        0.0f

    /// What a pure red becomes when its hue is turned by degrees: (r, g, b), of which one is 1 and one 0.
    let hue (degrees: float) : struct (float32 * float32 * float32) =
        let sector = ((degrees % 360.0 + 360.0) % 360.0) / 60.0
        let rising = float32 (1.0 - abs (sector % 2.0 - 1.0))

        match int sector with
        | 0 -> struct (1.0f, rising, 0.0f)
        | 1 -> struct (rising, 1.0f, 0.0f)
        | 2 -> struct (0.0f, 1.0f, rising)
        | 3 -> struct (0.0f, rising, 1.0f)
        | 4 -> struct (rising, 0.0f, 1.0f)
        | _ -> struct (1.0f, 0.0f, rising)

namespace Scae.Core.Data

open System

/// A projective map of the plane, [A B C; D E F; G H I] applied to (x, y, 1). Multiplying all nine numbers by the
/// same factor doesn't change the map.
[<Struct>]
type Projection =
    {
        A: float
        B: float
        C: float
        D: float
        E: float
        F: float
        G: float
        H: float
        I: float
    }

/// Square images seen under similarities and perspective: bilinear, 0 outside. Pixel (column, row) has the
/// coordinates (column, row). The centre is (W/2, W/2), half a pixel off the image's middle, as in the authors' data.
[<RequireQualifiedAccess>]
module Warp =
    let private radians (degrees: float) : float = degrees * Math.PI / 180.0

    /// A multiple of the inverse map.
    let inverse (m: Projection) : Projection =
        {
            A = m.E * m.I - m.F * m.H
            B = m.C * m.H - m.B * m.I
            C = m.B * m.F - m.C * m.E
            D = m.F * m.G - m.D * m.I
            E = m.A * m.I - m.C * m.G
            F = m.C * m.D - m.A * m.F
            G = m.D * m.H - m.E * m.G
            H = m.B * m.G - m.A * m.H
            I = m.A * m.E - m.B * m.D
        }

    /// The map of pixels under a rotation, in degrees and counter-clockwise on the screen, and a magnification, both
    /// about the centre of an image with the given side.
    let similarity (side: int) (degrees: float) (scale: float) : Projection =
        let centre = float side / 2.0
        let alpha, beta = scale * cos (radians degrees), scale * sin (radians degrees)

        {
            A = alpha
            B = beta
            C = (1.0 - alpha) * centre - beta * centre
            D = -beta
            E = alpha
            F = beta * centre + (1.0 - alpha) * centre
            G = 0.0
            H = 0.0
            I = 1.0
        }

    /// The map of pixels when the image is turned by the same angle about the line of sight and about the vertical,
    /// and seen with focal length f = d/(2 sin angle), where d is the image's diagonal. At 0 nothing moves. 180,
    /// where f isn't finite, counts as 181.
    let perspective (side: int) (degrees: float) : Projection =
        if degrees = 0.0 then
            similarity side 0.0 1.0
        else
            let angle = radians (if degrees = 180.0 then 181.0 else degrees)
            let centre = float side / 2.0
            let c, s = cos angle, sin angle
            let focal = float side * sqrt 2.0 / (2.0 * s)
            // x, y and z are multiplied by the columns of R = R_Y·R_Z. The column of z also moves the centre to 0 and
            // the image away from the viewer.
            let struct (x1, x2, x3) = struct (c * c, s, s * c)
            let struct (y1, y2, y3) = struct (-c * s, c, -s * s)
            let z1 = -s - centre * (x1 + y1)
            let z2 = 0.0 - centre * (x2 + y2)
            let z3 = c - centre * (x3 + y3) + focal

            {
                A = focal * x1 + centre * x3
                B = focal * y1 + centre * y3
                C = focal * z1 + centre * z3
                D = focal * x2 + centre * x3
                E = focal * y2 + centre * y3
                F = focal * z2 + centre * z3
                G = x3
                H = y3
                I = z3
            }

    // The value interpolated between four pixels; those outside count as 0.
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

    /// Draws the image (x, y) ↦ source(inverse(x, y)); source and result have side² values each.
    let draw (side: int) (inverse: Projection) (source: ReadOnlySpan<float32>) (into: Span<float32>) : unit =
        let limit = float side
        let isProjective = inverse.G <> 0.0 || inverse.H <> 0.0
        let last = 1.0 / inverse.I

        for row in 0 .. side - 1 do
            let v = float row
            let xs, ys, ws = inverse.B * v + inverse.C, inverse.E * v + inverse.F, inverse.H * v + inverse.I

            for column in 0 .. side - 1 do
                let u = float column
                let over = if isProjective then 1.0 / (inverse.G * u + ws) else last
                let x, y = (inverse.A * u + xs) * over, (inverse.D * u + ys) * over

                into[row * side + column] <-
                    // A NaN, which the line at infinity may give, passes none of these tests.
                    if x > -1.0 && x < limit && y > -1.0 && y < limit then
                        between side source x y
                    else
                        0.0f

    /// The colour that pure red becomes when its hue is turned by `degrees`: (r, g, b), of which one is 1 and one is 0.
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

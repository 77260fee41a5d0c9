namespace Scae.Core.Metrics

/// An upright square in pixels. (X, Y) is its centre, and the canvas' first pixel covers 0 to 1.
[<Struct>]
type Square = { X: float; Y: float; Side: float }

/// Where squares lie and how well they match.
[<RequireQualifiedAccess>]
module Boxes =
    /// Intersection over union in [0, 1].
    let intersectionOverUnion (a: Square) (b: Square) : float =
        let along (p: float) (q: float) =
            max 0.0 (min (p + a.Side / 2.0) (q + b.Side / 2.0) - max (p - a.Side / 2.0) (q - b.Side / 2.0))

        let shared = along a.X b.X * along a.Y b.Y
        let all = a.Side * a.Side + b.Side * b.Side - shared
        if all > 0.0 then shared / all else 0.0

    /// The distance of the centres.
    let centreDistance (a: Square) (b: Square) : float = sqrt ((a.X - b.X) * (a.X - b.X) + (a.Y - b.Y) * (a.Y - b.Y))

    /// Pairs (found, true) of indices, as many as the shorter list has elements, for which the distances of the
    /// centres have the least sum.
    let matched (found: Square[]) (truth: Square[]) : (int * int)[] =
        if found.Length = 0 || truth.Length = 0 then
            [||]
        else
            Array2D.init found.Length truth.Length (fun i j -> centreDistance found[i] truth[j])
            |> Assignment.hungarian
            |> Array.mapi (fun i j -> i, j)
            |> Array.filter (fun (_, j) -> j >= 0)

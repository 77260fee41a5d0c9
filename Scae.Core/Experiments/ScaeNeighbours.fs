namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics

/// How far digits that stand for each other may lie apart.
[<Struct>]
type Walk =
    {
        /// The nearest, so many, to which a step may go.
        Neighbours: int
        Steps: int
    }

/// Digits that stand for each other, because they look alike.
[<RequireQualifiedAccess>]
module ScaeNeighbours =
    // Digits that are compared with care, for each that is found.
    [<Literal>]
    let private Candidates = 4

    /// For each digit the `count` that look most like it, least distorted first, of four times as many whose pixels are nearest.
    /// No label is used. Raises ArgumentException where there are fewer others.
    let ofDigits (count: int) (digits: Digits) : int[][] =
        let images = UprightDigits.images digits
        let most = max count (min (Candidates * count) (images.Length - 1))
        let near = NearestNeighbours.among most (Array.map UprightDigits.row images)
        ImageDistortion.nearest count near.Indices images

    /// Goes from each digit so many steps, each to one of its nearest neighbours or nowhere, all equally probable; in place, and
    /// a pure function of the key.
    let wander (neighbours: int[][]) (walk: Walk) (key: Key) (rows: Span<int>) : unit =
        let random = key.Stream()

        for i in 0 .. rows.Length - 1 do
            for _ in 1 .. walk.Steps do
                let next = random.NextInt(0, walk.Neighbours + 1)

                if next < walk.Neighbours then
                    rows[i] <- neighbours[rows[i]][next]

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
    // Digits whose distortion is found, for each that is sought.
    [<Literal>]
    let private Candidates = 4

    // The same where there is a second look, and those that are looked at again.
    [<Literal>]
    let private FirstCandidates = 20

    [<Literal>]
    let private SecondCandidates = 2

    /// For each digit the `count` that look most like it, least distorted first, of four times as many whose pixels are nearest;
    /// with a second look of twenty times as many, twice as many of which are compared again, as farther distorted. No label
    /// is used. Raises ArgumentException where there are fewer others.
    let ofDigits (count: int) (secondLook: bool) (digits: Digits) : int[][] =
        let images = UprightDigits.images digits
        let atMost times = max count (min (times * count) (images.Length - 1))
        let among k = (NearestNeighbours.among k (Array.map UprightDigits.row images)).Indices

        if secondLook then
            let first =
                images |> ImageDistortion.nearest 1 (atMost SecondCandidates) (among (atMost FirstCandidates))

            images |> ImageDistortion.nearest 2 count first
        else
            images |> ImageDistortion.nearest 1 count (among (atMost Candidates))

    /// Goes from each digit so many steps, each to one of its nearest neighbours or nowhere, all equally probable; in place, and
    /// a pure function of the key.
    let wander (neighbours: int[][]) (walk: Walk) (key: Key) (rows: Span<int>) : unit =
        let random = key.Stream()

        for i in 0 .. rows.Length - 1 do
            for _ in 1 .. walk.Steps do
                let next = random.NextInt(0, walk.Neighbours + 1)

                if next < walk.Neighbours then
                    rows[i] <- neighbours[rows[i]][next]

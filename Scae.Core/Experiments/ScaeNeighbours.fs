namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics

/// How far apart digits that stand for each other may lie: a random walk from neighbour to neighbour.
[<Struct>]
type Walk =
    {
        /// How many nearest neighbours a step may go to; it may also stay.
        Neighbours: int
        Steps: int
    }

/// Digits that stand for each other, because they look alike.
[<RequireQualifiedAccess>]
module ScaeNeighbours =
    // How many candidates, the nearest by pixels, are compared for each neighbour that is sought.
    [<Literal>]
    let private CandidatesEach = 4

    // With a second look, how many candidates the first look and the second compare for each neighbour that is sought.
    [<Literal>]
    let private FirstCandidatesEach = 20

    [<Literal>]
    let private SecondCandidatesEach = 2

    /// For each digit the `count` others that look most like it (see ImageDistortion), least distorted first. Candidates are the
    /// 4·count nearest by pixels. With a second look they are the 20·count nearest, and the 2·count least distorted of these are
    /// compared again, where each pixel is sought up to two pixels away instead of one. No label is used. Raises
    /// ArgumentException where there are fewer than `count` others.
    let ofDigits (count: int) (secondLook: bool) (digits: Digits) : int[][] =
        let images = UprightDigits.images digits
        let atMost times = max count (min (times * count) (images.Length - 1))
        let among k = (NearestNeighbours.among k (Array.map UprightDigits.row images)).Indices

        if secondLook then
            let first =
                images
                |> ImageDistortion.nearest 1 (atMost SecondCandidatesEach) (among (atMost FirstCandidatesEach))

            images |> ImageDistortion.nearest 2 count first
        else
            images |> ImageDistortion.nearest 1 count (among (atMost CandidatesEach))

    /// Replaces each digit by the end of a random walk. Each step goes to one of the nearest neighbours or stays, all equally
    /// probable. In place; a pure function of the key.
    let wander (neighbours: int[][]) (walk: Walk) (key: Key) (rows: Span<int>) : unit =
        let random = key.Stream()

        for i in 0 .. rows.Length - 1 do
            for _ in 1 .. walk.Steps do
                let next = random.NextInt(0, walk.Neighbours + 1)

                if next < walk.Neighbours then
                    rows[i] <- neighbours[rows[i]][next]

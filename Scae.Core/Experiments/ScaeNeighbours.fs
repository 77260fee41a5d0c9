namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics

/// Digits that stand for each other, because they look alike.
[<RequireQualifiedAccess>]
module ScaeNeighbours =
    /// For each digit those of the `count` that look most like it to which it is such a one, too. No label is used. Raises
    /// ArgumentException where there are fewer others.
    let ofDigits (count: int) (digits: Digits) : int[][] = NearestNeighbours.mutual count (UprightDigits.rows digits)

    /// Goes from each digit so many steps, each to one of its neighbours or nowhere, all equally probable; in place, and a pure
    /// function of the key.
    let wander (neighbours: int[][]) (steps: int) (key: Key) (rows: Span<int>) : unit =
        let random = key.Stream()

        for i in 0 .. rows.Length - 1 do
            for _ in 1..steps do
                let near = neighbours[rows[i]]
                let next = random.NextInt(0, near.Length + 1)

                if next < near.Length then
                    rows[i] <- near[next]

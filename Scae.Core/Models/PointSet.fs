namespace Scae.Core.Models

open System
open System.Numerics

/// Sets of a scene's points: bit i of a number says whether point i belongs to the set.
[<RequireQualifiedAccess>]
module internal PointSet =
    /// How many points a set has.
    let count (set: int) : int = BitOperations.PopCount(uint set)

    /// Writes the indices of a set's points, ascending, to the beginning of a span.
    let write (set: int) (into: Span<int>) : unit =
        let mutable rest = set

        for i in 0 .. count set - 1 do
            into[i] <- BitOperations.TrailingZeroCount rest
            rest <- rest &&& (rest - 1)

    /// The indices of a set's points, ascending.
    let members (set: int) : int[] =
        let members = Array.zeroCreate (count set)
        write set (Span members)
        members

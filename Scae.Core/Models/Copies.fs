namespace Scae.Core.Models

open System
open Scae.Tensors

/// Numbers copied out of tensors for a search. Their array is kept from copy to copy, and grows when it is too small.
[<Sealed>]
type internal Copies() =
    let mutable numbers: float32[] = [||]

    /// Room for `count` numbers. It isn't cleared.
    member _.Room(count: int) : Memory<float32> =
        if numbers.Length < count then
            numbers <- Array.zeroCreate count

        Memory(numbers, 0, count)

    /// The elements of a tensor.
    member this.Of(x: Tensor) : ReadOnlyMemory<float32> =
        let room = this.Room x.nelement
        x.CopyTo room.Span
        Memory.op_Implicit room

    /// `count` zeros.
    member this.Zeros(count: int) : ReadOnlyMemory<float32> =
        let room = this.Room count
        room.Span.Clear()
        Memory.op_Implicit room

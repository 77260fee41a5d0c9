module Scae.Tests.Threads

open Scae.Tensors
open Scae.Tests.Claims

/// What an action returns on this many threads. All tests share the number, so a test that depends on it is a `testAlone`.
let onThreads (count: int) (action: unit -> 'T) : 'T =
    let before = Parallelism.Threads

    try
        Parallelism.Threads <- count
        action ()
    finally
        Parallelism.Threads <- before

/// An action returns the same on one, two and three threads.
let shouldBeSameOnAnyThreads (action: unit -> 'T) : unit =
    let one = onThreads 1 action

    for count in [ 2; 3 ] do
        onThreads count action |> shouldEqual one

/// All orders of a few things: the slow and obvious twin of several metrics.
module Scae.Tests.Metrics.Orders

/// All ways to take `count` of the items, in every order.
let rec arrangements count (items: 'a list) : 'a list list =
    if count = 0 then
        [ [] ]
    else
        [
            for i, item in List.indexed items do
                for rest in arrangements (count - 1) (List.removeAt i items) do
                    item :: rest
        ]

/// All n! permutations of 0, …, n − 1.
let permutations n : int[] list = arrangements n [ 0 .. n - 1 ] |> List.map List.toArray

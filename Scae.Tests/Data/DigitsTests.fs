module Scae.Tests.Data.DigitsTests

open Expecto
open Scae.Core.Data
open Scae.Tests.Claims

/// Images that their first byte tells apart.
let private numbered (n: int) : Digits =
    {
        Pixels =
            Array.init (n * Digits.Pixels) (fun i ->
                if i % Digits.Pixels = 0 then
                    byte (i / Digits.Pixels)
                else
                    0uy)
        Labels = Array.init n (fun i -> byte (i % 10))
    }

let private names (digits: Digits) = digits.Pixels |> Array.chunkBySize Digits.Pixels |> Array.map Array.head

[<Tests>]
let tests =
    testList
        "Data.Digits"
        [
            testCase "the first and the others keep order and classes"
            <| fun () ->
                let struct (first, others) = Digits.split 15 (numbered 20)
                names first |> shouldEqual [| 0uy .. 14uy |]
                names others |> shouldEqual [| 15uy .. 19uy |]
                others.Labels |> shouldEqual [| 5uy .. 9uy |]

            testCase "the first may be none or all, and asking for more than there are gives all"
            <| fun () ->
                let sizes (struct (a, b)) = Digits.count a, Digits.count b
                sizes (Digits.split 0 (numbered 3)) |> shouldEqual (0, 3)
                sizes (Digits.split 3 (numbered 3)) |> shouldEqual (3, 0)
                Digits.count (Digits.first 7 (numbered 3)) |> shouldEqual 3
        ]

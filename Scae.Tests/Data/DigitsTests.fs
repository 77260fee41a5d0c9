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
            testCase
                "digits held out are some from everywhere, the others are all others, and both keep order and classes"
            <| fun () ->
                let all = numbered 200
                let struct (held, rest) = Digits.heldOut 50 all
                Array.append (names held) (names rest) |> Array.sort |> shouldEqual (names all)
                names held |> shouldEqual (Array.sort (names held))
                names rest |> shouldEqual (Array.sort (names rest))
                held.Labels |> shouldEqual (names held |> Array.map (fun i -> i % 10uy))
                let late = names held |> Array.filter (fun i -> i >= 100uy)
                float late.Length |> shouldBeIn (15.0, 35.0)
                let struct (again, _) = Digits.heldOut 50 all
                names again |> shouldEqual (names held)

            testCase "none and all may be held out"
            <| fun () ->
                let struct (none, all) = Digits.heldOut 0 (numbered 3)
                (Digits.count none, Digits.count all) |> shouldEqual (0, 3)
                let struct (all, none) = Digits.heldOut 3 (numbered 3)
                (Digits.count none, Digits.count all) |> shouldEqual (0, 3)
        ]

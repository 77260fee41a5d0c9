module Scae.Tests.Randomness.KeyTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Tensors

/// The words of a counter under a key of four words, as text in the order of the Random123 file of known answers.
let private threefry (counter: uint32[]) (k: uint32[]) =
    let key = Key(k[0], k[1], k[2], k[3])

    let struct (w0, w1, w2, w3) = Threefry.Block(&key, counter[0], counter[1], counter[2], counter[3])

    $"%08x{w0} %08x{w1} %08x{w2} %08x{w3}"

[<Tests>]
let tests =
    testList
        "Randomness.Key"
        [
            // kat_vectors of the Random123 distribution (Salmon et al. 2011), lines "threefry4x32 20".
            testCase "Threefry gives the published known answers"
            <| fun () ->
                let zeros = Array.create 4 0u
                let ones = Array.create 4 UInt32.MaxValue
                threefry zeros zeros |> shouldEqual "9c6ca96a e17eae66 fc10ecd4 5256a7d8"
                threefry ones ones |> shouldEqual "2a881696 57012287 f6c7446e a16a6732"

                threefry
                    [| 0x243f6a88u; 0x85a308d3u; 0x13198a2eu; 0x03707344u |]
                    [| 0xa4093822u; 0x299f31d0u; 0x082efa98u; 0xec4e6c89u |]
                |> shouldEqual "59cd1dbb b8879579 86b5d00c ac8b6d84"

            testPropertyWithConfig (samples 100) "a group of words in vectors is the scalar definition"
            <| fun (seed: int64) (group: uint32) (purpose: uint32) ->
                let key = Key.OfSeed(seed).Fold 3L
                // Shifted by six bits, so that the low word of the counter overflows into the high one.
                let group = uint64 group <<< 6
                let words = Array.zeroCreate<uint32> 64
                Threefry.FillGroup(&key, group, purpose, 7u, Span words)

                Seq.forall
                    (fun lane ->
                        let counter = group * 16UL + uint64 lane

                        let struct (w0, w1, w2, w3) =
                            Threefry.Block(&key, uint32 counter, uint32 (counter >>> 32), purpose, 7u)

                        (words[lane], words[16 + lane], words[32 + lane], words[48 + lane]) = (w0, w1, w2, w3))
                    [ 0..15 ]

            testPropertyWithConfig (samples 100) "derived keys are equal exactly when they are derived alike"
            <| fun (a: int64) (b: int64) (seed: int64) ->
                let key = Key.OfSeed seed

                (key.Fold a = key.Fold b) = (a = b)
                && (Key.OfSeed a = Key.OfSeed b) = (a = b)
                && key.Fold(a).GetHashCode() = key.Fold(a).GetHashCode()

            testCase "split, fold and name never give the same key"
            <| fun () ->
                let key = Key.OfSeed 0L

                let keys =
                    [
                        yield key
                        yield! key.Split 1000
                        for i in 0L .. 999L do
                            yield key.Fold i
                            yield key.Named(string i)
                    ]

                keys |> List.distinct |> List.length |> shouldEqual 3001

            testCase "a split's first keys don't depend on its count"
            <| fun () ->
                let key = Key.OfSeed 7L
                key.Split(100)[..2] |> shouldEqual (key.Split 3)
                key.Split 0 |> shouldBeEmpty

                (fun () -> key.Split -1 |> ignore) |> shouldRaise<ArgumentOutOfRangeException>

            testCase "a name that is a prefix, or another script, is another key"
            <| fun () ->
                let key = Key.OfSeed 7L
                key.Named "weights" |> shouldDiffer (key.Named "weight")
                key.Named "" |> shouldDiffer key
                key.Named "ā" |> shouldDiffer (key.Named "\u0001")

            // Written down once: keys name the randomness of published runs, so a change here changes every result.
            testCase "keys stay what they are"
            <| fun () ->
                let key = Key.OfSeed 42L
                string key |> shouldEqual "0000000000000000000000000000002a"
                string (Key.OfSeed -1L) |> shouldEqual "0000000000000000ffffffffffffffff"
                string (key.Fold 1) |> shouldEqual "01aec75fd966ffd9d6c7a142e90633bb"
                string (key.Named "data") |> shouldEqual "41636fb9e7a4f765dd96101d9338a275"
                string (key.Split(2)[1]) |> shouldEqual "57f37827f87a9972988080f90d4a0cdd"
        ]

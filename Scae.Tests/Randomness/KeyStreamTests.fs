module Scae.Tests.Randomness.KeyStreamTests

open System
open Expecto
open FsCheck
open Scae.Tests.Claims
open Scae.Tensors
open Scae.Tests.Randomness.GoodnessOfFit

let private code = Array.fold (fun code digit -> 4 * code + digit) 0

[<Tests>]
let tests =
    testList
        "Randomness.KeyStream"
        [
            testPropertyWithConfig (samples 100) "a stream reads the words of its key in order"
            <| fun (seed: int64) ->
                let key = Key.OfSeed seed
                let words = Array.zeroCreate<uint32> 200
                key.FillBits words
                let stream = key.Stream()
                let read = Array.init 200 (fun _ -> stream.NextBits())
                stream.Restart key
                read = words && stream.NextBits() = words[0]

            testCase "floats are those of a fill"
            <| fun () ->
                let key = Key.OfSeed 3L
                let values = Array.zeroCreate<float32> 1000
                key.FillUniform(values, -3f, 3f)
                let stream = key.Stream()
                Array.init 1000 (fun _ -> stream.NextFloat(-3f, 3f)) |> shouldEqual values

            testPropertyWithConfig (samples 100) "a float stays in its interval"
            <| fun (seed: int64) (lo: NormalFloat) (width: byte) ->
                let stream = Key.OfSeed(seed).Stream()
                let lo = float32 lo.Get
                let hi = lo + float32 width
                let x = stream.NextFloat(lo, hi)
                Single.IsInfinity lo || x >= lo && (x < hi || lo = hi)

            testCase "doubles, integers and coins fit their distributions"
            <| fun () ->
                let stream = Key.OfSeed(5L).Stream()

                Array.init 100000 (fun _ -> stream.NextDouble())
                |> fitsCumulative (uniformCumulative 0.0 1.0)
                |> shouldEqual true

                Array.init 100000 (fun _ -> stream.NextInt 7) |> fitsUniformLabels 7 |> shouldEqual true

                Array.init 100000 (fun _ -> stream.NextInt(-3, 8) + 3) |> fitsUniformLabels 11 |> shouldEqual true

                // A range whose rejection region is a quarter of all words.
                Array.init 100000 (fun _ -> stream.NextInt 0x60000001 % 3)
                |> fitsUniformLabels 3
                |> shouldEqual true

                Array.init 100000 (fun _ -> if stream.NextBool 0.25 then 1 else 0)
                |> Array.countBy id
                |> Array.sort
                |> Array.map snd
                |> fitsCounts [| 75000.0; 25000.0 |]
                |> shouldEqual true

            testCase "an empty range is refused"
            <| fun () ->
                let stream = Key.OfSeed(5L).Stream()

                (fun () -> stream.NextInt 0 |> ignore) |> shouldRaise<ArgumentOutOfRangeException>

                (fun () -> stream.NextInt(3, 3) |> ignore) |> shouldRaise<ArgumentOutOfRangeException>

                (fun () -> stream.NextInt(Int32.MinValue, Int32.MaxValue) |> ignore)
                |> shouldRaise<ArgumentOutOfRangeException>

                (fun () -> stream.NextInt(Int32.MaxValue, Int32.MinValue) |> ignore)
                |> shouldRaise<ArgumentOutOfRangeException>

            testCase "all 24 permutations of 4 are equally frequent"
            <| fun () ->
                let stream = Key.OfSeed(8L).Stream()
                let order = Array.zeroCreate<int> 4

                let drawn (draw: unit -> unit) =
                    Array.init 24000 (fun _ ->
                        draw ()
                        code order)
                    |> Array.countBy id
                    |> Array.map snd

                let permutations = drawn (fun () -> stream.FillPermutation order)
                permutations |> fitsCounts (Array.create 24 1000.0) |> shouldEqual true
                // Shuffles compose, so their orders are as frequent.
                let shuffles = drawn (fun () -> stream.Shuffle(Span order))
                shuffles |> fitsCounts (Array.create 24 1000.0) |> shouldEqual true

                let keys = Key.OfSeed(9L).Split 24000

                Array.init 24000 (fun i ->
                    keys[i].FillPermutation order
                    code order)
                |> Array.countBy id
                |> Array.map snd
                |> fitsCounts (Array.create 24 1000.0)
                |> shouldEqual true

            testPropertyWithConfig (samples 100) "a permutation holds every index once, a shuffle every value"
            <| fun (seed: int64) (values: int[]) ->
                let key = Key.OfSeed seed
                let order = Array.zeroCreate<int> values.Length
                key.FillPermutation order
                let shuffled = Array.copy values
                key.Shuffle(Span shuffled)

                Array.sort order = [| 0 .. values.Length - 1 |] && Array.sort shuffled = Array.sort values

            testCase "a reader that is kept allocates nothing"
            <| fun () ->
                let key = Key.OfSeed 1L
                let stream = key.Stream()
                let values = Array.zeroCreate<float32> 1000
                let order = Array.zeroCreate<int> 11

                let work () =
                    stream.Restart(key.Fold 5)
                    stream.FillPermutation order
                    stream.NextFloat() |> ignore
                    key.FillNormal values
                    key.FillUniform values
                    key.FillGumbel values

                for _ in 1..50 do
                    work ()

                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..50 do
                    work ()

                GC.GetAllocatedBytesForCurrentThread() - before |> shouldEqual 0L
        ]

module Scae.Tests.Randomness.KeyFillTests

open System
open System.Security.Cryptography
open System.Runtime.InteropServices
open Expecto
open Scae.Tests.Claims
open Scae.Tensors
open Scae.Tests.Randomness.GoodnessOfFit

let private key = Key.OfSeed 20110L

let private filled<'a> n (fill: 'a[] -> unit) =
    let values = Array.zeroCreate<'a> n
    fill values
    values

let private singles n fill = filled<float32> n fill |> Array.map float

/// Every form of fill, by name, as bits.
let private fills: (string * (int -> uint64[])) list =
    let single fill n = filled<float32> n fill |> Array.map (BitConverter.SingleToUInt32Bits >> uint64)
    let double fill n = filled<float> n fill |> Array.map BitConverter.DoubleToUInt64Bits

    [
        "bits", (fun n -> filled<uint32> n (fun x -> key.FillBits x) |> Array.map uint64)
        "uniform", single (fun x -> key.FillUniform(x, -1f, 3f))
        "uniform double", double (fun x -> key.FillUniform(x, -1.0, 3.0))
        "normal", single (fun x -> key.FillNormal(x, 1f, 2f))
        "normal double", double (fun x -> key.FillNormal(x, 1.0, 2.0))
        "gumbel", single (fun x -> key.FillGumbel x)
        "gumbel double", double (fun x -> key.FillGumbel x)
        "bernoulli", single (fun x -> key.FillBernoulli(x, 0.3))
        "bernoulli double", double (fun x -> key.FillBernoulli(x, 0.3))
        "integers", (fun n -> filled<int> n (fun x -> key.FillIntegers(x, -5, 2_000_000_000)) |> Array.map uint64)
    ]

[<Tests>]
let tests =
    testList
        "Randomness.KeyFill"
        [
            testCase "the first values don't depend on how many follow"
            <| fun () ->
                for name, fill in fills do
                    let all = fill 2500

                    for n in [ 0..140 ] @ [ 1023; 1024; 1025; 2111 ] do
                        if fill n <> all[.. n - 1] then
                            failtest $"{name}: the first {n} values"

            // Written down from 256-bit vectors on x86-64. Found the same with 128- and 512-bit vectors, without FMA, and without any
            // vector instruction (DOTNET_EnableHWIntrinsic=0).
            testCase "values are the same bits on every machine"
            <| fun () ->
                let hash (fill: int -> uint64[]) =
                    let bytes = MemoryMarshal.AsBytes(ReadOnlySpan(fill 5000)).ToArray()
                    Convert.ToHexString(SHA256.HashData bytes)[..15]

                let found = [ for name, fill in fills -> $"{name} {hash fill}" ]

                found
                |> shouldEqual
                    [
                        "bits 3AD1DE8B186A3B4C"
                        "uniform B041BA1C2BD05370"
                        "uniform double 28A45A049D9EC475"
                        "normal 0B3FB59B73372A74"
                        "normal double E5D63BADB5C6CCED"
                        "gumbel 08368A4311C426E7"
                        "gumbel double 409719AADE41C270"
                        "bernoulli E33C710C43285288"
                        "bernoulli double E51449AF49E622F8"
                        "integers AA042D28A376C421"
                    ]

            for lo, hi in [ (0.0, 1.0); (-3.0, 3.0); (0.0, 6.283185307) ] do
                testCase $"uniform values fit their interval ({lo}, {hi})"
                <| fun () ->
                    let values = singles 200000 (fun x -> key.FillUniform(x, float32 lo, float32 hi))
                    values |> fitsCumulative (uniformCumulative lo hi) |> shouldEqual true
                    (Array.min values >= lo && Array.max values < hi) |> shouldEqual true
                    let doubles = filled<float> 200000 (fun x -> key.FillUniform(x, lo, hi))
                    doubles |> fitsCumulative (uniformCumulative lo hi) |> shouldEqual true

            testCase "the low bits of a double are random too"
            <| fun () ->
                let values = filled<float> 100000 (fun x -> key.FillUniform x)

                values
                |> Array.map (fun u -> int (int64 (u * 9007199254740992.0) &&& 255L))
                |> fitsUniformLabels 256
                |> shouldEqual true

            testCase "a double is its single with more digits"
            <| fun () ->
                let wide = filled<float> 1000 (fun x -> key.FillUniform x)
                let narrow = singles 1000 (fun x -> key.FillUniform x)

                Array.map2 (fun w n -> w - n) wide narrow
                |> Array.forall (fun d -> d >= 0.0 && d < 1.0 / 16777216.0)
                |> shouldEqual true

                let wide = filled<float> 1000 (fun x -> key.FillNormal x)
                wide |> shouldEqual (singles 1000 (fun x -> key.FillNormal x))

            testPropertyWithConfig (samples 100) "uniform values stay below the upper end however narrow the interval"
            <| fun (seed: int64) (steps: byte) ->
                let hi = Seq.fold (fun x _ -> MathF.BitIncrement x) 1f (seq { 1 .. int steps })
                let values = filled<float32> 300 (fun x -> Key.OfSeed(seed).FillUniform(x, 1f, hi))
                values |> Array.forall (fun x -> x >= 1f && (x < hi || steps = 0uy))

            testCase "an interval that is no interval is refused in one line"
            <| fun () ->
                let message action =
                    try
                        action ()
                        "nothing was refused"
                    with :? ArgumentException as error ->
                        error.Message

                let single = Array.zeroCreate<float32> 1

                message (fun () -> key.FillUniform(single, 2f, 1f))
                |> shouldEqual "uniform: [2, 1) isn't an interval of finite width with lo ≤ hi"

                message (fun () -> key.FillUniform(single, Single.NaN, 1f)) |> shouldStartWith "uniform: [NaN, 1)"

                message (fun () -> key.FillUniform(single, Single.MinValue, Single.MaxValue))
                |> shouldStartWith "uniform: "

                message (fun () -> key.FillIntegers(Array.zeroCreate<int> 1, 3, 3))
                |> shouldEqual "integers: the interval [3, 3) is empty; lo must be below hi"

                message (fun () -> key.FillBernoulli(single, 1.5))
                |> shouldStartWith "bernoulli: p = 1.5 isn't in [0, 1]"

            testCase "normal values fit, singly and in pairs"
            <| fun () ->
                let values = singles 400000 (fun x -> key.FillNormal x)
                values |> fitsCumulative normalCumulative |> shouldEqual true

                // Words i and i + 32 make a pair: its halves are as independent as any others.
                for distance in [ 1; 16; 32; 64 ] do
                    areUncorrelated values[distance..] values[.. values.Length - 1 - distance] |> shouldEqual true

                    let squares = values |> Array.map (fun z -> z * z)

                    areUncorrelated squares[distance..] squares[.. values.Length - 1 - distance] |> shouldEqual true

            testCase "the tails of the normal distribution are there"
            <| fun () ->
                let values = filled<float32> 4000000 (fun x -> key.FillNormal x)
                let beyond t = values |> Array.sumBy (fun z -> if abs z > t then 1 else 0)

                // 4,000,000 times the probabilities 2.700e-3, 6.334e-5 and 5.733e-7.
                abs (float (beyond 3f) - 10799.2) < 4.0 * sqrt 10799.2 |> shouldEqual true
                abs (float (beyond 4f) - 253.4) < 4.0 * sqrt 253.4 |> shouldEqual true
                beyond 5f |> shouldBeAtMost 9
                beyond 6.8f |> shouldEqual 0

            testCase "normal values are those of Box and Muller in double precision"
            <| fun () ->
                let words = filled<uint32> 6400 (fun x -> key.FillBits x)
                let values = singles 6400 (fun x -> key.FillNormal x)

                for group in 0..99 do
                    for j in 0..31 do
                        let w1, w2 = words[64 * group + j], words[64 * group + 32 + j]
                        let u = float (float32 (int (w1 >>> 1))) * 2.0 ** -31.0 + 2.0 ** -32.0
                        let phi = float w2 * 2.0 * Math.PI / 4294967296.0 - Math.PI / 4.0
                        let r = sqrt (-2.0 * log u)
                        values[64 * group + j] |> shouldBeNear 2e-6 (r * cos phi)
                        values[64 * group + 32 + j] |> shouldBeNear 2e-6 (r * sin phi)

            testCase "the extreme words give finite values"
            <| fun () ->
                for word in
                    [
                        0u
                        1u
                        2u
                        0x3fffffffu
                        0x40000000u
                        0x7fffffffu
                        0x80000000u
                        UInt32.MaxValue - 1u
                        UInt32.MaxValue
                    ] do
                    let group = Array.create 64 (BitConverter.UInt32BitsToSingle word)
                    Transforms.Normal(Span group, 0f, 1f)
                    Array.forall Single.IsFinite group |> shouldEqual true
                    let group = Array.create 64 (BitConverter.UInt32BitsToSingle word)
                    Transforms.Gumbel(Span group)
                    Array.forall (fun g -> g > -2.83f && g < 16.7f) group |> shouldEqual true

            testCase "Gumbel values fit and are accurate"
            <| fun () ->
                let values = singles 200000 (fun x -> key.FillGumbel x)
                values |> fitsCumulative gumbelCumulative |> shouldEqual true
                let words = filled<uint32> 200000 (fun x -> key.FillBits x)

                Array.map2
                    (fun (w: uint32) g ->
                        let u = float ((w >>> 8) ||| 1u) / 16777216.0
                        abs (g + log (-log u)) / (1.0 + abs g))
                    words
                    values
                |> Array.max
                |> shouldBeLessThan 5e-7

            for p in [ 0.001; 0.1; 0.5; 0.97 ] do
                testCase $"Bernoulli values are one as often as asked ({p})"
                <| fun () ->
                    let values = filled<float32> 200000 (fun x -> key.FillBernoulli(x, p))
                    let ones = values |> Array.sumBy int

                    fitsCounts [| 200000.0 * p; 200000.0 * (1.0 - p) |] [| ones; 200000 - ones |] |> shouldEqual true

                    values |> Array.forall (fun x -> x = 0f || x = 1f) |> shouldEqual true

            testCase "Bernoulli of 0 and 1 leaves nothing to chance"
            <| fun () ->
                filled<float32> 1000 (fun x -> key.FillBernoulli(x, 0.0)) |> shouldEqual (Array.create 1000 0f)

                filled<float32> 1000 (fun x -> key.FillBernoulli(x, 1.0)) |> shouldEqual (Array.create 1000 1f)

                filled<float> 1000 (fun x -> key.FillBernoulli(x, 1.0)) |> shouldEqual (Array.create 1000 1.0)

            for lo, hi in [ (0, 3); (-5, 2); (0, 100) ] do
                testCase $"integers are equally frequent ({lo}, {hi})"
                <| fun () ->
                    filled<int> 300000 (fun x -> key.FillIntegers(x, lo, hi))
                    |> Array.map (fun i -> i - lo)
                    |> fitsUniformLabels (hi - lo)
                    |> shouldEqual true

            testCase "integers of an awkward range are unbiased"
            <| fun () ->
                // Without rejection, 2³² words on 3·2³⁰ values make every third value twice as frequent.
                filled<int> 300000 (fun x -> key.FillIntegers(x, Int32.MinValue, 1 <<< 30))
                |> Array.map (fun i -> int ((int64 i - int64 Int32.MinValue) % 3L))
                |> fitsUniformLabels 3
                |> shouldEqual true

            testCase "the widest range and the narrowest are drawn from"
            <| fun () ->
                let values = filled<int> 1000 (fun x -> key.FillIntegers(x, Int32.MinValue, Int32.MaxValue))
                Array.exists (fun i -> i < -1_000_000_000) values |> shouldEqual true
                Array.exists (fun i -> i > 1_000_000_000) values |> shouldEqual true

                filled<int> 10 (fun x -> key.FillIntegers(x, 4, 5)) |> shouldEqual (Array.create 10 4)

            testCase "streams of related keys are uncorrelated"
            <| fun () ->
                let draw (k: Key) = filled<float> 20000 (fun x -> k.FillUniform x)
                let parent = draw key

                let related =
                    [
                        yield! key.Split 3
                        for step in 0L .. 2L do
                            yield key.Fold step
                        yield key.Named "a"
                        yield key.Named "b"
                        yield Key.OfSeed 20111L
                    ]
                    |> List.map draw

                let streams = parent :: related

                for i, x in List.indexed streams do
                    for y in List.skip (i + 1) streams do
                        areUncorrelated x y |> shouldEqual true

                // One value of each of many keys is as uniform as many values of one key.
                let across = Array.init 20000 (fun step -> (filled<float> 1 (fun x -> key.Fold(step).FillUniform x))[0])
                across |> fitsCumulative (uniformCumulative 0.0 1.0) |> shouldEqual true
                areUncorrelated across[1..] across[.. across.Length - 2] |> shouldEqual true
        ]

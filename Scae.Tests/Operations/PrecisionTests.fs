/// How far functions and sums may be off, that an element's bits don't depend on where it stands, and arguments that make
/// no sense.
module Scae.Tests.Operations.PrecisionTests

open System
open System.Diagnostics
open System.Reflection
open System.Threading.Tasks
open Expecto
open Scae.Tests.Turns
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tests.Values

let private singles (xs: float32[]) = Tensor.``of`` xs

let private logOnePlus (x: float) =
    let sum = 1.0 + x

    if sum = 1.0 then x
    elif Double.IsInfinity sum then log sum
    else log sum * x / (sum - 1.0)

/// In double, and so to many more digits than a float has.
let private reference (name: string) : float -> float =
    match name with
    | "exp" -> exp
    | "expm1" -> fun x -> if abs x < 1e-5 then x + x * x / 2.0 else exp x - 1.0
    | "log" -> log
    | "log1p" -> logOnePlus
    | "sigmoid" -> fun x -> 1.0 / (1.0 + exp -x)
    | "softplus" -> fun x -> Math.Max(x, 0.0) + logOnePlus (exp -(abs x))
    | "tanh" -> tanh
    | "sin" -> sin
    | "cos" -> cos
    | "sqrt" -> sqrt
    | "abs" -> abs
    | "relu" -> fun x -> Math.Max(x, 0.0)
    | "safelog" ->
        fun x ->
            if Double.IsNaN x then
                nan
            else
                log (Math.Max(x, float 1e-12f))
    | _ -> invalidArg (nameof name) $"there is no reference for {name}"

/// How far a float is off, in units of the last place of what is right.
let private unitsOff (right: float) (found: float32) =
    if Double.IsNaN right then
        if Single.IsNaN found then 0.0 else infinity
    elif float32 right = found then
        0.0
    elif Double.IsInfinity right || not (Single.IsFinite found) then
        infinity
    else
        let exponent =
            if right = 0.0 then
                -149
            else
                max -149 (Math.ILogB right - 23)

        abs (float found - right) / Math.ScaleB(1.0, exponent)

let private worstOf (name: string) (f: Tensor -> Tensor) (xs: float32[]) =
    let ys = (f (singles xs)).toArray<float32>()

    Array.map2 (fun (x: float32) y -> unitsOff (reference name (float x)) y, x, y) xs ys
    |> Array.maxBy (fun (off, _, _) -> off)

/// Exponents and mantissas of floats, all alike.
let private anyFloats (count: int) =
    Array.init count (fun i -> BitConverter.UInt32BitsToSingle(uint32 i * 2654435769u))

let private withReference = Digest.functions |> List.filter (fun (name, _) -> name <> "safelog")

let private inDouble = [ "exp"; "expm1"; "log"; "log1p"; "sigmoid"; "softplus"; "tanh"; "sin"; "cos" ]

/// Where a function of doubles is tried: magnitudes from 10⁻¹⁰ to the largest of interest, both signs where it has them.
let private argumentsOf (name: string) =
    let largest =
        match name with
        | "exp"
        | "sigmoid" -> 740.0
        | "expm1"
        | "softplus" -> 700.0
        | "sin"
        | "cos" -> 1e5
        | "tanh" -> 30.0
        | _ -> 1e15

    let sizes =
        Array.init 90 (fun i ->
            Math.ScaleB(Math.Pow(largest, float (i % 30) / 29.0), -(i / 30) * 15)
            * (1.0 - 0.001 * float (i % 7)))

    match name with
    | "log" -> Array.append sizes [| 1e-310; 0.999999; 1.0000001; 1.4142; 0.7072 |]
    | "log1p" -> Array.append sizes (sizes |> Array.filter (fun x -> x < 0.99) |> Array.map (~-))
    | "softplus" -> Array.concat [ sizes; Array.map (~-) sizes; [| -18.4178 |] ]
    | _ -> Array.append sizes (Array.map (~-) sizes)

let private lengths = [ 0; 1; 2; 7; 8; 9; 15; 16; 17; 31; 33; 1000; 1_000_000 ]

let private sumInDouble (xs: float[]) =
    // Neumaier's sum, whose rounding is carried along.
    let mutable sum, lost = 0.0, 0.0

    for x in xs do
        let next = sum + x

        lost <-
            lost
            + (if abs sum >= abs x then
                   (sum - next) + x
               else
                   (x - next) + sum)

        sum <- next

    sum + lost

let private digestWith (settings: (string * string) list) (count: int) =
    let info = ProcessStartInfo("dotnet", RedirectStandardOutput = true)

    for argument in [ Assembly.GetExecutingAssembly().Location; "--digest"; string count ] do
        info.ArgumentList.Add argument

    for name, value in settings do
        info.Environment[name] <- value

    use running = nonNull (Process.Start info)
    let text = running.StandardOutput.ReadToEnd().Trim()
    running.WaitForExit()
    running.ExitCode |> shouldEqual 0
    text

[<Tests>]
let tests =
    inTurn
        "Operations.Precision"
        [
            for name, f in withReference do
                testCase $"a function of floats is at most one unit in the last place off, whatever the float ({name})"
                <| fun () ->
                    let specials = Digest.numbers 20_000 |> Array.map float32
                    let off, x, y = worstOf name f (Array.append specials (anyFloats 200_000))

                    if not (off <= 1.0) then
                        failtest $"{name} of {x:R} is {y:R}, {off:F2} units off"

            for name in inDouble do
                testCase $"a function of doubles is at most two units in the last place off ({name})"
                <| fun () ->
                    let f = Digest.functions |> List.find (fst >> (=) name) |> snd
                    let xs = argumentsOf name
                    let ys = read (f (Tensor.``of`` xs))

                    for x, y in Array.zip xs ys do
                        let off = ManyDigits.unitsOff (ManyDigits.functionOf name (ManyDigits.ofDouble x)) y

                        if not (off <= 2.0) then
                            failtest $"{name} of {x:R} is {y:R}, {off:F2} units off"

            testCase "the reference tells a wrong double"
            <| fun () ->
                let exact = ManyDigits.functionOf "exp" (ManyDigits.ofDouble 1.0)
                ManyDigits.unitsOff exact Math.E |> shouldBeAtMost 0.5
                ManyDigits.unitsOff exact (Math.BitIncrement(Math.BitIncrement Math.E)) |> shouldBeGreaterThan 1.5

            testCase "values are exact where the mathematics is"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    for n in [ 1; 15; 16; 17; 40 ] do
                        let zeros, ones = Tensor.zeros ([| n |], dtype), Tensor.ones ([| n |], dtype)
                        let all (value: float) (y: Tensor) = read y |> Array.distinct |> shouldEqual [| value |]
                        zeros.exp () |> all 1.0
                        ones.log () |> all 0.0
                        zeros.log1p () |> all 0.0
                        zeros.expm1 () |> all 0.0
                        zeros.tanh () |> all 0.0
                        zeros.sin () |> all 0.0
                        zeros.cos () |> all 1.0
                        zeros.sigmoid () |> all 0.5

            for name, f in Digest.functions do
                testCase $"an element's bits don't depend on where it stands ({name})"
                <| fun () ->
                    for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                        let xs = Digest.numbers 1100
                        let bits (t: Tensor) = read t |> Array.map BitConverter.DoubleToInt64Bits
                        let whole = bits (f (Tensor.``of``(xs).cast dtype))

                        for length in [ 1; 15; 16; 17; 1000 ] do
                            for start in [ 0; 1; 5; 97 ] do
                                bits (f (Tensor.``of``(xs[start .. start + length - 1]).cast dtype))
                                |> shouldEqual whole[start .. start + length - 1]

                        let many = Array.init 1_000_001 (fun i -> xs[i % xs.Length])
                        let found = bits (f (Tensor.``of``(many).cast dtype))

                        seq { 0 .. found.Length - 1 }
                        |> Seq.forall (fun i -> found[i] = whole[i % xs.Length])
                        |> shouldEqual true

            testCase "an angle of millions changes no bit of its neighbours' sine and cosine"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    let angles = Array.init 1000 (fun i -> float i * 0.7)
                    let far = angles |> Array.mapi (fun i x -> if i % 8 = 5 then 3e6 + x else x)
                    let small (y: Tensor) = read y |> Array.indexed |> Array.filter (fun (i, _) -> i % 8 <> 5)

                    for f in [ (fun (x: Tensor) -> x.sin ()); _.cos() ] do
                        small (f (Tensor.``of``(far).cast dtype))
                        |> shouldEqual (small (f (Tensor.``of``(angles).cast dtype)))

            for name, f in Digest.reductions do
                testCase $"a reduction is right for every length ({name})"
                <| fun () ->
                    for dtype, tolerance in [ Dtype.Float32, 1e-6; Dtype.Float64, 1e-14 ] do
                        for length in lengths |> List.filter (fun n -> n > 1) do
                            let x = Tensor.``of``(Array.init length (fun i -> 0.1 + float (i % 91) / 7.0)).cast dtype
                            let xs = read x
                            let n = float length
                            let mean = sumInDouble xs / n
                            let variance = sumInDouble (xs |> Array.map (fun x -> (x - mean) ** 2.0)) / (n - 1.0)

                            let right =
                                match name with
                                | "sum" -> mean * n
                                | "mean" -> mean
                                | "var" -> variance
                                | "std" -> sqrt variance
                                | "norm" -> sqrt (sumInDouble (xs |> Array.map (fun x -> x * x)))
                                | "max" -> Array.max xs
                                | _ -> Array.min xs

                            abs ((f x).toScalar() / right - 1.0) |> shouldBeAtMost tolerance

            testCase
                "long sums of equal floats don't drift, over all, along either axis, and as gradients of broadcasts"
            <| fun () ->
                let n = 10_000_000
                let right = float n * float 0.1f
                let near (found: float) = abs (found / right - 1.0) |> shouldBeAtMost 1e-6
                let x = Tensor.full ([| n |], 0.1)
                near (x.sum().toScalar())
                near (x.view(n / 4, 4).sum(0).sum().toScalar())
                near (x.view(4, n / 4).sum(1).sum().toScalar())
                abs (x.norm().toScalar() / sqrt (float n * float 0.1f ** 2.0) - 1.0) |> shouldBeAtMost 1e-6
                (Tensor.ones [| 40_000_000 |]).sum().toScalar() |> shouldEqual 4e7

                let gradientOf (operand: Tensor) (f: Tensor -> Tensor) =
                    let operand = operand.reverseDiff ()
                    (f operand).sum().reverse()
                    read operand.derivative |> Array.sum

                let rows = x.view (n / 4, 4)
                near (gradientOf (Tensor.ones [| 4 |]) (fun b -> rows * b))
                near (gradientOf (Tensor.ones [| 4 |]) (fun b -> (b.expand (n / 4, 4)) * rows))
                near (gradientOf (Tensor.scalar 1.0) (fun b -> rows * b))
                near (gradientOf (Tensor.ones [| 1; 4 |]) (fun b -> (rows.view (5, n / 20, 4)) * b.unsqueeze 0))

                gradientOf (Tensor.ones [| 1; 1 |]) (fun b -> rows + b) |> shouldEqual (float n)

                gradientOf (Tensor.zeros [| 4 |]) (fun b ->
                    Tensor.zeros([| n / 4; 1 |]).linear(Tensor.zeros [| 1; 4 |], b))
                |> shouldEqual (float n)

            testCase "equal values are their own mean and don't deviate"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    for value in [ 1.0; 0.1; 1e6; 3.3e-7; -7.7 ] do
                        for n in [ 2; 7; 49; 55; 1000; 4099 ] do
                            let x = Tensor.full ([| n |], value, dtype)
                            let same = (Tensor.full ([||], value, dtype)).toScalar()
                            x.mean().toScalar() |> shouldEqual same
                            x.var().toScalar() |> shouldEqual 0.0
                            x.std().toScalar() |> shouldEqual 0.0
                            let rows = Tensor.full ([| n; 3 |], value, dtype)
                            read (rows.mean 0) |> shouldEqual [| same; same; same |]
                            read (rows.std 0) |> shouldEqual [| 0.0; 0.0; 0.0 |]

            testCase "reductions of nothing: 0 for sum and norm, NaN for what is divided by the number, no largest"
            <| fun () ->
                let none = Tensor.zeros [| 0 |]
                none.sum().toScalar() |> shouldEqual 0.0
                none.norm().toScalar() |> shouldEqual 0.0

                for f in
                    [
                        (fun (x: Tensor) -> x.mean ())
                        (fun x -> x.var ())
                        (fun x -> x.std ())
                        (fun x -> x.var false)
                        (fun x -> x.std false)
                    ] do
                    Double.IsNaN((f none).toScalar()) |> shouldEqual true

                Double.IsNaN((Tensor.ones [| 1 |]).std().toScalar()) |> shouldEqual true
                read ((Tensor.zeros [| 0; 2 |]).mean 0) |> Array.forall Double.IsNaN |> shouldEqual true
                messageOf<ShapeError>(fun () -> ignore (none.max ())) |> shouldContainText "empty"

            testCase "softplus and the logarithms of sums keep what is far below one"
            <| fun () ->
                let relative right (x: Tensor) = abs ((x.toScalar ()) / right - 1.0) |> shouldBeAtMost 1e-15
                (ofList [ -18.4178 ] [ 1 ]).softplus() |> relative 1.0028848922536041e-8
                (ofList [ 0.0; -30.0 ] [ 2 ]).logsumexp(0) |> relative 9.357622968839737e-14
                (ofList [ 0.0; -30.0 ] [ 2 ]).logsoftmax(0).select(0, 0) |> relative -9.357622968839737e-14

                (ofList [ 1.0 ] [ 1 ]).bernoulliLogLikelihood(ofList [ 30.0 ] [ 1 ])
                |> relative -9.357622968839737e-14

            testAlone "bits are the same for any number of threads and any vector width"
            <| fun () ->
                shouldBeSameOnAnyThreads (fun () -> Digest.compute 100_000)

                // Fewer, for without vectors a fused product is a call.
                let count = 12_000
                let expected = Digest.compute count

                // Without AVX vectors have 128 bits and no masks, as on ARM.
                [ "DOTNET_EnableAVX512"; "DOTNET_EnableAVX2"; "DOTNET_EnableAVX"; "DOTNET_EnableHWIntrinsic" ]
                |> List.map (fun vectors -> Task.Run(fun () -> digestWith [ vectors, "0" ] count))
                |> List.iter (fun digest -> digest.Result |> shouldEqual expected)

            testCase "arguments of creation that make no sense are errors of one line"
            <| fun () ->
                let refused (part: string) (make: unit -> Tensor) =
                    let message = messageOf<ArgumentException>(fun () -> ignore (make ()))
                    message |> shouldContainText part
                    message |> shouldLackText "\n"

                refused "float, double or int, not System.UInt32" (fun () -> Tensor.``of`` [| 1u |])
                refused "float, double or int, not System.DayOfWeek" (fun () -> Tensor.``of`` [| DayOfWeek.Friday |])
                refused "a step other than 0" (fun () -> Tensor.arange (3.0, 0.0, 0.0))
                refused "finite numbers" (fun () -> Tensor.arange nan)
                refused "finite numbers" (fun () -> Tensor.arange infinity)
                refused "at most 2147483647" (fun () -> Tensor.arange (1.0, 0.0, 1e-12))
                refused "linspace: -1 steps" (fun () -> Tensor.linspace (0.0, 1.0, -1))
                refused "between finite numbers" (fun () -> Tensor.linspace (0.0, infinity, 3))
                refused "whole number" (fun () -> Tensor.full ([| 2 |], 0.5, Dtype.Int32))
                refused "vectors of length -1" (fun () -> (ints [ 0 ] [ 1 ]).onehot -1)
                refused "at most 2147483647 in all" (fun () -> (Tensor.zeros [| 3; 0 |]).repeat(0, Int32.MaxValue))
                refused "an axis has at most" (fun () -> (Tensor.zeros [| 3 |]).pad Int32.MaxValue)
                read (Tensor.linspace (0.1, 0.7, 4)) |> Array.last |> shouldEqual (float 0.7f)
                read (Tensor.arange (0.0, 3.0, -1.0)) |> shouldEqual [| 3.0; 2.0; 1.0 |]
        ]

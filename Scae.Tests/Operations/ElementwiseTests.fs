module Scae.Tests.Operations.ElementwiseTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values

/// Each function and its twin on one number.
let private functions: (string * (Tensor -> Tensor) * (float -> float)) list =
    [
        "abs", _.abs(), abs
        "exp", _.exp(), exp
        "log", _.log(), log
        "safelog", _.safelog(), (fun x -> log (max x 1e-12))
        "sqrt", _.sqrt(), sqrt
        "sin", _.sin(), sin
        "cos", _.cos(), cos
        "tanh", _.tanh(), tanh
        "sigmoid", _.sigmoid(), (fun x -> 1.0 / (1.0 + exp -x))
        "relu", _.relu(), max 0.0
        "softplus", _.softplus(), (fun x -> log (1.0 + exp x))
        "clamp", (fun x -> x.clamp (-0.5, 1.0)), (fun x -> min 1.0 (max -0.5 x))
        "number arithmetic", (fun x -> 3.0 - (2.0 * x + 1.0 - x / 3.0)), (fun x -> 3.0 - (2.0 * x + 1.0 - x / 3.0))
        "number over tensor", (fun x -> 2.0 / x), (fun x -> 2.0 / x)
        "max with a number", (fun x -> x.max 0.3), max 0.3
        "min with a number", (fun x -> x.min 0.3), min 0.3
        "lt", (fun x -> x.lt 0.3), (fun x -> if x < 0.3 then 1.0 else 0.0)
        "gt", (fun x -> x.gt 0.3), (fun x -> if x > 0.3 then 1.0 else 0.0)
        "ge", (fun x -> x.ge 0.3), (fun x -> if x >= 0.3 then 1.0 else 0.0)
        "cast", _.cast(Dtype.Float64), id
        "contiguous", _.contiguous(), id
        "clone", _.clone(), id
    ]

let private names = functions |> List.map (fun (name, _, _) -> name)

/// The elements of a tensor at the places that a broadcast shape reads, by division and remainder alone.
let private spread (target: int[]) (t: Tensor) =
    let shape = Array.append (Array.create (target.Length - t.dim) 1) t.shape
    let all = read t

    Array.init (Array.fold (*) 1 target) (fun i ->
        let mutable rest, at, step = i, 0, 1

        for axis in target.Length - 1 .. -1 .. 0 do
            at <- at + (if shape[axis] = 1 then 0 else rest % target[axis] * step)
            rest <- rest / target[axis]
            step <- step * shape[axis]

        all[at])

let private binaries: (string * (Tensor -> Tensor -> Tensor) * (float -> float -> float)) list =
    let flag b = if b then 1.0 else 0.0

    [
        "add", (fun a b -> a + b), (+)
        "sub", (fun a b -> a - b), (-)
        "mul", (fun a b -> a * b), (*)
        "div", (fun a b -> a / b), (/)
        "max", (fun a b -> a.max b), max
        "min", (fun a b -> a.min b), min
        "lt", (fun a b -> a.lt b), (fun a b -> flag (a < b))
        "gt", (fun a b -> a.gt b), (fun a b -> flag (a > b))
        "ge", (fun a b -> a.ge b), (fun a b -> flag (a >= b))
        "where", (fun a b -> a.gt(0.0).where(a, b)), (fun a b -> if a > 0.0 then a else b)
        "bernoulliLogLikelihood", (fun a b -> a.bernoulliLogLikelihood b), (fun a b -> a * b - log (1.0 + exp b))
        "gaussianLogLikelihood",
        (fun a b -> a.gaussianLogLikelihood (b, 0.5)),
        (fun a b -> -2.0 * (a - b) ** 2.0 - log 0.5 - 0.5 * log (2.0 * Math.PI))
    ]

let private binaryNames = binaries |> List.map (fun (name, _, _) -> name)

let private pairs =
    [
        [], []
        [ 3 ], [ 3 ]
        [ 17; 33 ], [ 33 ]
        [ 4; 1; 3 ], [ 1; 5; 3 ]
        [ 4; 11; 1; 2 ], [ 4; 1; 11; 2 ]
        [ 2; 3; 1 ], [ 20 ]
        [ 0; 3 ], [ 1; 3 ]
        [ 5; 1 ], []
        [ 1; 1 ], [ 2; 1; 16; 1 ]
    ]

/// ±10⁻⁸ … ±88 and 0.
let private magnitudes =
    [|
        yield 0.0
        for i in 0..400 do
            let x = 10.0 ** (-8.0 + float i / 400.0 * (log10 88.0 + 8.0))
            yield! [ x; -x ]
    |]

[<Tests>]
let tests =
    testList
        "Operations.Elementwise"
        [
            for name in names do
                testCase
                    $"a function of one tensor agrees with its twin on numbers, at every length around a vector ({name})"
                <| fun () ->
                    let _, f, twin = functions |> List.find (fun (n, _, _) -> n = name)

                    for n in [ 0; 1; 3; 4; 7; 8; 9; 15; 16; 17; 31; 32; 33; 100 ] do
                        let x = tensorOf Dtype.Float64 n [| n |]
                        f x |> shouldBeWithin 1e-12 (read x |> Array.map twin)
                        let narrow = x.cast Dtype.Float32
                        f narrow |> shouldBeWithin 3e-6 (read narrow |> Array.map twin)

            for name in binaryNames do
                testCase $"a function of two tensors agrees with a loop, in both ways of broadcasting ({name})"
                <| fun () ->
                    let _, f, twin = binaries |> List.find (fun (n, _, _) -> n = name)

                    for left, right in pairs @ List.map (fun (a, b) -> b, a) pairs do
                        let a, b = real 1 left, real 2 right
                        let target = Shape.Broadcast("test", a.shape, b.shape)
                        let expected = Array.map2 twin (spread target a) (spread target b)
                        f a b |> shouldBeWithin 1e-12 expected
                        f a b |> shouldHaveShape (List.ofArray target)

            testCase "broadcasting works in both ways at once"
            <| fun () -> (real 1 [ 4; 11; 1; 2 ] - real 2 [ 4; 1; 11; 2 ]) |> shouldHaveShape [ 4; 11; 11; 2 ]

            testCase "short rows of any broadcast agree with a loop"
            <| fun () ->
                // More than are computed at once, in every pattern of operands that repeat.
                for a, b, target in
                    [
                        [ 1; 625; 2 ], [ 4; 1; 2 ], [ 4; 625; 2 ]
                        [ 3; 1; 700; 1 ], [ 3; 2; 1; 3 ], [ 3; 2; 700; 3 ]
                        [ 300; 1 ], [ 300; 5 ], [ 300; 5 ]
                        [ 1; 15 ], [ 200; 1 ], [ 200; 15 ]
                        [ 2; 1; 1; 2 ], [ 1; 3; 7; 1 ], [ 2; 3; 7; 2 ]
                    ] do
                    for left, right in [ a, b; b, a ] do
                        let x, y = real 1 left, real 2 right
                        let shape = Array.ofList target

                        read (x - y) |> shouldEqual (Array.map2 (-) (spread shape x) (spread shape y))

                // Rows of a view that don't lie side by side.
                let all = real 3 [ 90; 7 ]
                let some = all.slice (1, 2, 5)
                let third = real 4 [ 3 ]

                read (some * third)
                |> shouldEqual (Array.map2 (*) (read (some.contiguous ())) (spread [| 90; 3 |] third))

            testCase "the larger of two keeps a small value beside a large one"
            <| fun () ->
                let a = ofList [ 1e-9; -3.0 ] [ 2 ]
                a.max (ofList [ -1e9; -4.0 ] [ 2 ]) |> shouldBe [ 1e-9; -3.0 ]
                a.min (ofList [ 1e9; 4.0 ] [ 2 ]) |> shouldBe [ 1e-9; -3.0 ]

            testCase "max sends the gradient to the first of equals, and to one only"
            <| fun () ->
                let a, b = (ofList [ 1.0; 2.0 ] [ 2 ]).reverseDiff(), (ofList [ 1.0; 3.0 ] [ 2 ]).reverseDiff()
                (a.max b).sum().reverse()
                a.derivative |> shouldBe [ 1.0; 0.0 ]
                b.derivative |> shouldBe [ 0.0; 1.0 ]
                (a.min b).sum().reverse()
                a.derivative |> shouldBe [ 1.0; 1.0 ]
                b.derivative |> shouldBe [ 0.0; 0.0 ]

            testCase "relu and abs have gradient 0 at 0"
            <| fun () ->
                let x = (ofList [ 0.0; -1.0; 2.0 ] [ 3 ]).reverseDiff()
                x.relu().sum().reverse()
                x.derivative |> shouldBe [ 0.0; 0.0; 1.0 ]
                x.abs().sum().reverse()
                x.derivative |> shouldBe [ 0.0; -1.0; 1.0 ]

            testCase "clamp passes no gradient outside its range"
            <| fun () ->
                let x = (ofList [ -8.5; -8.0; 0.0; 4.0; 4.5 ] [ 5 ]).reverseDiff()
                x.clamp(-8.0, 4.0).sum().reverse()
                x.derivative |> shouldBe [ 0.0; 1.0; 1.0; 1.0; 0.0 ]

            testCase "NaN in the branch not taken leaks neither forward nor backward"
            <| fun () ->
                let x = (ofList [ 4.0; -3.0; -1.0 ] [ 3 ]).reverseDiff()
                let y = x.gt(0.0).where(x.log (), x * 2.0)
                y |> shouldBe [ log 4.0; -6.0; -2.0 ]
                y.sum().reverse()
                x.derivative |> shouldBe [ 0.25; 2.0; 2.0 ]
                let bad = ofList [ nan; 5.0 ] [ 2 ]
                (ofList [ 0.0; 1.0 ] [ 2 ]).where(bad, ofList [ 7.0; nan ] [ 2 ]) |> shouldBe [ 7.0; 5.0 ]

            testCase "softplus and the Bernoulli likelihood neither overflow nor vanish"
            <| fun () ->
                (ofList [ -1000.0; 0.0; 1000.0 ] [ 3 ]).softplus() |> shouldBe [ 0.0; log 2.0; 1000.0 ]
                let small = (read ((ofList [ -20.0; -40.0 ] [ 2 ]).softplus()))
                small[0] / (exp -20.0 - exp -40.0 / 2.0) |> shouldBeNear 1e-14 1.0
                small[1] / exp -40.0 |> shouldBeNear 1e-14 1.0
                let single = (Tensor.``of`` ([| -20.0f; -80.0f |], [| 2 |])).softplus().toArray<float32>()
                float single[0] / exp -20.0 |> shouldBeNear 1e-6 1.0
                float single[1] / exp -80.0 |> shouldBeNear 1e-5 1.0
                let logits = (ofList [ -1000.0; 1000.0; 50.0 ] [ 3 ]).reverseDiff()
                let y = (ofList [ 1.0; 0.0; 1.0 ] [ 3 ]).bernoulliLogLikelihood logits
                y |> shouldBe [ -1000.0; -1000.0; -exp -50.0 ]
                (read y)[2] |> shouldBeNear 1e-30 -1.9287498479639178e-22
                y.sum().reverse()
                logits.derivative |> shouldBe [ 1.0; -1.0; exp -50.0 ]

            testCase "the Bernoulli likelihood of infinite logits is 0 or minus infinity, and NaN stays NaN"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    let x = (ofList [ 1.0; 0.0; 0.5; 0.0; 1.0; 0.5; nan; 1.0 ] [ 8 ]).cast dtype
                    let far, none = infinity, -infinity
                    let logits = (ofList [ far; far; far; none; none; none; far; nan ] [ 8 ]).cast(dtype).reverseDiff()
                    let y = x.bernoulliLogLikelihood logits
                    y |> shouldBe [ 0.0; none; none; 0.0; none; none; nan; nan ]
                    y.sum().reverse()
                    logits.derivative |> shouldBe [ 0.0; -1.0; -0.5; 0.0; 1.0; 0.5; nan; nan ]

            testCase "comparisons pass no gradient"
            <| fun () -> ((real 1 [ 5 ]).reverseDiff().lt 0.0).RequiresGradient |> shouldEqual false

            testCase "tanh is right to the last digits, and alike wherever an element stands"
            <| fun () ->
                let relative (value: float) (right: float) =
                    if right = 0.0 then abs value else abs (value / right - 1.0)

                let single = magnitudes |> Array.map float32
                let together = (Tensor.``of`` (single, [| single.Length |])).tanh().toArray<float32>()

                for i in 0 .. single.Length - 1 do
                    relative (float together[i]) (tanh (float single[i])) |> shouldBeLessThan 4e-7
                    let alone = (Tensor.``of`` ([| single[i] |], [| 1 |])).tanh().toArray<float32>()
                    alone[0] |> shouldEqual together[i]

                (read ((Tensor.``of`` (magnitudes, [| magnitudes.Length |])).tanh()), magnitudes)
                ||> Array.iter2 (fun value x -> relative value (tanh x) |> shouldBeLessThan 2e-15)

            testCase "tanh keeps NaN, infinities and signs of zero"
            <| fun () ->
                let odd = Tensor.``of`` ([| nanf; infinityf; -infinityf; -0.0f |], [| 4 |])
                odd.tanh().toArray<float32>() |> shouldEqual [| nanf; 1.0f; -1.0f; -0.0f |]
                Single.IsNegative(odd.tanh().toArray<float32>()[3]) |> shouldEqual true

            testCase "division by a number is a division"
            <| fun () -> (Tensor.full ([| 1 |], 255.0) / 255.0).toArray<float32>()[0] |> shouldEqual 1.0f

            testPropertyWithConfig (samples 100) "adding numbers one by one or as tensors gives the same bits"
            <| fun (xs: float32[]) ->
                let x = Tensor.``of`` xs
                (x + x).toArray<float32>() |> shouldEqual (xs |> Array.map (fun v -> v + v))
        ]

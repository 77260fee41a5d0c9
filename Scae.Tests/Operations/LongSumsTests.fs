/// A million terms in float32 against the same in float64, wherever terms are added up: none of these sums drifts. One that is
/// added term by term in float32 is off by a hundredth.
module Scae.Tests.Operations.LongSumsTests

open System
open Expecto
open Scae.Tensors
open Scae.Tensors.Kernels
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tests.Turns
open Scae.Tests.Values

let private n = 1_000_000

/// A float32 tensor's values in another dtype, so that both add the same numbers.
let private full (dtype: Dtype) (shape: int list) (value: float) = (Tensor.full (Array.ofList shape, value)).cast dtype

let private rising (dtype: Dtype) (count: int) (shape: int list) =
    (Tensor.linspace (0.0, 1.0, count)).view(Array.ofList shape).cast dtype

/// ∂Σf at a tensor.
let private gradient (x: Tensor) (f: Tensor -> Tensor) : Tensor =
    let x = x.reverseDiff ()
    (f x).sum().reverse()
    x.derivative

/// The largest difference between float32 and float64 relative to the largest value.
let private drift (f: Dtype -> Tensor) : float =
    let found, right = read (f Dtype.Float32), read (f Dtype.Float64)
    let largest = right |> Array.map abs |> largestOf
    let worst = Array.map2 (fun x y -> abs (x - y)) found right |> largestOf
    worst / largest

/// What is summed along an axis or at positions: right to some units in the last place.
let private sums: (string * (Dtype -> Tensor)) list =
    let zeros = Tensor.zeros ([| n |], Dtype.Int32)
    let strange = (Tensor.linspace (0.0, 1.0, n)).cast(Dtype.Float64)

    [
        "cumsum", (fun d -> (full d [ n ] 0.1).cumsum 0)
        "gradient of cumsum", (fun d -> gradient (full d [ n ] 0.1) (fun x -> x.cumsum 0 * 0.1))
        "cumprod", (fun d -> (full d [ n ] 1.000001).cumprod 0)
        "gradient of cumprod", (fun d -> gradient (full d [ n; 2 ] 1.000001) (fun x -> x.cumprod 0 * 0.1))
        "gradient of gather", (fun d -> gradient (full d [ 2 ] 0.1) (fun x -> x.gather (0, zeros) * 0.1))
        "gradient of indexSelect", (fun d -> gradient (full d [ 2; 2 ] 0.1) (fun x -> x.indexSelect (0, zeros) * 0.1))
        "softmax", (fun d -> (rising d n [ n ]).softmax 0)
        "gradient of softmax", (fun d -> gradient (rising d n [ n ]) (fun x -> x.softmax 0 * rising d n [ n ]))
        "logsumexp", (fun d -> (rising d n [ n ]).logsumexp 0)
        "layerNorm", (fun d -> (rising d n [ 1; n ]).layerNorm(full d [ n ] 1.0, full d [ n ] 0.0))
        "gradient of layerNorm's gain",
        (fun d ->
            gradient (full d [ 2 ] 1.0) (fun gain ->
                (Tensor.cat ([ rising d n [ n; 1 ]; full d [ n; 1 ] -0.3 ], 1)).layerNorm(gain, full d [ 2 ] 0.0, 1.0)))
        "chamfer", (fun d -> (rising d (2 * n) [ 1; n; 2 ]).chamfer(full d [ 1; 3; 2 ] 0.4))
        "gradient of chamfer",
        (fun d -> gradient (full d [ 1; 3; 2 ] 0.4) (fun x -> (rising d (2 * n) [ 1; n; 2 ]).chamfer x))
        "gradient of gridSample's image",
        (fun d -> gradient (full d [ 1; 1; 2; 2 ] 0.4) (fun x -> x.gridSample (full d [ 1; 1000; 1000; 2 ] 0.3) * 0.1))
        "gradient of spatialTransform's image",
        (fun d -> gradient (full d [ 1; 1; 2; 2 ] 0.4) (fun x -> x.spatialTransform (full d [ 1; 3 ] 0.4, 1000, 1000)))
        "gradient of spatialTransform's pose",
        (fun d ->
            gradient (full d [ 1; 3 ] 0.4) (fun pose ->
                (rising d 10_000 [ 1; 1; 100; 100 ]).spatialTransform(pose, 1000, 1000)))
        "gradient of a convolution's bias, one channel",
        (fun d ->
            gradient (full d [ 1 ] 0.3) (fun bias ->
                (full d [ n; 1; 1; 1 ] 0.1).conv2d(full d [ 1; 1; 1; 1 ] 0.3, bias = bias) * 0.1))
        "gradient of a convolution's bias, many channels",
        (fun d ->
            gradient (full d [ 16 ] 0.3) (fun bias ->
                (full d [ n / 16; 16; 2; 2 ] 0.1).conv2d(full d [ 16; 16; 1; 1 ] 0.3, bias = bias) * 0.1))
        "gradient of small images' filters, one channel",
        (fun d -> gradient (full d [ 1; 1; 1; 1 ] 0.3) (fun w -> (full d [ n; 1; 1; 1 ] 0.1).conv2d w))
        "gradient of small images' filters, many channels",
        (fun d -> gradient (full d [ 16; 16; 1; 1 ] 0.3) (fun w -> (full d [ n / 16; 16; 2; 2 ] 0.1).conv2d w))
        "gradient of what all images' votes share",
        (fun d ->
            gradient (full d [ 1; 6 ] 0.3) (fun own ->
                let parts = full d [ 1; 1; 6 ] 0.2
                (full d [ n / 16; 1; 12 ] 0.1).votePoses(parts, own)))
        "gradient of shared queries",
        (fun d ->
            let values = Array.init n (fun i -> float (i % 5) / 7.0)
            let keys = ((Tensor.``of`` (values, [| n / 4; 2; 2 |])).cast Dtype.Float32).cast d
            gradient (full d [ 1; 2 ] 0.3) (fun q -> Tensor.attention (q, keys, keys)))
        "strange numbers, to see that a wrong sum is seen",
        (fun d ->
            if d = Dtype.Float64 then
                strange.sum ()
            else
                strange.sum () * (1.0 + 2e-6))
    ]

/// What products of matrices sum: in chains of 4,096 terms, which are off by more, and these in double.
let private chains: (string * (Dtype -> Tensor)) list =
    [
        "matmul", (fun d -> (full d [ 1; n ] 0.1).matmul(full d [ n; 1 ] 1.0))
        "matmul of a batch", (fun d -> gradient (full d [ 3; 2 ] 1.0) (fun w -> (full d [ n; 1; 3 ] 0.1).matmul w))
        "gradient of a left matrix that outer batches share",
        (fun d -> gradient (full d [ 2; 1; 1 ] 1.0) (fun w -> w.matmul (full d [ n / 4; 2; 1; 1 ] 0.1)))
        "gradient of a right matrix that outer batches share",
        (fun d -> gradient (full d [ 2; 1; 1 ] 1.0) (fun w -> (full d [ n / 4; 2; 1; 1 ] 0.1).matmul w))
        "gradient of a layer's weights",
        (fun d -> gradient (full d [ 1; 8 ] 1.0) (fun w -> (full d [ n; 1 ] 0.1).linear(w, Tensor.zeros ([| 8 |], d))))
        "gradient of a capsule's weights",
        (fun d -> gradient (full d [ 1; 1; 8 ] 1.0) (fun w -> (full d [ n; 1; 1 ] 0.1).linearEach w))
        "a convolution of many channels",
        (fun d -> (full d [ 1; 100; 32; 32 ] 0.1).conv2d(full d [ 1; 100; 32; 32 ] 0.3))
        "gradient of a large image's filters, one channel",
        (fun d -> gradient (full d [ 1; 1; 1; 1 ] 0.3) (fun w -> (full d [ 1; 1; 1000; 1000 ] 0.1).conv2d w))
        "gradient of a large image's filters, many channels",
        (fun d -> gradient (full d [ 16; 16; 1; 1 ] 0.3) (fun w -> (full d [ 1; 16; 1000; 500 ] 0.1).conv2d w))
        "attention",
        (fun d -> Tensor.attention (full d [ 2; 3; 1 ] 1.0, full d [ 2; n; 1 ] 0.1, full d [ 2; n; 1 ] 0.1))
    ]

/// Two parts on a canvas of 500² pixels: the likelihood and every gradient, in the order of the inputs.
let private parts (dtype: Dtype) : Tensor list =
    let real values shape = ((ofList values shape).cast Dtype.Float32).cast dtype
    let x = rising dtype 250_000 [ 1; 1; 500; 500 ]
    let templates = real (List.init 50 (fun i -> float (i % 7) / 7.0)) [ 2; 1; 5; 5 ]
    let poses = real [ 0.5; 0.1; 0.2; -0.1; 0.6; 0.1; 0.4; 0.0; -0.3; 0.1; 0.3; 0.3 ] [ 1; 2; 6 ]
    let alpha = real (List.init 50 (fun i -> float (i % 5) / 5.0)) [ 2; 5; 5 ]
    let presence, ground, logit = real [ -0.1; -0.7 ] [ 1; 2 ], real [ 0.3 ] [ 1 ], real [ 0.2 ] []

    let leaves =
        [ templates; poses; presence; ground; alpha; logit ] |> List.map (fun x -> x.reverseDiff ())

    let y =
        x.partMixture (PartScene(leaves[0], leaves[1], leaves[2], leaves[3], PartMixing.Alpha(leaves[4], leaves[5])))

    y.sum().reverse()
    y :: (leaves |> List.map (fun x -> x.derivative))

[<Tests>]
let tests =
    testList
        "Operations.LongSums"
        [
            for name, f in List.take (sums.Length - 1) sums do
                testCase $"a million terms don't drift ({name})" <| fun () -> drift f |> shouldBeAtMost 1e-6

            testCase "the comparison sees a sum that is off"
            <| fun () -> drift (snd (List.last sums)) |> shouldBeGreaterThan 1e-6

            for name, f in chains do
                testCase $"a million products drift no more than a few thousand ({name})"
                <| fun () -> drift f |> shouldBeAtMost 1e-4

            testCase "outer batches add to what they share in one chain, as long as it isn't too long"
            <| fun () ->
                for batches, places in [ 4096, 1; 1024, 4 ] do
                    let values = tensorOf Dtype.Float32 1 [| batches; 2; 1; places |]
                    let chain: float32[] = Array.zeroCreate 2

                    values.toArray<float32>()
                    |> Array.iteri (fun i value -> chain[i / places % 2] <- chain[i / places % 2] + value)

                    let found = gradient (full Dtype.Float32 [ 2; 1; 1 ] 1.0) (fun w -> w.matmul values)
                    found.toArray<float32>() |> shouldEqual chain

            testAlone "chains of any length have the same bits at every vector width and for any number of threads"
            <| fun () ->
                let a, b = tensorOf Dtype.Float32 1 [| 3; 10_000 |], tensorOf Dtype.Float32 2 [| 10_000; 5 |]
                let m, depth, columns = 3, 10_000, 5
                let x, y = a.toArray<float32>(), b.toArray<float32>()

                let slow =
                    Array.init (m * columns) (fun at ->
                        let mutable total = 0.0

                        for first in 0..4096 .. depth - 1 do
                            let mutable chain = 0.0f

                            for p in first .. min depth (first + 4096) - 1 do
                                chain <-
                                    MathF.FusedMultiplyAdd(
                                        x[at / columns * depth + p],
                                        y[p * columns + at % columns],
                                        chain
                                    )

                            total <- total + float chain

                        float32 total)

                a.matmul(b).toArray<float32>() |> shouldEqual slow
                shouldBeSameOnAnyThreads (fun () -> a.matmul(b).toArray<float32>())

                for width in [ VectorWidth.Bits512; VectorWidth.Bits256; VectorWidth.Bits128; VectorWidth.Scalar ] do
                    for path in [ MatMulPath.Fitting; MatMulPath.Blocked; MatMulPath.Shared; MatMulPath.Narrow ] do
                        let c = Array.zeroCreate<float32>(m * columns)

                        MatMul.Multiply(
                            width,
                            path,
                            1,
                            m,
                            columns,
                            depth,
                            ReadOnlySpan x,
                            0,
                            depth,
                            1,
                            ReadOnlySpan y,
                            0,
                            columns,
                            1,
                            Span c,
                            0,
                            columns,
                            false
                        )

                        c |> shouldEqual slow

            testCase "the likelihood of a large image and its gradients don't drift"
            <| fun () ->
                for found, right in List.zip (parts Dtype.Float32) (parts Dtype.Float64) do
                    drift (fun dtype -> if dtype = Dtype.Float32 then found else right) |> shouldBeAtMost 1e-5
        ]

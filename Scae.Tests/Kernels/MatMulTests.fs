module Scae.Tests.Kernels.MatMulTests

open System
open System.Numerics
open System.Runtime.InteropServices
open Expecto
open Scae.Tests.Turns
open FsCheck.FSharp
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tensors
open Scae.Tensors.Kernels

/// How a matrix of rows × columns lies in memory: the strides, and the elements from one matrix to the next.
type Layout = { Row: int; Column: int; Next: int }

/// A product: sizes, layouts of the three matrices, whether C is added to.
type Product =
    {
        Batch: int
        M: int
        N: int
        K: int
        A: Layout
        B: Layout
        C: Layout
        Accumulate: bool
    }

let private length (batch: int) rows columns (layout: Layout) =
    if batch = 0 || rows = 0 || columns = 0 then
        0
    else
        (batch - 1) * layout.Next + (rows - 1) * layout.Row + (columns - 1) * layout.Column + 1

/// Numbers in [−1, 1), the same for the same seed.
let private draw<'T when 'T: struct and 'T :> INumber<'T>> (seed: int) count : 'T array =
    let random = Random seed
    Array.init count (fun _ -> 'T.CreateChecked(2.0 * random.NextDouble() - 1.0))

/// The twin: three loops (four with the batch), one fused multiply-add each, in the order of k.
let private obvious<'T when 'T :> IFloatingPointIeee754<'T>> (p: Product) (a: 'T array) (b: 'T array) (c: 'T array) =
    let c = Array.copy c

    for i in 0 .. p.Batch - 1 do
        for row in 0 .. p.M - 1 do
            for column in 0 .. p.N - 1 do
                let at = i * p.C.Next + row * p.C.Row + column
                let summing = p.Accumulate || (p.C.Next = 0 && i > 0)
                let mutable sum = if summing then c[at] else 'T.Zero

                for q in 0 .. p.K - 1 do
                    let x = a[i * p.A.Next + row * p.A.Row + q * p.A.Column]
                    let y = b[i * p.B.Next + q * p.B.Row + column * p.B.Column]
                    sum <- 'T.FusedMultiplyAdd(x, y, sum)

                c[at] <- sum

    c

let private multiply<'T
    when 'T: unmanaged
    and 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T :> ValueType
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (width, path)
    (p: Product)
    (a: 'T array)
    (b: 'T array)
    (c: 'T array)
    =
    let c = Array.copy c

    MatMul.Multiply(
        width,
        path,
        p.Batch,
        p.M,
        p.N,
        p.K,
        ReadOnlySpan a,
        p.A.Next,
        p.A.Row,
        p.A.Column,
        ReadOnlySpan b,
        p.B.Next,
        p.B.Row,
        p.B.Column,
        Span c,
        p.C.Next,
        p.C.Row,
        p.Accumulate
    )

    c

let private operands<'T when 'T: struct and 'T :> INumber<'T>> (p: Product) =
    draw<'T> 1 (length p.Batch p.M p.K p.A),
    draw<'T> 2 (length p.Batch p.K p.N p.B),
    // Room behind C, so that a write past the end is seen.
    draw<'T> 3 (length p.Batch p.M p.N p.C + 40)

/// Bits, since −0 = 0 and NaN ≠ NaN.
let private bits<'T when 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> (values: 'T array) =
    MemoryMarshal.AsBytes(ReadOnlySpan<'T> values).ToArray()

/// Every width on the path of its choice, and every path that takes these sizes.
let private ways (p: Product) =
    [
        for width in
            [
                VectorWidth.Widest
                VectorWidth.Bits512
                VectorWidth.Bits256
                VectorWidth.Bits128
                VectorWidth.Scalar
            ] do
            width, MatMulPath.Fitting
            width, MatMulPath.Blocked
            width, MatMulPath.Shared

            if p.N <= MatMulNarrow.MaxColumns then
                width, MatMulPath.Narrow
            else
                width, MatMulPath.Direct
    ]

/// The ways whose product isn't the twin's to the bit.
let private disagreements<'T
    when 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T :> ValueType
    and 'T: unmanaged
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (compute: VectorWidth * MatMulPath -> Product -> 'T array -> 'T array -> 'T array -> 'T array)
    (p: Product)
    =
    let a, b, c = operands<'T> p
    let wanted = bits (obvious p a b c)
    ways p |> List.filter (fun way -> bits (compute way p a b c) <> wanted)

let private layouts batch rows columns =
    gen {
        let! pad = Gen.elements [ 0; 0; 1; 5 ]
        let! transposed = Gen.elements [ true; false ]
        let! spread = Gen.frequency [ 4, Gen.constant 1; 1, Gen.constant 3 ]
        let! shared = Gen.frequency [ 3, Gen.constant false; 1, Gen.constant true ]

        let row, column =
            if transposed then
                spread, spread * rows + pad
            else
                spread * columns + pad, spread

        let next = length 1 rows columns { Row = row; Column = column; Next = 0 } + pad
        return { Row = row; Column = column; Next = (if shared || batch = 1 then 0 else next) }
    }

/// Sizes around the vectors (4, 8, 16, 32 floats) and around the tiles (6 and 14 rows).
let private sizes =
    Gen.elements [ 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; 11; 12; 13; 14; 15; 16; 17; 18; 29; 31; 32; 33; 40; 63; 64; 65 ]

let private products =
    gen {
        let! batch = Gen.elements [ 1; 1; 1; 2; 3; 0 ]
        let! m = sizes
        let! n = sizes
        let! k = sizes
        let! a = layouts batch m k
        let! b = layouts batch k n
        let! accumulate = Gen.elements [ true; false ]
        let! pad = Gen.elements [ 0; 0; 1; 7 ]
        let! c = Gen.elements [ 0; m * (n + pad); m * (n + pad) + 3 ]
        let c = { Row = n + pad; Column = 1; Next = c }
        // Heads of attention: the matrices of C side by side in one row.
        let! heads = Gen.frequency [ 4, Gen.constant false; 1, Gen.constant true ]

        let c =
            if heads then
                { c with Row = max 1 batch * n + pad; Next = n }
            else
                c

        return
            {
                Batch = batch
                M = m
                N = n
                K = k
                A = a
                B = b
                C = c
                Accumulate = accumulate
            }
    }

let private plain m n k =
    {
        Batch = 1
        M = m
        N = n
        K = k
        A = { Row = k; Column = 1; Next = 0 }
        B = { Row = n; Column = 1; Next = 0 }
        C = { Row = n; Column = 1; Next = 0 }
        Accumulate = false
    }

/// The message of the ArgumentException that the action ends with.
let private complaint action =
    try
        action ()
        "no complaint"
    with :? ArgumentException as e ->
        e.Message

[<Tests>]
let tests =
    testList
        "Kernels.MatMul"
        [
            testSequenced
            <| testList
                "on three threads"
                [
                    testPropertyWithConfig
                        (samples 150)
                        "every width, path and number of threads gives the bits of the triple loop in float32"
                    <| fun () ->
                        Prop.forAll (Arb.fromGen products) (fun p ->
                            onThreads 3 (fun () -> disagreements<float32> multiply p |> shouldBeEmpty))

                    testPropertyWithConfig
                        (samples 100)
                        "every width, path and number of threads gives the bits of the triple loop in float64"
                    <| fun () ->
                        Prop.forAll (Arb.fromGen products) (fun p ->
                            onThreads 3 (fun () -> disagreements<float> multiply p |> shouldBeEmpty))
                ]

            testCase "the comparison sees one product whose last bit is wrong"
            <| fun () ->
                let wrong (width, path) p a b (c: float32 array) =
                    let product = multiply (width, path) p a b c

                    if path = MatMulPath.Blocked then
                        product[7] <- MathF.BitIncrement product[7]

                    product

                disagreements<float32> wrong (plain 5 6 7)
                |> List.map snd
                |> List.distinct
                |> shouldEqual [ MatMulPath.Blocked ]

            testCase "the comparison sees a number written behind the product"
            <| fun () ->
                let wrong way p a b (c: float32 array) =
                    let product = multiply way p a b c
                    product[30] <- 0f
                    product

                disagreements<float32> wrong (plain 5 6 7) |> shouldHaveSome

            // More than one block of rows, of columns and of depth.
            for m, n, k in [ (30, 2060, 20); (300, 40, 600); (530, 3, 1100); (130, 140, 120) ] do
                testAlone $"products of several blocks have the bits of the triple loop ({m}, {n}, {k})"
                <| fun () ->
                    let p = plain m n k

                    let transposed =
                        { p with
                            A = { Row = 1; Column = m; Next = 0 }
                            B = { Row = 1; Column = k; Next = 0 }
                            Accumulate = true
                        }

                    onThreads 2 (fun () ->
                        disagreements<float32> multiply p |> shouldBeEmpty
                        disagreements<float> multiply transposed |> shouldBeEmpty)

            testCase "a single row of C with no stride is still the sum of its batch"
            <| fun () ->
                let p =
                    { plain 1 20 7 with
                        Batch = 3
                        A = { Row = 7; Column = 1; Next = 7 }
                        C = { Row = 0; Column = 1; Next = 0 }
                    }

                disagreements<float32> multiply p |> shouldBeEmpty

            testAlone "a large product is the same to the bit for 1 and 2 threads"
            <| fun () ->
                let p = plain 200 300 250
                let a, b, c = operands<float32> p
                let product () = multiply (VectorWidth.Widest, MatMulPath.Fitting) p a b c
                bits (onThreads 1 product) |> shouldEqual (bits (onThreads 2 product))

            testPropertyWithConfig (samples 50) "a float32 product is close to the float64 one"
            <| fun () ->
                Prop.forAll (Arb.fromGen products) (fun p ->
                    let p = { p with Accumulate = false }
                    let a, b, c = operands<float32> p
                    let product = multiply (VectorWidth.Widest, MatMulPath.Fitting) p a b c
                    let exact = obvious p (Array.map float a) (Array.map float b) (Array.map float c)
                    // |rounding| ≤ k·2⁻²⁴·Σ|a||b| for each of at most three products that are summed.
                    let bound = 3.0 * float p.K * float p.K * 6e-8 + 1e-30
                    Array.forall2 (fun x y -> abs (float x - y) <= bound) product exact)

            testCase "nothing is skipped for being zero"
            <| fun () ->
                let product = Array.zeroCreate<float32> 4

                MatMul.Multiply<float32>(
                    2,
                    2,
                    1,
                    ReadOnlySpan [| 0f; 1f |],
                    1,
                    1,
                    ReadOnlySpan [| infinityf; nanf |],
                    2,
                    1,
                    Span product,
                    2,
                    false
                )

                product |> Array.map Single.IsNaN |> shouldEqual [| true; true; false; true |]
                product[2] |> shouldEqual infinityf

            testCase "with k = 0 the product is zero, and C stays when it is added to"
            <| fun () ->
                let c = [| 1f; 2f; 3f; 4f; 5f |]
                MatMul.Multiply<float32>(2, 2, 0, ReadOnlySpan.Empty, 0, 1, ReadOnlySpan.Empty, 2, 1, Span c, 3, true)
                c |> shouldEqual [| 1f; 2f; 3f; 4f; 5f |]
                MatMul.Multiply<float32>(2, 2, 0, ReadOnlySpan.Empty, 0, 1, ReadOnlySpan.Empty, 2, 1, Span c, 3, false)
                c |> shouldEqual [| 0f; 0f; 3f; 0f; 0f |]

            testCase "operands that are too short are named with their sizes"
            <| fun () ->
                let multiply a b c ldc () =
                    MatMul.Multiply<float32>(
                        2,
                        3,
                        4,
                        ReadOnlySpan(Array.zeroCreate a),
                        4,
                        1,
                        ReadOnlySpan(Array.zeroCreate b),
                        3,
                        1,
                        Span(Array.zeroCreate c),
                        ldc,
                        false
                    )

                complaint (multiply 7 12 6 3)
                |> shouldEqual "matmul: A of 1 × 2×4 with strides 0, 4, 1 needs 8 elements, got 7"

                complaint (multiply 8 11 6 3)
                |> shouldEqual "matmul: B of 1 × 4×3 with strides 0, 3, 1 needs 12 elements, got 11"

                complaint (multiply 8 12 5 3)
                |> shouldEqual "matmul: C of 1 × 2×3 with strides 0, 3, 1 needs 6 elements, got 5"

                complaint (multiply 8 12 6 2)
                |> shouldEqual "matmul: rows of C overlap, 3 columns need a row stride of at least 3, got 2"

            testCase "negative sizes and overlapping products are refused"
            <| fun () ->
                let numbers = Array.zeroCreate<float32> 100

                let multiply batch m row cBatch () =
                    MatMul.MultiplyBatched<float32>(
                        batch,
                        m,
                        3,
                        4,
                        ReadOnlySpan numbers,
                        8,
                        row,
                        1,
                        ReadOnlySpan numbers,
                        12,
                        3,
                        1,
                        Span numbers,
                        cBatch,
                        3,
                        false
                    )

                complaint (multiply -1 2 4 6)
                |> shouldEqual "matmul: sizes must not be negative, got batch -1, m 2, n 3, k 4"

                complaint (multiply 2 2 -4 6)
                |> shouldEqual "matmul: A has a negative stride: batch 8, row -4, column 1"

                complaint (multiply 2 2 4 5)
                |> shouldEqual
                    "matmul: the 2 matrices of C overlap, 2×3 with row stride 3 need a batch stride of 0, of at least 6, or side by side in a row; got 5"

            testCase "a product allocates nothing once its thread is warm"
            <| fun () ->
                let p = { plain 11 11 32 with B = { Row = 1; Column = 32; Next = 0 } }

                let a, b, c = operands<float32> p

                let product () =
                    MatMul.Multiply<float32>(11, 11, 32, ReadOnlySpan a, 32, 1, ReadOnlySpan b, 1, 32, Span c, 11, true)

                product ()
                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..100 do
                    product ()

                GC.GetAllocatedBytesForCurrentThread() - before |> shouldEqual 0L
        ]

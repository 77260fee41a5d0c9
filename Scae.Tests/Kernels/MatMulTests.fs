module Scae.Tests.Kernels.MatMulTests

open System
open System.Numerics
open System.Runtime.InteropServices
open NUnit.Framework
open FsCheck
open FsCheck.FSharp
open FsCheck.NUnit
open FsUnit
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

let private multiply width (p: Product) (a: 'T array) (b: 'T array) (c: 'T array) =
    let c = Array.copy c

    MatMul.Multiply(
        width,
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

let private widths =
    [
        VectorWidth.Widest
        VectorWidth.Bits512
        VectorWidth.Bits256
        VectorWidth.Bits128
        VectorWidth.Scalar
    ]

let private sameBits32 (p: Product) =
    let a, b, c = operands<float32> p
    let wanted = bits (obvious p a b c)
    widths |> List.forall (fun width -> bits (multiply width p a b c) = wanted)

let private sameBits64 (p: Product) =
    let a, b, c = operands<float> p
    let wanted = bits (obvious p a b c)
    widths |> List.forall (fun width -> bits (multiply width p a b c) = wanted)

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

[<Property(MaxTest = 400)>]
let ``every width gives the bits of the triple loop in float32`` () = Prop.forAll (Arb.fromGen products) sameBits32

[<Property(MaxTest = 300)>]
let ``every width gives the bits of the triple loop in float64`` () = Prop.forAll (Arb.fromGen products) sameBits64

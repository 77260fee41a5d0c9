module Scae.Tests.Differentiation.RecordingTests

open System
open FsCheck
open FsCheck.FSharp
open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values

let private record (f: unit -> Tensor list) = Recording.Of(fun () -> Seq.ofList (f ()))

let private write (x: Tensor) (xs: float[]) = xs.CopyTo(x.Elements<float>())

let private copy (x: Tensor) =
    let destination: float[] = Array.zeroCreate 3
    x.CopyTo<float>(destination.AsSpan())

let private readings: (string * (Tensor -> unit)) list =
    [
        "toScalar", (fun x -> x.sum().toScalar() |> ignore)
        "toArray", (fun x -> x.toArray<float>() |> ignore)
        "CopyTo", (fun x -> copy x)
        "clone", (fun x -> x.clone () |> ignore)
        "Elements", (fun x -> (x * 2.0).Elements<float>().Clear())
    ]

/// A random expression: at every step an operation on two of the values so far, with views, reuse and branches.
let private expression (steps: (int * int * int) list) (leaves: Tensor list) =
    let pool = ResizeArray leaves

    for operation, i, j in steps do
        let a, b = pool[i % pool.Count], pool[j % pool.Count]

        let result: Tensor =
            match operation with
            | 0 -> a + b
            | 1 -> a * b * 0.5
            | 2 -> (a.matmul b) * 0.2
            | 3 -> a.transpose () + b
            | 4 -> a.view(2, 8).view(4, 4)
            | 5 -> a.slice(0, 1, 3).repeat(0, 2) - b
            | 6 -> a.tanh ()
            | 7 -> Tensor.cat ([ a.slice (1, 0, 2); b.slice (1, 2, 4) ], 1)
            | 8 -> a.softmax 1 * b
            | 9 -> a.sum (0, true) * 0.1 + b
            | 10 -> a.linear (b, b.select (0, 1), Activation.Tanh)
            | 11 -> a.noDiff () * b
            | 12 -> a.select(0, 2).expand(4, 4)
            | 13 -> a.max b
            | _ -> a.gt(b).where(a, b * 0.5)

        pool.Add result

    let used = pool |> Seq.skip (max 0 (pool.Count - 3)) |> List.ofSeq

    (used |> List.map (fun t -> (t * t).mean()) |> List.reduce (+))
    + (leaves |> List.map _.mean() |> List.reduce (+))

let private steps =
    gen {
        let! length = Gen.choose (1, 40)
        let one = Gen.zip3 (Gen.choose (0, 14)) (Gen.choose (0, 1000)) (Gen.choose (0, 1000))
        return! Gen.listOfLength length one
    }

/// A loss, and values on the way to it. Some of these share one buffer of gradients: the product's is free again before the
/// exponential needs one.
let private branching (w: Tensor) =
    let a = w * 2.0
    let e = a.exp ()
    let c = e.sin ()
    let product = a * c
    [ product.sum (); product; c; e ]

/// Other losses of what `branching` returns. With one value, buffers are reused in another order; with several values,
/// gradients that shared a buffer are needed at the same time.
let private others: (string * (Tensor list -> Tensor)) list =
    [
        "of one value", (fun values -> values[2].mean())
        "of several values", (fun values -> (values[1] + values[2] * 2.0 + values[3] * 3.0).mean())
    ]

let private bits (t: Tensor) = t.toArray<float32>() |> Array.map BitConverter.SingleToInt32Bits

[<Tests>]
let tests =
    testList
        "Differentiation.Recording"
        [
            testCase "a replay computes with the inputs' present values"
            <| fun () ->
                let x = real 1 [ 3 ]
                let w = (real 2 [ 3 ]).reverseDiff()
                let recording = record (fun () -> [ (w * w * x).sum() ])
                write x [| 1.0; 2.0; 3.0 |]
                write w [| 1.0; 1.0; 2.0 |]
                recording.Forward()
                recording.Reverse()
                recording.Outputs[0] |> shouldBe [ 15.0 ]
                w.derivative |> shouldBe [ 2.0; 4.0; 12.0 ]

            testCase "gradients of what a recording makes on the way share buffers, and can't be read"
            <| fun () ->
                let w = (ofList [ 1.0 ] [ 1 ]).reverseDiff()
                let onTheWay = ref w

                let recording =
                    record (fun () ->
                        onTheWay.Value <- (w * 2.0).tanh().exp()
                        [ onTheWay.Value.sum () ])

                recording.Forward()
                recording.Reverse()
                let slope = 2.0 * (1.0 - tanh 2.0 ** 2.0) * exp (tanh 2.0)
                w.derivative |> shouldAgree 1e-12 (ofList [ slope ] [ 1 ])

                messageOf<InvalidOperationException>(fun () -> onTheWay.Value.derivative |> ignore)
                |> shouldContainText "was made within a recording"

            testCase "recordings don't nest"
            <| fun () ->
                messageOf<InvalidOperationException>(fun () ->
                    record (fun () -> [ (record (fun () -> [ Tensor.scalar 1.0 ])).Outputs[0] ]) |> ignore)
                |> shouldEqual "Recording.Of: a recording is under way on this thread already; recordings don't nest"

            testCase "after a failed recording another can begin"
            <| fun () ->
                messageOf<ShapeError>(fun () -> record (fun () -> [ real 1 [ 2 ] + real 2 [ 3 ] ]) |> ignore)
                |> ignore

                (record (fun () -> [ Tensor.scalar 1.0 + 1.0 ])).Outputs[0] |> shouldBe [ 2.0 ]

            testCase "reading a value while recording is refused"
            <| fun () ->
                for name, reading in readings do
                    messageOf<InvalidOperationException>(fun () ->
                        record (fun () ->
                            let x = real 1 [ 3 ]
                            reading x
                            [ x ])
                        |> ignore)
                    |> shouldEqual
                        $"{name}: a recorded step is replayed with other data, so it can't depend on a value read while recording; use where, gather or a mask instead"

            testCase "running backwards while recording is refused"
            <| fun () ->
                messageOf<InvalidOperationException>(fun () ->
                    record (fun () ->
                        let x = (real 1 [ 3 ]).reverseDiff()
                        x.sum().reverse()
                        [ x ])
                    |> ignore)
                |> shouldEqual
                    "reverse: a recording is under way; return the loss from the recorded function and call Recording.Reverse"

            testCase "a recording whose first output isn't a differentiable scalar runs forward only"
            <| fun () ->
                let x = (real 1 [ 3 ]).reverseDiff()
                let recording = record (fun () -> [ x * 2.0 ])
                recording.Forward()

                messageOf<InvalidOperationException>(fun () -> recording.Reverse())
                |> shouldEqual
                    "Recording.Reverse: the first output must be a scalar that depends on a tensor marked by reverseDiff"

            testCase "values behind noDiff, primal and comparisons are recomputed by a replay"
            <| fun () ->
                let x = real 1 [ 2 ]
                let w = (real 2 [ 2 ]).reverseDiff()
                let recording = record (fun () -> [ (w * (x * 2.0).noDiff() + (x + 1.0).primal * w.gt 0.0).sum() ])
                write x [| 5.0; 7.0 |]
                write w [| 1.0; -1.0 |]
                recording.Forward()
                recording.Reverse()
                recording.Outputs[0] |> shouldBe [ 10.0 + 6.0 - 14.0 ]
                w.derivative |> shouldBe [ 10.0; 14.0 ]

            testCase "a tensor marked within a recording follows what it was made of"
            <| fun () ->
                let x = real 1 [ 2; 2 ]
                let mutable inner = x

                let recording =
                    record (fun () ->
                        inner <- (x * 3.0).transpose().reverseDiff()
                        [ (inner * inner).sum() ])

                write x [| 1.0; 2.0; 3.0; 4.0 |]
                recording.Forward()
                recording.Reverse()
                inner.derivative |> shouldBe [ 6.0; 18.0; 12.0; 24.0 ]

            testCase "a second recording over the same parameters leaves held derivatives where they are"
            <| fun () ->
                let w = (real 1 [ 3 ]).reverseDiff()
                let first = record (fun () -> [ (w * w).sum() ])
                first.Reverse()
                let held = w.derivative
                let second = record (fun () -> [ (w * 3.0).sum() ])
                second.Reverse()
                held |> shouldBe [ 3.0; 3.0; 3.0 ]
                first.Reverse()
                held |> shouldAgree 1e-15 (w.primal * 2.0)

            testCase "an eager value that a recording used has its derivative again after an eager run"
            <| fun () ->
                let w = (ofList [ 3.0 ] [ 1 ]).reverseDiff()
                let y = w * 2.0
                let recording = record (fun () -> [ (y * y).sum() ])
                recording.Reverse()

                messageOf<System.InvalidOperationException>(fun () -> ignore y.derivative)
                |> shouldContainText "within a recording"

                (y * y).sum().reverse()
                y.derivative |> shouldBe [ 12.0 ]
                recording.Reverse()
                w.derivative |> shouldBe [ 24.0 ]

                messageOf<System.InvalidOperationException>(fun () -> ignore y.derivative)
                |> shouldContainText "within a recording"

            for other, loss in others do
                for isRecorded in [ true; false ] do
                    let way = if isRecorded then "recorded" else "eager"

                    testCase
                        $"what a recording made on the way serves another loss, and its own stays right ({other}, {way})"
                    <| fun () ->
                        let w = (real 1 [ 3 ]).reverseDiff()
                        let recording = record (fun () -> branching w)
                        let values = List.ofSeq recording.Outputs
                        recording.Reverse()
                        let right = w.derivative.clone ()

                        // The same by itself.
                        let again = w.primal.reverseDiff ()
                        (loss (branching again)).reverse()

                        let run =
                            if isRecorded then
                                let second = record (fun () -> [ loss values ])
                                second.Reverse
                            else
                                fun () -> (loss values).reverse()

                        for _ in 1..2 do
                            recording.Reverse()
                            w.derivative |> shouldAgree 0.0 right
                            run ()
                            w.derivative |> shouldAgree 0.0 again.derivative

            testCase "random graphs give the same bits recorded and eager, whoever shares a gradient's buffer"
            <| fun () ->
                let check steps =
                    let leaves seed =
                        [ for i in 0..2 -> (tensorOf Dtype.Float32 (seed + i) [| 4; 4 |]).reverseDiff() ]

                    let inputs = leaves 1
                    let recording = record (fun () -> [ expression steps inputs ])

                    // The recording is made with some values and replayed with others, twice.
                    let others = leaves 11

                    for x, y in List.zip inputs others do
                        y.Elements<float32>().CopyTo(x.Elements<float32>())

                    let eager = expression steps others
                    eager.reverse ()

                    for _ in 1..2 do
                        recording.Forward()
                        recording.Reverse()
                        bits recording.Outputs[0] |> shouldEqual (bits eager)

                        for x, y in List.zip inputs others do
                            bits x.derivative |> shouldEqual (bits y.derivative)

                Check.One(
                    Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(150).WithReplay(20260102UL, 5UL),
                    Prop.forAll (Arb.fromGen steps) check
                )

            testCase "the gradient of random graphs agrees with central differences"
            <| fun () ->
                let smooth = List.filter (fun (operation, _, _) -> operation < 11)

                let check steps =
                    GradientCheck.relativeError
                        (fun xs -> expression (smooth steps) xs)
                        [ real 1 [ 4; 4 ]; real 2 [ 4; 4 ]; real 3 [ 4; 4 ] ]
                    |> shouldBeLessThan 1e-6

                Check.One(
                    Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(40).WithReplay(20260103UL, 7UL),
                    Prop.forAll (Arb.fromGen steps) check
                )

            testCase "a deep graph needs few gradient buffers"
            <| fun () ->
                let x = (real 1 [ 64; 64 ]).reverseDiff()
                let deep () = [ (List.fold (fun (y: Tensor) _ -> (y * 0.9).tanh()) x [ 1..100 ]).sum() ]
                let before = GC.GetAllocatedBytesForCurrentThread()
                let recording = record deep
                let allocated = GC.GetAllocatedBytesForCurrentThread() - before

                // 200 values of 32 KiB, twice since they are moved to aligned memory, and a handful of gradients; not 400 more.
                allocated |> shouldBeLessThan (2L * 200L * 40000L)
                recording.Reverse()
        ]

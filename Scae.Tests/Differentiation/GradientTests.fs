module Scae.Tests.Differentiation.GradientTests

open System
open FsCheck
open FsCheck.FSharp
open Scae.Tests.Claims
open Expecto
open Scae.Tensors
open Scae.Tests.Values
open Scae.Tests.Differentiation.Cases

let private names = Table.cases |> List.map _.Name

let private find name = Table.cases |> List.find (fun case -> case.Name = name)

let private forInstances count (check: Instance -> unit) =
    let config =
        Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(count).WithReplay(20260101UL, 3UL)

    Check.One(config, Prop.forAll (Arb.fromGen instances) check)

/// Bits, so that NaN equals NaN and 0 differs from −0.
let private bits (t: Tensor) = t.toArray<float32>() |> Array.map BitConverter.SingleToInt32Bits

[<Tests>]
let tests =
    testList
        "Differentiation.Gradient"
        [
            for name in names do
                testCase $"the gradient agrees with central differences ({name})"
                <| fun () ->
                    let case = find name

                    forInstances 30 (fun it ->
                        let leaves, f = prepare case it
                        let error = GradientCheck.relativeError f leaves

                        if error > 1e-6 then
                            failwith $"relative error {error} of shapes %A{leaves |> List.map _.shape}")

            for name in names do
                testCase $"Float32 gives nearly the values and gradients of Float64 ({name})"
                <| fun () ->
                    let case = find name

                    forInstances 10 (fun it ->
                        let leaves, f = prepare case it
                        let narrow = leaves |> List.map _.cast(Dtype.Float32)
                        (f narrow).dtype |> shouldEqual Dtype.Float32
                        (f narrow).cast(Dtype.Float64) |> shouldAgree 5e-5 (f leaves)

                        let error =
                            GradientCheck.error
                                0.1
                                (GradientCheck.reverse f narrow |> List.map read)
                                (GradientCheck.reverse f leaves |> List.map read)

                        error |> shouldBeLessThan 1e-4)

            for name in names do
                testCase
                    $"a replay gives the bits of an eager run, values and gradients, and allocates nothing ({name})"
                <| fun () ->
                    let case = find name

                    forInstances 6 (fun it ->
                        let leaves, f = prepare case it
                        let narrow = leaves |> List.map _.cast(Dtype.Float32)
                        let loss (xs: Tensor list) = let y = f xs in [ (y * y).sum(); y ]
                        let inputs = narrow |> List.map (fun x -> x.clone().reverseDiff())
                        let recording = Recording.Of(fun () -> Seq.ofList (loss inputs))

                        // Other values than those recorded.
                        for x in inputs do
                            let elements = x.Elements<float32>()

                            for i in 0 .. elements.Length - 1 do
                                elements[i] <- elements[i] * 0.875f

                        recording.Forward()
                        recording.Reverse()
                        let before = GC.GetAllocatedBytesForCurrentThread()
                        recording.Forward()
                        recording.Reverse()
                        let allocated = GC.GetAllocatedBytesForCurrentThread() - before
                        allocated |> shouldEqual 0L

                        let eager = inputs |> List.map (fun x -> x.clone().reverseDiff())
                        let outputs = loss eager
                        outputs[0].reverse()
                        bits recording.Outputs[0] |> shouldEqual (bits outputs[0])
                        bits recording.Outputs[1] |> shouldEqual (bits outputs[1])

                        List.map (fun (x: Tensor) -> bits x.derivative) inputs
                        |> shouldEqual (List.map (fun (x: Tensor) -> bits x.derivative) eager))

            testCase "the checker fails on a wrong rule"
            <| fun () ->
                // The gradient of x² with one factor cut off is half of the right one.
                let wrong (xs: Tensor list) = xs[0] * xs[0].noDiff()
                GradientCheck.relativeError wrong [ real 1 [ 3; 2 ] ] |> shouldBeGreaterThan 0.1

                GradientCheck.relativeError (fun xs -> xs[0] * xs[0]) [ real 1 [ 3; 2 ] ] |> shouldBeLessThan 1e-9

            testCase "the checker fails when one element of many is wrong"
            <| fun () ->
                let wrong (xs: Tensor list) =
                    let x = xs[0]
                    x.sum () + x.select(0, 7).noDiff() * 0.01

                GradientCheck.relativeError wrong [ real 2 [ 50 ] ] |> shouldBeGreaterThan 1e-6

            testCase "the checker fails on NaN"
            <| fun () -> GradientCheck.error 1e-8 [ [| nan |] ] [ [| 1.0 |] ] |> shouldEqual infinity

            testCase "the drawn instances have scalars, empty and size-one axes, long axes and every layout"
            <| fun () ->
                let seen = ResizeArray<Instance>()
                forInstances 30 seen.Add
                let has predicate = seen |> Seq.exists predicate |> shouldEqual true
                has (fun it -> it.Shape.IsEmpty)
                has (fun it -> List.contains 0 it.Shape)
                has (fun it -> List.contains 1 it.Shape)
                has (fun it -> it.Shape.Length >= 3 && not (List.contains 0 it.Shape))
                has (fun it -> List.exists (fun n -> n > 15) it.Shape)
                let exp = find "exp"

                // How the leaf differs from the shape that the operation sees tells the layout.
                let leaf it = (prepare exp it |> fst |> List.head).shape |> List.ofArray
                has (fun it -> it.Shape.Length > 1 && leaf it = List.rev it.Shape && leaf it <> it.Shape)
                has (fun it -> not it.Shape.IsEmpty && List.last (leaf it) = 2 * List.last it.Shape + 1)
                has (fun it -> (leaf it |> List.fold (*) 1) < (it.Shape |> List.fold (*) 1))
        ]

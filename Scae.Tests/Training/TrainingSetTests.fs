module Scae.Tests.Training.TrainingSetTests

open System
open Expecto
open Scae.Tests.Claims
open FsCheck
open Scae.Core.Training
open Scae.Tensors

/// The first elements of the rows that some steps get from a set whose row i is [i; −i].
let private rows (count: int) (batch: int) (seed: int) (steps: int) : int list =
    let set =
        Tensor.``of`` (
            Array.init (2 * count) (fun i -> float32 (if i % 2 = 0 then i / 2 else -(i / 2))),
            [| count; 2 |]
        )

    let into = Tensor.zeros [| batch; 2 |]
    let passes = TrainingSet.Of(set, Key.OfSeed(int64 seed))

    [
        for step in 0 .. steps - 1 do
            passes.Fill(step, into)
            let values = into.toArray<float32>()

            for i in 0 .. batch - 1 do
                if values[2 * i + 1] = -values[2 * i] then
                    int values[2 * i]
    ]

[<Tests>]
let tests =
    testList
        "Training.TrainingSet"
        [
            testPropertyWithConfig (samples 100) "each pass has every row once, in another order, whatever the batch"
            <| fun (PositiveInt count) (PositiveInt batch) (seed: int) ->
                let count, batch = 1 + count % 40, 1 + batch % 60
                let steps = (3 * count + batch - 1) / batch
                let passes = rows count batch seed steps |> List.truncate (3 * count) |> List.chunkBySize count

                passes.Length = 3
                && passes |> List.forall (fun pass -> List.sort pass = [ 0 .. count - 1 ])
                && (count < 10 || passes |> List.distinct |> List.length = 3)

            testPropertyWithConfig (samples 100) "a step's rows don't depend on the steps before"
            <| fun (PositiveInt step) (seed: int) ->
                let step = step % 20
                let all = rows 7 3 seed (step + 1) |> List.skip (3 * step)
                let set = Tensor.``of`` (Array.init 7 float32, [| 7; 1 |])
                let into = Tensor.zeros [| 3; 1 |]
                TrainingSet.Of(set, Key.OfSeed(int64 seed)).Fill(step, into)
                (into.toArray<float32>() |> Array.map int |> List.ofArray) = all

            testCase "rows of bytes come in the order of the same rows in float32, as shares of 255"
            <| fun () ->
                let bytes = Array.init 21 (fun i -> byte (12 * i))
                let set = Tensor.``of`` (bytes |> Array.map (fun b -> float32 b / 255.0f), [| 7; 3 |])
                let ofBytes, ofFloats = TrainingSet.Of(bytes, 3, Key.OfSeed 4L), TrainingSet.Of(set, Key.OfSeed 4L)
                let a, b = Tensor.zeros [| 5; 3 |], Tensor.zeros [| 5; 3 |]

                for step in 0..9 do
                    ofBytes.Fill(step, a)
                    ofFloats.Fill(step, b)
                    a.toArray<float32>() |> shouldEqual (b.toArray<float32>())

            testCase "sets that aren't whole rows, and batches of other rows, are refused"
            <| fun () ->
                let key = Key.OfSeed 0L

                for bytes, size in [ 7, 3; 0, 3; 6, 0; 2, 3 ] do
                    messageOf<ArgumentException>(fun () ->
                        TrainingSet.Of(Array.zeroCreate<byte> bytes, size, key) |> ignore)
                    |> shouldStartWith $"training set: {bytes} bytes in rows of {size}"

                (fun () -> TrainingSet.Of(Tensor.zeros [| 0; 3 |], key) |> ignore) |> shouldRaise<ShapeError>
                (fun () -> Passes(0, key) |> ignore) |> shouldRaise<ArgumentException>
                let set = TrainingSet.Of(Array.zeroCreate<byte> 12, 3, key)

                for shape in [ [| 2; 4 |]; [| 2; 2 |]; [| 6 |]; [||] ] do
                    messageOf<ShapeError>(fun () -> set.Fill(0, Tensor.zeros shape))
                    |> shouldStartWith "training set: rows of 3 numbers into a batch"

                set.Fill(0, Tensor.zeros [| 2; 1; 3 |])

            testCase "a step of a set of 60,000 allocates nothing"
            <| fun () ->
                let set = TrainingSet.Of(Array.zeroCreate<byte> 60000, 1, Key.OfSeed 0L)
                let into = Tensor.zeros [| 100; 1 |]
                set.Fill(0, into)
                let before = System.GC.GetAllocatedBytesForCurrentThread()

                for step in 590..610 do
                    set.Fill(step, into)

                (System.GC.GetAllocatedBytesForCurrentThread() - before) / 21L |> shouldBeAtMost 512L
        ]

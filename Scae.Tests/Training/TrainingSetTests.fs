module Scae.Tests.Training.TrainingSetTests

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

    [
        for step in 0 .. steps - 1 do
            TrainingSet.choose set (Key.OfSeed(int64 seed)) step into
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
                TrainingSet.choose set (Key.OfSeed(int64 seed)) step into
                (into.toArray<float32>() |> Array.map int |> List.ofArray) = all
        ]

namespace Scae.Core.Training

open System
open Scae.Tensors

/// A training set that is made once.
[<RequireQualifiedAccess>]
module TrainingSet =
    /// Copies the rows of a step from a set [n, …] into a batch [b, …], both float32. Each pass goes through the set in
    /// another order, which follows from the key; steps are counted from 0.
    let choose (set: Tensor) (key: Key) (step: int) (batch: Tensor) : unit =
        let count = set.shape[0]
        let size = set.nelement / count
        let wanted = batch.shape[0]
        let source = set.Elements<float32>()
        let target = batch.Elements<float32>()
        let order = Array.zeroCreate count
        let mutable pass = -1

        for i in 0 .. wanted - 1 do
            let at = int64 step * int64 wanted + int64 i
            let epoch = int (at / int64 count)

            if epoch <> pass then
                (key.Named "order").Fold(int64 epoch).FillPermutation(Span order)
                pass <- epoch

            source.Slice(order[int (at % int64 count)] * size, size).CopyTo(target.Slice(i * size, size))

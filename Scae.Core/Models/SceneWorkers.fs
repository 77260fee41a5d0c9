namespace Scae.Core.Models

open Scae.Tensors

/// Divides scenes among as many threads as tensors may use. Each thread has a worker of its own, such as the arrays of a search,
/// which is made once and kept. Scenes don't depend on each other, so results don't depend on the number of threads.
[<Sealed>]
type internal SceneWorkers<'worker>(make: unit -> 'worker) =
    let workers = ResizeArray<'worker>()

    /// Calls `work` for each of a number of scenes.
    member _.Each(count: int, work: 'worker -> int -> unit) : unit =
        let threads = max 1 (min Parallelism.Threads count)

        while workers.Count < threads do
            workers.Add(make ())

        let share number =
            let worker = workers[number]

            for scene in count * number / threads .. count * (number + 1) / threads - 1 do
                work worker scene

        Parallelism.Run(threads, share)

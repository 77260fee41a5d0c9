module Scae.Tests.Kernels.WorkerPoolTests

open System
open System.Threading
open System.Threading.Tasks
open Expecto
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tensors
open Scae.Tensors.Kernels

/// Counts how often each part runs.
[<Struct>]
type Counting =
    {
        Counts: int array
    }

    interface IParallelJob with
        member this.Run part = Interlocked.Increment(&this.Counts[part]) |> ignore

/// Runs a counting job inside every part.
[<Struct>]
type Nesting =
    {
        Inner: int array array
    }

    interface IParallelJob with
        member this.Run part =
            let mutable job = { Counts = this.Inner[part] }
            WorkerPool.Run(&job, job.Counts.Length)

/// Part 2 fails, the others count.
[<Struct>]
type Failing =
    {
        Done: int array
    }

    interface IParallelJob with
        member this.Run part =
            if part = 2 then
                invalidOp "part 2 fails"

            Interlocked.Increment(&this.Done[part]) |> ignore

/// Notes which thread runs each part; a part takes long enough for others to come.
[<Struct>]
type Noting =
    {
        By: int array
    }

    interface IParallelJob with
        member this.Run part =
            this.By[part] <- Environment.CurrentManagedThreadId
            Thread.SpinWait 20_000

/// Each part waits until all others have begun, which takes a thread for each. A minute is for machines that are busy.
[<Struct>]
type Meeting =
    {
        Begun: int array
        Met: bool array
    }

    interface IParallelJob with
        member this.Run part =
            let begun, parts = this.Begun, this.Met.Length
            Interlocked.Increment(&begun[0]) |> ignore
            this.Met[part] <- SpinWait.SpinUntil((fun () -> Volatile.Read(&begun[0]) = parts), 60_000)

let private threadsOf parts =
    let mutable job = { By = Array.zeroCreate parts }
    WorkerPool.Run(&job, parts)
    job.By |> Array.distinct |> Array.length

let private count parts =
    let mutable job = { Counts = Array.zeroCreate parts }
    WorkerPool.Run(&job, parts)
    job.Counts

[<Tests>]
let tests =
    testSequenced
    <| testList
        "Kernels.WorkerPool"
        [
            for threads in [ 1; 2; 4 ] do
                testCase $"every part runs once ({threads})"
                <| fun () ->
                    onThreads threads (fun () ->
                        for round in 0..2000 do
                            let parts = round % 9
                            count parts |> shouldEqual (Array.create parts 1))

            testCase "a job inside a job runs"
            <| fun () ->
                onThreads 3 (fun () ->
                    for _ in 1..200 do
                        let mutable job = { Inner = Array.init 6 (fun _ -> Array.zeroCreate 5) }
                        WorkerPool.Run(&job, 6)
                        job.Inner |> shouldEqual (Array.init 6 (fun _ -> Array.create 5 1)))

            testCase "several threads may call at once"
            <| fun () ->
                onThreads 2 (fun () ->
                    let rounds =
                        Array.init 4 (fun _ -> Task.Run(fun () -> [ for _ in 1..1000 -> Array.sum (count 7) ]))

                    Task.WaitAll(rounds |> Array.map (fun task -> task :> Task))

                    for task in rounds do
                        task.Result |> shouldEqual (List.replicate 1000 7))

            for threads in [ 1; 3 ] do
                testCase $"an exception of a part reaches the caller, and the pool works on ({threads})"
                <| fun () ->
                    onThreads threads (fun () ->
                        for _ in 1..50 do
                            let message =
                                try
                                    let mutable job = { Done = Array.zeroCreate 4 }
                                    WorkerPool.Run(&job, 4)
                                    "nothing was thrown"
                                with :? InvalidOperationException as e ->
                                    e.Message

                            message |> shouldEqual "part 2 fails"
                            count 5 |> shouldEqual (Array.create 5 1))

            testCase "dispatch allocates nothing"
            <| fun () ->
                onThreads 2 (fun () ->
                    let mutable job = { Counts = Array.zeroCreate 4 }
                    WorkerPool.Run(&job, 4)
                    let before = GC.GetAllocatedBytesForCurrentThread()

                    for _ in 1..100 do
                        WorkerPool.Run(&job, 4)

                    GC.GetAllocatedBytesForCurrentThread() - before |> shouldEqual 0L)

            for threads in [ 2; 4 ] do
                testCase $"as many parts run at the same time as there are threads ({threads})"
                <| fun () ->
                    onThreads threads (fun () ->
                        let mutable job = { Begun = [| 0 |]; Met = Array.zeroCreate threads }
                        WorkerPool.Run(&job, threads)
                        job.Met |> shouldEqual (Array.create threads true))

            testCase "no more threads take part than are allowed, also where more of them look for work"
            <| fun () ->
                let most =
                    [
                        for _ in 1..30 do
                            onThreads 4 (fun () -> threadsOf 64 |> shouldBeAtMost 4)
                            onThreads 2 (fun () -> threadsOf 8)
                    ]

                List.max most |> shouldBeAtMost 2

            testCase "fewer threads than one become one, and more than 1,024 as many"
            <| fun () ->
                onThreads 0 (fun () -> Parallelism.Threads |> shouldEqual 1)
                onThreads Int32.MaxValue (fun () -> Parallelism.Threads |> shouldEqual 1024)

            for threads in [ 1; 2 ] do
                testCase $"after an exception no other part begins ({threads})"
                <| fun () ->
                    onThreads threads (fun () ->
                        let begun = [| 0 |]

                        shouldRaise<FormatException>(fun () ->
                            Parallelism.Run(
                                WorkerPool.MaxParts,
                                fun _ ->
                                    Interlocked.Increment(&begun[0]) |> ignore
                                    raise (FormatException())
                            ))

                        // Each thread may have begun one.
                        begun[0] |> shouldBeAtMost threads)

            testCase "parts beyond what is possible are refused with their number"
            <| fun () ->
                for parts in [ -1; WorkerPool.MaxParts + 1 ] do
                    messageOf<ArgumentOutOfRangeException>(fun () -> Parallelism.Run(parts, ignore))
                    |> shouldContainText $"must be 0 to 32767 (Parameter 'parts')"

            testCase "parts don't run while a recording is under way"
            <| fun () ->
                messageOf<InvalidOperationException>(fun () ->
                    Recording.Of(fun () ->
                        Parallelism.Run(2, ignore)
                        Seq.empty)
                    |> ignore)
                |> shouldStartWith "Parallelism.Run: a recording is under way"
        ]

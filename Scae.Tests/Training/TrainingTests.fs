module Scae.Tests.Training.TrainingTests

open System
open FsUnit
open NUnit.Framework
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tensors

let private resources: Resources = { DataFolder = None }

let private task (overrides: (string * string) list) : Task =
    let experiment = Experiments.all |> List.find (fun e -> e.Specification.Experiment = "constellations")

    let small =
        [
            "epochs", "3"
            "steps-per-epoch", "20"
            "validation-size", "32"
            "test-size", "64"
            "snapshot-every", "10"
        ]

    match
        Experiments.preset None experiment
        |> Result.bind (fun preset -> experiment.Configure preset (small @ overrides))
    with
    | Ok task -> task
    | Error message -> failwith message

let private session (task: Task) (seed: int) : Session =
    match task.Open resources (Keys.ofSeed seed) with
    | Ok session -> session
    | Error message -> failwith message

let private identity (task: Task) : RunIdentity =
    {
        Experiment = "constellations"
        Preset = "seed"
        Seed = 5
        Settings = task.Settings
        Version = "test"
    }

let private parse (bytes: byte[]) : SafetensorsFile =
    match Safetensors.parse bytes with
    | Ok file -> file
    | Error message -> failwith message

/// Trains until `steps` are done and returns the state.
let private trainTo (steps: int) (state: TrainingState) : TrainingState =
    Training.run state (fun () -> state.Step >= steps) ignore |> ignore
    state

let private straight () =
    let task = task []
    let state = Training.start task.Plan (session task 5) |> trainTo 60
    Checkpoint.last (identity task) state

[<Test>]
let ``the same seed gives the same checkpoint, byte for byte`` () = straight () |> should equal (straight ())

[<Test>]
let ``the number of threads changes no byte`` () =
    let before = Parallelism.Threads

    try
        Parallelism.Threads <- 1
        let one = straight ()
        Parallelism.Threads <- 2
        straight () |> should equal one
    finally
        Parallelism.Threads <- before

[<TestCase(1)>]
[<TestCase(20)>]
[<TestCase(33)>]
[<TestCase(59)>]
let ``a resumed run ends with the bytes of an uninterrupted one`` (stopAt: int) =
    let task = task []
    let interrupted = Training.start task.Plan (session task 5) |> trainTo stopAt
    interrupted.Step |> should equal stopAt
    let file = parse (Checkpoint.last (identity task) interrupted)

    match Checkpoint.restore file task.Plan (session task 5) with
    | Error message -> Assert.Fail message
    | Ok resumed ->
        resumed.Step |> should equal stopAt
        Checkpoint.last (identity task) (trainTo 60 resumed) |> should equal (straight ())

[<Test>]
let ``seeds differ`` () =
    let final (seed: int) =
        let task = task []
        let state = Training.start task.Plan (session task seed) |> trainTo 20
        (snd state.Session.Parameters.Head).toArray<float32>()

    final 1 |> should not' (equal (final 2))

[<Test>]
let ``training lowers the loss`` () =
    let task = task [ "epochs", "6"; "steps-per-epoch", "50" ]
    let state = Training.start task.Plan (session task 0) |> trainTo 300
    let losses = state.History.Evaluations |> List.map _.TrainLoss
    List.last losses |> should be (lessThan (0.8 * losses.Head))

[<Test>]
let ``progress tells every step and evaluates every epoch`` () =
    let task = task []
    let state = Training.start task.Plan (session task 0)
    let steps, epochs = ResizeArray(), ResizeArray()

    Training.run state (fun () -> false) (function
        | Stepped(step, _) -> steps.Add step
        | Evaluated(evaluation, _) -> epochs.Add evaluation.Epoch)
    |> should equal Finished

    List.ofSeq steps |> should equal [ 1..60 ]
    List.ofSeq epochs |> should equal [ 1; 2; 3 ]
    state.History.Snapshots |> List.map _.Step |> should equal [ 0..10..60 ]

[<Test>]
let ``a loss that isn't finite stops the run and names the step`` () =
    let task = task []
    let healthy = session task 0

    // From step 7 on the batch's parameters are poisoned.
    let poisoned =
        { healthy with
            Fill =
                fun step ->
                    healthy.Fill step

                    if step = 7 then
                        (snd healthy.Parameters.Head).Elements<float32>()[0] <- nanf
        }

    let state = Training.start task.Plan poisoned

    match Training.run state (fun () -> false) ignore with
    | Diverged(step, what) ->
        step |> should equal 7
        what |> should haveSubstring "the loss is"
    | other -> Assert.Fail $"the run ended as %A{other}"

/// A session whose one parameter p ≥ 0 has the loss √p: p = 0 in the given step leaves the loss finite and the gradient not.
let private rooted (badStep: int) (healthy: Session) : Session =
    let p = Tensor.ones([| 1 |]).reverseDiff()

    { healthy with
        Parameters = [ "p", p ]
        Fill = fun step -> p.primal.Elements<float32>()[0] <- (if step = badStep then 0.0f else 1.0f)
        Record = fun () -> Recording.Of(fun () -> Seq.singleton (p.sqrt().sum()))
        Snapshot = fun step -> { Step = step; Values = [] }
    }

[<TestCase(0)>]
[<TestCase(19)>]
[<TestCase(59)>]
let ``a gradient that isn't finite stops the run before the state is kept`` (badStep: int) =
    let task = task []
    let state = Training.start task.Plan (rooted badStep (session task 0))
    let kept = ResizeArray()

    let outcome =
        Training.run state (fun () -> false) (function
            | Evaluated(evaluation, _) -> kept.Add evaluation.Step
            | Stepped _ -> ())

    outcome |> should equal (Diverged(badStep, "the gradient of p isn't finite"))
    List.ofSeq kept |> should equal [ 20..20..badStep ]

[<Test>]
let ``a run that is asked to stop doesn't keep a step whose gradient isn't finite`` () =
    let task = task []
    let state = Training.start task.Plan (rooted 7 (session task 0))

    Training.run state (fun () -> state.Step = 8) ignore
    |> should equal (Diverged(7, "the gradient of p isn't finite"))

[<Test>]
let ``the summary has final and best metrics and leaves the parameters alone`` () =
    let task = task []
    let state = Training.start task.Plan (session task 0) |> trainTo 60
    let before = (snd state.Session.Parameters.Head).toArray<float32>()
    let names = Training.summarize state |> List.map fst

    names
    |> should
        equal
        [
            "chamfer"
            "recovery"
            "raw_recovery"
            "best_chamfer"
            "best_recovery"
            "best_raw_recovery"
            "val_best_recovery"
            "best_epoch"
        ]

    (snd state.Session.Parameters.Head).toArray<float32>() |> should equal before

[<Test>]
let ``pictures are of the best epoch's parameters and leave the present ones alone`` () =
    let task = task []
    let state = Training.start task.Plan (session task 0) |> trainTo 60
    let name, parameter = state.Session.Parameters.Head
    let best = state.Best.Value.Parameters |> List.find (fun (other, _) -> other = name) |> snd
    let mutable seen = [||]

    let watching =
        { state with
            Session =
                { state.Session with
                    Figures =
                        fun _ ->
                            seen <- parameter.toArray<float32>()
                            []
                }
        }

    parameter.Elements<float32>()[0] <- 7.0f
    Training.figures watching |> should be Empty
    seen |> should equal (best.toArray<float32>())
    parameter.Elements<float32>()[0] |> should equal 7.0f

[<Test>]
let ``validation, test and training scenes are different streams`` () =
    let keys = Keys.ofSeed 3
    let fresh = Keys.fresh 1 keys

    [ keys.Init; keys.Train; keys.Validation; keys.Test; fresh.Validation; fresh.Test ]
    |> List.distinct
    |> List.length
    |> should equal 6

[<Test>]
let ``a training step allocates at most 4 KB after warm-up and collects no generation 2`` () =
    let task = task []
    let trainer = Trainer(Training.start task.Plan (session task 0))

    let step () =
        trainer.Fill()
        trainer.Forward() |> ignore
        trainer.Reverse()
        trainer.Update()

    for _ in 1..50 do
        step ()

    let collections = GC.CollectionCount 2
    let before = GC.GetAllocatedBytesForCurrentThread()

    for _ in 1..200 do
        step ()

    (GC.GetAllocatedBytesForCurrentThread() - before) / 200L |> should be (lessThanOrEqualTo 4096L)
    GC.CollectionCount 2 |> should equal collections

[<Test>]
let ``a checkpoint of other hyperparameters is refused in one line`` () =
    let first, second = task [], task [ "width", "16"; "learning-rate", "0.1" ]

    let mismatch saved asked = Checkpoint.mismatch saved asked |> Option.toList

    mismatch (identity first) (identity second)
    |> should equal [ "learning-rate was 0.003 and is now 0.1, width was 32 and is now 16" ]

    mismatch (identity first) (identity first) |> should be Empty

    let foreign = { identity first with Experiment = "air"; Settings = [ "canvas", "32" ] }

    mismatch foreign (identity first) |> should equal [ "the experiment was air" ]

[<Test>]
let ``a checkpoint knows whose it is`` () =
    let task = task []
    let state = Training.start task.Plan (session task 5) |> trainTo 20
    let file = parse (Checkpoint.last (identity task) state)
    Checkpoint.identify file |> should equal (Ok(identity task): Result<RunIdentity, string>)

[<Test>]
let ``a foreign safetensors file is refused in one line`` () =
    let file =
        parse (Safetensors.serialize Map.empty [ "a", { Shape = [| 1 |]; Data = TensorData.F32 [| 1.0f |] } ])

    Checkpoint.identify file
    |> should equal (Error "the file has no format; it isn't a checkpoint of scae": Result<RunIdentity, string>)

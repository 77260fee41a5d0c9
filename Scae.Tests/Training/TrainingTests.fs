module Scae.Tests.Training.TrainingTests

open System
open Scae.Tests.Claims
open Expecto
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

/// A session whose one parameter p ≥ 0 has the loss √p: p = 0 in the given step leaves the loss finite and the gradient not.
let private rooted (badStep: int) (healthy: Session) : Session =
    let p = Tensor.ones([| 1 |]).reverseDiff()

    { healthy with
        Parameters = [ "p", p ]
        Fill = fun step -> p.primal.Elements<float32>()[0] <- (if step = badStep then 0.0f else 1.0f)
        Record = fun () -> Recording.Of(fun () -> Seq.singleton (p.sqrt().sum()))
        Snapshot = fun step -> { Step = step; Values = [] }
    }

[<Tests>]
let tests =
    testSequenced
    <| testList
        "Training.Training"
        [
            testCase "the same seed gives the same checkpoint, byte for byte"
            <| fun () -> straight () |> shouldEqual (straight ())

            testCase "the number of threads changes no byte"
            <| fun () ->
                let before = Parallelism.Threads

                try
                    Parallelism.Threads <- 1
                    let one = straight ()
                    Parallelism.Threads <- 2
                    straight () |> shouldEqual one
                finally
                    Parallelism.Threads <- before

            for stopAt in [ 1; 20; 33; 59 ] do
                testCase $"a resumed run ends with the bytes of an uninterrupted one ({stopAt})"
                <| fun () ->
                    let task = task []
                    let interrupted = Training.start task.Plan (session task 5) |> trainTo stopAt
                    interrupted.Step |> shouldEqual stopAt
                    let file = parse (Checkpoint.last (identity task) interrupted)

                    match Checkpoint.restore file task.Plan (session task 5) with
                    | Error message -> failtest message
                    | Ok resumed ->
                        resumed.Step |> shouldEqual stopAt
                        Checkpoint.last (identity task) (trainTo 60 resumed) |> shouldEqual (straight ())

            testCase "seeds differ"
            <| fun () ->
                let final (seed: int) =
                    let task = task []
                    let state = Training.start task.Plan (session task seed) |> trainTo 20
                    (snd state.Session.Parameters.Head).toArray<float32>()

                final 1 |> shouldDiffer (final 2)

            testCase "training lowers the loss"
            <| fun () ->
                let task = task [ "epochs", "6"; "steps-per-epoch", "50" ]
                let state = Training.start task.Plan (session task 0) |> trainTo 300
                let losses = state.History.Evaluations |> List.map _.TrainLoss
                List.last losses |> shouldBeLessThan (0.8 * losses.Head)

            testCase "progress tells every step and evaluates every epoch"
            <| fun () ->
                let task = task []
                let state = Training.start task.Plan (session task 0)
                let steps, epochs = ResizeArray(), ResizeArray()

                Training.run state (fun () -> false) (function
                    | Stepped(step, _) -> steps.Add step
                    | Evaluated(evaluation, _) -> epochs.Add evaluation.Epoch)
                |> shouldEqual Finished

                List.ofSeq steps |> shouldEqual [ 1..60 ]
                List.ofSeq epochs |> shouldEqual [ 1; 2; 3 ]
                state.History.Snapshots |> List.map _.Step |> shouldEqual [ 0..10..60 ]

            testCase "a loss that isn't finite stops the run and names the step"
            <| fun () ->
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
                    step |> shouldEqual 7
                    what |> shouldContainText "the loss is"
                | other -> failtest $"the run ended as %A{other}"

            for badStep in [ 0; 19; 59 ] do
                testCase $"a gradient that isn't finite stops the run before the state is kept ({badStep})"
                <| fun () ->
                    let task = task []
                    let state = Training.start task.Plan (rooted badStep (session task 0))
                    let kept = ResizeArray()

                    let outcome =
                        Training.run state (fun () -> false) (function
                            | Evaluated(evaluation, _) -> kept.Add evaluation.Step
                            | Stepped _ -> ())

                    outcome |> shouldEqual (Diverged(badStep, "the gradient of p isn't finite"))
                    List.ofSeq kept |> shouldEqual [ 20..20..badStep ]

            testCase "a run that is asked to stop doesn't keep a step whose gradient isn't finite"
            <| fun () ->
                let task = task []
                let state = Training.start task.Plan (rooted 7 (session task 0))

                Training.run state (fun () -> state.Step = 8) ignore
                |> shouldEqual (Diverged(7, "the gradient of p isn't finite"))

            testCase "the summary has final and best metrics and leaves the parameters alone"
            <| fun () ->
                let task = task []
                let state = Training.start task.Plan (session task 0) |> trainTo 60
                let before = (snd state.Session.Parameters.Head).toArray<float32>()
                let names = Training.summarize state |> List.map fst

                names
                |> shouldEqual
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

                (snd state.Session.Parameters.Head).toArray<float32>() |> shouldEqual before

            testCase "pictures are of the best epoch's parameters and leave the present ones alone"
            <| fun () ->
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
                Training.figures watching |> shouldBeEmpty
                seen |> shouldEqual (best.toArray<float32>())
                parameter.Elements<float32>()[0] |> shouldEqual 7.0f

            testCase "validation, test and training scenes are different streams"
            <| fun () ->
                let keys = Keys.ofSeed 3
                let fresh = Keys.fresh 1 keys

                [ keys.Init; keys.Train; keys.Validation; keys.Test; fresh.Validation; fresh.Test ]
                |> List.distinct
                |> List.length
                |> shouldEqual 6

            testCase "a training step allocates at most 4 KB after warm-up and collects no generation 2"
            <| fun () ->
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

                (GC.GetAllocatedBytesForCurrentThread() - before) / 200L |> shouldBeAtMost 4096L
                GC.CollectionCount 2 |> shouldEqual collections

            testCase "a checkpoint of other hyperparameters is refused in one line"
            <| fun () ->
                let first, second = task [], task [ "width", "16"; "learning-rate", "0.1" ]

                let mismatch saved asked = Checkpoint.mismatch saved asked |> Option.toList

                mismatch (identity first) (identity second)
                |> shouldEqual [ "learning-rate was 0.003 and is now 0.1, width was 32 and is now 16" ]

                mismatch (identity first) (identity first) |> shouldBeEmpty

                let foreign = { identity first with Experiment = "air"; Settings = [ "canvas", "32" ] }

                mismatch foreign (identity first) |> shouldEqual [ "the experiment was air" ]

            testCase "a checkpoint knows whose it is"
            <| fun () ->
                let task = task []
                let state = Training.start task.Plan (session task 5) |> trainTo 20
                let file = parse (Checkpoint.last (identity task) state)
                Checkpoint.identify file |> shouldEqual (Ok(identity task): Result<RunIdentity, string>)

            testCase "a foreign safetensors file is refused in one line"
            <| fun () ->
                let file =
                    parse (
                        Safetensors.serialize Map.empty [ "a", { Shape = [| 1 |]; Data = TensorData.F32 [| 1.0f |] } ]
                    )

                Checkpoint.identify file
                |> shouldEqual (
                    Error "the file has no format; it isn't a checkpoint of scae": Result<RunIdentity, string>
                )
        ]

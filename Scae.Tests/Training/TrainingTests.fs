module Scae.Tests.Training.TrainingTests

open System
open Scae.Tests.Claims
open Scae.Tests.Threads
open Expecto
open Scae.Tests.Turns
open Scae.Core.Figures
open Scae.Core.Experiments
open Scae.Core.Training
open Scae.Tensors

let private resources: Resources = Resources.none

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
        Preset = "published"
        Seed = 5
        Settings = task.Settings
        Version = "test"
        Data = None
    }

let private parse (bytes: byte[]) : SafetensorsFile =
    match Safetensors.parse bytes with
    | Ok file -> file
    | Error message -> failwith message

let private straight () =
    let task = task []
    let state = Trained.start task (session task 5) |> Trained.until 60
    Checkpoint.last (identity task) state

/// A session whose one parameter p ≥ 0 has the loss √p: p = 0 in the given step leaves the loss finite and the gradient not.
let private rooted (badStep: int) (healthy: Session) : Learner =
    let p = Tensor.ones([| 1 |]).reverseDiff()

    { healthy.Learner with
        Tensors = [ "p", p ]
        Fill = fun step -> p.primal.Elements<float32>()[0] <- (if step = badStep then 0.0f else 1.0f)
        Loss = fun () -> Loss.ofTotal (p.sqrt().sum())
        Snapshot = fun () -> []
    }

/// The final metrics and those of the best epoch, each measured with its parameters.
let private summary (session: Session) (state: TrainingState) : Metrics =
    let measure () = Trained.metrics session Test
    let best = state.Best.Value

    [
        yield! TrainingState.asEvaluated state measure

        for name, value in TrainingState.atBest state measure do
            $"best_{name}", value

        $"val_best_{state.Plan.BestBy.Metric}", best.Value
        "best_epoch", float best.Epoch
    ]

/// A training of three epochs of one step, which halves a parameter that begins at 1. Averages of it are what is measured; the
/// metric is the parameter itself. Pictures tell `drawn` what it is.
let private halved (larger: bool) (drawn: float -> unit) : Session * TrainingState =
    let p = Tensor.ones([| 1 |]).reverseDiff()
    let value () = float (p.primal.Elements<float32>()[0])

    let session: Session =
        {
            Learner =
                {
                    Tensors = [ "p", p ]
                    Fill = ignore
                    Loss = fun () -> Loss.ofTotal ((p * p).sum())
                    Validate = fun () -> [ "m", value () ]
                    Snapshot = fun () -> []
                }
            Inspect =
                fun () ->
                    {
                        Metrics = fun split -> [ "m", (if split = Test then value () else nan) ]
                        Figures =
                            fun _ ->
                                drawn (value ())
                                []
                    }
            Baselines = []
            Animation = fun _ -> None
        }

    let plan =
        { (task []).Plan with
            Epochs = 3
            StepsPerEpoch = 1
            Rule =
                {
                    Optimizer = Momentum 0.0
                    LearningRate = Schedule.constant 0.25
                    Clip = ValueNone
                }
            Average = ValueSome 0.9
            SnapshotEvery = 0
            BestBy = { Metric = "m"; Larger = larger }
        }

    session, TrainingState.start plan session.Learner |> Trained.until 3

// The averages of 1/2, 1/4 and 1/8, whose weights are 9/10, 9/11 and 9/12.
let private ofFirst = 0.1 * 1.0 + 0.9 * 0.5

let private ofSecond = (2.0 * ofFirst + 9.0 * 0.25) / 11.0

let private ofThird = (3.0 * ofSecond + 9.0 * 0.125) / 12.0

[<Tests>]
let tests =
    testList
        "Training.Training"
        [
            testCase "the same seed gives the same checkpoint, byte for byte"
            <| fun () -> straight () |> shouldEqual (straight ())

            testAlone "the number of threads changes no byte"
            <| fun () -> onThreads 2 straight |> shouldEqual (onThreads 1 straight)

            for stopAt in [ 1; 20; 33; 59 ] do
                testCase $"a resumed run ends with the bytes of an uninterrupted one ({stopAt})"
                <| fun () ->
                    let task = task []
                    let interrupted = Trained.start task (session task 5) |> Trained.until stopAt
                    interrupted.Step |> shouldEqual stopAt
                    let file = parse (Checkpoint.last (identity task) interrupted)

                    match Checkpoint.restore file task.Plan (session task 5).Learner with
                    | Error message -> failtest message
                    | Ok resumed ->
                        resumed.Step |> shouldEqual stopAt
                        Checkpoint.last (identity task) (Trained.until 60 resumed) |> shouldEqual (straight ())

            testCase "seeds differ"
            <| fun () ->
                let final (seed: int) =
                    let task = task []
                    let state = Trained.start task (session task seed) |> Trained.until 20
                    (snd state.Learner.Tensors.Head).toArray<float32>()

                final 1 |> shouldDiffer (final 2)

            testCase "training lowers the loss"
            <| fun () ->
                let task = task [ "epochs", "6"; "steps-per-epoch", "50" ]
                let state = Trained.start task (session task 0) |> Trained.until 300
                let losses = state.Evaluations |> List.map _.TrainLoss
                List.last losses |> shouldBeLessThan (0.8 * losses.Head)

            testCase "progress tells every step and evaluates every epoch"
            <| fun () ->
                let task = task []
                let state = Trained.start task (session task 0)
                let steps, epochs, moments = ResizeArray(), ResizeArray(), ResizeArray()

                Trained.run state (fun () -> false) (function
                    | Stepped(step, _) -> steps.Add step
                    | Evaluated(evaluation, _) -> epochs.Add evaluation.Epoch
                    | Snapped snapshot -> moments.Add snapshot.Step
                    | SaveDue -> ())
                |> shouldEqual Finished

                List.ofSeq steps |> shouldEqual [ 1..60 ]
                List.ofSeq epochs |> shouldEqual [ 1; 2; 3 ]
                List.ofSeq moments |> shouldEqual [ 0..10..60 ]

            testCase "a loss that isn't finite stops the run and names the step"
            <| fun () ->
                let task = task []
                let healthy = (session task 0).Learner

                // From step 7 on the batch's parameters are poisoned.
                let poisoned =
                    { healthy with
                        Fill =
                            fun step ->
                                healthy.Fill step

                                if step = 7 then
                                    (snd healthy.Tensors.Head).Elements<float32>()[0] <- nanf
                    }

                let state = TrainingState.start task.Plan poisoned

                match Trained.run state (fun () -> false) ignore with
                | Diverged(step, what) ->
                    step |> shouldEqual 7
                    what |> shouldContainText "the loss is"
                | other -> failtest $"the run ended as %A{other}"

            for badStep in [ 0; 19; 59 ] do
                testCase $"a gradient that isn't finite stops the run before the state is kept ({badStep})"
                <| fun () ->
                    let task = task []
                    let state = TrainingState.start task.Plan (rooted badStep (session task 0))
                    let kept = ResizeArray()

                    let outcome =
                        Trained.run state (fun () -> false) (function
                            | Evaluated(evaluation, _) -> kept.Add evaluation.Step
                            | _ -> ())

                    outcome |> shouldEqual (Diverged(badStep, "the gradient of p isn't finite"))
                    List.ofSeq kept |> shouldEqual [ 20..20..badStep ]

            testCase "a run that is asked to stop doesn't keep a step whose gradient isn't finite"
            <| fun () ->
                let task = task []
                let state = TrainingState.start task.Plan (rooted 7 (session task 0))

                Trained.run state (fun () -> state.Step = 8) ignore
                |> shouldEqual (Diverged(7, "the gradient of p isn't finite"))

            testCase "a checkpoint in the midst of an epoch is written when it is asked for, and resumes to the byte"
            <| fun () ->
                let task = task []
                let state = Trained.start task (session task 5)
                let saved = ResizeArray()

                let report progress =
                    match progress with
                    | SaveDue -> saved.Add(state.Step, Checkpoint.last (identity task) state)
                    | _ -> ()

                Training.run state (Trained.supervisor (fun () -> false) (fun () -> state.Step % 10 = 7) report)
                |> shouldEqual Finished

                saved |> Seq.map fst |> List.ofSeq |> shouldEqual [ 7..10..57 ]

                for _, bytes in saved do
                    let resumed =
                        Checkpoint.restore (parse bytes) task.Plan (session task 5).Learner |> Trained.accepted

                    Checkpoint.last (identity task) (Trained.until 60 resumed)
                    |> shouldEqual (Checkpoint.last (identity task) state)

            testCase "a checkpoint isn't written of a step whose gradient isn't finite"
            <| fun () ->
                let task = task []
                let state = TrainingState.start task.Plan (rooted 7 (session task 0))
                let saved = ResizeArray()

                let report progress =
                    if progress = SaveDue then
                        saved.Add state.Step

                Training.run state (Trained.supervisor (fun () -> false) (fun () -> state.Step >= 6) report)
                |> shouldEqual (Diverged(7, "the gradient of p isn't finite"))

                List.ofSeq saved |> shouldEqual [ 6; 7 ]

            testCase "the summary has final and best metrics and leaves the parameters alone"
            <| fun () ->
                let task = task []
                let session = session task 0
                let state = Trained.start task session |> Trained.until 60
                let before = (snd state.Learner.Tensors.Head).toArray<float32>()
                let names = Results.metrics session state |> List.map fst

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

                (snd state.Learner.Tensors.Head).toArray<float32>() |> shouldEqual before
                Results.metrics session state |> shouldEqual (summary session state)

            for larger, best, epoch in [ true, ofFirst, 1; false, ofThird, 3 ] do
                testCase
                    $"final metrics are of the last averages, best ones of the best epoch's (larger is better: {larger})"
                <| fun () ->
                    let drawn = ResizeArray<float>()
                    let session, state = halved larger drawn.Add
                    let history: History = { Evaluations = state.Evaluations; Snapshots = [] }
                    let expected = [ "m", ofThird; "best_m", best; "val_best_m", best; "best_epoch", float epoch ]

                    for metrics in [ Results.metrics session state; fst (Results.all session state history) ] do
                        metrics |> List.map fst |> shouldEqual (List.map fst expected)

                        for (_, found), (_, value) in List.zip metrics expected do
                            found |> shouldBeNear 1e-6 value

                    drawn |> Seq.exactlyOne |> shouldBeNear 1e-6 best
                    (snd state.Learner.Tensors.Head).toArray<float32>() |> shouldEqual [| 0.125f |]

            testCase "pictures are of the best epoch's parameters and leave the present ones alone"
            <| fun () ->
                let task = task []
                let session = session task 0
                let state = Trained.start task session |> Trained.until 60
                let name, parameter = state.Learner.Tensors.Head
                let best = state.Best.Value.Tensors |> List.find (fun (other, _) -> other = name) |> snd
                let kept = best.toArray<float32>()
                let seen = ref [||]

                let watching =
                    { session with
                        Inspect =
                            fun () ->
                                { session.Inspect() with
                                    Figures =
                                        fun _ ->
                                            seen.Value <- parameter.toArray<float32>()
                                            []
                                }
                    }

                parameter.Elements<float32>()[0] <- 7.0f
                Results.figures watching state { Evaluations = []; Snapshots = [] } |> shouldBeEmpty
                seen.Value |> shouldEqual kept
                parameter.Elements<float32>()[0] |> shouldEqual 7.0f

            testCase "each split is read once for metrics and pictures of the same parameters"
            <| fun () ->
                let task = task []
                let session = session task 0
                let state = Trained.start task session |> Trained.until 60
                let inspections = ref 0

                let counting =
                    { session with
                        Inspect =
                            fun () ->
                                inspections.Value <- inspections.Value + 1
                                session.Inspect()
                    }

                let history = { Evaluations = state.Evaluations; Snapshots = [] }
                let metrics, figures = Results.all counting state history

                inspections.Value |> shouldEqual (if TrainingState.isAtBest state then 1 else 2)

                metrics |> shouldEqual (summary session state)

                figures |> List.map _.Name |> shouldEqual (Results.figures session state history |> List.map _.Name)

            testCase "validation, test and training scenes are different streams"
            <| fun () ->
                let keys = Keys.ofSeed 3
                let fresh = Keys.fresh 1 keys

                [ keys.Init; keys.Train; keys.Validation; keys.Test; fresh.Validation; fresh.Test ]
                |> List.distinct
                |> List.length
                |> shouldEqual 6

            testAlone "a training step allocates at most 4 KB after warm-up and collects no generation 2"
            <| fun () ->
                let task = task []
                let trainer = Trainer(Trained.start task (session task 0))

                let step () =
                    trainer.Fill()
                    trainer.Forward() |> ignore
                    trainer.Reverse()
                    trainer.Update()

                for _ in 1..50 do
                    step ()

                // What the tests before left is collected now, not in the midst.
                GC.Collect()
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

                let own = identity first
                let more = { own with Settings = own.Settings @ [ "canvas", "32" ] }
                mismatch more own |> shouldEqual [ "canvas was 32 and isn't known any more" ]
                mismatch own more |> shouldEqual [ "canvas wasn't known" ]

                // One model's hyperparameters may be a part of another's.
                mismatch { more with Preset = "other" } own
                |> shouldEqual [ $"the preset was other and is now {own.Preset}" ]

            testCase "a checkpoint knows whose it is"
            <| fun () ->
                let task = task []
                let state = Trained.start task (session task 5) |> Trained.until 20
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

/// Groups of parameters, optimizers, step sizes, averages and kept state, against a slow twin in float64.
module Scae.Tests.Training.UpdateRulesTests

open System
open Expecto
open Scae.Tests.Claims
open Scae.Core.Training
open Scae.Tensors

let private size = 3

let private rule optimizer (decay: Decay) : UpdateRule =
    {
        Optimizer = optimizer
        LearningRate = { Largest = 0.02; WarmUp = 1; Decay = decay }
        Clip = ValueNone
    }

// As SCAE trains: ε inside the root, mean squares of 1 before the first step, momentum of 0.9.
let private likeTensorFlow = Optimizer.tensorFlowRmsProp 0.9 0.9 1e-3

let private plan: Plan =
    {
        Epochs = 3
        StepsPerEpoch = 10
        BatchSize = 1
        Rule = rule likeTensorFlow (Geometric(0.5, 4))
        Groups =
            [
                Ruled(
                    "head",
                    { rule Optimizer.adam (Cosine(0.1, 30)) with
                        LearningRate.WarmUp = 5
                        Clip = ValueSome 0.5
                    }
                )
                Ruled("table", rule (Momentum 0.8) (Geometric(0.01, 30)))
                Kept "mean"
            ]
        Average = ValueSome 0.9
        SnapshotEvery = 0
        EndMatters = false
        KeepsScenes = true
        SceneBytes = 0.0
        Preparation = ValueNone
        BestBy = { Metric = "first"; Larger = true }
    }

/// The inputs of a step.
let private draw (step: int) : float32[] =
    let values = Array.zeroCreate<float32> size
    ((Key.OfSeed 11L).Fold(int64 step)).FillNormal(Span values)
    values

/// Loss Σ(body − x)² + Σ(head − 2x)² + Σ(table + mean + 1)², where mean ← 0.9·mean + 0.1·x after each step. "first" is
/// body's first element: it shows whose values are evaluated.
let private learner () : Learner =
    let parameter (value: float) = (Tensor.full ([| size |], value)).reverseDiff()

    let body, weight, table, mean = parameter 0.5, parameter -0.5, parameter 0.25, Tensor.zeros [| size |]

    let x = Tensor.zeros [| size |]
    let squares (t: Tensor) = (t * t).sum()

    {
        Tensors = [ "body", body; "head.weight", weight; "mean", mean; "table", table ]
        Fill = fun step -> draw(step).CopyTo(x.Elements<float32>())
        Loss =
            fun () ->
                let ofBody = squares (body - x)

                {
                    Total = ofBody + squares (weight - 2.0 * x) + squares (table + mean + 1.0)
                    Terms = [ "body", ofBody ]
                    Next = [ mean, 0.9 * mean + 0.1 * x ]
                }
        Validate = fun () -> [ "first", float (body.primal.Elements<float32>()[0]) ]
        Snapshot = fun () -> []
    }

let private start () = TrainingState.start plan (learner ())

let private values (tensors: (string * Tensor) list) (name: string) =
    (tensors |> List.find (fun (other, _) -> other = name) |> snd).toArray<float32>()

let private shouldBeClose (expected: float[]) (found: float32[]) =
    found.Length |> shouldEqual expected.Length
    Array.iter2 (fun e f -> f |> shouldBeNear 2e-5 e) expected found

/// The same training, element by element, as the formulas say.
type private Twin() =
    let all (value: float) = Array.create size value
    let square, velocity = all 1.0, all 0.0
    let first, second = all 0.0, all 0.0
    let speed = all 0.0
    member val Body = all 0.5
    member val Head = all -0.5
    member val Table = all 0.25
    member val Mean = all 0.0
    member val Averages = [| all 0.5; all -0.5; all 0.25 |]

    member twin.Step(t: int) =
        let x = draw t |> Array.map float
        let norm = sqrt (Seq.sum (Seq.map2 (fun h x -> (2.0 * (h - 2.0 * x)) ** 2.0) twin.Head x))
        let ofBody = 0.02 * 0.5 ** (float (min t 4) / 4.0)

        let ofHead =
            let cosine = 0.1 + 0.9 * 0.5 * (1.0 + cos (Math.PI * float t / 30.0))
            0.02 * cosine * min 1.0 (float (t + 1) / 5.0)

        let ofTable = 0.02 * 0.01 ** (float t / 30.0)

        for i in 0 .. size - 1 do
            let g = 2.0 * (twin.Body[i] - x[i])
            square[i] <- 0.9 * square[i] + 0.1 * g * g
            velocity[i] <- 0.9 * velocity[i] + ofBody * g / sqrt (square[i] + 1e-3)
            twin.Body[i] <- twin.Body[i] - velocity[i]

            let g = 2.0 * (twin.Head[i] - 2.0 * x[i]) * min 1.0 (0.5 / norm)
            first[i] <- 0.9 * first[i] + 0.1 * g
            second[i] <- 0.999 * second[i] + 0.001 * g * g
            let mean, root = first[i] / (1.0 - 0.9 ** float (t + 1)), second[i] / (1.0 - 0.999 ** float (t + 1))
            twin.Head[i] <- twin.Head[i] - ofHead * mean / (sqrt root + 1e-8)

            speed[i] <- 0.8 * speed[i] + 2.0 * (twin.Table[i] + twin.Mean[i] + 1.0)
            twin.Table[i] <- twin.Table[i] - ofTable * speed[i]
            twin.Mean[i] <- 0.9 * twin.Mean[i] + 0.1 * x[i]

        let decay = min 0.9 (float (1 + t) / float (10 + t))

        for average, parameter in Array.zip twin.Averages [| twin.Body; twin.Head; twin.Table |] do
            for i in 0 .. size - 1 do
                average[i] <- decay * average[i] + (1.0 - decay) * parameter[i]

let private identity: RunIdentity =
    {
        Experiment = "test"
        Preset = "test"
        Seed = 0L
        Settings = []
        Version = "test"
        Data = None
    }

let private restored (bytes: byte[]) : TrainingState =
    let file = Safetensors.parse bytes |> Trained.accepted
    Checkpoint.restore file plan (learner ()) |> Trained.accepted

/// One parameter under a constant gradient of g.
let private underConstantGradient (g: float) (optimizer: Optimizer) (rate: float) (steps: int) : float[] =
    let p = (Tensor.zeros [| 1 |]).reverseDiff()
    let memory = Optimizer.init optimizer [ p ]
    let recording = Recording.Of(fun () -> Seq.singleton ((p * g).sum()))

    [|
        for step in 1..steps do
            recording.Forward()
            recording.Reverse()
            Optimizer.step memory rate step [ p ]
            float (p.primal.Elements<float32>()[0])
    |]

[<Tests>]
let tests =
    testList
        "Training.UpdateRules"
        [
            testCase "groups, optimizers, step sizes, clipping, averages and kept state follow their formulas"
            <| fun () ->
                let state = start ()
                let trainer = Trainer state
                let twin = Twin()

                for t in 0..29 do
                    trainer.Fill()
                    trainer.Forward() |> ignore
                    trainer.Reverse()
                    trainer.Update()
                    twin.Step t
                    let found = values state.Learner.Tensors
                    found "body" |> shouldBeClose twin.Body
                    found "head.weight" |> shouldBeClose twin.Head
                    found "table" |> shouldBeClose twin.Table
                    found "mean" |> shouldBeClose twin.Mean
                    let averaged = values state.Averages
                    averaged "body" |> shouldBeClose twin.Averages[0]
                    averaged "head.weight" |> shouldBeClose twin.Averages[1]
                    averaged "table" |> shouldBeClose twin.Averages[2]

            testCase "kept state has no average, no memory and no gradient"
            <| fun () ->
                let state = start ()
                state.Averages |> List.map fst |> shouldEqual [ "body"; "head.weight"; "table" ]

                state.Groups
                |> List.collect (fun group -> group.Parameters |> List.map fst)
                |> List.sort
                |> shouldEqual [ "body"; "head.weight"; "table" ]

            testCase "a prefix names whole words, and the first group that names a tensor counts"
            <| fun () ->
                let plan = { plan with Groups = [ Kept "head.bias"; yield! plan.Groups; Kept "table" ] }
                Plan.rule plan "header" |> shouldEqual (Some plan.Rule)
                Plan.rule plan "head.bias" |> shouldEqual None
                (Plan.rule plan "head.weight").Value.Clip |> shouldEqual (ValueSome 0.5)
                (Plan.rule plan "head").Value.Clip |> shouldEqual (ValueSome 0.5)
                (Plan.rule plan "table.0").Value.Optimizer |> shouldEqual (Momentum 0.8)

            testCase "averages are evaluated and kept as the best, and the parameters come back"
            <| fun () ->
                let state = start ()
                let evaluated = ResizeArray()

                Trained.run state (fun () -> false) (function
                    | Evaluated(evaluation, _) ->
                        let own = (values state.Learner.Tensors "body")[0]
                        let average = (values state.Averages "body")[0]
                        own |> shouldDiffer average
                        evaluation.Metrics |> shouldEqual [ "first", float average ]
                        evaluated.Add average
                    | _ -> ())
                |> shouldEqual Finished

                let best = state.Best.Value
                evaluated |> Seq.max |> float |> shouldEqual best.Value
                (values best.Tensors "body")[0] |> float |> shouldEqual best.Value
                let before = values state.Learner.Tensors "body"

                TrainingState.atBest state (fun () -> (values state.Learner.Tensors "body")[0])
                |> float
                |> shouldEqual best.Value

                values state.Learner.Tensors "body" |> shouldEqual before

            testCase "an epoch's training loss and terms are the means over its steps, each before its update"
            <| fun () ->
                let losses, evaluations = ResizeArray(), ResizeArray()

                Trained.run (start ()) (fun () -> false) (function
                    | Stepped(_, loss) -> losses.Add loss
                    | Evaluated(evaluation, _) -> evaluations.Add evaluation
                    | _ -> ())
                |> shouldEqual Finished

                let twin = Twin()

                let ofBody =
                    [
                        for t in 0..29 do
                            Seq.sum (Seq.map2 (fun body x -> (body - float x) ** 2.0) twin.Body (draw t))
                            twin.Step t
                    ]

                let mean epoch (values: float seq) = values |> Seq.skip (10 * epoch) |> Seq.take 10 |> Seq.average
                evaluations |> shouldHaveLength 3

                for epoch in 0..2 do
                    evaluations[epoch].TrainLoss |> shouldBeNear 1e-5 (mean epoch losses)

                    match evaluations[epoch].TrainTerms with
                    | [ "body", body ] -> body |> shouldBeNear 1e-4 (mean epoch ofBody)
                    | other -> failtest $"%A{other}"

            for stopAt in [ 1; 10; 17; 29 ] do
                testCase $"a training with all of them resumes to the byte ({stopAt})"
                <| fun () ->
                    let whole = Checkpoint.last identity (Trained.until 30 (start ()))
                    let interrupted = Checkpoint.last identity (Trained.until stopAt (start ()))
                    let resumed = restored interrupted
                    resumed.Step |> shouldEqual stopAt
                    Checkpoint.last identity resumed |> shouldEqual interrupted
                    Checkpoint.last identity (Trained.until 30 resumed) |> shouldEqual whole

            testCase "every part of the state is in a checkpoint"
            <| fun () ->
                let file =
                    Safetensors.parse (Checkpoint.last identity (Trained.until 10 (start ()))) |> Trained.accepted

                file.Tensors
                |> Map.keys
                |> List.ofSeq
                |> List.sort
                |> shouldEqual (
                    List.sort
                        [
                            for name in [ "body"; "head.weight"; "table" ] do
                                $"average.{name}"

                            for name in [ "body"; "head.weight"; "mean"; "table" ] do
                                $"best.{name}"
                                $"model.{name}"

                            for name in [ "body"; "head.weight"; "table" ] do
                                $"optimizer.first.{name}"

                            for name in [ "body"; "head.weight" ] do
                                $"optimizer.second.{name}"

                            "sums"
                            "history"
                        ]
                )

            for g in [ 0.01; 1.0; -30.0 ] do
                testCase $"RMSProp's first step as in TensorFlow 1 is η·g / √(0.9 + 0.1·g² + ε) ({g})"
                <| fun () ->
                    let epsilon = 0.01 / (32.0 * 32.0)
                    let found = underConstantGradient g (Optimizer.tensorFlowRmsProp 0.9 0.9 epsilon) 1e-2 1

                    found[0] |> shouldBeNear 1e-8 (-1e-2 * g / sqrt (0.9 + 0.1 * g * g + epsilon))

            testCase "with momentum 0.9 RMSProp's step under a constant gradient grows to ten times η"
            <| fun () ->
                let found = underConstantGradient 0.5 (Optimizer.tensorFlowRmsProp 0.9 0.9 0.0) 1e-3 300
                found[298] - found[299] |> shouldBeNear 1e-5 1e-2

            testCase "without momentum RMSProp has one tensor of memory a parameter"
            <| fun () ->
                let memory = Optimizer.init (Optimizer.tensorFlowRmsProp 0.9 0.0 1e-3) [ Tensor.zeros [| 2 |] ]
                memory.Second |> shouldBeEmpty
                (memory.First.Head).toArray<float32>() |> shouldEqual [| 1.0f; 1.0f |]

            testCase "a step of more or fewer parameters than there is memory for is refused"
            <| fun () ->
                let parameters = List.init 2 (fun _ -> (Tensor.zeros [| 2 |]).reverseDiff())
                let memory = Optimizer.init Optimizer.adam parameters

                for other in [ parameters.Tail; parameters @ parameters ] do
                    messageOf<System.ArgumentException>(fun () -> Optimizer.step memory 0.1 1 other)
                    |> shouldStartWith $"optimizer: {other.Length} parameters, and memory for 2"

            testCase "step sizes grow, then fall as their laws say"
            <| fun () ->
                let at decay step = Schedule.at { Largest = 2.0; WarmUp = 1; Decay = decay } step
                Schedule.at (Schedule.constant 3.0) 0 |> shouldEqual 3.0
                Schedule.at (Schedule.constant 3.0) 1_000_000 |> shouldEqual 3.0
                at (Cosine(0.1, 100)) 0 |> shouldEqual 2.0
                at (Cosine(0.1, 100)) 50 |> shouldBeNear 1e-12 1.1
                at (Cosine(0.1, 100)) 100 |> shouldBeNear 1e-12 0.2
                at (Geometric(0.01, 100)) 50 |> shouldBeNear 1e-12 0.2
                at (Geometric(0.01, 100)) 100 |> shouldBeNear 1e-12 0.02

                for steps in [ 0; 1; 100 ] do
                    at (Cosine(0.1, steps)) 150 |> shouldBeNear 1e-12 0.2
                    at (Geometric(0.01, steps)) 150 |> shouldBeNear 1e-12 0.02

                let warm = { Largest = 2.0; WarmUp = 4; Decay = Constant }
                List.map (Schedule.at warm) [ 0; 1; 2; 3; 4; 99 ] |> shouldEqual [ 0.5; 1.0; 1.5; 2.0; 2.0; 2.0 ]

            testCase "a plan extends one of fewer epochs alone, and where no step depends on the end"
            <| fun () ->
                let steady = { plan with Rule = rule likeTensorFlow Constant; Groups = [] }

                let longer = { steady with Epochs = 5 }

                let falling steps (plan: Plan) = { plan with Rule = rule likeTensorFlow (Cosine(0.1, steps)) }

                [
                    Plan.extends steady longer
                    Plan.extends longer steady
                    Plan.extends steady { longer with BatchSize = 2 }
                    Plan.extends steady { longer with EndMatters = true }
                    Plan.extends (falling 30 steady) (falling 50 longer)
                ]
                |> shouldEqual [ true; false; false; false; false ]
        ]

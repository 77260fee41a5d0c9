namespace Scae.Core.Training

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Experiments
open Scae.Core.Figures

/// The best epoch so far and the parameters it had.
type BestEpoch = { Epoch: int; Value: float; Parameters: (string * Tensor) list }

/// Everything that changes while training, so that a checkpoint of it resumes to the bit.
type TrainingState =
    {
        Session: Session
        Plan: Plan
        Optimizer: OptimizerState
        /// Steps done.
        mutable Step: int
        /// The sum of the losses of the present epoch.
        mutable LossSum: float
        mutable History: History
        mutable Best: BestEpoch option
    }

/// What a training tells while it runs.
type Progress =
    /// A step was done; its loss.
    | Stepped of step: int * loss: float
    /// An epoch was evaluated; whether it is the best so far. The moment to write checkpoints.
    | Evaluated of Evaluation * isBest: bool

/// How a training ended.
type Outcome =
    | Finished
    /// It was asked to stop; the state can be saved and resumed.
    | Stopped
    /// A step met a value that isn't finite; the state must not be saved.
    | Diverged of step: int * what: string

/// One step in its parts, over recorded operations: nothing is allocated after the first.
[<Sealed>]
type Trainer(state: TrainingState) =
    let recording =
        state.Session.Fill state.Step
        state.Session.Record()

    let updater =
        recording.Reverse()
        let parameters = state.Session.Parameters |> List.map snd |> Array.ofList
        Updater(state.Optimizer, parameters, parameters |> Array.map _.derivative)

    /// How many operations the forward pass replays.
    member _.Operations: int = recording.Count

    /// Draws the next batch.
    member _.Fill() : unit = state.Session.Fill state.Step

    /// Computes the loss of the batch.
    member _.Forward() : float =
        recording.Forward()
        recording.Outputs[0].toScalar()

    /// Computes the gradients.
    member _.Reverse() : unit = recording.Reverse()

    /// Changes the parameters.
    member _.Update() : unit =
        updater.Step(state.Plan.LearningRate state.Step, state.Step + 1, state.Plan.Clip)
        state.Step <- state.Step + 1

    /// The names of the parameters whose gradients aren't finite.
    member _.NonFinite() : string list =
        List.zip state.Session.Parameters (List.ofArray (updater.FiniteGradients()))
        |> List.choose (fun ((name, _), finite) -> if finite then None else Some name)

/// The training loop. It knows neither console nor files: whoever runs it is told of its progress.
[<RequireQualifiedAccess>]
module Training =
    /// The state before the first step.
    let start (plan: Plan) (session: Session) : TrainingState =
        {
            Session = session
            Plan = plan
            Optimizer = Optimizer.init plan.Optimizer (List.map snd session.Parameters)
            Step = 0
            LossSum = 0.0
            History =
                {
                    Evaluations = []
                    Snapshots =
                        if plan.SnapshotEvery > 0 then
                            [ session.Snapshot 0 ]
                        else
                            []
                }
            Best = None
        }

    let private isBetter (plan: Plan) (value: float) (best: BestEpoch option) =
        match best with
        | _ when Double.IsNaN value -> false
        | None -> true
        | Some best when plan.BestBy.Larger -> value > best.Value
        | Some best -> value < best.Value

    let private evaluate (state: TrainingState) : Evaluation * bool =
        let plan = state.Plan

        let evaluation =
            {
                Epoch = state.Step / plan.StepsPerEpoch
                Step = state.Step
                TrainLoss = state.LossSum / float plan.StepsPerEpoch
                Metrics = state.Session.Evaluate Validation
            }

        let value = evaluation.Metrics |> List.find (fun (name, _) -> name = plan.BestBy.Metric) |> snd
        let isBest = isBetter plan value state.Best

        if isBest then
            state.Best <-
                Some
                    {
                        Epoch = evaluation.Epoch
                        Value = value
                        Parameters = state.Session.Parameters |> List.map (fun (name, tensor) -> name, tensor.clone ())
                    }

        state.LossSum <- 0.0

        state.History <- { state.History with Evaluations = state.History.Evaluations @ [ evaluation ] }

        evaluation, isBest

    /// Trains from the present state to the end of the plan, unless asked to stop or a value isn't finite. A loss that isn't
    /// is noticed at once; gradients are looked at where an epoch begins, and before a state is told of that may be kept.
    let run (state: TrainingState) (shouldStop: unit -> bool) (report: Progress -> unit) : Outcome =
        let plan = state.Plan
        let last = plan.Steps

        if state.Step >= last then
            Finished
        else
            let trainer = Trainer state
            let mutable outcome = ValueNone
            let mutable step = state.Step

            let diverged () =
                match trainer.NonFinite() with
                | [] -> ValueNone
                | name :: _ -> ValueSome(Diverged(step, $"the gradient of {name} isn't finite"))

            while outcome.IsNone do
                step <- state.Step
                trainer.Fill()
                let loss = trainer.Forward()

                if not (Double.IsFinite loss) then
                    outcome <- ValueSome(Diverged(step, $"the loss is {loss}"))
                else
                    trainer.Reverse()
                    let ofEpoch = state.Step % plan.StepsPerEpoch
                    let isWatched = ofEpoch = 0 || ofEpoch = plan.StepsPerEpoch - 1

                    match (if isWatched then diverged () else ValueNone) with
                    | ValueSome _ as stop -> outcome <- stop
                    | ValueNone ->
                        trainer.Update()
                        state.LossSum <- state.LossSum + loss
                        report (Stepped(state.Step, loss))

                        if plan.SnapshotEvery > 0 && state.Step % plan.SnapshotEvery = 0 then
                            state.History <-
                                { state.History with
                                    Snapshots = state.History.Snapshots @ [ state.Session.Snapshot state.Step ]
                                }

                        if state.Step % plan.StepsPerEpoch = 0 then
                            report (Evaluated(evaluate state))

                        if state.Step >= last then
                            outcome <- ValueSome Finished
                        elif shouldStop () then
                            outcome <- ValueSome(ValueOption.defaultValue Stopped (diverged ()))

            outcome.Value

    let private withParameters
        (session: Session)
        (parameters: (string * Tensor) list)
        (action: unit -> 'result)
        : 'result =
        let saved = session.Parameters |> List.map (fun (_, tensor) -> tensor.clone ())

        let write (source: Tensor list) =
            List.iter2 (fun (_, target) value -> Parameters.assign target value) session.Parameters source

        write (List.map snd parameters)

        try
            action ()
        finally
            write saved

    /// The run's figures on test scenes: each metric with the final parameters, and as best_METRIC with those of the
    /// epoch that was best on validation scenes; that epoch is best_epoch. What it was chosen by is val_best_METRIC, on
    /// the validation scenes: an optimistic figure, which small programs publish.
    let summarize (state: TrainingState) : Metrics =
        let final = state.Session.Evaluate Test

        match state.Best with
        | None -> final
        | Some best ->
            let atBest = withParameters state.Session best.Parameters (fun () -> state.Session.Evaluate Test)

            final
            @ [ for name, value in atBest -> $"best_{name}", value ]
            @ [ $"val_best_{state.Plan.BestBy.Metric}", best.Value; "best_epoch", float best.Epoch ]

    /// The pictures of a training, of the parameters of the epoch that was best on validation scenes, as a user keeps them.
    let figures (state: TrainingState) : Figure list =
        let draw () = state.Session.Figures state.History

        match state.Best with
        | None -> draw ()
        | Some best -> withParameters state.Session best.Parameters draw

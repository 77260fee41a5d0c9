namespace Scae.Core.Training

open System

/// What a training reports while it runs.
type Progress =
    /// A step was done, with this loss.
    | Stepped of step: int * loss: float
    /// A snapshot for the animation.
    | Snapped of Snapshot
    /// An epoch was evaluated; `isBest` says whether it is the best so far. This is the moment to write checkpoints.
    | Evaluated of Evaluation * isBest: bool
    /// The checkpoint that was asked for in the middle of an epoch can be written now.
    | SaveDue

/// How a training ended.
type Outcome =
    | Finished
    /// It was asked to stop; the state can be saved and resumed.
    | Stopped
    /// A step met a value that isn't finite; the state must not be saved.
    | Diverged of step: int * what: string

/// The caller of a training: it is asked after every step, and told of progress. Clock, files and console are its
/// concern.
type ISupervisor =
    /// Whether the training should stop.
    abstract ShouldStop: unit -> bool
    /// Whether a checkpoint should be written although no epoch ends.
    abstract ShouldSave: unit -> bool
    /// Receives a report of progress.
    abstract Report: Progress -> unit

/// The training loop. It knows neither console nor files nor clock.
[<RequireQualifiedAccess>]
module Training =
    /// The outcome if a gradient isn't finite.
    let private diverged (trainer: Trainer) (step: int) : Outcome voption =
        match trainer.NonFinite() with
        | [] -> ValueNone
        | name :: _ -> ValueSome(Diverged(step, $"the gradient of {name} isn't finite"))

    // Gradients are checked in the first and the last step of an epoch, since checking all of them takes time.
    let private isWatched (plan: Plan) (step: int) : bool =
        step % plan.StepsPerEpoch = 0 || (step + 1) % plan.StepsPerEpoch = 0

    /// Takes a snapshot and evaluates after a step, if they are due.
    let private conclude (state: TrainingState) (trainer: Trainer) (supervisor: ISupervisor) : unit =
        let plan = state.Plan

        if plan.SnapshotEvery > 0 && state.Step % plan.SnapshotEvery = 0 then
            supervisor.Report(Snapped(TrainingState.snapshot state))

        if state.Step % plan.StepsPerEpoch = 0 then
            supervisor.Report(Evaluated(TrainingState.evaluate trainer.TermNames state))

    /// The outcome after a step; ValueNone to go on. Before a state may be saved, its gradients are checked to be finite.
    let private ask (state: TrainingState) (trainer: Trainer) (supervisor: ISupervisor) : Outcome voption =
        let step = state.Step - 1

        if state.Step >= state.Plan.Steps then
            ValueSome Finished
        elif supervisor.ShouldStop() then
            ValueSome(ValueOption.defaultValue Stopped (diverged trainer step))
        elif supervisor.ShouldSave() && state.Step % state.Plan.StepsPerEpoch <> 0 then
            let outcome = diverged trainer step

            if outcome.IsNone then
                supervisor.Report SaveDue

            outcome
        else
            ValueNone

    /// Does one step and what follows from it; ValueNone to go on.
    let private advance (state: TrainingState) (trainer: Trainer) (supervisor: ISupervisor) : Outcome voption =
        let step = state.Step
        trainer.Fill()
        let loss = trainer.Forward()

        if not (Double.IsFinite loss) then
            ValueSome(Diverged(step, $"the loss is {loss}"))
        else
            trainer.Reverse()

            match
                (if isWatched state.Plan step then
                     diverged trainer step
                 else
                     ValueNone)
            with
            | ValueSome _ as stop -> stop
            | ValueNone ->
                trainer.Update()
                supervisor.Report(Stepped(state.Step, loss))
                conclude state trainer supervisor
                ask state trainer supervisor

    /// Trains from the present state to the end of the plan, unless it is asked to stop or a value isn't finite. A
    /// loss that isn't finite is noticed at once. Gradients are checked in the first and last step of an epoch, and
    /// before a checkpoint is written.
    let run (state: TrainingState) (supervisor: ISupervisor) : Outcome =
        if state.Step >= state.Plan.Steps then
            Finished
        else
            let trainer = Trainer state

            if state.Step = 0 && state.Plan.SnapshotEvery > 0 then
                supervisor.Report(Snapped(TrainingState.snapshot state))

            let mutable outcome = ValueNone

            while outcome.IsNone do
                outcome <- advance state trainer supervisor

            outcome.Value

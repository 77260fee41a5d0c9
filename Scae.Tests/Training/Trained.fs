/// Trainings as tests run them.
module Scae.Tests.Training.Trained

open Scae.Core.Experiments
open Scae.Core.Training

/// Asks to stop and to save as the functions say, and tells of progress.
let supervisor (shouldStop: unit -> bool) (shouldSave: unit -> bool) (report: Progress -> unit) : ISupervisor =
    { new ISupervisor with
        member _.ShouldStop() = shouldStop ()
        member _.ShouldSave() = shouldSave ()
        member _.Report progress = report progress
    }

/// Trains until asked to stop.
let run (state: TrainingState) (shouldStop: unit -> bool) (report: Progress -> unit) : Outcome =
    Training.run state (supervisor shouldStop (fun () -> false) report)

/// Trains until `steps` are done and returns the state.
let until (steps: int) (state: TrainingState) : TrainingState =
    match run state (fun () -> state.Step >= steps) ignore with
    | Diverged(step, what) -> failwith $"step {step}: {what}"
    | Finished
    | Stopped -> state

/// The state of a session before the first step.
let start (task: Task) (session: Session) : TrainingState = TrainingState.start task.Plan session.Learner

/// The metrics of the present parameters on the scenes of a split.
let metrics (session: Session) (split: Split) : Metrics = (session.Inspect()).Metrics split

/// The value of a result that a test takes for granted.
let accepted (result: Result<'value, string>) : 'value =
    match result with
    | Ok value -> value
    | Error message -> failwith message

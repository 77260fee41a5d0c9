namespace Scae.Core.Training

open System
open Scae.Tensors
open Scae.Core.Layers

/// The best epoch so far, with the model's tensors as they were evaluated.
type BestEpoch = { Epoch: int; Value: float; Tensors: (string * Tensor) list }

/// Parameters that follow one rule, and the optimizer's memory of them.
type TrainedGroup =
    { Rule: UpdateRule; Parameters: (string * Tensor) list; Memory: OptimizerState }

/// Everything that changes during training: a checkpoint of it resumes with the same bits.
type TrainingState =
    {
        Learner: Learner
        Plan: Plan
        Groups: TrainedGroup list
        /// The parameters' averages over the steps, if the plan wants them.
        Averages: (string * Tensor) list
        /// Steps done.
        mutable Step: int
        /// The sums over the present epoch's steps: of the loss, then of its terms.
        mutable Sums: float[]
        mutable Evaluations: Evaluation list
        /// Hyperparameters of measuring that have other values in the run than when it made its evaluations, with the
        /// values that they had then: a run can be measured otherwise at its end.
        mutable EvaluatedWith: (string * string) list
        mutable Best: BestEpoch option
    }

/// The state of a training.
[<RequireQualifiedAccess>]
module TrainingState =
    /// The state before the first step.
    let start (plan: Plan) (learner: Learner) : TrainingState =
        let group (rule: UpdateRule) (members: (string * Tensor) list) =
            {
                Rule = rule
                Parameters = members
                Memory = Optimizer.init rule.Optimizer (List.map snd members)
            }

        let trained =
            learner.Tensors
            |> List.choose (fun (name, tensor) -> Plan.rule plan name |> Option.map (fun rule -> rule, (name, tensor)))

        {
            Learner = learner
            Plan = plan
            Groups = trained |> List.groupBy fst |> List.map (fun (rule, members) -> group rule (List.map snd members))
            Averages =
                match plan.Average with
                | ValueSome _ -> [ for _, (name, tensor) in trained -> name, tensor.primal.clone () ]
                | ValueNone -> []
            Step = 0
            Sums = [||]
            Evaluations = []
            EvaluatedWith = []
            Best = None
        }

    /// Runs an action while the model has the elements of other tensors with the same names, and exchanges them back
    /// afterwards.
    let private within (learner: Learner) (others: (string * Tensor) list) (action: unit -> 'result) : 'result =
        let own = Map.ofList learner.Tensors

        let exchange () =
            for name, other in others do
                Parameters.exchange own[name] other

        exchange ()

        try
            action ()
        finally
            exchange ()

    /// Runs an action while the model has the tensors that are evaluated: the averages, if the plan wants them.
    let asEvaluated (state: TrainingState) (action: unit -> 'result) : 'result =
        if state.Averages.IsEmpty then
            action ()
        else
            within state.Learner state.Averages action

    /// Runs an action while the model has the tensors of the epoch that was best on validation scenes.
    let atBest (state: TrainingState) (action: unit -> 'result) : 'result =
        match state.Best with
        | Some best -> within state.Learner best.Tensors action
        | None -> asEvaluated state action

    /// Whether the best epoch's tensors are those that are evaluated now.
    let isAtBest (state: TrainingState) : bool =
        match state.Best with
        | Some best -> best.Epoch * state.Plan.StepsPerEpoch = state.Step
        | None -> true

    let private isBetter (plan: Plan) (value: float) (best: BestEpoch option) =
        match best with
        | _ when Double.IsNaN value -> false
        | None -> true
        | Some best when plan.BestBy.Larger -> value > best.Value
        | Some best -> value < best.Value

    /// The metric by which epochs are chosen. Raises InvalidOperationException if an experiment's validation doesn't have it.
    let private chosenBy (plan: Plan) (metrics: Metrics) : float =
        match metrics |> List.tryFind (fun (name, _) -> name = plan.BestBy.Metric) with
        | Some(_, value) -> value
        | None ->
            let names = metrics |> List.map fst |> String.concat ", "
            invalidOp $"{plan.BestBy.Metric}: epochs are chosen by it, but validation has only {names}"

    /// Keeps the present tensors if the value by which epochs are chosen is the best so far; returns whether it is.
    let private keepIfBest (state: TrainingState) (epoch: int) (value: float) : bool =
        let isBest = isBetter state.Plan value state.Best

        if isBest then
            let tensors =
                match state.Best with
                | None -> [ for name, tensor in state.Learner.Tensors -> name, tensor.primal.clone () ]
                | Some best ->
                    List.iter2 (fun (_, kept) (_, now) -> Parameters.assign kept now) best.Tensors state.Learner.Tensors
                    best.Tensors

            state.Best <- Some { Epoch = epoch; Value = value; Tensors = tensors }

        isBest

    /// Evaluates at the end of an epoch; also returns whether it is the best so far.
    let evaluate (termNames: string list) (state: TrainingState) : Evaluation * bool =
        let plan = state.Plan

        asEvaluated state (fun () ->
            let means = state.Sums |> Array.map (fun sum -> sum / float plan.StepsPerEpoch)

            let evaluation =
                {
                    Epoch = state.Step / plan.StepsPerEpoch
                    Step = state.Step
                    TrainLoss = means[0]
                    TrainTerms = termNames |> List.mapi (fun i name -> name, means[i + 1])
                    Metrics = state.Learner.Validate()
                }

            let isBest = keepIfBest state evaluation.Epoch (chosenBy plan evaluation.Metrics)
            Array.Clear state.Sums
            state.Evaluations <- state.Evaluations @ [ evaluation ]
            evaluation, isBest)

    /// A snapshot of the present moment, from the tensors that are evaluated.
    let snapshot (state: TrainingState) : Snapshot =
        { Step = state.Step; Values = asEvaluated state state.Learner.Snapshot }

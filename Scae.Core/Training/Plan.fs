namespace Scae.Core.Training

open Scae.Core.Layers

/// The metric by which the best epoch is chosen, on validation scenes.
type BestBy = { Metric: string; Larger: bool }

/// How parameters follow their gradients.
type UpdateRule =
    {
        Optimizer: Optimizer
        LearningRate: Schedule
        /// The largest global norm of the gradients of all parameters that have this rule.
        Clip: float voption
    }

/// Tensors of a model that don't follow the plan's own rule. A prefix stands for the tensor of that name and for all below
/// it: probe for probe.weight and probe.bias.
type ParameterGroup =
    /// Parameters with a rule of their own.
    | Ruled of prefix: string * UpdateRule
    /// No parameters, but state that the loss renews (see Loss.Next), such as a running average: it has no gradient.
    | Kept of prefix: string

/// How a training proceeds.
type Plan =
    {
        Epochs: int
        StepsPerEpoch: int
        BatchSize: int
        /// How parameters are updated that no group names.
        Rule: UpdateRule
        Groups: ParameterGroup list
        /// With a value d the parameters are averaged over the steps, a ← d·a + (1 − d)·p, and what is evaluated, chosen
        /// and drawn is the average. In step t, counted from 0, d is at most (1 + t) / (10 + t).
        Average: float voption
        /// Steps between snapshots; 0 for none.
        SnapshotEvery: int
        /// Whether batches or losses depend on where the training ends; step sizes say it themselves.
        EndMatters: bool
        /// Whether scenes that are measured are kept with their inputs; else they are made when they are looked at.
        KeepsScenes: bool
        /// Bytes that reading a measured scene keeps until the split is read, beside what its inputs make necessary.
        SceneBytes: float
        /// What is made before the first step and takes long, told to whoever waits, in words that follow "first".
        Preparation: string voption
        BestBy: BestBy
    }

    /// Steps of the whole training.
    member plan.Steps: int = plan.Epochs * plan.StepsPerEpoch

/// Which rule holds for a tensor of a model.
[<RequireQualifiedAccess>]
module Plan =
    let private isBelow (prefix: string) (name: string) =
        name = prefix || name.StartsWith(prefix + ".", System.StringComparison.Ordinal)

    /// The rule of a parameter; none for state that is no parameter. The first group that names it counts.
    let rule (plan: Plan) (name: string) : UpdateRule option =
        let group =
            plan.Groups
            |> List.tryFind (function
                | Ruled(prefix, _)
                | Kept prefix -> isBelow prefix name)

        match group with
        | None -> Some plan.Rule
        | Some(Ruled(_, rule)) -> Some rule
        | Some(Kept _) -> None

    /// A model whose parameters have derivatives; what is state has none.
    let differentiable (plan: Plan) (model: 'model) : 'model =
        model
        |> Parameters.mapi (fun name tensor ->
            if (rule plan name).IsSome then
                tensor.reverseDiff ()
            else
                tensor)

    /// Whether a training by one plan, gone on with by another with more epochs, is what the longer one would have been: they
    /// differ in nothing else, and no step depends on where the training ends.
    let extends (before: Plan) (longer: Plan) : bool =
        longer.Epochs >= before.Epochs
        && not longer.EndMatters
        && { before with Epochs = longer.Epochs } = longer

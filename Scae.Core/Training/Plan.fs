namespace Scae.Core.Training

open Scae.Core.Layers

/// The metric by which the best epoch is chosen, on validation scenes.
type BestBy = { Metric: string; Larger: bool }

/// How parameters are updated from their gradients.
type UpdateRule =
    {
        Optimizer: Optimizer
        LearningRate: Schedule
        /// The largest allowed global norm of the gradients of all parameters with this rule.
        Clip: float voption
    }

/// Tensors of a model that don't follow the plan's own rule. A prefix stands for the tensor of that name and all
/// tensors below it: probe for probe.weight and probe.bias.
type ParameterGroup =
    /// Parameters with a rule of their own.
    | Ruled of prefix: string * UpdateRule
    /// Not parameters but state that the loss renews (see Loss.Next), such as a running average. It has no gradient.
    | Kept of prefix: string

/// How a training proceeds.
type Plan =
    {
        Epochs: int
        StepsPerEpoch: int
        BatchSize: int
        /// The rule for parameters that belong to no group.
        Rule: UpdateRule
        Groups: ParameterGroup list
        /// With a value d, parameters are averaged over the steps, a ← d·a + (1 − d)·p, and the average is what is
        /// evaluated, chosen and drawn. In step t, counted from 0, d is at most (1 + t) / (10 + t).
        Average: float voption
        /// Steps between snapshots; 0 for none.
        SnapshotEvery: int
        /// Whether batches or losses depend on where the training ends. (Step sizes tell that themselves.)
        EndMatters: bool
        /// Whether the scenes for measuring are kept with their inputs; otherwise they are made when they are needed.
        KeepsScenes: bool
        /// How many bytes are kept for each measured scene until its split has been read, besides what its inputs need.
        SceneBytes: float
        /// What is prepared before the first step if that takes long, in words for the user that follow "first".
        Preparation: string voption
        BestBy: BestBy
    }

    /// Steps of the whole training.
    member plan.Steps: int = plan.Epochs * plan.StepsPerEpoch

/// Finds the rule for a tensor of a model.
[<RequireQualifiedAccess>]
module Plan =
    let private isBelow (prefix: string) (name: string) =
        name = prefix || name.StartsWith(prefix + ".", System.StringComparison.Ordinal)

    /// The rule of a parameter; None for state that isn't a parameter. The first group that names it counts.
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

    /// The model with its parameters marked to have derivatives; other state has none.
    let differentiable (plan: Plan) (model: 'model) : 'model =
        model
        |> Parameters.mapi (fun name tensor ->
            if (rule plan name).IsSome then
                tensor.reverseDiff ()
            else
                tensor)

    /// Whether a training by one plan can be continued by a longer one, with the same result as if it had followed
    /// the longer one from the beginning. They must differ only in the number of epochs, on which no step may depend, and
    /// in what a scene takes when it is read.
    let extends (before: Plan) (longer: Plan) : bool =
        longer.Epochs >= before.Epochs
        && (longer.Epochs = before.Epochs || not longer.EndMatters)
        && { before with Epochs = longer.Epochs; SceneBytes = longer.SceneBytes } = longer

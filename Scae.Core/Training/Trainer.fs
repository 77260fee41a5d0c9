namespace Scae.Core.Training

open System
open Scae.Tensors
open Scae.Core.Layers

/// A training step in its parts, over recorded operations. Nothing is allocated after the first step.
[<Sealed>]
type Trainer(state: TrainingState) =
    let loss, recording =
        state.Learner.Fill state.Step
        let loss = ref Unchecked.defaultof<Loss>

        let recording =
            Recording.Of(fun () ->
                loss.Value <- state.Learner.Loss()

                loss.Value.Total :: (List.map snd loss.Value.Terms @ List.map snd loss.Value.Next) |> Seq.ofList)

        loss.Value, recording

    let updaters =
        recording.Reverse()

        [|
            for group in state.Groups ->
                let parameters = group.Parameters |> List.map snd |> Array.ofList
                group.Rule, Updater(group.Memory, parameters, parameters |> Array.map _.derivative)
        |]

    let terms = loss.Terms |> List.map snd |> Array.ofList
    let next = Array.ofList loss.Next

    let averages =
        let parameters = state.Groups |> List.collect _.Parameters |> Map.ofList
        [| for name, average in state.Averages -> struct (average, parameters[name]) |]

    do
        if state.Sums.Length <> 1 + terms.Length then
            // Amid an epoch that a version with other terms began, the sums of its first steps are lost: no number is better than a
            // wrong one.
            let begun = state.Step % state.Plan.StepsPerEpoch <> 0
            state.Sums <- Array.create (1 + terms.Length) (if begun then nan else 0.0)

    // The decay starts low, so that averages soon forget the initial parameters.
    let average (decay: float) =
        let share = 1.0 - min decay (float (1 + state.Step) / float (10 + state.Step))

        for struct (average, parameter) in averages do
            Updates.Average(average, parameter, share)

    /// How many operations the forward pass replays.
    member _.Operations: int = recording.Count

    /// The names of the terms of the loss.
    member _.TermNames: string list = loss.Terms |> List.map fst

    /// Draws the next batch.
    member _.Fill() : unit = state.Learner.Fill state.Step

    /// Computes the loss of the batch.
    member _.Forward() : float =
        recording.Forward()
        loss.Total.toScalar ()

    /// Computes the gradients.
    member _.Reverse() : unit = recording.Reverse()

    /// Updates the parameters, renews state that isn't a parameter, and adds the loss and its terms to the epoch's sums.
    member _.Update() : unit =
        for rule, updater in updaters do
            updater.Step(Schedule.at rule.LearningRate state.Step, state.Step + 1, rule.Clip)

        for target, value in next do
            Parameters.assign target value

        match state.Plan.Average with
        | ValueSome decay -> average decay
        | ValueNone -> ()

        state.Sums[0] <- state.Sums[0] + loss.Total.toScalar ()

        for i in 0 .. terms.Length - 1 do
            state.Sums[i + 1] <- state.Sums[i + 1] + terms[i].toScalar()

        state.Step <- state.Step + 1

    /// The names of the parameters whose gradients aren't finite.
    member _.NonFinite() : string list =
        [
            for group, (_, updater) in Seq.zip state.Groups updaters do
                for (name, _), finite in Seq.zip group.Parameters (updater.FiniteGradients()) do
                    if not finite then
                        name
        ]

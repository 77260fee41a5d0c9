namespace Scae.Core.Configuration

/// Hyperparameters that are read only where others have certain values, as `--warm-up` is only with `--schedule fast`.
type Dependence =
    {
        /// What they need, in the words of the command line: `--schedule fast`.
        Needs: string
        /// Whether the other hyperparameters have these values.
        IsMet: bool
        /// The names of the hyperparameters.
        Names: string list
    }

/// A hyperparameter that somebody gives and that changes nothing that is learned or measured would seem to count, so it is refused. One that comes from a preset or
/// from a run that was begun isn't: it has its value for other cases.
[<RequireQualifiedAccess>]
module Dependence =
    /// Hyperparameters that are read only if something is so, which the first text says in the words of the command line.
    let needs (what: string) (isMet: bool) (names: string list) : Dependence =
        { Needs = what; IsMet = isMet; Names = names }

    /// Why one of the given hyperparameters has no effect on any of some trainings, whose dependences these are; in one line.
    let refusal (given: (string * string) list) (trainings: Dependence list list) : string option =
        let unmet (name: string) (dependences: Dependence list) =
            dependences |> List.tryFind (fun other -> not other.IsMet && List.contains name other.Names)

        given
        |> List.tryPick (fun (name, value) ->
            match trainings |> List.map (unmet name) with
            | Some first :: others when List.forall Option.isSome others ->
                Some $"--{name} {value}: needs {first.Needs}"
            | _ -> None)

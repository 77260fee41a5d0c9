namespace Scae.Core.Configuration

/// A computation whose steps may each fail with a line that says why.
type internal ResultBuilder() =
    member _.Bind(result: Result<'a, string>, next: 'a -> Result<'b, string>) : Result<'b, string> =
        Result.bind next result

    member _.Return(value: 'a) : Result<'a, string> = Ok value
    member _.ReturnFrom(result: Result<'a, string>) : Result<'a, string> = result

[<AutoOpen>]
module internal ResultBuilder =
    let result = ResultBuilder()

/// Functions that FSharp.Core's module of this name lacks.
[<RequireQualifiedAccess>]
module internal Result =
    /// Applies a step to each item in turn. The result is the list of results or the first error, after which no item
    /// is tried.
    let rec traverse (step: 'a -> Result<'b, string>) (items: 'a list) : Result<'b list, string> =
        match items with
        | [] -> Ok []
        | item :: rest ->
            step item
            |> Result.bind (fun first -> traverse step rest |> Result.map (fun others -> first :: others))

    /// The first error of a check of each item in turn.
    let check (step: 'a -> Result<unit, string>) (items: 'a list) : Result<unit, string> =
        traverse step items |> Result.map ignore

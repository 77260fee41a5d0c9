/// Checks the gradients of the example's paper, trains it for a moment, and says what it would draw:
/// `dotnet run -c Release --project examples/StrokeVae`. In the program itself the command line does
/// this; CONTRIBUTING.md says what to add there.
module Scae.Examples.StrokeVae.Program

open System.IO
open System.Reflection
open Scae.Core.Experiments
open Scae.Core.Training

let private specification =
    use file = nonNull (Assembly.GetExecutingAssembly().GetManifestResourceStream "spec.json")
    use reader = new StreamReader(file)
    Specification.parse (reader.ReadToEnd())

let private experiment = Experiment.ofSpecification specification [ "vae", StrokeVae.variant ]

let private tell =
    { new ISupervisor with
        member _.ShouldStop() = false
        member _.ShouldSave() = false

        member _.Report progress =
            match progress with
            | Evaluated({ Epoch = epoch; TrainLoss = loss; Metrics = [ name, value ] }, _) ->
                printfn $"epoch {epoch}: loss {loss:F1}, {name} {value:F4}"
            | _ -> ()
    }

let private train (task: Task) (session: Session) =
    let state = TrainingState.start task.Plan session.Learner

    match Training.run state tell with
    | Finished ->
        let metrics, figures = Results.all session state { Evaluations = state.Evaluations; Snapshots = [] }
        let names = figures |> List.map _.Name |> String.concat ", "
        printfn $"test {List.head metrics |> snd:F4}; figures {names}"
        Ok()
    | other -> Error $"%A{other}"

// name=value. A word without "=" gets an empty value, which is refused later.
let private pair (word: string) =
    match word.Split('=', 2) with
    | [| name; value |] -> name, value
    | _ -> word, ""

[<EntryPoint>]
let main overrides =
    let overrides = List.ofArray overrides |> List.map pair

    let outcome =
        Experiments.preset (Some "wide") experiment
        |> Result.bind (fun preset -> experiment.Configure preset overrides)
        |> Result.bind (fun task ->
            Experiment.checkGradient task Resources.none 0L
            |> Result.bind (fun comparisons ->
                let worst = comparisons |> List.map _.RelativeError |> List.max
                printfn $"gradients agree with differences: {worst < 1e-6}"
                Experiment.openSeed task Resources.none 0L |> Result.bind (train task)))

    match outcome with
    | Ok() -> 0
    | Error message ->
        eprintfn $"{message}"
        1

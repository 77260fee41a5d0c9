namespace Scae.Core.CommandLine

open System
open System.Globalization
open System.Text.RegularExpressions
open Scae.Core.Configuration
open Scae.Core.Experiments

/// What a command works on: presets with hyperparameters that fit them, and the seeds and values of a sweep.
[<RequireQualifiedAccess>]
module internal Choice =
    /// A preset with some hyperparameters, some of which may have no effect. The error is one line. If only other presets have a
    /// hyperparameter, the error names them.
    let private task
        (overrides: (string * string) list)
        (experiment: Experiment)
        (preset: Preset)
        : Result<Task, string> =
        let has name (preset: Preset) = experiment.Settings preset |> List.exists (fun setting -> setting.Name = name)

        let elsewhere (name: string, _) =
            match experiment.Specification.Presets |> List.filter (has name) with
            | others when has name preset || others.IsEmpty -> None
            | others ->
                let names = others |> List.map _.Name |> String.concat ", "
                Some $"--{name}: preset {preset.Name} has no such hyperparameter; presets that do: {names}"

        match overrides |> List.tryPick elsewhere with
        | Some message -> Error message
        | None -> Experiment.restore experiment preset overrides

    /// Whether each of the given hyperparameters has an effect on some of the tasks. The error is one line.
    let private someRead (given: (string * string) list) (tasks: Task list) : Result<unit, string> =
        match Dependence.refusal given (tasks |> List.map _.Dependences) with
        | Some message -> Error message
        | None -> Ok()

    /// Whether a preset takes these hyperparameters with these values, and all of them have an effect. The error is one line.
    let check (overrides: (string * string) list) (experiment: Experiment) (preset: Preset) : Result<unit, string> =
        task overrides experiment preset |> Result.bind (List.singleton >> someRead overrides)

    /// Those of several experiments that have a preset, all of them for None; a single one must have it. The error is one line.
    let having (preset: string option) (experiments: Experiment list) : Result<Experiment list, string> =
        let names (experiment: Experiment) = experiment.Specification.Presets |> List.map _.Name

        match preset, experiments with
        | None, _
        | _, [ _ ] -> Ok experiments
        | Some preset, _ ->
            match experiments |> List.filter (names >> List.contains preset) with
            | [] ->
                let nearest = experiments |> List.collect names |> List.distinct |> Spelling.nearest preset
                Error $"no experiment has a preset {preset}{nearest}"
            | some -> Ok some

    /// Parses an axis. Its hyperparameter must not be varied or given elsewhere.
    let private axis (overrides: (string * string) list) (before: string list) (text: string) =
        result {
            let! axis = Scan.parse text

            return!
                if before |> List.exists (fun other -> other.StartsWith($"{axis.Name}=", StringComparison.Ordinal)) then
                    Error $"--vary {text}: {axis.Name} is varied twice"
                elif overrides |> List.exists (fun (name, _) -> name = axis.Name) then
                    Error $"--vary {text}: {axis.Name} is also given as --{axis.Name}"
                else
                    Ok axis
        }

    /// Whether an axis has different values, however they are spelled, in combinations with their tasks.
    let private distinct (combined: ((string * string) list * Task) list) (axis: ScanAxis) : Result<unit, string> =
        let settled (value: string) =
            combined
            |> List.find (fun (settings, _) -> List.contains (axis.Name, value) settings)
            |> fun (_, task) -> Map.find axis.Name (Map.ofList task.Settings)

        match axis.Values |> List.groupBy settled |> List.tryFind (fun (_, same) -> same.Length > 1) with
        | Some(_, same) ->
            let spelled = String.concat " and " same
            Error $"--vary {axis.Name}: {spelled} are the same"
        | None -> Ok()

    /// The axes of a scan, if there are any. The preset must take every combination of their values, and each hyperparameter must
    /// have an effect on some of them. The error is one line.
    let axes
        (overrides: (string * string) list)
        (experiment: Experiment)
        (preset: Preset)
        (texts: string list)
        : Result<ScanAxis list, string> =
        result {
            let! axes =
                List.indexed texts |> Result.traverse (fun (i, text) -> axis overrides (List.truncate i texts) text)

            let! tasks =
                Scan.combinations axes
                |> Result.traverse (fun settings -> task (overrides @ settings) experiment preset)

            do! axes |> Result.check (distinct (List.zip (Scan.combinations axes) tasks))
            do! someRead (overrides @ [ for axis in axes -> axis.Name, String.concat "," axis.Values ]) tasks
            return axes
        }

    /// The presets to compare, each of which must take the hyperparameters, and some of which must heed each; none if there is no
    /// text. The error is one line.
    let compared
        (overrides: (string * string) list)
        (experiment: Experiment)
        (others: string list)
        (text: string option)
        : Result<Preset list, string> =
        match text, others with
        | None, _ -> Ok []
        | Some text, other :: _ -> Error $"--presets {text}: can't be with {other}"
        | Some text, [] ->
            result {
                let! presets = Comparison.choose experiment text
                let! tasks = presets |> Result.traverse (task overrides experiment)
                do! someRead overrides tasks
                return presets
            }

    let private seed (text: string) =
        match Int64.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
        | true, seed -> Some seed
        | _ -> None

    /// Seeds from a text such as 0..4, or 3 for a single one. The error is one line.
    let seeds (text: string) : Result<SeedRange, string> =
        match text.Split ".." |> Array.map seed with
        | [| Some one |] -> Ok { First = one; Last = one }
        | [| Some first; Some last |] when first <= last && uint64 (last - first) < uint64 Int32.MaxValue ->
            Ok { First = first; Last = last }
        | [| Some first; Some last |] when first <= last ->
            Error $"--seeds {text}: must be at most {Int32.MaxValue} seeds"
        | _ -> Error $"--seeds {text}: must be first..last with first ≤ last, such as 0..4"

    let private part = Regex(@"^[A-Za-z0-9_.,-]+\z", RegexOptions.CultureInvariant)

    // The formats of sbatch: minutes, M:S, H:M:S, D-H, D-H:M and D-H:M:S.
    let private limit =
        Regex(@"^(\d+(:\d{1,2}){0,2}|\d+-\d{1,2}(:\d{1,2}){0,2})\z", RegexOptions.CultureInvariant)

    /// The name of one partition or several. It may hold nothing that has a meaning to a shell. The error is one line.
    let partition (text: string option) : Result<string option, string> =
        match text with
        | Some name when not (part.IsMatch name) ->
            Error $"--partition {name}: must be a partition's name, or several with commas between"
        | _ -> Ok text

    /// A time limit in minutes.
    let private minutes (limit: string) : float =
        let numbers (text: string) = text.Split ':' |> Array.map float |> List.ofArray

        match limit.Split '-' with
        | [| days; rest |] ->
            let ofHours = List.map2 (*) [ 60.0; 1.0; 1.0 / 60.0 ] (List.truncate 3 (numbers rest @ [ 0.0; 0.0 ]))
            1440.0 * float days + List.sum ofHours
        | _ ->
            match numbers limit with
            | [ minutes ] -> minutes
            | [ minutes; seconds ] -> minutes + seconds / 60.0
            | [ hours; minutes; seconds ] -> 60.0 * hours + minutes + seconds / 60.0
            | _ -> infinity

    // A task asks for a warning a minute before its end, and Slurm may send it up to a minute earlier. A limit of 0
    // would mean none.
    [<Literal>]
    let private LeastMinutes = 3.0

    /// A limit of time as Slurm writes it. The error is one line.
    let timeLimit (text: string option) : Result<string option, string> =
        match text with
        | Some time when not (limit.IsMatch time) ->
            Error $"--time {time}: must be minutes, hours:minutes:seconds or days-hours, such as 30, 1:30:00 or 2-12"
        | Some time when minutes time > 0.0 && minutes time < LeastMinutes ->
            Error
                $"--time {time}: must be at least {LeastMinutes} minutes, of which a task may have one to train and two to save"
        | _ -> Ok text

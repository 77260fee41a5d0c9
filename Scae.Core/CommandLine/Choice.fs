namespace Scae.Core.CommandLine

open System
open System.Globalization
open System.Text.RegularExpressions
open Scae.Core.Configuration
open Scae.Core.Experiments

/// What a command works on: presets with hyperparameters that fit them, and the seeds and values of a sweep.
[<RequireQualifiedAccess>]
module internal Choice =
    /// Whether a preset takes some hyperparameters with these values. The error is one line; of a hyperparameter that only
    /// other presets have it names these.
    let check (overrides: (string * string) list) (experiment: Experiment) (preset: Preset) : Result<unit, string> =
        let has name (preset: Preset) = experiment.Settings preset |> List.exists (fun setting -> setting.Name = name)

        let elsewhere (name: string, _) =
            match experiment.Specification.Presets |> List.filter (has name) with
            | others when has name preset || others.IsEmpty -> None
            | others ->
                let names = others |> List.map _.Name |> String.concat ", "
                Some $"--{name}: preset {preset.Name} has no such hyperparameter; presets that do: {names}"

        match overrides |> List.tryPick elsewhere with
        | Some message -> Error message
        | None -> experiment.Configure preset overrides |> Result.map ignore

    /// The first error of several checks.
    let rec all (checks: (unit -> Result<unit, string>) list) : Result<unit, string> =
        match checks with
        | [] -> Ok()
        | check :: rest -> check () |> Result.bind (fun () -> all rest)

    /// Adds the axis that a text stands for to others.
    let private addAxis (overrides: (string * string) list) (axes: ScanAxis list) (text: string) =
        Scan.parse text
        |> Result.bind (fun axis ->
            if axes |> List.exists (fun other -> other.Name = axis.Name) then
                Error $"--vary {text}: {axis.Name} is varied twice"
            elif overrides |> List.exists (fun (name, _) -> name = axis.Name) then
                Error $"--vary {text}: {axis.Name} is also given as --{axis.Name}"
            else
                Ok(axes @ [ axis ]))

    /// The axes of a scan, each combination of which the preset takes. The error is one line.
    let axes
        (overrides: (string * string) list)
        (experiment: Experiment)
        (preset: Preset)
        (texts: string list)
        : Result<ScanAxis list, string> =
        (Ok [], texts)
        ||> List.fold (fun axes text -> axes |> Result.bind (fun axes -> addAxis overrides axes text))
        |> Result.bind (fun axes ->
            Scan.combinations axes
            |> List.map (fun settings -> fun () -> check (overrides @ settings) experiment preset)
            |> all
            |> Result.map (fun () -> axes))

    /// The presets to compare, each of which takes the hyperparameters; none for no text. The error is one line.
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
            Comparison.choose experiment text
            |> Result.bind (fun presets ->
                presets
                |> List.map (fun preset -> fun () -> check overrides experiment preset)
                |> all
                |> Result.map (fun () -> presets))

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
        | [| Some first; Some last |] when first <= last -> Error $"--seeds {text}: must be fewer than {Int32.MaxValue}"
        | _ -> Error $"--seeds {text}: must be first..last with first ≤ last, such as 0..4"

    let private part = Regex(@"^[A-Za-z0-9_.,-]+\z", RegexOptions.CultureInvariant)

    // sbatch's minutes, M:S, H:M:S, D-H, D-H:M and D-H:M:S.
    let private limit =
        Regex(@"^(\d+(:\d{1,2}){0,2}|\d+-\d{1,2}(:\d{1,2}){0,2})\z", RegexOptions.CultureInvariant)

    /// The name of a partition, or several; nothing in it means anything to a shell. The error is one line.
    let partition (text: string option) : Result<string option, string> =
        match text with
        | Some name when not (part.IsMatch name) ->
            Error $"--partition {name}: must be a partition's name, or several with commas between"
        | _ -> Ok text

    /// A limit of time as Slurm writes it. The error is one line.
    let timeLimit (text: string option) : Result<string option, string> =
        match text with
        | Some time when not (limit.IsMatch time) ->
            Error $"--time {time}: must be minutes, hours:minutes:seconds or days-hours, such as 30, 1:30:00 or 2-12"
        | _ -> Ok text

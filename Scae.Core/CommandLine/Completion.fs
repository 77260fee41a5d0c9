namespace Scae.Core.CommandLine

open System.IO
open System.Reflection
open Scae.Core.Configuration
open Scae.Core.Experiments

/// Scripts that complete scae's words in a shell. Each consists of a table of words, made from the same data as the
/// help, and a fixed part that looks them up (the files in Completion/). So a key press doesn't start a process of
/// scae.
[<RequireQualifiedAccess>]
module internal Completion =
    /// Words that may stand in one place, with their meanings. A single word with @ names a kind of value instead:
    /// @text, @folder, @file, @preset, @presets or @vary.
    type private Row = { Key: string; Words: (string * string) list }

    /// The shells that there are scripts for.
    let shells: string list = [ "bash"; "zsh"; "powershell" ]

    let private row key words = { Key = key; Words = words }

    /// The rows for the value of an option, which depend on the name of its field; a switch has no value.
    let private valueOf (owner: string) (option: string) (field: string option) : Row list =
        let words =
            match option, field with
            | _, None -> []
            | "--preset", _ -> [ "@preset" ]
            | "--presets", _ -> [ "@presets" ]
            | "--vary", _ -> [ "@vary" ]
            | "--format", _ -> [ "npz"; "onnx" ]
            // A key press doesn't look up which experiment a run's folder belongs to: those of all experiments are offered.
            | "--baseline", _ -> Experiments.all |> List.collect _.Baselines |> List.distinct
            | _, Some "folder" -> [ "@folder" ]
            | _, Some "file" -> [ "@file" ]
            | _ -> [ "@text" ]

        if words.IsEmpty then
            []
        else
            [ row $"value:{owner}:{option}" (words |> List.map (fun word -> word, "")) ]

    let private experiments =
        lazy (Experiments.all |> List.map (fun each -> each.Specification.Experiment, each.Specification.Summary))

    let private choicesOf (kind: string) : string list =
        match kind with
        | "true or false" -> [ "true"; "false" ]
        | "integer"
        | "number"
        | "text" -> [ "@text" ]
        | list when list.EndsWith '…' -> [ "@text" ]
        | choices -> choices.Split ", " |> List.ofArray

    /// The rows for the values of hyperparameters.
    let private valuesOf (owner: string) (settings: Setting list) : Row list =
        [
            for setting in settings ->
                row $"value:{owner}:--{setting.Name}" (choicesOf setting.Kind |> List.map (fun word -> word, ""))
        ]

    let private ofVerb (verb: string) : Row list =
        let options = Help.described verb
        // A key press doesn't look up which experiment a run's folder belongs to: those of all experiments are offered.
        let measuring =
            if verb = "eval" then
                Help.hyperparametersOf verb Experiments.all
            else
                []

        [
            match Help.mainOf verb with
            | Some "experiment" -> row $"main:{verb}" experiments.Value
            | Some "shell" -> row $"main:{verb}" (shells |> List.map (fun shell -> shell, ""))
            | Some kind -> row $"main:{verb}" [ $"@{kind}", "" ]
            | None -> ()
            row
                $"options:{verb}"
                ((options |> List.map (fun (name, _, meaning) -> name, meaning))
                 @ (measuring |> List.map (fun setting -> $"--{setting.Name}", setting.Summary)))
            yield! valuesOf verb measuring
            if List.contains "--set" (Help.optionsOf verb) && measuring.IsEmpty then
                row $"sets:{verb}" [ "yes", "" ]
            for name, field, _ in options do
                yield! valueOf verb name field
        ]

    let private ofExperiment (experiment: Experiment) : Row list =
        let specification = experiment.Specification

        let settings: Setting list =
            specification.Presets |> List.collect experiment.Settings |> List.distinctBy _.Name

        [
            row
                $"presets:{specification.Experiment}"
                (specification.Presets |> List.map (fun preset -> preset.Name, preset.Summary))
            row
                $"hyperparameters:{specification.Experiment}"
                (settings |> List.map (fun setting -> $"--{setting.Name}", setting.Summary))
            yield! valuesOf specification.Experiment settings
        ]

    let private rows () : Row list =
        [
            row "verbs" (Verbs.names |> List.map (fun verb -> verb, Verbs.summaryOf verb))
            row "experiments" experiments.Value
            // Every preset there is, for when no experiment has been named yet.
            row
                "presets:"
                (Experiments.all
                 |> List.collect (fun each -> each.Specification.Presets |> List.map (fun preset -> preset.Name, ""))
                 |> List.distinct)
            yield! Verbs.names |> List.collect ofVerb
            yield! Experiments.all |> List.collect ofExperiment
        ]

    let private fixedPart (name: string) : string =
        use stream = nonNull (Assembly.GetExecutingAssembly().GetManifestResourceStream $"completion/{name}")
        use reader = new StreamReader(stream)
        reader.ReadToEnd()

    // A single quote can't be escaped within single quotes of a POSIX shell, so these end, an escaped quote follows,
    // and they begin again.
    let private quoted (text: string) = "'" + text.Replace("'", @"'\''") + "'"

    /// A shell function that looks words up; `act` says what it does for each row.
    let private lookUp (act: Row -> string) : string =
        [
            "_scae_words() {"
            "    case $1 in"
            for row in rows () do
                $"    {quoted row.Key}) {act row} ;;"
            "    esac"
            "}"
            ""
            ""
        ]
        |> String.concat "\n"

    let private bash () =
        let names row = row.Words |> List.map fst |> String.concat " "

        "# Completion of scae for bash, written by scae completion bash.\n\n"
        + lookUp (fun row -> $"echo {quoted (names row)}")
        + fixedPart "scae.bash"

    let private zsh () =
        let described (name: string, meaning: string) = quoted (if meaning = "" then name else $"{name}:{meaning}")

        let assign row =
            let words = row.Words |> List.map described |> String.concat " "
            $"reply=({words})"

        "#compdef scae\n# Completion of scae for zsh, written by scae completion zsh.\n\n"
        + (lookUp assign).Replace("    case $1 in", "    reply=()\n    case $1 in")
        + fixedPart "scae.zsh"

    let private powershell () =
        let quoted (text: string) = "'" + text.Replace("'", "''") + "'"

        let line row =
            let words =
                row.Words
                |> List.map (fun (name, meaning) -> $"{quoted name} = {quoted meaning}")
                |> String.concat "; "

            $"    {quoted row.Key} = [ordered]@{{ {words} }}"

        [
            "# Completion of scae for PowerShell, written by scae completion powershell."
            ""
            "$ScaeWords = @{"
            yield! rows () |> List.map line
            "}"
            ""
            fixedPart "scae.ps1"
        ]
        |> String.concat "\n"

    /// The script for a shell; None for a shell without one.
    let script (shell: string) : string option =
        match shell with
        | "bash" -> Some(bash ())
        | "zsh" -> Some(zsh ())
        | "powershell" -> Some(powershell ())
        | _ -> None

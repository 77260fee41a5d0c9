namespace Scae.Core.CommandLine

/// A command of scae, and what it does.
type internal Verb = { Name: string; Summary: string }

/// The commands. Their options are unions of Argu's, in Unions.fs.
[<RequireQualifiedAccess>]
module internal Verbs =
    let private verb name summary = { Name = name; Summary = summary }

    /// In the order of the help page.
    let all: Verb list =
        [
            verb "list" "experiments, presets, published figures and targets."
            verb "train" "train an experiment; leaves a folder with numbers, checkpoint and pictures."
            verb "eval" "evaluate a run's checkpoint on fresh scenes."
            verb "figures" "draw the figures of a run again."
            verb "report" "runs as one HTML file: figures of merit, curves, pictures, and how to repeat them."
            verb "export" "a run's parameters for NumPy, or its encoder for ONNX Runtime."
            verb "sweep" "train several seeds, or combinations of hyperparameters; mean ± standard deviation."
            verb "verify" "run what paper-specs promises and say which targets hold."
            verb "gradcheck" "automatic derivatives against central differences, in float64."
            verb "bench" "milliseconds per training step, and how they split."
            verb "completion" "a script that completes scae's words in bash, zsh or PowerShell."
        ]

    /// Their names.
    let names: string list = all |> List.map _.Name

    /// What a command does; empty where there is no such command.
    let summaryOf (name: string) : string =
        all |> List.tryFind (fun verb -> verb.Name = name) |> Option.map _.Summary |> Option.defaultValue ""

    // Where summaries begin.
    [<Literal>]
    let private Column = 26

    /// The commands as a page of the given width. Argu would make the parsers of all commands for this, which takes
    /// longer than everything else that help does.
    let page (width: int) : string =
        [
            "USAGE: scae [--help] [--version] [<subcommand> [<options>]]"
            ""
            "SUBCOMMANDS:"
            ""
            for verb in all do
                let name = $"    {verb.Name} <options>"
                $"{name.PadRight Column}{verb.Summary}"
            ""
            "    Use 'scae <subcommand> --help' for additional information."
            ""
            "OPTIONS:"
            ""
            "    --version".PadRight Column + "say which version this is."
            "    --help".PadRight Column + "display this list of options."
        ]
        |> String.concat "\n"
        |> Page.fit width

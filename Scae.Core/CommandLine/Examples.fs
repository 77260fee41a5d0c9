namespace Scae.Core.CommandLine

/// A command line that a help page shows, and what it does. A test parses each.
type internal Example = { Words: string; Meaning: string }

/// The examples at the end of each command's help.
[<RequireQualifiedAccess>]
module internal Examples =
    let private example words meaning = { Words = words; Meaning = meaning }

    /// The examples of a command; of scae as a whole for any other word.
    let ofVerb (verb: string) : Example list =
        match verb with
        | "list" ->
            [
                example "scae list" "what there is to train, and what was published."
                example "scae list air" "one experiment's presets, published figures and targets."
                example "scae list --json" "the same for a program: hyperparameters with their defaults, too."
            ]
        | "train" ->
            [
                example "scae train constellations" "the default preset, into runs/constellations-published-0."
                example
                    "scae train air --preset quick --seed 3 --out trials/air"
                    "a few seconds, into a folder of yours."
                example
                    "scae train neural-em --hidden 24 --learning-rate 5e-4"
                    "hyperparameters in place of the preset's."
                example "scae train --resume --out trials/air" "go on where that run stopped."
                example "scae train constellations --json --threads 1" "numbers alone, on one core."
            ]
        | "eval" ->
            [
                example "scae eval runs/constellations-published-0" "on scenes of seed 1."
                example
                    "scae eval runs/constellations-routing-0 --baseline exact"
                    "beside what search without learning reaches."
                example
                    "scae eval runs/tvae-lpartial-mnist-0 --test-size 2000 --draws 50"
                    "more closely than the run did itself."
            ]
        | "figures" -> [ example "scae figures runs/air-paper-0" "into its folder figures." ]
        | "report" ->
            [
                example "scae report runs/air-paper-0" "runs/air-paper-0/report.html."
                example
                    "scae report runs/neural-em-published-sweep runs/neural-em-paper-0 --out both.html"
                    "a sweep beside a run."
                example
                    "scae report runs/air-paper-0 runs/air-paper-1 --out curves.png"
                    "the curves of both in one picture."
            ]
        | "export" ->
            [
                example "scae export runs/air-paper-0 --format npz" "parameters for numpy.load."
                example
                    "scae export runs/constellations-published-0 --format onnx --out encoder.onnx"
                    "the encoder for ONNX Runtime."
            ]
        | "sweep" ->
            [
                example "scae sweep constellations --seeds 0..4" "five seeds: mean ± standard deviation."
                example
                    "scae sweep neural-em --vary hidden=12,24 --vary iterations=2,4"
                    "four combinations, five seeds each."
                example "scae sweep ccae --presets best,noisy,noisier --seeds 0..2" "three presets side by side."
                example
                    "scae sweep constellations --seeds 0..99 --slurm --partition short --time 30 --cpus 1"
                    "an array job of a hundred tasks."
                example "scae sweep constellations --seeds 0..99 --collect" "the table of what is done."
            ]
        | "verify" ->
            [
                example "scae verify" "every target, days."
                example "scae verify constellations --preset published" "one preset's."
            ]
        | "gradcheck" ->
            [
                example "scae gradcheck" "every model."
                example "scae gradcheck air --preset quick --seed 3" "one, on another batch."
            ]
        | "bench" ->
            [
                example "scae bench" "every experiment's default preset on one core."
                example "scae bench scae --steps 20 --threads 2 --json" "one, twenty steps on two cores."
            ]
        | "completion" ->
            [
                example
                    "scae completion bash"
                    "eval \"$(scae completion bash)\", in ~/.bashrc; on macOS in ~/.bash_profile."
                example "scae completion zsh" "scae completion zsh > ~/.zfunc/_scae, with ~/.zfunc in fpath."
                example
                    "scae completion powershell"
                    "scae completion powershell | Out-String | Invoke-Expression, in $PROFILE."
            ]
        | _ ->
            [
                example "scae train constellations --preset quick" "a first training, a few seconds."
                example "scae report runs/constellations-quick-0" "what came of it, as one HTML file."
                example "scae train --help" "what train can do."
            ]

    /// The section of a help page: each command, and below it what it does.
    let section (verb: string) : string =
        [
            ""
            ""
            "EXAMPLES:"
            for example in ofVerb verb do
                ""
                $"    {example.Words}"
                $"        {example.Meaning}"
        ]
        |> String.concat "\n"

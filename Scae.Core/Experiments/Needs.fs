namespace Scae.Core.Experiments

open System
open System.Globalization
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Training

/// What a run takes memory for.
type Needed =
    /// A hyperparameter, such as batch-size, with its value.
    | Hyperparameter of name: string * value: int
    /// The model's parameters, so many.
    | Parameters of count: int64

/// Memory that a run will take, and what for.
type Need = { For: Needed; Bytes: float }

/// Estimates the memory that a run will take, before it takes it.
[<RequireQualifiedAccess>]
module Needs =
    // Steps over this many rows and twice as many are recorded: but for parameters, a step's memory is linear in the rows.
    [<Literal>]
    let private Few = 2

    // What reading a measured scene takes beside its inputs, in units of their size; a plan may add to this (SceneBytes). It was
    // measured by the largest memory of runs over 1,000 and 51,000 test scenes: a scene took 0.5 KB in constellations (inputs
    // 0.1), 7.6 in neural EM (2.3), and 7 in AIR (4).
    [<Literal>]
    let private ReadingInputs = 2.0

    // What a training keeps of each parameter, in units of its size, beside the recorded step: the optimizer's two moments, an average
    // and the best epoch's value; and all five once more in the bytes of a checkpoint.
    [<Literal>]
    let private KeptOfParameters = 9.0

    let private sizeOf (tensor: Tensor) : float =
        float tensor.nelement * (if tensor.dtype = Dtype.Float64 then 8.0 else 4.0)

    /// The bytes of a number of rows: of their inputs, and of a step recorded over them.
    let private measured
        (definition: Definition<'settings, 'data, 'model, 'batch, 'reading>)
        (settings: 'settings)
        (model: 'model)
        (rows: int)
        : float * float =
        let batch = definition.Allocate settings rows
        let step = Recording.Of(fun () -> Seq.singleton (definition.Loss settings model batch).Total)
        // A recording moves its values once, so for a moment they exist twice.
        Parameters.named batch |> List.sumBy (snd >> sizeOf), 2.0 * float step.Bytes

    /// What a run takes at its height: its recorded step, extrapolated from steps over a few rows; the inputs of the scenes that
    /// it keeps for training and measuring; and what is read of the measured ones. Data isn't loaded for the estimate.
    let internal ofDefinition
        (definition: Definition<'settings, 'data, 'model, 'batch, 'reading>)
        (settings: 'settings, plan: Plan)
        (values: (string * string) list)
        : Need list =
        let model = definition.Init settings Dtype.Float32 (Key.OfSeed 0L) |> Plan.differentiable plan
        let parameters = Parameters.named model |> List.map snd
        let fewInputs, fewSteps = measured definition settings model Few
        let moreInputs, moreSteps = measured definition settings model (2 * Few)
        let inputs, step = (moreInputs - fewInputs) / float Few, (moreSteps - fewSteps) / float Few

        [
            {
                For = Parameters(parameters |> List.sumBy (fun tensor -> int64 tensor.nelement))
                Bytes = KeptOfParameters * List.sumBy sizeOf parameters
            }
            for name, value in values do
                match name, Int32.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
                | "batch-size", _ ->
                    {
                        For = Hyperparameter(name, plan.BatchSize)
                        Bytes = fewSteps + step * float (plan.BatchSize - Few)
                    }
                | "train-size", (true, scenes) when plan.KeepsScenes ->
                    { For = Hyperparameter(name, scenes); Bytes = inputs * float scenes }
                | ("validation-size" | "test-size" | "probe-size" | "robustness-size" | "conditions-size"),
                  (true, scenes) ->
                    let ofInputs =
                        if plan.KeepsScenes then
                            (1.0 + ReadingInputs) * inputs
                        else
                            0.0

                    {
                        For = Hyperparameter(name, scenes)
                        Bytes = (ofInputs + plan.SceneBytes) * float scenes
                    }
                | _ -> ()
        ]

    let private size (bytes: float) : string =
        if bytes >= 1e9 then $"%.1f{bytes / 1e9} GB"
        elif bytes >= 1e6 then $"%.0f{bytes / 1e6} MB"
        else $"%.0f{bytes / 1e3} KB"

    /// Why a number of simultaneous runs, each with the same needs, don't fit into the available bytes. The line names the
    /// hyperparameter to lower, and --threads where one run alone would fit.
    let refusal (available: float) (runs: int64) (needs: Need list) : string option =
        let one = needs |> List.sumBy _.Bytes
        let total = float runs * one

        if total <= available then
            None
        else
            let largest = needs |> List.maxBy _.Bytes

            let option, lower =
                match largest.For with
                | Parameters count -> $"{count} parameters", "lower the sizes of layers"
                | Hyperparameter(name, value) -> $"--{name} {value}", "lower it"

            if runs <= 1L then
                Some
                    $"{option}: the run needs about {size total} of memory, {size largest.Bytes} for this, and {size available} are free; {lower}"
            else
                let fitting = int64 (available / one)

                let advice =
                    if fitting >= 1L then
                        $"; {lower}, or --threads to {fitting}"
                    else
                        $"; {lower}"

                Some
                    $"{option}: {runs} runs at once need about {size total} of memory, {size (float runs * largest.Bytes)} for this, and {size available} are free{advice}"

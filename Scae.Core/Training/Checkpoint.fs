namespace Scae.Core.Training

open System.Globalization
open System.Reflection
open System.Text.Json
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers

/// What identifies a run, which can be resumed only with the same identity.
type RunIdentity =
    {
        Experiment: string
        Preset: string
        Seed: int64
        /// Every hyperparameter with its value.
        Settings: (string * string) list
        Version: string
        /// The SHA-256 of the user's own files that the run is trained with. None if data is generated or published,
        /// and in checkpoints written by older versions.
        Data: string option
    }

/// What identifies a run.
[<RequireQualifiedAccess>]
module RunIdentity =
    /// The version of this program.
    let version: string =
        match Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>() with
        | null -> "0"
        | attribute -> attribute.InformationalVersion

/// Converts a training's state to bytes and back. The bytes are a safetensors file: the model's tensors as
/// model.NAME, the optimiser's memory as optimizer.first.NAME and optimizer.second.NAME, averages as average.NAME,
/// the best epoch's tensors as best.NAME, the sums of the present epoch as float64 [1 + terms], and the evaluations
/// as float64 [evaluations, 3 + terms + metrics], with NaN for what an evaluation doesn't have. They depend only on the
/// state: there are no times and no paths.
[<RequireQualifiedAccess>]
module Checkpoint =
    [<Literal>]
    let private Format = "scae-checkpoint-2"

    let private entry (tensor: Tensor) : TensorEntry =
        let data =
            match tensor.dtype with
            | Dtype.Float64 -> TensorData.F64(tensor.toArray<double>())
            | Dtype.Float32 -> TensorData.F32(tensor.toArray<float32>())
            | _ -> TensorData.I32(tensor.toArray<int>())

        { Shape = tensor.shape; Data = data }

    let private numbers (shape: int[]) (values: float[]) : TensorEntry = { Shape = shape; Data = TensorData.F64 values }

    let private identityMetadata (identity: RunIdentity) =
        [
            "format", Format
            "experiment", identity.Experiment
            "preset", identity.Preset
            "seed", string identity.Seed
            "version", identity.Version
            "settings", JsonSerializer.Serialize(dict identity.Settings)
            for data in Option.toList identity.Data do
                "data", data
        ]

    /// The names of what any evaluation has. A version that measures more goes on with runs of one that measured less.
    let private names (values: Evaluation -> Metrics) (evaluations: Evaluation list) : string list =
        evaluations |> List.collect (values >> List.map fst) |> List.distinct

    let private inOrder (names: string list) (values: Metrics) : float list =
        names
        |> List.map (fun name ->
            values |> List.tryFind (fun (other, _) -> other = name) |> Option.map snd |> Option.defaultValue nan)

    let private history (evaluations: Evaluation list) : TensorEntry * (string * string) list =
        let terms, metrics = names _.TrainTerms evaluations, names _.Metrics evaluations

        let rows =
            [|
                for e in evaluations do
                    float e.Epoch
                    float e.Step
                    e.TrainLoss
                    yield! inOrder terms e.TrainTerms
                    yield! inOrder metrics e.Metrics
            |]

        numbers [| evaluations.Length; 3 + terms.Length + metrics.Length |] rows,
        [ "terms", String.concat "," terms; "metrics", String.concat "," metrics ]

    let private prefixed (prefix: string) (tensors: (string * Tensor) list) =
        [ for name, tensor in tensors -> $"{prefix}.{name}", entry tensor ]

    /// The optimizer's memory of every group.
    let private memory (state: TrainingState) : (string * Tensor) list =
        state.Groups
        |> List.collect (fun group -> Optimizer.named (List.map fst group.Parameters) group.Memory)

    /// The whole state: enough to resume with the same bits.
    let last (identity: RunIdentity) (state: TrainingState) : byte[] =
        let rows, columns = history state.Evaluations

        let best, bestMetadata =
            match state.Best with
            | None -> [], []
            | Some best ->
                prefixed "best" best.Tensors,
                [
                    "best_epoch", string best.Epoch
                    "best_value", best.Value.ToString("R", CultureInfo.InvariantCulture)
                ]

        let otherwise =
            match state.EvaluatedWith with
            | [] -> []
            | values -> [ "evaluated_with", JsonSerializer.Serialize(dict values) ]

        let tensors =
            prefixed "model" state.Learner.Tensors
            @ [ for name, tensor in memory state -> name, entry tensor ]
            @ prefixed "average" state.Averages
            @ [ "sums", numbers [| state.Sums.Length |] state.Sums; "history", rows ]
            @ best

        Safetensors.serialize
            (identityMetadata identity @ [ "step", string state.Step ] @ columns @ bestMetadata @ otherwise
             |> Map.ofList)
            tensors

    /// The size of a checkpoint in bytes, including the best epoch's parameters, to within a few KB.
    let size (state: TrainingState) : int64 =
        let bytes (tensors: (string * Tensor) list) =
            tensors
            |> List.sumBy (fun (_, tensor) -> int64 tensor.nelement * (if tensor.dtype = Dtype.Float64 then 8L else 4L))

        2L * bytes state.Learner.Tensors + bytes (memory state) + bytes state.Averages

    /// The model's tensors in the best epoch, under their own names; None before the first evaluation.
    let best (identity: RunIdentity) (state: TrainingState) : byte[] option =
        state.Best
        |> Option.map (fun best ->
            Safetensors.serialize
                (Map.ofList (identityMetadata identity @ [ "epoch", string best.Epoch ]))
                [ for name, tensor in best.Tensors -> name, entry tensor ])

    /// A snapshot as a safetensors file of its own.
    let snapshot (identity: RunIdentity) (snapshot: Snapshot) : byte[] =
        Safetensors.serialize
            (Map.ofList (identityMetadata identity @ [ "step", string snapshot.Step ]))
            [ for name, tensor in snapshot.Values -> name, entry tensor ]

    let private tensor (entry: TensorEntry) : Tensor =
        match entry.Data with
        | TensorData.F64 values -> Tensor.``of`` (values, entry.Shape)
        | TensorData.F32 values -> Tensor.``of`` (values, entry.Shape)
        | TensorData.I32 values -> Tensor.``of`` (values, entry.Shape)
        | TensorData.I64 values -> Tensor.``of`` (Array.map int values, entry.Shape)
        | TensorData.U8 values -> Tensor.``of`` (Array.map int values, entry.Shape)

    let private metadata (file: SafetensorsFile) (name: string) : Result<string, string> =
        match Map.tryFind name file.Metadata with
        | Some value -> Ok value
        | None -> Error $"the file has no {name}; it isn't a checkpoint of scae"

    let private settingsOf (text: string) : Result<(string * string) list, string> =
        try
            JsonSerializer.Deserialize<System.Collections.Generic.Dictionary<string, string>> text
            |> Option.ofObj
            |> Option.filter (fun settings -> not (settings.ContainsValue Unchecked.defaultof<string>))
            |> Option.map (fun settings -> [ for pair in settings -> pair.Key, pair.Value ])
            |> Option.map Ok
            |> Option.defaultValue (Error "the checkpoint's settings aren't texts by name")
        with :? JsonException ->
            Error "the checkpoint's settings aren't JSON"

    /// The run that wrote a checkpoint. The error is one line.
    let identify (file: SafetensorsFile) : Result<RunIdentity, string> =
        let number (name: string) (text: string) =
            match System.Int64.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
            | true, value -> Ok value
            | _ -> Error $"{name} is {text}; it must be a whole number"

        result {
            let! format = metadata file "format"

            do!
                if format <> Format then
                    Error $"the checkpoint's format is {format}; this program reads {Format}"
                elif not file.Verified then
                    Error "the checkpoint has lost its checksum; it was changed after it was written"
                else
                    Ok()

            let! settings = metadata file "settings"
            let! settings = settingsOf settings
            let! experiment = metadata file "experiment"
            let! preset = metadata file "preset"
            let! seed = metadata file "seed"
            let! seed = number "seed" seed
            let! version = metadata file "version"

            return
                {
                    Experiment = experiment
                    Preset = preset
                    Seed = seed
                    Settings = settings
                    Version = version
                    Data = Map.tryFind "data" file.Metadata
                }
        }

    /// What differs between two runs, in one line; None if the one that is asked for can resume the saved one.
    let mismatch (saved: RunIdentity) (asked: RunIdentity) : string option =
        let settings =
            [
                for name, value in asked.Settings do
                    match saved.Settings |> List.tryFind (fun (other, _) -> other = name) with
                    | Some(_, before) when before <> value -> $"{name} was {before} and is now {value}"
                    | None -> $"{name} wasn't known"
                    | _ -> ()

                for name, value in saved.Settings do
                    if asked.Settings |> List.forall (fun (other, _) -> other <> name) then
                        $"{name} was {value} and isn't known any more"
            ]

        let differences =
            [
                if saved.Seed <> asked.Seed then
                    $"the seed was {saved.Seed} and is now {asked.Seed}"
                yield! settings
                match saved.Data, asked.Data with
                | Some before, Some now when before <> now ->
                    $"the files of --digits idx had the SHA-256 {before[..11]}… and now have {now[..11]}…"
                | _ -> ()
            ]

        // Another experiment, or a preset of another model, has quite other settings.
        let names (run: RunIdentity) = run.Settings |> List.map fst

        match differences with
        | _ when saved.Experiment <> asked.Experiment -> Some $"the experiment was {saved.Experiment}"
        | [] -> None
        | _ when saved.Preset <> asked.Preset && names saved <> names asked ->
            Some $"the preset was {saved.Preset} and is now {asked.Preset}"
        | some -> Some(String.concat ", " some)

    /// A whole number from 0 to a limit among the metadata. The error is one line.
    let private count (file: SafetensorsFile) (name: string) (most: int) : Result<int, string> =
        metadata file name
        |> Result.bind (fun text ->
            match System.Int32.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
            | true, value when value <= most -> Ok value
            | _ -> Error $"{name} is {text}; it must be a whole number from 0 to {most}")

    let private find (tensors: Map<string, TensorEntry>) (name: string) : Result<Tensor, string> =
        match Map.tryFind name tensors with
        | Some entry -> Ok(tensor entry)
        | None -> Error $"the checkpoint has no tensor {name}"

    let private assignAll (tensors: Map<string, TensorEntry>) (targets: (string * Tensor) list) : Result<unit, string> =
        targets
        |> Result.check (fun (name, target) ->
            find tensors name
            |> Result.bind (fun source ->
                if source.shape <> target.shape then
                    Error $"{name} is %A{source.shape} in the checkpoint and %A{target.shape} in the model"
                elif source.dtype <> target.dtype then
                    Error $"{name} is {source.dtype} in the checkpoint and {target.dtype} in the model"
                else
                    Ok(Parameters.assign target source)))

    /// The snapshot that a file holds. The error is one line.
    let restoreSnapshot (file: SafetensorsFile) : Result<Snapshot, string> =
        count file "step" System.Int32.MaxValue
        |> Result.map (fun step ->
            {
                Step = step
                Values = [ for KeyValue(name, entry) in file.Tensors -> name, tensor entry ]
            })

    /// The tensors of the best epoch under their own names, from what `last` or `best` wrote; none before the first evaluation.
    let bestTensors (file: SafetensorsFile) : Map<string, TensorEntry> =
        let prefix = "best."

        if file.Metadata.ContainsKey "step" then
            file.Tensors
            |> Map.toSeq
            |> Seq.filter (fun (name, _) -> name.StartsWith(prefix, System.StringComparison.Ordinal))
            |> Seq.map (fun (name, entry) -> name[prefix.Length ..], entry)
            |> Map.ofSeq
        else
            file.Tensors

    /// Writes the parameters of a run's best epoch into a model of the same shapes, in place: `model` is what the run's experiment
    /// makes of the run's hyperparameters (`identify`), drawn from any key. The file is what `last` or `best` wrote. The error is one
    /// line; the model may have been written in part then.
    let loadBest (file: SafetensorsFile) (model: 'model) : Result<unit, string> =
        identify file
        |> Result.bind (fun _ ->
            match bestTensors file with
            | tensors when tensors.IsEmpty ->
                Error "the checkpoint has no best epoch yet; the first is evaluated at its end"
            | tensors -> assignAll tensors (Parameters.named model))

    let private evaluations (file: SafetensorsFile) (rows: Tensor) : Result<Evaluation list, string> =
        let split (names: string) = names.Split(',', System.StringSplitOptions.RemoveEmptyEntries)

        result {
            let! terms = metadata file "terms"
            let! metrics = metadata file "metrics"
            let terms, metrics = split terms, split metrics
            let values = rows.toArray<double>()
            let width = 3 + terms.Length + metrics.Length

            do!
                if rows.shape.Length = 2 && rows.shape[1] = width then
                    Ok()
                else
                    Error $"history is %A{rows.shape} in the checkpoint; its terms and metrics make {width} columns"

            return
                [
                    for row in 0 .. rows.shape[0] - 1 ->
                        let at column = values[row * width + column]

                        let named first (names: string[]) =
                            [ for i in 0 .. names.Length - 1 -> names[i], at (first + i) ]

                        {
                            Epoch = int (at 0)
                            Step = int (at 1)
                            TrainLoss = at 2
                            TrainTerms = named 3 terms
                            Metrics = named (3 + terms.Length) metrics
                        }
                ]
        }

    let private restoreBest (file: SafetensorsFile) (learner: Learner) : Result<BestEpoch option, string> =
        match metadata file "best_epoch", metadata file "best_value" with
        | Ok _, Ok value ->
            result {
                let copies = learner.Tensors |> List.map (fun (name, target) -> name, target.primal.clone ())
                do! assignAll file.Tensors [ for name, copy in copies -> $"best.{name}", copy ]
                let! epoch = count file "best_epoch" System.Int32.MaxValue

                let! value =
                    match System.Double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture) with
                    | true, number -> Ok number
                    | _ -> Error $"best_value is {value}; it must be a number"

                return Some { Epoch = epoch; Value = value; Tensors = copies }
            }
        | _ -> Ok None

    /// Writes a checkpoint's state into a learner that was opened with the same settings. The error is one line.
    let restore (file: SafetensorsFile) (plan: Plan) (learner: Learner) : Result<TrainingState, string> =
        let fresh = TrainingState.start plan learner

        result {
            do!
                assignAll
                    file.Tensors
                    ([ for name, target in learner.Tensors -> $"model.{name}", target ]
                     @ memory fresh
                     @ [ for name, target in fresh.Averages -> $"average.{name}", target ])

            let! sums = find file.Tensors "sums"
            let! history = find file.Tensors "history"
            let! evaluations = evaluations file history
            let! step = count file "step" System.Int32.MaxValue
            let! best = restoreBest file learner

            let! evaluatedWith =
                match Map.tryFind "evaluated_with" file.Metadata with
                | Some text -> settingsOf text
                | None -> Ok []

            return
                { fresh with
                    Step = step
                    Sums = sums.toArray<double>()
                    Evaluations = evaluations
                    EvaluatedWith = evaluatedWith
                    Best = best
                }
        }

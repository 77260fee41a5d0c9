/// Checkpoints that were changed after they were written.
module Scae.Tests.Training.CheckpointTests

open System
open System.Buffers.Binary
open System.Text
open System.Text.RegularExpressions
open Expecto
open Scae.Core.Configuration
open Scae.Core.Experiments
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims

let private experiment: Lazy<Experiment> = lazy (Experiments.find "constellations" |> Trained.accepted)

let private task: Lazy<Task> =
    lazy
        (let preset = Experiments.preset None experiment.Value |> Trained.accepted

         experiment.Value.Configure
             preset
             [ "epochs", "3"; "steps-per-epoch", "20"; "validation-size", "32"; "test-size", "64" ]
         |> Trained.accepted)

let private session () : Session = task.Value.Open Resources.none (Keys.ofSeed 5L) |> Trained.accepted

/// Written after two epochs, so that there is a best one.
let private bytes: Lazy<byte[]> =
    lazy
        (Checkpoint.last
            {
                Experiment = "constellations"
                Preset = "published"
                Seed = 5L
                Settings = task.Value.Settings
                Version = "test"
                Data = None
            }
            (Trained.start task.Value (session ()) |> Trained.until 40))

let private parsed (bytes: byte[]) : SafetensorsFile = Safetensors.parse bytes |> Trained.accepted

/// The same file, with spaces in its header where the checksum was.
let private withoutChecksum (bytes: byte[]) : byte[] =
    let length = int (BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan(bytes, 0, 8)))
    let header = Encoding.UTF8.GetString(bytes, 8, length)

    let bare =
        Regex.Replace(
            header,
            $"\"{Regex.Escape Safetensors.ChecksumKey}\":\"[0-9a-f]*\",",
            fun found -> String(' ', found.Length)
        )

    Array.concat [ bytes[..7]; Encoding.UTF8.GetBytes bare; bytes[8 + length ..] ]

/// A whole file with the checkpoint's tensors changed.
let private changed (change: Map<string, TensorEntry> -> Map<string, TensorEntry>) : SafetensorsFile =
    let file = parsed bytes.Value
    parsed (Safetensors.serialize file.Metadata (Map.toList (change file.Tensors)))

let private refusal (file: SafetensorsFile) : string =
    match Checkpoint.restore file task.Value.Plan (session ()).Learner with
    | Error message -> message
    | Ok _ -> failtest "the checkpoint was restored"

[<Tests>]
let tests =
    testList
        "Training.Checkpoint"
        [
            testCase "the best epoch's parameters are loaded into a model, from either file"
            <| fun () ->
                let session = session ()
                let state = Trained.start task.Value session |> Trained.until 40
                let preset = Experiments.preset None experiment.Value |> Trained.accepted
                let identity = Experiment.identify experiment.Value preset task.Value Resources.none 5L
                let best = state.Best.Value.Tensors |> List.map (fun (name, tensor) -> name, tensor.toArray<float32>())

                for bytes in [ Checkpoint.last identity state; (Checkpoint.best identity state).Value ] do
                    let file = parsed bytes
                    Checkpoint.identify file |> Trained.accepted |> shouldEqual identity

                    let settings, _ =
                        ConstellationsExperiment.defaults
                        |> Settings.apply identity.Settings
                        |> Result.bind ConstellationsExperiment.resolve
                        |> Trained.accepted

                    let model = ConstellationCapsules.init settings.Capsules Dtype.Float32 (Key.OfSeed 77L)
                    Checkpoint.loadBest file model |> shouldEqual (Ok(): Result<unit, string>)

                    Parameters.named model
                    |> List.map (fun (name, tensor) -> name, tensor.toArray<float32>())
                    |> shouldEqual best

            testCase "a model of other shapes, and a file before the first evaluation, aren't loaded"
            <| fun () ->
                let published = ConstellationCapsules.published
                let narrow = { published with Width = published.Width / 2 }

                let load file config =
                    Checkpoint.loadBest file (ConstellationCapsules.init config Dtype.Float32 (Key.OfSeed 0L))

                match load (parsed bytes.Value) narrow with
                | Error message -> message |> shouldContainText "in the checkpoint and"
                | Ok() -> failtest "another model was loaded"

                let none = changed (Map.filter (fun name _ -> not (name.StartsWith "best.")))

                load none published
                |> shouldEqual (
                    Error "the checkpoint has no best epoch yet; the first is evaluated at its end"
                    : Result<unit, string>
                )

                load { none with Metadata = Map.empty } published |> Result.isError |> shouldEqual true

            testCase "amid an epoch that was begun with other terms of the loss, its training loss has no value"
            <| fun () ->
                let identity =
                    Experiment.identify
                        experiment.Value
                        (Experiments.preset None experiment.Value |> Trained.accepted)
                        task.Value
                        Resources.none
                        5L

                let lossAfter (steps: int) (width: int) =
                    let session = session ()
                    let state = Trained.start task.Value session |> Trained.until steps
                    let file = parsed (Checkpoint.last identity state)

                    let sums =
                        {
                            Shape = [| width |]
                            Data = TensorData.F64(Array.init width (fun i -> if i = 0 then state.Sums[0] else 0.0))
                        }

                    let file =
                        parsed (Safetensors.serialize file.Metadata (Map.toList (Map.add "sums" sums file.Tensors)))

                    match Checkpoint.restore file task.Value.Plan session.Learner with
                    | Error message -> failtest message
                    | Ok state -> (Trained.until 60 state).Evaluations |> List.last |> _.TrainLoss

                lossAfter 50 1 |> Double.IsFinite |> shouldEqual true
                lossAfter 50 3 |> Double.IsNaN |> shouldEqual true
                lossAfter 40 3 |> shouldEqual (lossAfter 40 1)

            testCase "a checkpoint that has lost its checksum is refused, whatever else it says"
            <| fun () ->
                let whole, bare = parsed bytes.Value, parsed (withoutChecksum bytes.Value)
                { bare with Verified = true } |> shouldEqual whole
                Checkpoint.identify whole |> Result.isOk |> shouldEqual true

                Checkpoint.identify bare
                |> shouldEqual (
                    Error "the checkpoint has lost its checksum; it was changed after it was written"
                    : Result<RunIdentity, string>
                )

            testCase "a checkpoint without one of its tensors isn't restored, and the error names it"
            <| fun () ->
                let names = (parsed bytes.Value).Tensors |> Map.toList |> List.map fst

                for kind in [ "model."; "optimizer.first."; "optimizer.second."; "best."; "sums"; "history" ] do
                    let name = names |> List.find _.StartsWith(kind)
                    refusal (changed (Map.remove name)) |> shouldEqual $"the checkpoint has no tensor {name}"

            testCase "a checkpoint with a tensor of another shape isn't restored, and the error has both"
            <| fun () ->
                for kind in [ "model."; "optimizer.first."; "best." ] do
                    let (KeyValue(name, entry)) =
                        (parsed bytes.Value).Tensors
                        |> Seq.find (fun (KeyValue(name, entry)) -> name.StartsWith kind && entry.Shape.Length = 2)

                    let other = Array.rev entry.Shape
                    other |> shouldDiffer entry.Shape

                    refusal (changed (Map.add name { entry with Shape = other }))
                    |> shouldEqual $"{name} is %A{other} in the checkpoint and %A{entry.Shape} in the model"

            testCase "a checkpoint with a tensor of another dtype isn't restored, and the error has both"
            <| fun () ->
                let (KeyValue(name, entry)) =
                    (parsed bytes.Value).Tensors |> Seq.find (fun (KeyValue(name, _)) -> name.StartsWith "model.")

                let data = TensorData.F64(Array.zeroCreate (Array.reduce (*) entry.Shape))

                refusal (changed (Map.add name { entry with Data = data }))
                |> shouldEqual $"{name} is Float64 in the checkpoint and Float32 in the model"

            testCase "a checkpoint whose numbers aren't numbers isn't restored"
            <| fun () ->
                let file = parsed bytes.Value

                for name, value, wanted in
                    [
                        "step", "banana", $"a whole number from 0 to {Int32.MaxValue}"
                        "step", "-7", $"a whole number from 0 to {Int32.MaxValue}"
                        "best_epoch", "99999999999", $"a whole number from 0 to {Int32.MaxValue}"
                        "best_value", "x", "a number"
                    ] do
                    let metadata = file.Metadata |> Map.remove Safetensors.ChecksumKey |> Map.add name value

                    refusal (parsed (Safetensors.serialize metadata (Map.toList file.Tensors)))
                    |> shouldEqual $"{name} is {value}; it must be {wanted}"

                let metadata =
                    file.Metadata |> Map.remove Safetensors.ChecksumKey |> Map.add "settings" """{"epochs":null}"""

                parsed (Safetensors.serialize metadata (Map.toList file.Tensors))
                |> Checkpoint.identify
                |> shouldEqual (Error "the checkpoint's settings aren't texts by name")

            testCase "evaluations keep what they have, and NaN where another has more"
            <| fun () ->
                let state = Trained.start task.Value (session ()) |> Trained.until 40

                let without, with' =
                    match state.Evaluations with
                    | [ first; second ] -> first, { second with Metrics = second.Metrics @ [ "new", 0.25 ] }
                    | other -> failtest $"{other.Length} evaluations"

                state.Evaluations <- [ without; with' ]
                state.EvaluatedWith <- [ "test-size", "32" ]
                let file = parsed (Checkpoint.last (Trained.accepted (Checkpoint.identify (parsed bytes.Value))) state)
                let restored = Trained.accepted (Checkpoint.restore file task.Value.Plan (session ()).Learner)
                restored.EvaluatedWith |> shouldEqual [ "test-size", "32" ]

                match restored.Evaluations with
                | [ first; second ] ->
                    second |> shouldEqual with'
                    let known, added = first.Metrics |> List.partition (fun (name, _) -> name <> "new")
                    known |> shouldEqual without.Metrics
                    added |> List.map (snd >> Double.IsNaN) |> shouldEqual [ true ]
                | other -> failtest $"{other.Length} evaluations"

            testCase "a history without a column for each of its metrics isn't restored"
            <| fun () ->
                let change (entry: TensorEntry) = { entry with Shape = Array.rev entry.Shape }

                let shape = (parsed bytes.Value).Tensors["history"].Shape
                shape[0] |> shouldDiffer shape[1]

                refusal (changed (Map.change "history" (Option.map change)))
                |> shouldEqual
                    $"history is %A{Array.rev shape} in the checkpoint; its terms and metrics make {shape[1]} columns"
        ]

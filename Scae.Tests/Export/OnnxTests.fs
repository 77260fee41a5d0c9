/// Encoders as ONNX graphs, run by ONNX Runtime beside the models that they come from.
module Scae.Tests.Export.OnnxTests

open System.IO
open Expecto
open Scae.Tests.Turns
open Microsoft.ML.OnnxRuntime
open Scae.Cli.Export
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine
open Scae.Tests.Export.Onnx

[<Tests>]
let tests =
    inTurn
        "Export.Onnx"
        [
            for heads in [ 1; 4 ] do
                testCase
                    $"constellations' encoder says the same in ONNX Runtime, with {heads} heads and any number of points"
                <| fun () ->
                    let config = { ConstellationCapsules.published with Heads = heads }
                    let model = ConstellationCapsules.init config Dtype.Float32 (Key.OfSeed 1L) |> jittered
                    let graph = bytes (ConstellationsEncoder.Graph(weights model [ "heads", string heads ]))

                    for scenes, points in [ 1, 1; 3, 11; 8, 4 ] do
                        let x = random [ scenes; points; 2 ] $"{points}"
                        let poses, attention = ConstellationCapsules.encode config model x
                        let found = outputs graph "points" x
                        found["poses"] |> shouldBeThe poses
                        found["attention"] |> shouldBeThe attention

            testCase "the comparison notices a weight that is another"
            <| fun () ->
                let config = ConstellationCapsules.published
                let model = ConstellationCapsules.init config Dtype.Float32 (Key.OfSeed 1L) |> jittered
                let other = { model with Pose = { model.Pose with Bias = model.Pose.Bias + 1e-4 } }
                let x = random [ 2; 11; 2 ] "x"
                let found = outputs (bytes (ConstellationsEncoder.Graph(weights other [ "heads", "1" ]))) "points" x
                let poses, _ = ConstellationCapsules.encode config model x
                shouldRaise<AssertException>(fun () -> found["poses"] |> shouldBeThe poses)

            testCase "a run's encoder says which run it is of, and its parameters are the best epoch's"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--seed"; "2"; "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let path = Path.Combine(folder, "models", "encoder.onnx")
                    let exported = run [ "export"; out; "--format"; "onnx"; "--out"; path ]
                    exported.Error |> shouldEqual ""
                    exported.Output.TrimEnd() |> shouldEqual path

                    match Safetensors.parse (File.ReadAllBytes(Path.Combine(out, "best.safetensors"))) with
                    | Error message -> failtest message
                    | Ok file ->
                        let config = ConstellationCapsules.published

                        let model =
                            ConstellationCapsules.init config Dtype.Float32 (Key.OfSeed 0L)
                            |> Parameters.mapi (fun name _ ->
                                match file.Tensors[name] with
                                | { Shape = shape; Data = TensorData.F32 values } -> Tensor.``of`` (values, shape)
                                | other -> failtest $"{name} is %A{other}")

                        let x = random [ 16; 11; 2 ] "scenes"
                        let poses, _ = ConstellationCapsules.encode config model x
                        (outputs (File.ReadAllBytes path) "points" x)["poses"] |> shouldBeThe poses

                    use session = new InferenceSession(path)
                    let metadata = session.ModelMetadata
                    metadata.ProducerName |> shouldEqual "scae"
                    metadata.CustomMetadataMap["experiment"] |> shouldEqual "constellations"
                    metadata.CustomMetadataMap["seed"] |> shouldEqual "2")

            // By hyperparameters that aren't the preset's.
            for experiment, options, input, expected in
                [
                    "scae",
                    [ "--objects"; "7"; "--parts"; "9"; "--digits"; "strokes" ],
                    "images",
                    [ "objects", [| -1; 7 |]; "responsibilities", [| -1; 8; 9 |] ]
                    "ccae", [ "--votes"; "3" ], "points", [ "owners", [| -1; -1 |]; "votes", [| -1; 3; 3; 2 |] ]
                    "tvae", [ "--capsules"; "4"; "--digits"; "strokes" ], "frames", [ "t", [| -1; 18; 4; 18 |] ]
                    "air",
                    [ "--what"; "6"; "--objects"; "2"; "--digits"; "strokes" ],
                    "images",
                    [ "what", [| -1; 2; 6 |] ]
                    "neural-em",
                    [ "--slots"; "4"; "--background"; "learned"; "--measured-iterations"; "2" ],
                    "start",
                    [ "responsibilities", [| -1; 5; 24; 24 |]; "states", [| -1; 4; 24 |] ]
                ] do
                testCase $"a run of {experiment} leaves an encoder of its own sizes"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let out = Path.Combine(folder, "run")

                        let short =
                            [
                                "--epochs"
                                "1"
                                "--steps-per-epoch"
                                "1"
                                "--validation-size"
                                "10"
                                "--test-size"
                                "10"
                            ]

                        let trained =
                            run (
                                [ "train"; experiment; "--preset"; "quick"; "--out"; out; "--quiet" ] @ short @ options
                            )

                        trained.Error |> shouldEqual ""
                        (run [ "export"; out; "--format"; "onnx" ]).Error |> shouldEqual ""
                        use session = new InferenceSession(Path.Combine(out, "encoder.onnx"))
                        session.InputMetadata.Keys |> Seq.contains input |> shouldEqual true

                        for name, shape in expected do
                            session.OutputMetadata[name].Dimensions |> shouldEqual shape)
        ]

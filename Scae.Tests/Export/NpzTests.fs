module Scae.Tests.Export.NpzTests

open System
open System.IO
open System.IO.Compression
open Expecto
open Scae.Tests.Turns
open Scae.Cli.Export
open Scae.Core.Data
open Scae.Core.Training
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

let private written (tensors: (string * TensorEntry) list) : byte[] =
    use memory = new MemoryStream()
    NpzFile.Write(memory, dict tensors)
    memory.ToArray()

/// Every kind of element, no dimension, one, an empty one, and several.
let private tensors =
    [
        "a.b",
        {
            Shape = [| 2; 3 |]
            Data = TensorData.F32 [| 1f; -2.5f; 3f; nanf; infinityf; 1e-40f |]
        }
        "one", { Shape = [| 3 |]; Data = TensorData.F64 [| 0.1; -0.0; 1e300 |] }
        "none", { Shape = [||]; Data = TensorData.I32 [| -7 |] }
        "empty", { Shape = [| 2; 0; 4 |]; Data = TensorData.F32 [||] }
        "whole", { Shape = [| 1; 1; 2 |]; Data = TensorData.I64 [| Int64.MinValue; 5L |] }
        "bytes", { Shape = [| 4 |]; Data = TensorData.U8 [| 0uy; 1uy; 254uy; 255uy |] }
    ]

[<Tests>]
let tests =
    inTurn
        "Export.Npz"
        [
            testCase "each array has its header, its elements and an aligned place"
            <| fun () ->
                use archive = new ZipArchive(new MemoryStream(written tensors))

                archive.Entries
                |> Seq.map _.Name
                |> List.ofSeq
                |> shouldEqual [ for name, _ in tensors -> name + ".npy" ]

                for (name, tensor), entry in Seq.zip tensors archive.Entries do
                    use stream = entry.Open()
                    use bytes = new MemoryStream()
                    stream.CopyTo bytes
                    bytes.Position <- 0L

                    match Npy.header name bytes with
                    | Error message -> failtest message
                    | Ok header -> header.Shape |> shouldEqual (Array.map int64 tensor.Shape)

                    bytes.Position % 64L |> shouldEqual 0L

            testCase "a run's parameters leave as they are in its safetensors"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    (run [ "export"; out; "--format"; "npz" ]).ExitCode |> shouldEqual 0

                    let saved =
                        match Safetensors.parse (File.ReadAllBytes(Path.Combine(out, "best.safetensors"))) with
                        | Ok file -> file.Tensors
                        | Error message -> failwith message

                    use archive = ZipFile.OpenRead(Path.Combine(out, "parameters.npz"))

                    let nameOf (entry: ZipArchiveEntry) = entry.Name.Substring(0, entry.Name.Length - ".npy".Length)
                    archive.Entries |> Seq.map nameOf |> Set |> shouldEqual (Set saved.Keys)

                    for entry in archive.Entries do
                        let name = nameOf entry
                        use stream = entry.Open()
                        use bytes = new MemoryStream()
                        stream.CopyTo bytes
                        bytes.Position <- 0L

                        match Npy.header name bytes, saved[name] with
                        | Ok header, { Shape = shape; Data = TensorData.F32 values } ->
                            header.Shape |> shouldEqual (Array.map int64 shape)

                            bytes.ToArray()[int bytes.Position ..]
                            |> Array.chunkBySize 4
                            |> Array.map BitConverter.ToSingle
                            |> shouldEqual values
                        | other -> failtest $"{name}: %A{other}")

            testCase "the same tensors are the same bytes"
            <| fun () -> written tensors |> shouldEqual (written tensors)

            testCase "NumPy reads every kind of element"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "a.npz")
                    File.WriteAllBytes(path, written tensors)

                    let script =
                        "import sys, numpy as np\n"
                        + "for name, x in np.load(sys.argv[1]).items(): print(name, x.dtype, x.shape, x.ravel().tolist())"

                    Python.run script [ path ]
                    |> Option.iter (fun found ->
                        found.Split '\n'
                        |> List.ofArray
                        |> shouldEqual
                            [
                                $"a.b float32 (2, 3) [1.0, -2.5, 3.0, nan, inf, {float 1e-40f:R}]".Replace("E", "e")
                                "one float64 (3,) [0.1, -0.0, 1e+300]"
                                "none int32 () [-7]"
                                "empty float32 (2, 0, 4) []"
                                "whole int64 (1, 1, 2) [-9223372036854775808, 5]"
                                "bytes uint8 (4,) [0, 1, 254, 255]"
                            ]))

            testCase "the documentation's lines read a run's safetensors as NumPy reads what is exported"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")
                    (run (shortTraining @ [ "--out"; out; "--quiet" ])).ExitCode |> shouldEqual 0
                    let exported = run [ "export"; out; "--format"; "npz" ]
                    exported.Error |> shouldEqual ""
                    let path = Path.Combine(out, "parameters.npz")
                    exported.Output.TrimEnd() |> shouldEqual path

                    let script =
                        Python.shown "other-programs.md" "load"
                        + "\nimport sys\nread, left = load(sys.argv[1]), np.load(sys.argv[2])\n"
                        + "assert sorted(read) == sorted(left)\n"
                        + "for name in read:\n"
                        + "    assert read[name].dtype == left[name].dtype and np.array_equal(read[name], left[name]), name\n"
                        + "print(len(read))"

                    Python.run script [ Path.Combine(out, "best.safetensors"); path ]
                    |> Option.iter (fun found -> int found |> shouldEqual 17))

            testCase "what can't be exported, or not to that place, is refused in one line"
            <| fun () ->
                inNewFolder (fun folder ->
                    let refused (arguments: string list) (code: int) (expected: string) =
                        let result = run ("export" :: arguments)
                        result.Error.TrimEnd() |> shouldEqual expected
                        result.ExitCode |> shouldEqual code

                    refused
                        [ "nowhere"; "--format"; "npz" ]
                        1
                        "scae: nowhere: there is no such folder; scae train leaves one under runs/"

                    let out = Path.Combine(folder, "run")

                    let train =
                        [
                            "train"
                            "ccae"
                            "--preset"
                            "best"
                            "--epochs"
                            "1"
                            "--steps-per-epoch"
                            "1"
                            "--validation-size"
                            "4"
                        ]
                        @ [ "--test-size"; "4"; "--quiet"; "--out"; out ]

                    (run train).ExitCode |> shouldEqual 0

                    refused
                        [ out; "--format"; "npz"; "--out"; folder ]
                        2
                        $"scae: --out {folder}: this is a folder; name a file"

                    refused
                        [ out; "--format"; "npz"; "--out"; Path.Combine(folder, "new") + "/" ]
                        2
                        $"scae: --out {folder}/new/: this is a folder; name a file"

                    Directory.Exists(Path.Combine(folder, "new")) |> shouldEqual false
                    let before = filesOf out

                    if not (OperatingSystem.IsWindows()) then
                        File.CreateSymbolicLink(Path.Combine(folder, "link"), Path.Combine(out, "last.safetensors"))
                        |> ignore

                        let link = Path.Combine(folder, "link")

                        refused
                            [ out; "--format"; "npz"; "--out"; link ]
                            2
                            $"scae: --out {link}: this place is the run's own; choose another"

                    for own in [ "last.safetensors"; "RUN.json"; Path.Combine("figures", "mine.npz") ] do
                        let path = Path.Combine(out, own)
                        let place = $"scae: --out {path}: this place is the run's own; choose another"
                        refused [ out; "--format"; "npz"; "--out"; path ] 2 place
                        let report = run [ "report"; out; "--out"; path ]
                        (report.ExitCode, report.Error.TrimEnd()) |> shouldEqual (2, place)

                    filesOf out |> shouldEqual before

                    refused
                        [ out; "--format"; "onnx" ]
                        1
                        "scae: preset best of ccae finds divisions of points by search, which isn't an ONNX graph; of its presets quick, paper can be written, and every run's parameters with --format npz"

                    let damage name =
                        let path = Path.Combine(out, name)
                        let bytes = File.ReadAllBytes path
                        bytes[bytes.Length - 2] <- bytes[bytes.Length - 2] ^^^ 1uy
                        File.WriteAllBytes(path, bytes)

                    let parameters () =
                        let exported = run [ "export"; out; "--format"; "npz" ]
                        (exported.ExitCode, exported.Error) |> shouldEqual (0, "")
                        File.ReadAllBytes(Path.Combine(out, "parameters.npz"))

                    // The best epoch is the checkpoint's, as in eval, whatever lies beside it.
                    let whole = parameters ()
                    damage "best.safetensors"
                    parameters () |> shouldEqual whole
                    damage "last.safetensors"
                    let damaged = run [ "export"; out; "--format"; "npz" ]
                    damaged.Error |> shouldStartWith ("scae: " + Path.Combine(out, "last.safetensors") + ": ")
                    damaged.ExitCode |> shouldEqual 1)

            testCase "sequences aren't written as a graph; a run of them is measured beside copying"
            <| fun () ->
                inNewFolder (fun folder ->
                    let out = Path.Combine(folder, "run")

                    let few =
                        [ "--epochs"; "1"; "--steps-per-epoch"; "1"; "--validation-size"; "2"; "--test-size"; "2" ]

                    (run ([ "train"; "neural-em"; "--preset"; "flying-quick"; "--quiet"; "--out"; out ] @ few))
                        .ExitCode
                    |> shouldEqual 0

                    let refused = run [ "export"; out; "--format"; "onnx" ]

                    refused.Error.TrimEnd()
                    |> shouldEqual
                        "scae: preset flying-quick of neural-em goes through sequences, which aren't written as an ONNX graph; of its presets published, quick, paper, ten-shapes, shapes can be written, and every run's parameters with --format npz"

                    refused.ExitCode |> shouldEqual 1
                    let copying = run [ "eval"; out; "--baseline"; "copy" ]
                    copying.ExitCode |> shouldEqual 0
                    copying.Output |> shouldContainText "surprise")
        ]

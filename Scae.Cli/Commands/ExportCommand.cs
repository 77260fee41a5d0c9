using System;
using System.IO;
using Google.Protobuf;
using Microsoft.FSharp.Collections;
using Scae.Cli.Export;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Training;

namespace Scae.Cli.Commands;

/// <summary>scae export: a run's parameters, or its encoder, for other programs.</summary>
internal static class ExportCommand
{
    public static int Run(ExportOptions options)
    {
        var folder = RunFolder.Given("export", options.Folder);
        var (identity, tensors) = BestOf(folder);
        string path = options.Out?.Value ?? folder.In(options.Format.IsNpz ? "parameters.npz" : "encoder.onnx");
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path)) throw new RunFailure($"--out {path}: this is a folder; name a file", ExitCode.Usage);
        if (RunFolder.IsOfRun(path)) throw new RunFailure($"--out {path}: this place is the run's own; choose another", ExitCode.Usage);
        Action<Stream> write = options.Format.IsNpz ? stream => NpzFile.Write(stream, tensors) : Encoders.Of(identity, tensors).WriteTo;
        try
        {
            if (Path.GetDirectoryName(path) is { Length: > 0 } parent) Directory.CreateDirectory(parent);
            AtomicFile.WriteNamed(path, write);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            throw new RunFailure($"{path}: the file can't be written ({FileProblem.Text(problem)}); choose another with --out");
        }

        if (!AtomicFile.IsStandardOutput(path)) Console.Out.WriteLine(path);
        return ExitCode.Success;
    }

    /// <summary>
    /// The parameters of the run's best epoch: those in its checkpoint, which eval takes, too, or best.safetensors where the
    /// checkpoint is gone.
    /// </summary>
    private static (RunIdentity Identity, FSharpMap<string, TensorEntry> Tensors) BestOf(RunFolder folder)
    {
        bool isAlone = !folder.HoldsRun && File.Exists(folder.Best);
        string path = isAlone ? folder.Best : folder.Checkpoint;
        var file = isAlone ? RunFailure.Unless(Safetensors.parse(File.ReadAllBytes(path)), path) : folder.ReadCheckpoint();
        var identity = RunFailure.Unless(Checkpoint.identify(file), path);
        var tensors = Checkpoint.bestTensors(file);
        return tensors.IsEmpty ? throw new RunFailure($"{folder.Path}: there is no best epoch yet; the first is evaluated at its end") : (identity, tensors);
    }
}

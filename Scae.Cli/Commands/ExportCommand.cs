using System;
using System.IO;
using Google.Protobuf;
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
        if (!File.Exists(folder.Best)) folder.ReadCheckpoint();
        if (!File.Exists(folder.Best)) throw new RunFailure($"{folder.Path}: there is no best.safetensors yet; the first comes at the end of the first epoch");
        var file = RunFailure.Unless(Safetensors.parse(File.ReadAllBytes(folder.Best)), folder.Best);
        var identity = RunFailure.Unless(Checkpoint.identify(file), folder.Best);
        string path = options.Out?.Value ?? folder.In(options.Format.IsNpz ? "parameters.npz" : "encoder.onnx");
        if (Directory.Exists(path)) throw new RunFailure($"--out {path}: this is a folder; name a file", ExitCode.Usage);
        Action<Stream> write = options.Format.IsNpz ? stream => NpzFile.Write(stream, file.Tensors) : Encoders.Of(identity, file.Tensors).WriteTo;
        try
        {
            if (Path.GetDirectoryName(path) is { Length: > 0 } parent) Directory.CreateDirectory(parent);
            AtomicFile.WriteNamed(path, write);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            throw new RunFailure($"{path}: the file can't be written ({FileProblem.Text(problem)}); choose another with --out");
        }

        Console.Out.WriteLine(path);
        return ExitCode.Success;
    }
}

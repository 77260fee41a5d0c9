using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae train: one training from the first step to pictures, or on from a checkpoint.</summary>
internal static class TrainCommand
{
    public static int Run(TrainOptions options)
    {
        string experiment = options.Experiment.Specification.Experiment;
        var folder = RunFolder.At(FolderOf(options, experiment));
        if (options.Threads is { } threads) Parallelism.Threads = threads.Value;
        var run = new TrainingRun(options.Experiment, options.Preset, options.Overrides, options.Seed, MnistFiles.Resources(options.Data?.Value), folder);
        using var interruption = new Interruption();
        var summary = run.Run(options.Resume, Parallelism.Threads, Displays.For(options.Quiet || options.Json), interruption.Token);
        if (summary is null) throw new RunFailure($"stopped; everything is saved in {folder.Path}; go on with: {Resumption(options, folder)}");
        if (options.Json) Console.Out.WriteLine(summary.ToJson());
        else if (!options.Quiet) Report(options, folder, summary);
        return ExitCode.Success;
    }

    /// <summary>The command that goes on with a run, to be pasted into a shell.</summary>
    private static string Resumption(TrainOptions options, RunFolder folder)
    {
        var specification = options.Experiment.Specification;
        List<string> words = ["scae", "train", specification.Experiment];
        if (options.Preset.Name != specification.DefaultPreset) words.AddRange(["--preset", options.Preset.Name]);
        foreach (var (name, value) in options.Overrides) words.AddRange([$"--{name}", value]);
        words.AddRange(["--seed", $"{options.Seed}", "--out", folder.Path]);
        if (options.Data is { } data) words.AddRange(["--data", data.Value]);
        if (options.Threads is { } threads) words.AddRange(["--threads", $"{threads.Value}"]);
        words.Add("--resume");
        return string.Join(' ', words.Select(Shell.Quote));
    }

    private static void Report(TrainOptions options, RunFolder folder, Summary summary)
    {
        var console = Tables.Console;
        console.Write(Tables.Results(options.Experiment.Specification, options.Preset.Name, summary.Metrics));
        console.MarkupLineInterpolated($"{summary.Steps} steps in {Format.Duration(summary.TrainSeconds)}, {summary.MillisecondsPerStep:0.000} ms each");
        console.WriteLine($"numbers, checkpoint and pictures: {Path.GetFullPath(folder.Path)}");
    }

    private static string FolderOf(TrainOptions options, string experiment)
    {
        if (options.Out is { } named)
        {
            if (!options.Resume && RunFolder.At(named.Value).HoldsRun)
                throw new RunFailure($"--out {named.Value}: the folder holds a run already; add --resume to go on with it, or choose another", ExitCode.Usage);
            return named.Value;
        }

        string path = RunFolder.DefaultPath(experiment, options.Preset.Name, options.Seed);
        return options.Resume ? RunFolder.LastUsed(path) : RunFolder.FirstFree(path);
    }
}

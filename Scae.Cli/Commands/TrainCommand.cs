using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae train: one training, from the first step or from a checkpoint to the pictures.</summary>
internal static class TrainCommand
{
    public static int Run(TrainOptions options)
    {
        if (options.Training.Threads is { } threads) Parallelism.Threads = threads.Value;
        using var interruption = new Interruption();
        var resources = MnistFiles.Resources(options.Training.Data?.Value, interruption.Token);
        var (run, taken) = options.Resume ? Resumed(options, resources) : Begun(options, resources);
        using (taken)
        {
            run.CheckMemory();
            var summary = run.Run(options.Resume, Parallelism.Threads, Displays.For(options.Training.IsSilent), interruption.Token)
                ?? throw new RunFailure($"stopped; everything is saved in {run.Folder.Path}; go on with: {Resumption(options, run.Folder)}", ExitCode.Stopped);
            if (options.Training.Json) Json.Print(summary.ToJson());
            else if (!options.Training.Quiet) Report(run, summary);
            if (run.Undrawn is { } undrawn) throw new RunFailure(undrawn);
        }

        return ExitCode.Success;
    }

    /// <summary>A new run in the folder that was named, or in the first of its default names that is free.</summary>
    private static (TrainingRun Run, RunLock Taken) Begun(TrainOptions options, Resources resources)
    {
        var experiment = options.Experiment!.Value;
        var preset = PresetOf(options, experiment);
        long seed = SeedOf(options);
        var (folder, taken) = options.Out is { } named ? Claim(named.Value) : RunFolder.TakeFirstFree(DefaultPath(options, experiment));
        return Holding(taken, () => new TrainingRun(experiment, preset, options.Overrides, seed, resources, folder, options.Training.TensorBoard));
    }

    /// <summary>
    /// The run that a folder holds. What the command line leaves out is as it was; what it says must agree with the run.
    /// </summary>
    private static (TrainingRun Run, RunLock Taken) Resumed(TrainOptions options, Resources resources)
    {
        var folder = RunFolder.At(options.Out?.Value ?? RunFolder.LastUsed(DefaultPath(options, options.Experiment!.Value)));
        if (!folder.WasBegun) folder.ReadCheckpoint();
        var taken = RunLock.Take(folder.Path, "wait until it is done");
        return Holding(taken, () =>
        {
            var identity = folder.ReadIdentity();
            var experiment = RunFailure.Unless(Experiments.find(identity.Experiment), folder.Path);
            var preset = RunFailure.Unless(Experiments.preset(identity.Preset, experiment), folder.Path);
            Agree(options, folder, identity);
            // The folder's own settings are checked first, so that an error further down must come from the command line.
            RunFailure.Unless(ExperimentModule.restore(experiment, preset, identity.Settings), folder.Path);
            var settings = identity.Settings.Where(pair => options.Overrides.All(said => said.Item1 != pair.Item1)).Concat(options.Overrides).ToList();
            var task = RunFailure.Unless(ExperimentModule.restore(experiment, preset, ListModule.OfSeq(settings)), exitCode: ExitCode.Usage);
            RunFailure.Unless(ExperimentModule.unlessUnread(options.Overrides, task), exitCode: ExitCode.Usage);
            return new TrainingRun(experiment, preset, settings, identity.Seed, resources, folder, options.Training.TensorBoard);
        });
    }

    private static (TrainingRun Run, RunLock Taken) Holding(RunLock taken, Func<TrainingRun> make)
    {
        try
        {
            return (make(), taken);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Refuses to go on if the command names another experiment, preset or seed than the run's.</summary>
    private static void Agree(TrainOptions options, RunFolder folder, RunIdentity identity)
    {
        var said = new List<string>();
        if (options.Experiment is { } experiment && experiment.Value.Specification.Experiment != identity.Experiment) said.Add($"the experiment was {identity.Experiment}");
        else if (options.Preset is { } preset && preset.Value.Name != identity.Preset) said.Add($"the preset was {identity.Preset} and is now {preset.Value.Name}");
        if (options.Seed is { } seed && seed.Value != identity.Seed) said.Add($"the seed was {identity.Seed} and is now {seed.Value}");
        if (said.Count > 0)
            throw new RunFailure($"{folder.Path}: the run there is another one: {string.Join(", ", said)}; --resume --out {Shell.Quote(folder.Path)} alone goes on with it", ExitCode.Usage);
    }

    private static (RunFolder Folder, RunLock Taken) Claim(string path)
    {
        var folder = RunFolder.At(path);
        folder.SpareOthers();
        var taken = RunLock.Take(path, "wait until it is done, or choose another --out");
        if (!folder.HoldsResults) return (folder, taken);
        taken.Dispose();
        if (folder.HoldsRun) throw new RunFailure($"--out {path}: the folder holds a run already; add --resume to go on with it, or choose another", ExitCode.Usage);
        throw new RunFailure($"--out {path}: the folder holds results of a run whose checkpoint is gone; choose another", ExitCode.Usage);
    }

    private static Preset PresetOf(TrainOptions options, Experiment experiment) =>
        options.Preset?.Value ?? RunFailure.Unless(Experiments.preset(null, experiment));

    private static long SeedOf(TrainOptions options) => options.Seed?.Value ?? 0;

    private static string DefaultPath(TrainOptions options, Experiment experiment) =>
        RunFolder.DefaultPath(experiment.Specification.Experiment, PresetOf(options, experiment).Name, SeedOf(options));

    /// <summary>The command that goes on with a run, to be pasted into a shell.</summary>
    private static string Resumption(TrainOptions options, RunFolder folder)
    {
        List<string> words = ["scae", "train", "--resume", "--out", folder.Path];
        if (options.Training.Data is { } data) words.AddRange(["--data", data.Value]);
        if (options.Training.Threads is { } threads) words.AddRange(["--threads", $"{threads.Value}"]);
        return string.Join(' ', words.Select(Shell.Quote));
    }

    private static void Report(TrainingRun run, Summary summary)
    {
        var console = Tables.Console;
        console.Write(Tables.Results(run.Specification, summary.Preset, summary.Metrics));
        console.MarkupLineInterpolated($"{summary.Steps} steps, {summary.MillisecondsPerStep:0.000} ms in the median, in {Format.Duration(summary.Spent.Train)}, everything in {Format.Duration(summary.Spent.Total)}");
        console.WriteLine($"numbers, checkpoint and pictures: {Path.GetFullPath(run.Folder.Path)}");
    }
}

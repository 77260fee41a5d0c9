using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Cli.Slurm;
using Scae.Core.CommandLine;
using Scae.Tensors;

namespace Scae.Cli.Commands;

/// <summary>scae sweep: several seeds, or combinations of hyperparameters; mean ± standard deviation.</summary>
internal static class SweepCommand
{
    // How many unfinished runs are named one by one.
    private const int MostNamed = 10;

    public static int Run(SweepOptions options)
    {
        string name = options.Experiment.Specification.Experiment;
        string folder = options.Out?.Value ?? Path.Combine("runs", options.Compared.IsEmpty ? $"{name}-{options.Preset.Name}-sweep" : $"{name}-sweep");
        using var interruption = new Interruption();
        var plan = new SweepPlan(options, folder, MnistFiles.Resources(options.Training.Data?.Value, interruption.Token));
        switch (options.Work)
        {
            case SweepWork.OnSlurm slurm:
                Submit(options, slurm.Item, plan);
                break;
            case SweepWork.OneTask task:
                RunOne(options, task.number, plan, interruption.Token);
                break;
            case { IsGather: true }:
                Gather(options, plan);
                break;
            default:
                RunAll(options, plan, interruption.Token);
                break;
        }

        return ExitCode.Success;
    }

    private static void RunAll(SweepOptions options, SweepPlan plan, CancellationToken stop)
    {
        var tables = new SweepTables(options, plan);
        tables.SpareOthers();
        var display = Displays.ForSweep(options.Training.IsSilent, plan.Count);
        using var failures = new SweepFailures();
        var finished = new Dictionary<string, Summary>();
        display.Show(() => plan.Runs.Run(plan.Groups, options.Seeds, job => display.Of(Name(options, job)), Tell, failures, stop));
        long count = Write(options, tables, plan.Groups.Select(group => (group, options.Seeds.Values.Select(seed => finished.GetValueOrDefault(group.Job(seed).Folder)).OfType<Summary>().ToList())));
        if (count > 0) TellOfOthers(options, plan);
        failures.ThrowIfAny(plan.Count);

        void Tell(SweepJob job, Summary? summary)
        {
            string name = Name(options, job);
            if (summary is null)
            {
                display.Failed(name);
                return;
            }

            finished.Add(job.Folder, summary);
            string took = Format.Duration(summary.Spent.Total);
            // Presets differ in their metrics; the table at the end has them.
            string figures = options.Compared.IsEmpty ? $"{Figures(options, tables.ChosenBy, summary)}  " : string.Empty;
            display.Finished(name, $"{name}: {figures}{took}");
        }
    }

    /// <summary>Tells of finished runs of other seeds, which the tables had perhaps, and now have no longer.</summary>
    private static void TellOfOthers(SweepOptions options, SweepPlan plan)
    {
        var others = plan.OtherSeeds();
        if (others.Count == 0 || options.Training.IsSilent) return;
        long first = Math.Min(others[0], options.Seeds.First), last = Math.Max(others[^1], options.Seeds.Values.Last());
        Notice.Tell($"{plan.Folder}: runs of {others.Count} other {(others.Count == 1 ? "seed" : "seeds")} are finished there, too; the tables are without them, and the same command with --seeds {first}..{last} --collect writes those of all");
    }

    /// <summary>Writes the tables of groups, without those in which no run is finished; returns how many runs are finished.</summary>
    private static long Write(SweepOptions options, SweepTables tables, IEnumerable<(SweepGroup Group, List<Summary> Summaries)> groups)
    {
        var finished = groups.Where(group => group.Summaries.Count > 0).ToList();
        if (finished.Count == 0) return 0;
        if (!options.Compared.IsEmpty) tables.Presets(finished);
        else if (options.Vary.IsEmpty) tables.Seeds(finished[0].Summaries);
        else tables.Scan(finished);
        return finished.Sum(group => (long)group.Summaries.Count);
    }

    /// <summary>The name that distinguishes a training from the sweep's others.</summary>
    private static string Name(SweepOptions options, SweepJob job)
    {
        if (!options.Compared.IsEmpty) return $"{job.Preset.Name}, seed {job.Seed}";
        if (options.Vary.IsEmpty) return $"seed {job.Seed}";
        string settings = string.Join(", ", job.Overrides.Skip(options.Overrides.Length).Select(pair => $"{pair.Item1} {pair.Item2}"));
        return $"{settings}, seed {job.Seed}";
    }

    /// <summary>The metrics of a finished training that the sweep compares.</summary>
    private static string Figures(SweepOptions options, string metric, Summary summary) =>
        options.Vary.IsEmpty
            ? Format.Metrics(summary.Metrics)
            : $"{Format.Name(metric)} {Format.Value(metric, summary.Metric(metric) ?? double.NaN)}";

    /// <summary>Trains one run of the sweep, on as many threads as were given.</summary>
    private static void RunOne(SweepOptions options, int number, SweepPlan plan, CancellationToken stop)
    {
        if (number >= plan.Count) throw new RunFailure($"--task {number}: the sweep has {plan.Count} runs, counted from 0", ExitCode.Usage);
        if (options.Training.Threads is { } threads) Parallelism.Threads = threads.Value;
        new SweepTables(options, plan).SpareOthers();
        var (group, seed) = plan.At(number);
        using var failures = new SweepFailures();
        var summary = plan.Runs.Alone(group, seed, Parallelism.Threads, Displays.For(options.Training.IsSilent), failures, stop);
        if (options.Training.Json) Json.Print(summary.ToJson());
        else if (!options.Training.Quiet) Console.Out.WriteLine($"{group.Job(seed).Folder}: {Format.Metrics(summary.Metrics)}  {Format.Duration(summary.Spent.Total)}");
        failures.ThrowIfAny(1);
    }

    private static void Submit(SweepOptions options, SlurmOptions given, SweepPlan plan)
    {
        new SweepTables(options, plan).SpareOthers();
        var tasks = plan.Unfinished().Take(Submission.MostTasks + 1).Select(place => (int)place).ToList();
        var job = new ArrayJob(options, given, Path.GetFullPath(plan.Folder), Submission.Program);
        if (tasks.Count == 0)
        {
            if (options.Training.Json) Json.Print("{\"job\": null, \"jobs\": [], \"tasks\": 0}");
            else if (!options.Training.Quiet) Console.Out.WriteLine($"all {plan.Count} runs are finished; {job.Collecting} puts them together");
            return;
        }

        var numbers = Submission.Submit(job, tasks);
        if (options.Training.Json) Json.Print($"{{\"job\": \"{numbers[0]}\", \"jobs\": [{string.Join(", ", numbers.Select(number => $"\"{number}\""))}], \"tasks\": {tasks.Count}}}");
        else if (!options.Training.Quiet) Console.Out.WriteLine($"{(numbers.Count == 1 ? "job" : "jobs")} {string.Join(", ", numbers)}, {tasks.Count} of {plan.Count} runs; what they print: {job.Place}\nwhen some are finished: {job.Collecting}");
    }

    /// <summary>Writes the tables of the runs that are finished, and a line about the others.</summary>
    private static void Gather(SweepOptions options, SweepPlan plan)
    {
        var tables = new SweepTables(options, plan);
        tables.SpareOthers();
        var damages = new List<string>();
        var groups = plan.Groups.Select(group => (group, plan.Finished(group, damages))).ToList();
        foreach (string damage in damages.Take(MostNamed)) Notice.Tell($"{damage}; the tables are of the other runs");
        long count = Write(options, tables, groups);
        if (count > 0) TellOfOthers(options, plan);
        if (count == 0) throw new RunFailure($"{plan.Folder}: none of the sweep's {plan.Count} runs is finished there");
        long left = plan.Count - count - damages.Count;
        if (left == 0 || options.Training.IsSilent) return;
        var missing = plan.Missing().Take(MostNamed).Select(plan.Progress);
        string more = left > MostNamed ? $" and {left - MostNamed} more" : string.Empty;
        Console.Out.WriteLine($"{count} of {plan.Count} runs are finished; not yet: {string.Join(", ", missing)}{more}");
    }
}

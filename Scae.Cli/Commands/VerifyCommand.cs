using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using Microsoft.FSharp.Collections;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae verify: trains what the specification's targets name and says which of them hold.</summary>
internal static class VerifyCommand
{
    public static int Run(ExperimentOptions options)
    {
        Refuse(options);
        using var interruption = new Interruption();
        var checks = new List<(Specification, TargetCheck Check)>();
        bool isWhole = true;
        try
        {
            foreach (var experiment in options.Experiments)
            {
                foreach (var check in Check(experiment, options, () => isWhole = false, interruption.Token)) checks.Add(check);
            }
        }
        catch (RunFailure) when (checks.Count > 0)
        {
            // What was measured may have taken days.
            Print(checks, options.Json);
            throw;
        }

        Print(checks, options.Json);
        if (checks.Any(check => double.IsNaN(check.Check.Measured))) Notice.Tell("targets without a figure weren't measured, since trainings failed; the same command goes on");
        return isWhole && checks.All(check => check.Check.Holds) ? ExitCode.Success : ExitCode.Failure;
    }

    private static void Print(List<(Specification, TargetCheck)> checks, bool asJson)
    {
        if (asJson) Json.Print(ToJson(checks));
        else Show(checks);
    }

    private static JsonArray ToJson(List<(Specification Specification, TargetCheck Check)> checks)
    {
        var all = new JsonArray();
        foreach (var (specification, check) in checks)
        {
            var result = check.ToJson();
            result.Insert(0, "experiment", specification.Experiment);
            result.Insert(1, "preset", check.Target.Preset);
            result.Insert(2, "metric", check.Target.Metric);
            all.Add(result);
        }

        return all;
    }

    private static void Show(List<(Specification Specification, TargetCheck Check)> checks)
    {
        var table = Tables.New("experiment", "preset", "metric", "seeds", "measured", "target", "holds");
        foreach (var (specification, check) in checks)
        {
            table.AddRow(
                Markup.Escape(specification.Experiment),
                Markup.Escape(check.Target.Preset),
                Markup.Escape(Format.Name(check.Target.Metric)),
                check.Target.Seeds.ToString(),
                Markup.Escape(Format.Spread(check.Target.Metric, check.Measured, check.Deviation)),
                Markup.Escape(check.Range),
                check.Holds ? "[green]yes[/]" : "[red]no[/]");
        }

        Tables.Console.Write(table);
    }

    /// <summary>
    /// Refuses a preset without targets, and hyperparameters that any of the presets doesn't take or heed, before the first
    /// training. Refuses hyperparameters without --out, too: the next verify would take those runs for runs of the preset as it
    /// is.
    /// </summary>
    private static void Refuse(ExperimentOptions options)
    {
        if (options.Preset is { } preset && !options.Experiments.Any(experiment => TargetsOf(experiment, options).Any()))
        {
            var others = options.Experiments.Select(experiment =>
                $"{experiment.Specification.Experiment} has targets of {string.Join(", ", experiment.Specification.Targets.Select(target => target.Preset).Distinct())}");
            throw new RunFailure($"--preset {preset.Value}: no target speaks of it; {string.Join("; ", others)}", ExitCode.Usage);
        }

        if (!options.Overrides.IsEmpty && options.Out is null)
        {
            string given = string.Join(' ', options.Overrides.Select(pair => $"--{pair.Item1} {pair.Item2}"));
            throw new RunFailure($"scae verify {given}: targets speak of the presets as they are; to measure another program all the same, say with --out where its runs go", ExitCode.Usage);
        }

        foreach (var experiment in options.Experiments)
        {
            foreach (string name in TargetsOf(experiment, options).Select(target => target.Preset).Distinct())
            {
                var targeted = RunFailure.Unless(Experiments.preset(name, experiment));
                RunFailure.Unless(ExperimentModule.configure(experiment, targeted, options.Overrides), $"preset {name}", ExitCode.Usage);
            }
        }
    }

    private static IEnumerable<Target> TargetsOf(Experiment experiment, ExperimentOptions options) =>
        experiment.Specification.Targets.Where(target => options.Preset is null || target.Preset == options.Preset.Value);

    private static IEnumerable<(Specification Specification, TargetCheck Check)> Check(Experiment experiment, ExperimentOptions options, Action failed, CancellationToken stop)
    {
        var specification = experiment.Specification;
        foreach (var group in TargetsOf(experiment, options).GroupBy(target => target.Preset))
        {
            var preset = RunFailure.Unless(Experiments.preset(group.Key, experiment));
            string folder = Path.Combine(options.Out?.Value ?? Path.Combine("runs", "verify"), $"{specification.Experiment}-{group.Key}");
            var runs = new SweepRun(experiment, folder, options.Threads?.Value ?? Environment.ProcessorCount, MnistFiles.Resources(options.Data?.Value, stop));
            var seeds = new SeedRange(0, group.Max(target => target.Seeds) - 1);
            var settings = RunFailure.Unless(ExperimentModule.restore(experiment, preset, options.Overrides)).Settings;
            var trainings = new SweepGroup(preset, FSharpList<Tuple<string, string>>.Empty, [.. options.Overrides, .. DigitSourceModule.insist(settings)], folder);
            TellOfFinished(seeds.Values.Count(seed => RunFolder.At(trainings.Job(seed).Folder).IsFinished), seeds.Count, folder);
            var display = Displays.ForSweep(options.Json, seeds.Count);
            using var failures = new SweepFailures();
            var summaries = display.Show(() => runs.Run([trainings], seeds, job => display.Of(Name(job)), Tell, failures, stop));
            if (failures.Found(seeds.Count, of: $" of {specification.Experiment}, {preset.Name},") is { } failure)
            {
                failed();
                Notice.Tell(failure);
            }

            foreach (var target in group)
            {
                // Where a training failed, the target isn't measured, and doesn't hold.
                var measured = summaries.Where(summary => summary.Seed < target.Seeds).ToList();
                yield return (specification, measured.Count < target.Seeds ? new TargetCheck(target, double.NaN) : CheckOf(target, measured));
            }

            void Tell(SweepJob job, Summary? summary)
            {
                if (summary is null) display.Failed(Name(job));
                else display.Finished(Name(job), $"{Name(job)}: {Format.Metrics(summary.Metrics)}");
            }
        }

        static TargetCheck CheckOf(Target target, List<Summary> measured)
        {
            var spread = Spread.Of(measured, target.Metric);
            return new TargetCheck(target, spread.Mean, spread.Deviation);
        }

        static void TellOfFinished(int finished, long count, string folder)
        {
            // Perhaps by an earlier program, of which the targets would be said to hold.
            if (finished > 0) Notice.Tell($"{folder}: {finished} of {count} runs were finished before; delete the folder to train with this program");
        }

        string Name(SweepJob job) => $"{specification.Experiment}, {job.Preset.Name}, seed {job.Seed}";
    }
}

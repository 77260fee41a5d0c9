using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core;
using Scae.Core.CommandLine;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae verify: trains what the specification's targets name and says which of them hold.</summary>
internal static class VerifyCommand
{
    public static int Run(ExperimentOptions options)
    {
        Parallelism.Threads = 1;
        var checks = options.Experiments.SelectMany(experiment => Check(experiment, options)).ToList();
        if (options.Json)
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

            Console.Out.WriteLine(all.ToJsonString(Json.Indented));
        }
        else
        {
            var table = Tables.New("experiment", "preset", "metric", "seeds", "measured", "target", "holds");
            foreach (var (specification, check) in checks)
            {
                table.AddRow(
                    Markup.Escape(specification.Experiment),
                    Markup.Escape(check.Target.Preset),
                    Markup.Escape(Format.Name(check.Target.Metric)),
                    check.Target.Seeds.ToString(),
                    Markup.Escape(Format.Spread(check.Target.Metric, check.Measured, check.Deviation ?? 0)),
                    Markup.Escape(check.Range),
                    check.Holds ? "[green]yes[/]" : "[red]no[/]");
            }

            Tables.Console.Write(table);
        }

        return checks.All(check => check.Check.Holds) ? ExitCode.Success : ExitCode.Failure;
    }

    private static IEnumerable<(Specification Specification, TargetCheck Check)> Check(Experiment experiment, ExperimentOptions options)
    {
        var specification = experiment.Specification;
        foreach (var group in specification.Targets.Where(target => options.Preset is null || target.Preset == options.Preset.Value).GroupBy(target => target.Preset))
        {
            var preset = RunFailure.Unless(Experiments.preset(group.Key, experiment));
            int seeds = group.Max(target => target.Seeds);
            string folder = Path.Combine(options.Out?.Value ?? Path.Combine("runs", "verify"), $"{specification.Experiment}-{group.Key}");
            var summaries = SweepRun.Run(
                experiment, preset, options.Overrides, [.. Enumerable.Range(0, seeds)], folder, options.Threads?.Value ?? Environment.ProcessorCount, options.Resources, Report, CancellationToken.None);
            foreach (var target in group)
            {
                var (_, mean, deviation) = SweepRun.Spread(summaries.GetRange(0, target.Seeds), target.Metric);
                yield return (specification, new TargetCheck(target, mean, deviation));
            }
        }

        void Report(Summary summary)
        {
            if (!options.Json) Console.Out.WriteLine($"{summary.Experiment}, {summary.Preset}, seed {summary.Seed}: {Format.Metrics(summary.Metrics)}");
        }
    }
}

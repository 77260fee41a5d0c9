using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using Microsoft.FSharp.Collections;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae sweep: several seeds, or several combinations of hyperparameters; mean ± standard deviation.</summary>
internal static class SweepCommand
{
    public static int Run(SweepOptions options)
    {
        var specification = options.Experiment.Specification;
        string folder = options.Out?.Value ?? Path.Combine("runs", $"{specification.Experiment}-{options.Preset.Name}-sweep");
        int atOnce = options.Threads?.Value ?? Environment.ProcessorCount;
        Parallelism.Threads = 1;
        bool silent = options.Quiet || options.Json;
        using var interruption = new Interruption();
        if (!options.Vary.IsEmpty) return Scan(options, folder, atOnce, interruption.Token);
        var summaries = SweepRun.Run(options.Experiment, options.Preset, options.Overrides, [.. options.Seeds], folder, atOnce, options.Resources, Report, interruption.Token);
        var spread = SweepRun.Spread(summaries);
        var result = ToJson(options, summaries, spread);
        AtomicFile.Write(Path.Combine(folder, "sweep.json"), result + "\n");
        if (options.Json) Console.Out.WriteLine(result);
        else if (!options.Quiet) Show(specification, options.Preset, summaries, spread, folder);
        return ExitCode.Success;

        void Report(Summary summary)
        {
            if (!silent) Console.Out.WriteLine($"seed {summary.Seed}: {Format.Metrics(summary.Metrics)}  {Format.Duration(summary.TrainSeconds)}");
        }
    }

    /// <summary>Every combination with every seed; a table and a picture of the metric by which epochs are chosen.</summary>
    private static int Scan(SweepOptions options, string folder, int atOnce, CancellationToken stop)
    {
        var (experiment, preset, seeds) = (options.Experiment, options.Preset, options.Seeds.ToList());
        var combinations = Core.Experiments.Scan.combinations(options.Vary).ToList();
        var jobs = combinations.SelectMany(settings => seeds.Select(seed =>
            new SweepJob([.. options.Overrides, .. settings], seed, Path.Combine(folder, Core.Experiments.Scan.folder(settings), $"seed-{seed}")))).ToList();
        string metric = "best_" + RunFailure.Unless(ExperimentModule.configure(experiment, preset, options.Overrides)).Plan.BestBy.Metric;
        var summaries = SweepRun.Run(experiment, preset, jobs, folder, atOnce, options.Resources, pictures: false, Report, stop);
        var points = new List<ScanPoint>();
        var rows = new JsonArray();
        for (int i = 0; i < combinations.Count; i++)
        {
            var spread = SweepRun.Spread(summaries.GetRange(i * seeds.Count, seeds.Count));
            var (_, mean, deviation) = spread.First(other => other.Name == metric);
            points.Add(new ScanPoint(combinations[i], mean, deviation));
            rows.Add(new JsonObject
            {
                ["settings"] = new JsonObject(combinations[i].Select(pair => KeyValuePair.Create(pair.Item1, (JsonNode?)pair.Item2))),
                ["metrics"] = new JsonObject(spread.Select(other => KeyValuePair.Create(other.Name, (JsonNode?)new JsonObject { ["mean"] = Json.Number(other.Mean), ["deviation"] = Json.Number(other.Deviation) }))),
            });
        }

        string result = new JsonObject
        {
            ["experiment"] = experiment.Specification.Experiment,
            ["preset"] = preset.Name,
            ["overrides"] = new JsonObject(options.Overrides.Select(pair => KeyValuePair.Create(pair.Item1, (JsonNode?)pair.Item2))),
            ["seeds"] = new JsonArray([.. seeds.Select(seed => (JsonNode)seed)]),
            ["combinations"] = rows,
        }.ToJsonString(Json.Indented);
        var found = ListModule.OfSeq(points);
        string name = Format.Name(metric);
        AtomicFile.Write(Path.Combine(folder, "scan.json"), result + "\n");
        AtomicFile.Write(Path.Combine(folder, "scan.md"), Core.Experiments.Scan.markdown(name, found));
        FigureFiles.Write(folder, Core.Experiments.Scan.figure($"{experiment.Specification.Title}, preset {preset.Name}", name, options.Vary, found));
        if (options.Json)
        {
            Console.Out.WriteLine(result);
        }
        else if (!options.Quiet)
        {
            var table = Tables.New([.. options.Vary.Select(axis => axis.Name), name]);
            foreach (var point in points)
                table.AddRow([.. point.Settings.Select(pair => Markup.Escape(pair.Item2)), Format.Spread(metric, point.Mean, DeviationOf(point.Deviation, seeds.Count))]);
            Tables.Console.Write(table);
            Console.Out.WriteLine($"{Format.Seeds(seeds.Count)} each{Spreading(seeds.Count)}; table and picture: {folder}");
        }

        return ExitCode.Success;

        void Report(SweepJob job, Summary summary)
        {
            if (options.Quiet || options.Json) return;
            string settings = string.Join(", ", job.Overrides.Skip(options.Overrides.Length).Select(pair => $"{pair.Item1} {pair.Item2}"));
            Console.Out.WriteLine($"{settings}, seed {job.Seed}: {Format.Name(metric)} {Format.Value(metric, summary.Metric(metric) ?? double.NaN)}  {Format.Duration(summary.TrainSeconds)}");
        }
    }

    private static void Show(Specification specification, Preset preset, List<Summary> summaries, List<(string Name, double Mean, double Deviation)> spread, string folder)
    {
        var means = spread.Select(metric => Tuple.Create(metric.Name, metric.Mean)).ToList();
        Tables.Console.Write(Tables.Results(specification, preset.Name, means, (name, _) =>
        {
            var metric = spread.First(other => other.Name == name);
            return Format.Spread(name, metric.Mean, DeviationOf(metric.Deviation, summaries.Count));
        }));
        Console.Out.WriteLine($"{Format.Seeds(summaries.Count)}{Spreading(summaries.Count)}; runs and sweep.json: {folder}");
    }

    private static double? DeviationOf(double deviation, int seeds) => seeds > 1 ? deviation : null;

    private static string Spreading(int seeds) => seeds > 1 ? ", mean ± standard deviation" : string.Empty;

    private static string ToJson(SweepOptions options, List<Summary> summaries, List<(string Name, double Mean, double Deviation)> spread)
    {
        var metrics = new JsonObject();
        foreach (var (name, mean, deviation) in spread)
        {
            metrics[name] = new JsonObject
            {
                ["mean"] = Json.Number(mean),
                ["deviation"] = Json.Number(deviation),
                ["values"] = new JsonArray([.. summaries.Select(summary => Json.Number(summary.Metric(name) ?? double.NaN))]),
            };
        }

        return new JsonObject
        {
            ["experiment"] = options.Experiment.Specification.Experiment,
            ["preset"] = options.Preset.Name,
            ["seeds"] = new JsonArray([.. options.Seeds.Select(seed => (JsonNode)seed)]),
            ["metrics"] = metrics,
        }.ToJsonString(Json.Indented);
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Threading;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core;
using Scae.Core.CommandLine;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae sweep: several seeds, mean ± standard deviation.</summary>
internal static class SweepCommand
{
    public static int Run(SweepOptions options)
    {
        var specification = options.Experiment.Specification;
        string folder = options.Out?.Value ?? Path.Combine("runs", $"{specification.Experiment}-{options.Preset.Name}-sweep");
        int atOnce = options.Threads?.Value ?? Environment.ProcessorCount;
        Parallelism.Threads = 1;
        bool silent = options.Quiet || options.Json;
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        var summaries = SweepRun.Run(options.Experiment, options.Preset, options.Overrides, [.. options.Seeds], folder, atOnce, options.Resources, Report, stop.Token);
        var spread = SweepRun.Spread(summaries);
        var result = ToJson(options, summaries, spread);
        AtomicFile.Write(Path.Combine(folder, "sweep.json"), result + "\n");
        if (options.Json) Console.Out.WriteLine(result);
        else if (!options.Quiet) Show(specification, options.Preset, summaries, spread);
        return ExitCode.Success;

        void Report(Summary summary)
        {
            if (!silent) Console.Out.WriteLine($"seed {summary.Seed}: {Format.Metrics(summary.Metrics)}  {Format.Duration(summary.TrainSeconds)}");
        }
    }

    private static void Show(Specification specification, Preset preset, List<Summary> summaries, List<(string Name, double Mean, double Deviation)> spread)
    {
        var means = spread.Select(metric => Tuple.Create(metric.Name, metric.Mean)).ToList();
        Tables.Console.Write(Tables.Results(specification, preset.Name, means, (name, _) =>
        {
            var metric = spread.First(other => other.Name == name);
            return Format.Spread(name, metric.Mean, metric.Deviation);
        }));
        Console.Out.WriteLine($"{summaries.Count} seeds, mean ± standard deviation");
    }

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

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae eval: a run's parameters on fresh scenes.</summary>
internal static class EvalCommand
{
    public static int Run(EvalOptions request)
    {
        var options = request.Run;
        if (options.Threads is { } threads) Parallelism.Threads = threads.Value;
        var saved = SavedRun.Open(RunFolder.Given("eval", options.Folder), MnistFiles.Resources(options.Data?.Value), request.Seed, request.Overrides);
        var baseline = request.Baseline is { } name ? Baseline(saved, name.Value) : null;
        var metrics = Results.metrics(saved.Session, saved.State).ToList();
        if (options.Json)
        {
            var result = new JsonObject
            {
                ["experiment"] = saved.Identity.Experiment,
                ["preset"] = saved.Identity.Preset,
                ["seed"] = saved.Identity.Seed,
                ["evaluation_seed"] = request.Seed,
                ["step"] = saved.State.Step,
                ["measured_with"] = Json.Object(request.Overrides),
                ["metrics"] = Json.Object(metrics),
            };
            if (baseline is not null) result["baseline"] = new JsonObject { ["name"] = request.Baseline!.Value, ["metrics"] = Json.Object(baseline) };
            Json.Print(result);
            return ExitCode.Success;
        }

        Tables.Console.Write(Tables.Results(saved.Experiment.Specification, saved.Identity.Preset, metrics));
        if (baseline is not null)
        {
            var table = Tables.New("metric", request.Baseline!.Value);
            foreach (var (metric, value) in baseline) table.AddRow(Markup.Escape(Format.Name(metric)), Markup.Escape(Format.Value(metric, value)));
            Tables.Console.Write(table);
        }

        string measuring = string.Concat(request.Overrides.Select(pair => $" --{pair.Item1} {pair.Item2}"));
        string chosen = metrics.Any(metric => metric.Item1 == "best_epoch") ? "; best epoch and val best are of the training" : string.Empty;
        Console.Out.WriteLine($"step {saved.State.Step} of {options.Folder}, on scenes drawn for this with --seed {request.Seed}{measuring}, not those of the training{chosen}");
        return ExitCode.Success;
    }

    private static List<Tuple<string, double>> Baseline(SavedRun saved, string name) =>
        [.. RunFailure.Unless(SessionModule.baseline(saved.Session, name, Split.Test), exitCode: ExitCode.Usage)];
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Scae.Cli.Reports;
using Scae.Core;

namespace Scae.Cli.Runs;

/// <summary>
/// The same training with several seeds, as many at once as there are cores. Runs that are finished aren't run again and
/// unfinished ones are resumed, so a sweep that was stopped goes on when it is started again.
/// </summary>
internal static class SweepRun
{
    /// <summary>Each seed's metrics, in the order of the seeds.</summary>
    public static List<Summary> Run(
        Experiment experiment,
        Preset preset,
        IEnumerable<Tuple<string, string>> overrides,
        IReadOnlyList<int> seeds,
        string folder,
        int atOnce,
        Resources resources,
        Action<Summary> report,
        CancellationToken stop)
    {
        var results = new Summary[seeds.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = atOnce };
        try
        {
            Parallel.For(0, seeds.Count, options, (i, loop) =>
            {
                if (stop.IsCancellationRequested) return;
                var run = new TrainingRun(experiment, preset, overrides, seeds[i], resources, RunFolder.At(Path.Combine(folder, $"seed-{seeds[i]}")));
                var summary = Finished(run, experiment.Specification) ?? run.Run(File.Exists(run.Folder.Checkpoint), 1, new SilentDisplay(), stop);
                if (summary is null) return;
                results[i] = summary;
                lock (results) report(summary);
            });
        }
        catch (AggregateException several)
        {
            throw several.InnerExceptions.OfType<RunFailure>().FirstOrDefault() ?? several.InnerExceptions[0];
        }

        if (results.Any(summary => summary is null))
            throw new RunFailure($"stopped; what is finished lies in {folder}; the same command goes on");
        return [.. results];
    }

    /// <summary>Mean and standard deviation (n − 1) of each metric over the seeds.</summary>
    public static List<(string Name, double Mean, double Deviation)> Spread(IReadOnlyList<Summary> summaries) =>
    [
        .. summaries[0].Metrics.Select(metric =>
        {
            var values = summaries.Select(summary => summary.Metric(metric.Item1) ?? double.NaN).ToList();
            double mean = values.Average();
            double deviation = values.Count < 2 ? 0 : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
            return (metric.Item1, mean, deviation);
        }),
    ];

    private static Summary? Finished(TrainingRun run, Specification specification)
    {
        if (!run.Folder.IsFinished) return null;
        try
        {
            var identity = RunFailure.Unless(Scae.Core.Checkpoint.identify(run.Folder.ReadCheckpoint()), run.Folder.Checkpoint);
            run.CheckIdentity(identity);
            var root = JsonNode.Parse(File.ReadAllText(run.Folder.Summary))!;
            var metrics = root["metrics"]!.AsObject().Select(pair => Tuple.Create(pair.Key, pair.Value?.GetValue<double>() ?? double.NaN)).ToList();
            return new Summary(
                identity.Experiment,
                identity.Preset,
                identity.Seed,
                root["steps"]!.GetValue<int>(),
                root["train_seconds"]!.GetValue<double>(),
                root["ms_per_step"]!.GetValue<double>(),
                metrics,
                TargetCheck.Of(specification, identity.Preset, metrics));
        }
        catch (Exception problem) when (problem is JsonException or NullReferenceException or InvalidOperationException)
        {
            throw new RunFailure($"{run.Folder.Summary}: the file is damaged; delete it to finish that run again");
        }
    }
}

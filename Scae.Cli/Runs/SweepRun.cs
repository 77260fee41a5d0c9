using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Scae.Cli.Reports;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>A training of a sweep: what it replaces in the preset, its seed and its folder.</summary>
internal sealed record SweepJob(IReadOnlyList<Tuple<string, string>> Overrides, int Seed, string Folder);

/// <summary>
/// Several trainings, as many at once as there are cores. Runs that are finished aren't run again and unfinished ones are
/// resumed, so a sweep that was stopped goes on when it is started again.
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
        CancellationToken stop) =>
        Run(experiment, preset, [.. seeds.Select(seed => new SweepJob([.. overrides], seed, Path.Combine(folder, $"seed-{seed}")))], folder, atOnce, resources, pictures: true, (_, summary) => report(summary), stop);

    /// <summary>Each training's metrics, in the order of the trainings; without pictures where only numbers are wanted.</summary>
    public static List<Summary> Run(
        Experiment experiment,
        Preset preset,
        IReadOnlyList<SweepJob> jobs,
        string folder,
        int atOnce,
        Resources resources,
        bool pictures,
        Action<SweepJob, Summary> report,
        CancellationToken stop)
    {
        var results = new Summary[jobs.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = atOnce };
        try
        {
            // One at a time from the front: trainings differ in length, and those at the front are finished first.
            var next = Partitioner.Create(Enumerable.Range(0, jobs.Count), EnumerablePartitionerOptions.NoBuffering);
            Parallel.ForEach(next, options, i =>
            {
                if (stop.IsCancellationRequested) return;
                var job = jobs[i];
                var run = new TrainingRun(experiment, preset, job.Overrides, job.Seed, resources, RunFolder.At(job.Folder));
                var summary = Finished(run, experiment.Specification) ?? run.Run(File.Exists(run.Folder.Checkpoint), 1, new SilentDisplay(), stop, pictures);
                if (summary is null) return;
                results[i] = summary;
                lock (results) report(job, summary);
            });
        }
        catch (AggregateException several)
        {
            throw RunFailure.Of(several);
        }

        if (results.Any(summary => summary is null))
            throw new RunFailure($"stopped; what is finished lies in {folder}; the same command goes on");
        return [.. results];
    }

    /// <summary>Mean and standard deviation (n − 1) of each metric over the seeds.</summary>
    public static List<(string Name, double Mean, double Deviation)> Spread(IReadOnlyList<Summary> summaries) =>
        [.. summaries[0].Metrics.Select(metric => Spread(summaries, metric.Item1))];

    /// <summary>The same of one metric; NaN where a seed doesn't have it.</summary>
    public static (string Name, double Mean, double Deviation) Spread(IReadOnlyList<Summary> summaries, string metric)
    {
        var values = summaries.Select(summary => summary.Metric(metric) ?? double.NaN).ToList();
        double mean = values.Average();
        double deviation = values.Count < 2 ? 0 : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        return (metric, mean, deviation);
    }

    private static Summary? Finished(TrainingRun run, Specification specification)
    {
        if (!run.Folder.IsFinished) return null;
        try
        {
            var identity = RunFailure.Unless(Core.Training.Checkpoint.identify(run.Folder.ReadCheckpoint()), run.Folder.Checkpoint);
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

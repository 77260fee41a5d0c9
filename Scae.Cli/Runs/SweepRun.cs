using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Scae.Cli.Reports;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>A training of a sweep: what it replaces in the preset, its seed and its folder.</summary>
internal sealed record SweepJob(IReadOnlyList<Tuple<string, string>> Overrides, long Seed, string Folder);

/// <summary>
/// Several trainings, as many at once as there are cores. Runs that are finished aren't run again and unfinished ones are
/// resumed, so a sweep that was stopped goes on when it is started again.
/// </summary>
/// <param name="Experiment">What is trained.</param>
/// <param name="Preset">The hyperparameters that the trainings share.</param>
/// <param name="Folder">Where the folders of the trainings are.</param>
/// <param name="AtOnce">How many trainings run at the same time.</param>
/// <param name="Resources">Where data is found.</param>
/// <param name="Pictures">Whether trainings end with pictures, or with numbers alone.</param>
/// <param name="TensorBoard">Whether they leave event files.</param>
internal sealed record SweepRun(Experiment Experiment, Preset Preset, string Folder, int AtOnce, Resources Resources, bool Pictures = true, bool TensorBoard = false)
{
    /// <summary>A training for each seed, in the folder seed-N; each one's metrics, in the order of the seeds.</summary>
    public List<Summary> Seeds(IReadOnlyList<Tuple<string, string>> overrides, SeedRange seeds, Action<Summary> report, CancellationToken stop) =>
        Run([overrides], seeds, (settings, seed) => Path.Combine(Folder, $"seed-{seed}"), (_, summary) => report(summary), stop);

    /// <summary>
    /// Trainings with each of some replacements and each seed, in folders that a function names; each training's metrics, the
    /// seeds of one replacement beside each other. A range of seeds, however long, makes no list.
    /// </summary>
    public List<Summary> Run(
        IReadOnlyList<IReadOnlyList<Tuple<string, string>>> kinds, SeedRange seeds, Func<IReadOnlyList<Tuple<string, string>>, long, string> folder, Action<SweepJob, Summary> report, CancellationToken stop)
    {
        long atOnce = seeds.Count > AtOnce ? AtOnce : Math.Min(AtOnce, kinds.Count * seeds.Count);
        var fits = new Lazy<bool>(() => Fits(kinds, atOnce));
        var jobs = kinds.SelectMany(overrides => seeds.Values.Select(seed => new SweepJob(overrides, seed, folder(overrides, seed))));
        var results = new SortedDictionary<int, Summary>();
        try
        {
            // One at a time from the front: trainings differ in length, and those at the front are finished first.
            var next = Partitioner.Create(jobs.Index(), EnumerablePartitionerOptions.NoBuffering);
            Parallel.ForEach(next, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, (numbered, loop) =>
            {
                var (number, job) = numbered;
                var summary = stop.IsCancellationRequested ? null : Run(job, fits, stop);
                if (summary is null)
                {
                    loop.Stop();
                    return;
                }

                lock (results)
                {
                    results.Add(number, summary);
                    report(job, summary);
                }
            });
        }
        catch (AggregateException several)
        {
            throw RunFailure.Of(several);
        }

        if (stop.IsCancellationRequested) throw new RunFailure($"stopped; what is finished lies in {Folder}; the same command goes on", ExitCode.Stopped);
        return [.. results.Values];
    }

    /// <summary>One training by itself, with some threads.</summary>
    public Summary Alone(SweepJob job, int threads, CancellationToken stop) =>
        Run(job, new Lazy<bool>(() => Fits([job.Overrides], 1)), stop, threads)
        ?? throw new RunFailure($"stopped; everything is saved in {job.Folder}; the same command goes on", ExitCode.Stopped);

    /// <summary>What a training came to; null where it isn't finished.</summary>
    public Summary? Finished(SweepJob job) => RunFolder.At(job.Folder).IsFinished ? Finished(TrainingOf(job)) : null;

    private TrainingRun TrainingOf(SweepJob job) => new(Experiment, Preset, job.Overrides, job.Seed, Resources, RunFolder.At(job.Folder), TensorBoard);

    /// <summary>Refuses what the memory can't hold at once, whatever kinds of runs come together; true otherwise.</summary>
    private bool Fits(IReadOnlyList<IReadOnlyList<Tuple<string, string>>> kinds, long atOnce)
    {
        foreach (var overrides in kinds) new TrainingRun(Experiment, Preset, overrides, 0, Resources, RunFolder.At(Folder)).CheckMemory(atOnce);
        return true;
    }

    private Summary? Run(SweepJob job, Lazy<bool> fits, CancellationToken stop, int threads = 1)
    {
        var run = TrainingOf(job);
        if (!run.Folder.IsFinished) _ = fits.Value;
        using var taken = RunLock.Take(job.Folder, "wait until it is done, or choose another --out");
        if (Finished(run) is { } summary) return summary;
        if (run.Folder.HoldsRun) run.CheckIdentity(run.Folder.ReadIdentity());
        return run.Run(run.Folder.HoldsRun, threads, new SilentDisplay(), stop, Pictures);
    }

    private Summary? Finished(TrainingRun run)
    {
        if (!run.Folder.IsFinished) return null;
        try
        {
            var identity = RunFailure.Unless(Core.Training.Checkpoint.identify(run.Folder.ReadCheckpoint()), run.Folder.Checkpoint);
            run.CheckIdentity(identity);
            return Summary.Parse(File.ReadAllText(run.Folder.Summary), identity, Experiment.Specification);
        }
        catch (Exception problem) when (problem is JsonException or NullReferenceException or InvalidOperationException)
        {
            throw new RunFailure($"{run.Folder.Summary}: the file is damaged; delete it to finish that run again");
        }
    }
}

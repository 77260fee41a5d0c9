using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.FSharp.Collections;
using Scae.Cli.Reports;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Tensors;

namespace Scae.Cli.Runs;

/// <summary>A training of a sweep: its preset, the values that replace the preset's, its seed and its folder.</summary>
internal sealed record SweepJob(Preset Preset, IReadOnlyList<Tuple<string, string>> Overrides, long Seed, string Folder);

/// <summary>Trainings of a sweep that differ in their seeds alone.</summary>
/// <param name="Preset">Their preset.</param>
/// <param name="Settings">The values that are varied; empty if none are.</param>
/// <param name="Overrides">The values that replace the preset's.</param>
/// <param name="Folder">Where their folders are.</param>
internal sealed record SweepGroup(Preset Preset, FSharpList<Tuple<string, string>> Settings, IReadOnlyList<Tuple<string, string>> Overrides, string Folder)
{
    public SweepJob Job(long seed) => new(Preset, Overrides, seed, Path.Combine(Folder, $"seed-{seed}"));
}

/// <summary>
/// Several trainings, as many at once as there are cores. Runs that are finished aren't run again, and unfinished ones are
/// resumed. So a sweep that was stopped goes on when it is started again.
/// </summary>
/// <param name="Experiment">What is trained.</param>
/// <param name="Folder">Where the folders of the trainings are.</param>
/// <param name="AtOnce">How many trainings run at the same time, and how many cores a single one gets.</param>
/// <param name="Resources">Where data is found.</param>
/// <param name="Pictures">Whether trainings end with pictures, or with numbers alone.</param>
/// <param name="TensorBoard">Whether they leave event files.</param>
internal sealed record SweepRun(Experiment Experiment, string Folder, int AtOnce, Resources Resources, bool Pictures = true, bool TensorBoard = false)
{
    /// <summary>
    /// Runs the trainings of some groups with each seed. Returns their summaries, with the seeds of one group next to each
    /// other. A range of seeds, however long, isn't turned into a list. Each training has a display of its own, and is
    /// reported at its end, without a summary if it failed.
    /// </summary>
    public List<Summary> Run(IReadOnlyList<SweepGroup> groups, SeedRange seeds, Func<SweepJob, IProgressDisplay> display, Action<SweepJob, Summary?> report, SweepFailures failures, CancellationToken stop)
    {
        long atOnce = seeds.Count > AtOnce ? AtOnce : Math.Min(AtOnce, groups.Count * seeds.Count);
        int threads = Parallelism.Threads = atOnce == 1 ? AtOnce : 1;
        var fits = new Lazy<bool>(() => Fits(groups, atOnce));
        var jobs = groups.SelectMany(group => seeds.Values.Select(group.Job));
        var results = new SortedDictionary<int, Summary>();
        try
        {
            // Jobs are taken one at a time from the front: trainings differ in length, and those at the front should be finished first.
            var next = Partitioner.Create(jobs.Index(), EnumerablePartitionerOptions.NoBuffering);
            Parallel.ForEach(next, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, (numbered, loop) =>
            {
                var (number, job) = numbered;
                var summary = stop.IsCancellationRequested ? null : failures.Of(() => Run(job, fits, display(job), stop, threads, failures.Undrawn));
                if (summary is null && stop.IsCancellationRequested)
                {
                    loop.Stop();
                    return;
                }

                lock (results)
                {
                    if (summary is not null) results.Add(number, summary);
                    report(job, summary);
                }
            });
        }
        catch (AggregateException several)
        {
            failures.TellAll();
            RunFailure.Rethrow(several);
        }

        if (!stop.IsCancellationRequested) return [.. results.Values];
        failures.TellAll();
        throw new RunFailure($"stopped; what is finished lies in {Folder}; the same command goes on", ExitCode.Stopped);
    }

    /// <summary>Runs one training by itself, with the given number of threads.</summary>
    public Summary Alone(SweepGroup group, long seed, int threads, IProgressDisplay display, SweepFailures failures, CancellationToken stop)
    {
        var job = group.Job(seed);
        return Run(job, new Lazy<bool>(() => Fits([group], 1)), display, stop, threads, failures.Undrawn)
            ?? throw new RunFailure($"stopped; everything is saved in {job.Folder}; the same command goes on", ExitCode.Stopped);
    }

    /// <summary>The summary of a training; null if it isn't finished.</summary>
    public Summary? Finished(SweepJob job) => RunFolder.At(job.Folder).IsFinished ? Finished(TrainingOf(job)) : null;

    /// <summary>
    /// The part after the seed of a command that trains one run of a group by itself, on any machine: the hyperparameters,
    /// what stood in for missing data, and the folder of images that can't be fetched. Hyperparameters that only other groups
    /// read are left out.
    /// </summary>
    public string Changes(SweepGroup group, string? data)
    {
        var task = RunFailure.Unless(ExperimentModule.restore(Experiment, group.Preset, ListModule.OfSeq(group.Overrides)));
        var settled = TrainingOf(group.Job(0)).Settings;
        var standIns = settled.Except(task.Settings).Where(pair => pair.Item2 is "strokes" or "drawn").ToList();
        var pairs = ExperimentModule.heeded(ListModule.OfSeq(group.Overrides), task).Where(pair => standIns.All(other => other.Item1 != pair.Item1)).Concat(standIns);
        if (data is not null && RunSettings.HasOwnData(settled)) pairs = pairs.Append(Tuple.Create("data", data));
        return string.Concat(pairs.Select(pair => $" --{pair.Item1} {Shell.Quote(pair.Item2)}"));
    }

    private TrainingRun TrainingOf(SweepJob job) => new(Experiment, job.Preset, job.Overrides, job.Seed, Resources, RunFolder.At(job.Folder), TensorBoard);

    /// <summary>Throws if the memory can't hold so many runs at once, whichever groups they belong to; otherwise true.</summary>
    private bool Fits(IReadOnlyList<SweepGroup> groups, long atOnce)
    {
        foreach (var group in groups) new TrainingRun(Experiment, group.Preset, group.Overrides, 0, Resources, RunFolder.At(Folder)).CheckMemory(atOnce);
        return true;
    }

    private Summary? Run(SweepJob job, Lazy<bool> fits, IProgressDisplay display, CancellationToken stop, int threads, Action<string> undrawn)
    {
        var run = TrainingOf(job);
        if (!run.Folder.IsFinished) _ = fits.Value;
        using var taken = RunLock.Take(job.Folder, "wait until it is done, or choose another --out");
        if (Finished(run) is { } summary) return summary;
        bool goesOn = run.Folder.HoldsResults;
        if (goesOn) run.CheckIdentity(run.Folder.ReadIdentity());
        var result = run.Run(goesOn, threads, display, stop, Pictures);
        if (run.Undrawn is { } line) undrawn(line);
        return result;
    }

    private Summary? Finished(TrainingRun run)
    {
        if (!run.Folder.IsFinished) return null;
        try
        {
            var identity = RunFailure.Unless(Core.Training.Checkpoint.identify(run.Folder.ReadCheckpoint()), run.Folder.Checkpoint);
            run.CheckIdentity(identity);
            var summary = Summary.Parse(File.ReadAllText(run.Folder.Summary), identity, Experiment.Specification);

            // A run that was killed just after it had been extended still has the summary of the shorter run.
            return summary.Steps < run.Plan.Steps ? null : summary;
        }
        catch (Exception problem) when (Json.IsDamage(problem))
        {
            throw new RunFailure($"{run.Folder.Summary}: the file is damaged; delete it to finish that run again", isOfOneRun: true);
        }
    }
}

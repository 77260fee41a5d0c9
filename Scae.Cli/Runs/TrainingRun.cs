using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading;
using Microsoft.FSharp.Collections;
using Scae.Cli.Reports;
using Scae.Core.Experiments;
using Scae.Core.Figures;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>
/// One training with its folder: starts or resumes, writes checkpoints and numbers at the end of each epoch and checkpoints
/// every minute, and the summary and pictures at the end.
/// </summary>
internal sealed class TrainingRun
{
    private static readonly TimeSpan s_saveEvery = TimeSpan.FromMinutes(1);

    private readonly Experiment _experiment;
    private readonly Preset _preset;
    private readonly long _seed;
    private readonly Task _task;
    private readonly Resources _resources;
    private readonly RunIdentity _identity;
    private readonly List<double> _seconds = [];

    public TrainingRun(Experiment experiment, Preset preset, IEnumerable<Tuple<string, string>> overrides, long seed, Resources resources, RunFolder folder)
    {
        (_experiment, _preset, _seed, _resources, Folder) = (experiment, preset, seed, resources, folder);
        _task = RunFailure.Unless(ExperimentModule.configure(experiment, preset, ListModule.OfSeq(overrides)));
        _identity = new RunIdentity(experiment.Specification.Experiment, preset.Name, seed, _task.Settings, Version);
    }

    public static string Version { get; } =
        typeof(TrainingRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    public RunFolder Folder { get; }

    public Plan Plan => _task.Plan;

    /// <summary>
    /// Trains to the end, or until <paramref name="stop"/>; null when it was stopped, after the state was saved. To resume a
    /// run that was killed before its first checkpoint is to start it.
    /// </summary>
    public Summary? Run(bool resume, int threads, IProgressDisplay display, CancellationToken stop, bool pictures = true)
    {
        var saved = resume && (Folder.HoldsRun || !Folder.WasBegun) ? Folder.ReadCheckpoint() : null;
        if (saved is not null) CheckIdentity(RunFailure.Unless(Core.Training.Checkpoint.identify(saved), Folder.Checkpoint));
        Folder.Prepare();
        var session = RunFailure.Unless(ExperimentModule.openSeed(_task, _resources, _seed));
        var state = saved is null
            ? TrainingStateModule.start(Plan, session.Learner)
            : RunFailure.Unless(Core.Training.Checkpoint.restore(saved, Plan, session.Learner), Folder.Checkpoint);
        if (saved is null) Folder.Clear();
        var between = Folder.ReadSaved() is { } known && known.Step == state.Step && saved is not null ? known : null;
        Folder.WriteSettings(_identity, threads, between);
        double before = Math.Max(RecallSeconds(state), between?.Seconds ?? 0);
        var clock = Stopwatch.StartNew();
        double Elapsed() => before + clock.Elapsed.TotalSeconds;

        var outcome = display.Show(_experiment.Specification, _preset, _seed, Plan, state, observe =>
            Training.run(state, new Supervisor(stop, s_saveEvery, progress =>
            {
                observe(progress);
                Keep(state, progress, threads, Elapsed);
            })));
        double trained = Elapsed();
        switch (outcome)
        {
            case Outcome.Diverged diverged:
                string kept = Folder.HoldsRun ? $" the last good checkpoint is {Folder.Checkpoint};" : string.Empty;
                throw new RunFailure($"step {diverged.step}: {diverged.what};{kept} try a smaller learning rate");
            case { IsStopped: true }:
                SaveBetween(state, threads, trained);
                return null;
        }

        if (between is not null) Folder.WriteSettings(_identity, threads, saved: null);
        try
        {
            return Finish(session, state, trained, pictures, stop);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Writes what progress asks for: snapshots, and checkpoints at and between evaluations.</summary>
    private void Keep(TrainingState state, Progress progress, int threads, Func<double> elapsed)
    {
        switch (progress)
        {
            case Progress.Snapped snapped:
                Folder.WriteSnapshot(snapped.Item.Step, Core.Training.Checkpoint.snapshot(_identity, snapped.Item));
                break;
            case Progress.Evaluated evaluated:
                _seconds.Add(elapsed());
                Save(state, evaluated.isBest);
                break;
            case { IsSaveDue: true }:
                SaveBetween(state, threads, elapsed());
                break;
        }
    }

    /// <summary>Refuses a checkpoint of another run: other hyperparameters, another seed, another experiment.</summary>
    public void CheckIdentity(RunIdentity saved)
    {
        if (Core.Training.Checkpoint.mismatch(saved, _identity) is { } difference)
            throw new RunFailure($"{Folder.Path}: the run there is another one: {difference.Value}; go on with the hyperparameters that it began with, or choose another --out", ExitCode.Usage);
    }

    private Summary Finish(Session session, TrainingState state, double trained, bool pictures, CancellationToken stop)
    {
        Save(state, best: true);
        stop.ThrowIfCancellationRequested();
        var history = Folder.ReadHistory(state);
        var (found, figures) = pictures ? Results.all(session, state, history) : Tuple.Create(Results.metrics(session, state), FSharpList<Figure>.Empty);
        var metrics = found.ToList();
        var summary = new Summary(
            _identity.Experiment,
            _identity.Preset,
            _seed,
            state.Step,
            trained,
            1000 * trained / Math.Max(1, state.Step),
            metrics,
            TargetCheck.Of(_experiment.Specification, _preset.Name, metrics));
        stop.ThrowIfCancellationRequested();
        if (pictures) FigureFiles.Write(Folder, figures, SessionModule.animation(session, history), stop);
        AtomicFile.Write(Folder.Summary, summary.ToJson() + "\n");
        return summary;
    }

    private double RecallSeconds(TrainingState state)
    {
        int evaluations = state.Evaluations.Length;
        var known = Folder.ReadSeconds();
        double last = 0;
        for (int i = 0; i < evaluations; i++)
        {
            last = i < known.Count ? known[i] : last;
            _seconds.Add(last);
        }

        return last;
    }

    private void Save(TrainingState state, bool best)
    {
        AtomicFile.Write(Folder.Checkpoint, Core.Training.Checkpoint.last(_identity, state));
        if (best && Core.Training.Checkpoint.best(_identity, state) is { } bytes) AtomicFile.Write(Folder.Best, bytes.Value);
        Folder.WriteMetrics(state.Evaluations, _seconds);
    }

    private void SaveBetween(TrainingState state, int threads, double elapsed)
    {
        Save(state, best: false);
        Folder.WriteSettings(_identity, threads, new SavedAt(state.Step, elapsed));
    }
}

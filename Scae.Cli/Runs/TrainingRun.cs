using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Scae.Cli.Reports;
using Scae.Cli.TensorBoard;
using Scae.Core.Configuration;
using Scae.Core.Experiments;
using Scae.Core.Figures;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>
/// One training with its folder. It starts or resumes, writes checkpoints and numbers after evaluations and every minute,
/// and at the end the summary and the pictures.
/// </summary>
internal sealed class TrainingRun
{
    private const string Epochs = "epochs";

    // The most bytes that an array holds, less room for what else may be in a checkpoint.
    private const long LargestCheckpoint = 2_000_000_000;

    private static readonly TimeSpan s_saveEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_saveNoOftener = TimeSpan.FromSeconds(1);

    // After so many seconds a run keeps two checkpoints: one bad block on the disk then costs minutes, not hours.
    private const double SecondsBeforeSecondCheckpoint = 180;

    private readonly Experiment _experiment;
    private readonly Preset _preset;
    private readonly long _seed;
    private readonly Task _task;
    private readonly Resources _resources;
    private RunIdentity _identity;
    private readonly bool _tensorBoard;
    private readonly List<double> _seconds = [];
    private int? _savedStep;

    // A damaged checkpoint mustn't replace the one before it.
    private bool _lastIsWhole = true;
    private int _bestEpoch = -1;
    private long _saved;
    private TrainingEvents? _events;

    /// <summary>Why the pictures of a finished training are missing, and how to draw them; null unless they are.</summary>
    public string? Undrawn { get; private set; }

    public TrainingRun(Experiment experiment, Preset preset, IEnumerable<Tuple<string, string>> overrides, long seed, Resources resources, RunFolder folder, bool tensorBoard = false)
    {
        (_experiment, _preset, _seed, _resources, Folder, _tensorBoard) = (experiment, preset, seed, resources, folder, tensorBoard);
        _task = Settled(ListModule.OfSeq(overrides));
        _identity = ExperimentModule.identify(experiment, preset, _task, resources, seed);
    }

    public RunFolder Folder { get; }

    public Plan Plan => _task.Plan;

    /// <summary>Every hyperparameter with its value, including those that were left open and have been settled.</summary>
    public FSharpList<Tuple<string, string>> Settings => _task.Settings;

    public Specification Specification => _experiment.Specification;

    /// <summary>The task with nothing left open. The data that is available decides, and one line tells.</summary>
    private Task Settled(FSharpList<Tuple<string, string>> overrides)
    {
        var task = RunFailure.Unless(ExperimentModule.restore(_experiment, _preset, overrides));
        var (settled, line) = DigitSourceModule.settle(_resources, task.Settings);
        var all = settled.Concat(SpriteSourceModule.settle(_resources, task.Settings)).ToList();
        if (all.Count == 0) return task;
        if (line is not null) Notice.TellOnce(line.Value);
        return RunFailure.Unless(ExperimentModule.restore(_experiment, _preset, ListModule.OfSeq(overrides.Concat(all))));
    }

    /// <summary>Throws if the memory can't hold so many runs of this kind at once.</summary>
    public void CheckMemory(long atOnce = 1) => FreeMemory.Check(_task, atOnce);

    /// <summary>
    /// Trains to the end, or until <paramref name="stop"/>; null if it was stopped, after the state was saved. A run that
    /// was killed before its first checkpoint starts again when it is resumed. The caller must hold the folder's lock.
    /// </summary>
    public Summary? Run(bool resume, int threads, IProgressDisplay display, CancellationToken stop, bool pictures = true)
    {
        Folder.Prepare();
        var saved = resume && (Folder.HoldsResults || !Folder.WasBegun) ? Folder.ReadCheckpoint(out _lastIsWhole) : null;
        bool isExtended = false;
        RunIdentity? begun = null;
        if (saved is not null)
        {
            var stored = RunFailure.Unless(Core.Training.Checkpoint.identify(saved), Folder.Checkpoint);
            begun = Completed(stored);
            isExtended = IsExtended(begun);
            TellOfAdded(stored);
            // Nobody knows which images a run of an older version began with, so it doesn't get the digest of today's.
            if (begun.Data is null) _identity = new RunIdentity(_identity.Experiment, _identity.Preset, _identity.Seed, _identity.Settings, _identity.Version, null);
        }

        var session = RunFailure.Unless(ExperimentModule.openSeed(_task, _resources, _seed));
        var state = saved is null
            ? TrainingStateModule.start(Plan, session.Learner)
            : RunFailure.Unless(Core.Training.Checkpoint.restore(saved, Plan, session.Learner), Folder.Checkpoint);
        if (Core.Training.Checkpoint.size(state) > LargestCheckpoint)
            throw new RunFailure($"{Folder.Path}: a checkpoint of this model would have more than 2 GB; lower the sizes of its layers", ExitCode.Usage);
        if (state.Step > Plan.Steps)
            throw new RunFailure($"{Folder.Path}: {state.Step} steps are done, more than --epochs would make ({Plan.Steps})", ExitCode.Usage);
        if (begun is not null) MeasureAlike(begun, state);
        // A run that has an event file goes on with it, whether or not the command asks for it again.
        bool events = _tensorBoard || (resume && File.Exists(Folder.Events));
        try
        {
            // The extended run is saved before anything of the other is removed.
            if (isExtended) Extend(state);
            var clock = Begin(state, threads, isNew: saved is null, isExtended);
            if (events) _events = TrainingEvents.Open(Folder.Events, _identity, state.Step, BeginningOf(clock));
            return Train(session, state, threads, clock, display, pictures, stop);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            throw Unwritten(problem);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>
    /// Refuses a checkpoint of another run: with other hyperparameters, another seed, or another experiment. If the run may be
    /// extended, it isn't another one because it is measured otherwise, or has more epochs where no step depends on the last. (That
    /// its steps must be done for the former, <see cref="Run"/> checks.)
    /// </summary>
    public void CheckIdentity(RunIdentity saved, bool mayExtend = false)
    {
        saved = Completed(saved);
        if (Core.Training.Checkpoint.mismatch(saved, _identity) is not { } difference) return;
        bool isOlder = saved.Experiment == _identity.Experiment && saved.Preset == _identity.Preset && !Names(saved).SetEquals(Names(_identity));
        string advice = isOlder
            ? $"go on with the version that began it, {saved.Version}, or choose another --out"
            : saved.Data is not null && _identity.Data is not null && saved.Data.Value != _identity.Data.Value
            ? "name the folder of the images that it began with by --data, or choose another --out"
            : "go on with the hyperparameters that it began with, or choose another --out";
        if (mayExtend && Core.Training.Checkpoint.mismatch(With(saved, [Epochs, .. Measuring]), _identity) is null)
        {
            var before = RunFailure.Unless(ExperimentModule.restore(_experiment, _preset, saved.Settings)).Plan;
            if (PlanModule.extends(before, Plan)) return;
            advice = Plan.Epochs < before.Epochs ? "a run can be made longer, not shorter" : $"its steps depend on where the training ends; {advice}";
        }

        throw new RunFailure($"{Folder.Path}: the run there is another one: {difference.Value}; {advice}", ExitCode.Usage);
    }

    /// <summary>
    /// The saved run with the preset's values of the hyperparameters that the version which began it didn't have.
    /// </summary>
    private RunIdentity Completed(RunIdentity saved)
    {
        if (saved.Experiment != _identity.Experiment || saved.Preset != _identity.Preset) return saved;
        var settings = saved.Settings.Concat(Added(saved).Select(setting => Tuple.Create(setting.Name, setting.Default)));
        return new RunIdentity(saved.Experiment, saved.Preset, saved.Seed, ListModule.OfSeq(settings), saved.Version, saved.Data);
    }

    private IEnumerable<Setting> Added(RunIdentity saved)
    {
        var known = Names(saved);
        return _experiment.Settings.Invoke(_preset).Where(setting => !known.Contains(setting.Name));
    }

    /// <summary>
    /// Says with which values of added hyperparameters the run goes on. If these change what the version did that began it,
    /// the run isn't the one that it would have made.
    /// </summary>
    private void TellOfAdded(RunIdentity saved)
    {
        string values = string.Join(' ', Added(saved).Select(setting => $"--{setting.Name} {setting.Default}"));
        if (values.Length > 0) Notice.Tell($"{Folder.Path}: the version that began this run, {saved.Version}, didn't have {values}, with which it goes on");
    }

    private static HashSet<string> Names(RunIdentity run) => [.. run.Settings.Select(setting => setting.Item1)];

    private IEnumerable<string> Measuring => _experiment.Settings.Invoke(_preset).Where(setting => setting.Measuring).Select(setting => setting.Name);

    /// <summary>The identity of the saved run with this one's values of some hyperparameters.</summary>
    private RunIdentity With(RunIdentity saved, HashSet<string> names)
    {
        var mine = _identity.Settings.ToDictionary(pair => pair.Item1, pair => pair.Item2);
        var settings = saved.Settings.Select(pair => names.Contains(pair.Item1) && mine.TryGetValue(pair.Item1, out string? value) ? Tuple.Create(pair.Item1, value) : pair);
        return new RunIdentity(saved.Experiment, saved.Preset, saved.Seed, ListModule.OfSeq(settings), saved.Version, saved.Data);
    }

    /// <summary>Whether the run differs from its checkpoint, as it may by having more epochs or being measured otherwise.</summary>
    private bool IsExtended(RunIdentity saved)
    {
        CheckIdentity(saved, mayExtend: true);
        return Core.Training.Checkpoint.mismatch(saved, _identity) is not null;
    }

    /// <summary>
    /// Sees to it that evaluations of one training are measured alike, since its best epoch is chosen among them. What is
    /// measured otherwise at the end isn't among them, and the values that they were measured with are kept in mind.
    /// </summary>
    private void MeasureAlike(RunIdentity begun, TrainingState state)
    {
        if (state.Evaluations.IsEmpty) return;
        HashSet<string> measuring = [.. Measuring];
        var before = begun.Settings.Where(setting => measuring.Contains(setting.Item1)).ToDictionary(setting => setting.Item1, setting => setting.Item2);
        foreach (var (name, value) in state.EvaluatedWith) before[name] = value;
        var now = _identity.Settings.ToDictionary(setting => setting.Item1, setting => setting.Item2);
        var others = before.Where(setting => now.TryGetValue(setting.Key, out string? value) && value != setting.Value).ToList();
        if (others.Count > 0 && state.Step < Plan.Steps)
        {
            string values = string.Join(' ', others.Select(setting => $"--{setting.Key} {setting.Value}"));
            throw new RunFailure(
                state.EvaluatedWith.IsEmpty
                    ? $"{Folder.Path}: a run can be measured otherwise when its last step is done, and this one has done {state.Step} of {Plan.Steps}; finish it first, or ask scae eval"
                    : $"{Folder.Path}: when its epochs were measured the run had {values}, and it must have that for those that follow, too; add {values}",
                ExitCode.Usage);
        }

        state.EvaluatedWith = ListModule.OfSeq(others.Select(setting => Tuple.Create(setting.Key, setting.Value)));
    }

    /// <summary>Writes the checkpoint again, as that of the extended run.</summary>
    private void Extend(TrainingState state)
    {
        _savedStep = state.Step;
        AtomicFile.Write(Folder.Checkpoint, Core.Training.Checkpoint.last(_identity, state));
        _lastIsWhole = true;
    }

    /// <summary>Clears what an earlier run left, or recalls what this one had spent.</summary>
    private RunClock Begin(TrainingState state, int threads, bool isNew, bool isExtended)
    {
        _savedStep = isNew ? null : state.Step;
        if (isNew) Folder.Clear();

        // The results of the shorter run, or of that which was measured otherwise, aren't those of this one.
        else if (isExtended || state.Step < Plan.Steps) AtomicFile.Delete(Folder.Summary);
        var known = isNew ? null : Folder.ReadSaved();
        double last = RecallSeconds(state);
        var spent = known is not null && known.Step == state.Step ? known.Spent : new Spent(last, 0, 0, last);
        Folder.WriteSettings(_identity, threads, isNew ? null : new SavedAt(state.Step, spent));
        return new RunClock(spent, TimeProvider.System);
    }

    private Summary? Train(Session session, TrainingState state, int threads, RunClock clock, IProgressDisplay display, bool pictures, CancellationToken stop)
    {
        var outcome = display.Show(_experiment.Specification, _preset, _seed, Plan, state, observe =>
        {
            clock.Mark();
            return Training.run(state, new Supervisor(stop, s_saveEvery, clock, TimeProvider.System, progress =>
            {
                // What is done is kept before it is shown, since standard output may not be writable.
                Keep(state, progress, threads, clock);
                observe(progress);
            }));
        });
        switch (outcome)
        {
            case Outcome.Diverged diverged:
                string kept = Folder.HoldsRun ? $" {Folder.Checkpoint} is the last checkpoint before it;" : string.Empty;
                throw new RunFailure($"{Folder.Path}: step {diverged.step}: {diverged.what};{kept} begin again with a smaller learning rate and another --out", isOfOneRun: true);
            case { IsStopped: true }:
                Save(state, threads, clock);
                return null;
        }

        Save(state, threads, clock);
        stop.ThrowIfCancellationRequested();
        return display.Finish(pictures ? "measuring on test data and drawing pictures" : "measuring on test data", () => Finish(session, state, clock, pictures, stop));
    }

    /// <summary>
    /// Writes what progress asks for: snapshots, and checkpoints when they are due. After an evaluation a checkpoint is
    /// written unless the last one is younger than a second: with short epochs, most of the time would go to the disk.
    /// </summary>
    private void Keep(TrainingState state, Progress progress, int threads, RunClock clock)
    {
        switch (progress)
        {
            case Progress.Snapped snapped:
                StayInPlace();
                Folder.WriteSnapshot(snapped.Item.Step, Core.Training.Checkpoint.snapshot(_identity, snapped.Item));
                break;
            case { IsEvaluated: true }:
                _seconds.Add(clock.Spent.Total);
                if (Stopwatch.GetElapsedTime(_saved) >= s_saveNoOftener) Save(state, threads, clock);
                break;
            case { IsSaveDue: true }:
                Save(state, threads, clock);
                break;
        }
    }

    /// <summary>The failure to report when a file can't be written: what is kept, where, and how to go on.</summary>
    private RunFailure Unwritten(Exception problem)
    {
        if (!Directory.Exists(Folder.Path)) return Displaced();
        string kept = _savedStep is { } step
            ? $"the checkpoint of step {step} is whole; when there is room, go on with: scae train --resume --out {Shell.Quote(Folder.Path)}"
            : "there is no checkpoint yet; choose another folder with --out";
        return new RunFailure($"{Folder.Path}: {FileProblem.Text(problem)}; {kept}");
    }

    /// <summary>
    /// Throws if the folder was removed or renamed under this run. Nothing is made in its place: it would have no lock, and what has
    /// the folder's name now may be another run's.
    /// </summary>
    private void StayInPlace()
    {
        if (!RunLock.IsHeld(Folder.Path)) throw Displaced();
    }

    private RunFailure Displaced() => new(
        $"{Folder.Path}: the folder, or its lock, was removed or renamed while the run was writing there; scae train --resume --out goes on where the run lies now",
        isOfOneRun: true);

    private Summary Finish(Session session, TrainingState state, RunClock clock, bool pictures, CancellationToken stop)
    {
        var history = Folder.ReadHistory(state);
        clock.Mark();
        var (found, figures) = pictures ? Results.all(session, state, history) : Tuple.Create(Results.metrics(session, state), FSharpList<Figure>.Empty);
        clock.Evaluated();
        stop.ThrowIfCancellationRequested();
        StayInPlace();
        clock.Mark();
        List<string> written = pictures ? Draw(figures, SessionModule.animation(session, history), stop) : [];
        clock.Drew();
        var metrics = found.ToList();
        var summary = new Summary(
            _identity.Experiment,
            _identity.Preset,
            _seed,
            state.Step,
            clock.Spent,
            clock.MedianStep(state.Step),
            metrics,
            [.. TargetCheck.Of(_experiment.Specification, _preset.Name, metrics).Select(check => check.FirstReached(state.Evaluations, _seconds))]);
        StayInPlace();
        _events?.Finished(summary, written.Where(path => Path.GetExtension(path) != ".svg"), Now);
        AtomicFile.Write(Folder.Summary, summary.ToJson() + "\n");
        return summary;
    }

    /// <summary>
    /// Draws the pictures. If that isn't possible, the numbers aren't lost with them: <see cref="Undrawn"/> says why.
    /// </summary>
    private List<string> Draw(IReadOnlyList<Figure> figures, FSharpOption<Animation>? animation, CancellationToken stop)
    {
        try
        {
            return FigureFiles.Write(Folder, figures, animation, stop);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            Undrawn = $"{Folder.Path}: the numbers are there, but the pictures can't be drawn: {FileProblem.Text(problem)}; when that is mended, scae figures {Shell.Quote(Folder.Path)} draws them";
            return [];
        }
    }

    private static double Now => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalSeconds;

    /// <summary>When the run would have begun if it had never been stopped, in seconds since 1970.</summary>
    private static double BeginningOf(RunClock clock) => Now - clock.Spent.Total;

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

    private void Save(TrainingState state, int threads, RunClock clock)
    {
        StayInPlace();
        var spent = clock.Spent;
        AtomicFile.Write(Folder.Checkpoint, Core.Training.Checkpoint.last(_identity, state), _lastIsWhole && spent.Total >= SecondsBeforeSecondCheckpoint ? Folder.Previous : null);
        _lastIsWhole = true;
        _savedStep = state.Step;
        if (state.Best is { } best && best.Value.Epoch != _bestEpoch && Core.Training.Checkpoint.best(_identity, state) is { } bytes)
        {
            AtomicFile.Write(Folder.Best, bytes.Value);
            _bestEpoch = best.Value.Epoch;
        }

        Folder.WriteMetrics(state.Evaluations, _seconds);
        _events?.Evaluated(state.Evaluations, _seconds, BeginningOf(clock));
        Folder.WriteSettings(_identity, threads, new SavedAt(state.Step, spent));
        _saved = Stopwatch.GetTimestamp();
    }
}

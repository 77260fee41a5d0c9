using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Spectre.Console;
using Progress = Scae.Core.Training.Progress;

namespace Scae.Cli.Reports;

/// <summary>On a terminal: a bar for the sweep and one for each training that runs, below the lines of those that are finished.</summary>
internal sealed class LiveSweepDisplay(IAnsiConsole console, long count, TimeProvider clock) : ISweepDisplay
{
    private readonly SweepProgress _progress = new(count, clock);
    private readonly ConcurrentDictionary<string, ProgressTask> _running = new();
    private ProgressContext? _context;
    private ProgressTask? _all;

    public List<Summary> Show(Func<List<Summary>> sweep)
    {
        List<Summary> summaries = [];
        console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                _context = context;
                _all = context.AddTask("starting");
                summaries = sweep();
            });
        return summaries;
    }

    public IProgressDisplay Of(string training) => new Part(this, training);

    public void Finished(string training, string line)
    {
        _progress.Finish(training);
        Remove(training);
        console.WriteLine(line);
        DrawAll();
    }

    public void Failed(string training)
    {
        _progress.Fail(training);
        Remove(training);
        DrawAll();
    }

    private void Remove(string training)
    {
        if (_running.TryRemove(training, out var bar)) bar.StopTask();
    }

    private void DrawAll()
    {
        if (_all is null) return;
        _all.Value = Math.Min(99.9, 100 * _progress.Share);
        _all.Description = Markup.Escape(_progress.Summary);
    }

    private sealed class Part(LiveSweepDisplay sweep, string name) : IProgressDisplay
    {
        private TrainingBar? _bar;

        public Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training)
        {
            int first = state.Step;
            sweep._progress.Begin(name, first, plan.Steps);
            var task = sweep._context!.AddTask(Markup.Escape($"{name}: {(plan.Preparation.IsSome ? $"first {plan.Preparation.Value}" : "starting")}"), maxValue: plan.Steps);
            task.Value = TrainingBar.Place(first, plan.Steps);
            sweep._running[name] = task;
            TrainingBar bar = _bar = new(task, $"{name}: ", first, plan.Steps);
            return training(progress =>
            {
                if (progress is Progress.Stepped stepped) sweep._progress.Stepped(name, stepped.step);
                if (bar.Hear(progress)) sweep.DrawAll();
            });
        }

        public Summary Finish(string what, Func<Summary> work)
        {
            _bar?.Finish(what);
            sweep._context?.Refresh();
            return work();
        }
    }
}

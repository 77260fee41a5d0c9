using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Reports;

/// <summary>For files and pipes: a line for each training that is finished, and every minute one that says how far all are.</summary>
internal sealed class PlainSweepDisplay(TextWriter output, long count, TimeProvider clock) : ISweepDisplay
{
    // A short sweep needs no such line, but during a long one people want to see soon that it has begun.
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(10), s_every = TimeSpan.FromMinutes(1);

    private readonly Lock _writing = new();
    private readonly SweepProgress _progress = new(count, clock);
    private bool _ended;

    public List<Summary> Show(Func<List<Summary>> sweep)
    {
        using var timer = clock.CreateTimer(_ => Tell(), null, s_first, s_every);
        try
        {
            return sweep();
        }
        finally
        {
            lock (_writing) _ended = true;
        }
    }

    public IProgressDisplay Of(string training) => new Part(_progress, training);

    public void Finished(string training, string line)
    {
        _progress.Finish(training);
        lock (_writing) output.WriteLine(line);
    }

    public void Failed(string training) => _progress.Fail(training);

    private void Tell()
    {
        lock (_writing)
        {
            if (_ended) return;
            try
            {
                output.WriteLine(_progress.Line);
            }
            catch (Exception problem) when (problem is IOException or RunFailure)
            {
                // Nobody reads the output any more. The thread that trains will notice this, too, and handles it.
                _ended = true;
            }
        }
    }

    private sealed class Part(SweepProgress progress, string name) : IProgressDisplay
    {
        public Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training)
        {
            progress.Begin(name, state.Step, plan.Steps);
            return training(heard =>
            {
                if (heard is Progress.Stepped stepped) progress.Stepped(name, stepped.step);
            });
        }

        public Summary Finish(string what, Func<Summary> work) => work();
    }
}

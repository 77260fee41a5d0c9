using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Scae.Cli.Reports;

/// <summary>How far the trainings of a sweep are. Several trainings may report at the same time.</summary>
/// <param name="count">How many trainings there are, including those that an earlier sweep has finished.</param>
/// <param name="clock">The clock for estimates of the time left.</param>
internal sealed class SweepProgress(long count, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly long _began = clock.GetTimestamp();
    private readonly List<Part> _running = [];
    private long _finished;

    // Measured in trainings: what is left to do, and what was done since the beginning.
    private double _left = count, _done;

    /// <summary>Must be called when a training begins, or goes on after so many of its steps.</summary>
    public void Begin(string training, int step, int steps)
    {
        lock (_lock)
        {
            _left -= (double)step / steps;
            _running.Add(new Part(training, step, steps, clock.GetTimestamp()));
        }
    }

    /// <summary>Must be called when a step of a training has been done.</summary>
    public void Stepped(string training, int step)
    {
        lock (_lock)
        {
            if (Find(training) is not { } part) return;
            double more = (double)(step - part.Step) / part.Steps;
            part.Step = step;
            _done += more;
            _left -= more;
        }
    }

    /// <summary>Must be called when a training is finished, now or by an earlier sweep.</summary>
    public void Finish(string training)
    {
        lock (_lock)
        {
            _finished++;
            if (Find(training) is { } part) _running.Remove(part);
            else _left--;
        }
    }

    /// <summary>Must be called when a training failed: the rest of it won't be done.</summary>
    public void Fail(string training)
    {
        lock (_lock)
        {
            var part = Find(training);
            _left -= part is null ? 1 : 1 - ((double)part.Step / part.Steps);
            if (part is not null) _running.Remove(part);
        }
    }

    /// <summary>The share of all steps that is done, in [0, 1].</summary>
    public double Share
    {
        get
        {
            lock (_lock) return Math.Clamp(1 - (_left / count), 0, 1);
        }
    }

    /// <summary>How many trainings are finished, and how long the others will take, if that can be estimated.</summary>
    public string Summary
    {
        get
        {
            lock (_lock) return $"{_finished} of {count} trainings finished{(SecondsLeft() is { } left ? $", about {Format.Duration(left)} left" : string.Empty)}";
        }
    }

    /// <summary>The summary and the state of each training, in one line.</summary>
    public string Line
    {
        get
        {
            lock (_lock) return string.Join("; ", [Summary, .. _running.Select(part => $"{part.Training}: {Place(part)}")]);
        }
    }

    // An estimate in proportion to what was done, but no less than the slowest running training needs: at the end some cores are idle.
    private double? SecondsLeft()
    {
        // Less than this is only a rounding error of steps.
        if (_done <= 0 || _left < 1e-9) return null;
        double all = clock.GetElapsedTime(_began).TotalSeconds / _done * _left;
        return _running.Where(part => part.Step > part.First)
            .Select(part => clock.GetElapsedTime(part.Began).TotalSeconds / (part.Step - part.First) * (part.Steps - part.Step))
            .Append(all).Max();
    }

    private static string Place(Part part) =>
        part.Step == part.First ? "begins" : part.Step == part.Steps ? "ends" : $"step {part.Step} of {part.Steps}";

    private Part? Find(string training) => _running.Find(part => part.Training == training);

    /// <summary>A training that runs.</summary>
    private sealed record Part(string Training, int First, int Steps, long Began)
    {
        public int Step { get; set; } = First;
    }
}

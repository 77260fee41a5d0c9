using System;

namespace Scae.Cli.Runs;

/// <summary>
/// Seconds that a run has taken: for training steps alone, for evaluations, for pictures, and for everything; and the
/// median time of a step in milliseconds, null before the first step.
/// </summary>
internal readonly record struct Spent(double Train, double Evaluate, double Figures, double Total, double? Step = null);

/// <summary>
/// Measures what a run's time is spent on. Earlier sessions count, too, except that the median step is that of the last
/// session that had any steps.
/// </summary>
internal sealed class RunClock(Spent before, TimeProvider time)
{
    // Steps are counted in classes of their duration, 128 per doubling, which gives the median to half a per cent in 32 KB.
    private const int ClassesPerDoubling = 128;
    private const int Doublings = 64;

    private readonly long _start = time.GetTimestamp();
    private readonly int[] _classes = new int[ClassesPerDoubling * Doublings];
    private int _steps;
    private long _mark = time.GetTimestamp();
    private double _train = before.Train;
    private double _evaluate = before.Evaluate;
    private double _figures = before.Figures;

    public Spent Spent => new(_train, _evaluate, _figures, before.Total + time.GetElapsedTime(_start).TotalSeconds, _steps == 0 ? before.Step : Median());

    /// <summary>Seconds since the last mark, that is, how long the work that has just ended took.</summary>
    public double SinceMark => time.GetElapsedTime(_mark).TotalSeconds;

    /// <summary>The median step in milliseconds; the mean, if no session has measured a median.</summary>
    public double MedianStep(int steps) => Spent.Step ?? 1000 * _train / Math.Max(1, steps);

    /// <summary>Marks the beginning of another kind of work.</summary>
    public void Mark() => _mark = time.GetTimestamp();

    public void Stepped()
    {
        long ticks = Math.Max(1, time.GetTimestamp() - _mark);
        _train += (double)ticks / time.TimestampFrequency;
        _classes[(int)(ClassesPerDoubling * Math.Log2(ticks))]++;
        _steps++;
    }

    public void Evaluated() => _evaluate += SinceMark;

    public void Drew() => _figures += SinceMark;

    private double Median()
    {
        int at = 0;
        for (int below = _classes[0]; 2 * below < _steps; below += _classes[at]) at++;
        return 1000 * Math.Pow(2, (at + 0.5) / ClassesPerDoubling) / time.TimestampFrequency;
    }
}

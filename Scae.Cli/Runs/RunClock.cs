using System;
using System.Diagnostics;

namespace Scae.Cli.Runs;

/// <summary>
/// Seconds that a run has taken: its training steps alone, its evaluations, its pictures, and everything; and the median step in
/// milliseconds, null before the first.
/// </summary>
internal readonly record struct Spent(double Train, double Evaluate, double Figures, double Total, double? Step = null);

/// <summary>
/// Tells what a run's time goes into. What was spent in earlier sessions counts; the median step is of the last one that had any.
/// </summary>
internal sealed class RunClock(Spent before)
{
    // Steps are counted by their length in classes 1/128 of a doubling wide: a median to half a per cent, in 32 KB.
    private const int ClassesPerDoubling = 128;
    private const int Doublings = 64;

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly int[] _classes = new int[ClassesPerDoubling * Doublings];
    private int _steps;
    private long _mark = Stopwatch.GetTimestamp();
    private double _train = before.Train;
    private double _evaluate = before.Evaluate;
    private double _figures = before.Figures;

    public Spent Spent => new(_train, _evaluate, _figures, before.Total + Stopwatch.GetElapsedTime(_start).TotalSeconds, _steps == 0 ? before.Step : Median());

    /// <summary>Seconds since the last mark: how long what has just ended took.</summary>
    public double SinceMark => Stopwatch.GetElapsedTime(_mark).TotalSeconds;

    /// <summary>The median step in milliseconds; the mean where no session that had steps has told it.</summary>
    public double MedianStep(int steps) => Spent.Step ?? 1000 * _train / Math.Max(1, steps);

    /// <summary>What follows is another kind of work.</summary>
    public void Mark() => _mark = Stopwatch.GetTimestamp();

    public void Stepped()
    {
        long ticks = Math.Max(1, Stopwatch.GetTimestamp() - _mark);
        _train += (double)ticks / Stopwatch.Frequency;
        _classes[(int)(ClassesPerDoubling * Math.Log2(ticks))]++;
        _steps++;
    }

    public void Evaluated() => _evaluate += SinceMark;

    public void Drew() => _figures += SinceMark;

    private double Median()
    {
        int at = 0;
        for (int below = _classes[0]; 2 * below < _steps; below += _classes[at]) at++;
        return 1000 * Math.Pow(2, (at + 0.5) / ClassesPerDoubling) / Stopwatch.Frequency;
    }
}

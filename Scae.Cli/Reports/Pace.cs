using System;

namespace Scae.Cli.Reports;

/// <summary>
/// How long a step takes at present: the mean of about the last five seconds, without what happens between steps. The first
/// step, in which data is prepared, counts only until there is a second one.
/// </summary>
internal sealed class Pace(TimeProvider clock, int first)
{
    private const double Seconds = 5;

    private long _since = clock.GetTimestamp();
    private int _step = first;
    private double _seconds, _steps;
    private int _told;

    /// <summary>Milliseconds per step; NaN before the first.</summary>
    public double Milliseconds => _seconds / _steps * 1000;

    /// <summary>Must be called when a step has been done.</summary>
    public void Stepped(int step)
    {
        long now = clock.GetTimestamp();
        double seconds = clock.GetElapsedTime(_since, now).TotalSeconds, kept = Math.Exp(-seconds / Seconds);
        if (++_told == 2) kept = 0;
        _seconds = (_seconds * kept) + seconds;
        _steps = (_steps * kept) + (step - _step);
        (_since, _step) = (now, step);
    }

    /// <summary>
    /// Must be called when time since the last step went into something else, such as an evaluation: the next step begins
    /// now.
    /// </summary>
    public void Interrupted() => _since = clock.GetTimestamp();
}

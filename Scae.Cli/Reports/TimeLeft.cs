using System;

namespace Scae.Cli.Reports;

/// <summary>How long a training takes yet, if it goes on as it did. The first step doesn't count: data is made ready in it.</summary>
/// <param name="clock">What time is told by.</param>
/// <param name="total">All steps of the training, those before a resume included.</param>
internal sealed class TimeLeft(TimeProvider clock, int total)
{
    private (int Step, long Time)? _first;

    /// <summary>A step has been done.</summary>
    public void Stepped(int step) => _first ??= (step, clock.GetTimestamp());

    /// <summary>Seconds from now, after a step, to the last one; null before two steps have been done, and after the last: what
    /// comes then isn't told from steps.</summary>
    public double? After(int step) =>
        _first is { } first && step > first.Step && step < total
            ? clock.GetElapsedTime(first.Time).TotalSeconds / (step - first.Step) * (total - step)
            : null;

    /// <summary>The same in words, with two spaces after them; nothing where it isn't known.</summary>
    public string Words(int step) => After(step) is { } seconds ? $"{Format.Duration(seconds)} left  " : string.Empty;
}

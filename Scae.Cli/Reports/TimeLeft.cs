using System;

namespace Scae.Cli.Reports;

/// <summary>
/// How much longer a training takes if it goes on as before. The first step doesn't count, because data is prepared in it.
/// </summary>
/// <param name="clock">The clock.</param>
/// <param name="total">How many steps the training has, including those before a resume.</param>
internal sealed class TimeLeft(TimeProvider clock, int total)
{
    private (int Step, long Time)? _first;

    /// <summary>Must be called when a step has been done.</summary>
    public void Stepped(int step) => _first ??= (step, clock.GetTimestamp());

    /// <summary>
    /// Seconds from the given step, just done, to the last one. Null before two steps have been done, and after the last:
    /// the time for what follows can't be told from steps.
    /// </summary>
    public double? After(int step) =>
        _first is { } first && step > first.Step && step < total
            ? clock.GetElapsedTime(first.Time).TotalSeconds / (step - first.Step) * (total - step)
            : null;

    /// <summary>The same in words, followed by two spaces; empty if it isn't known.</summary>
    public string Words(int step) => After(step) is { } seconds ? $"{Format.Duration(seconds)} left  " : string.Empty;
}

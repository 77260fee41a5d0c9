using System;
using System.Diagnostics;
using Spectre.Console;
using Progress = Scae.Core.Training.Progress;

namespace Scae.Cli.Reports;

/// <summary>The bar of one training on a terminal, with time left, loss, metrics and speed beside it.</summary>
/// <param name="bar">The bar.</param>
/// <param name="title">The text before the figures.</param>
/// <param name="first">How many steps were done before.</param>
/// <param name="total">How many steps there are.</param>
internal sealed class TrainingBar(ProgressTask bar, string title, int first, int total)
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(100);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Pace _pace = new(TimeProvider.System, first);
    private readonly TimeLeft _left = new(TimeProvider.System, total);
    private TimeSpan _drawn;
    private double _loss = double.NaN;
    private string _metrics = string.Empty;

    /// <summary>
    /// How long the bar is after a step. It is never full: a sweep's display hides full bars, and some work follows the
    /// last step.
    /// </summary>
    public static double Place(int step, int total) => Math.Min(step, 0.999 * total);

    /// <summary>Shows what is done after the last step.</summary>
    public void Finish(string what) => bar.Description = Markup.Escape($"{title}{what}");

    /// <summary>Takes in a report of progress; true if the bar was redrawn.</summary>
    public bool Hear(Progress progress)
    {
        switch (progress)
        {
            case Progress.Stepped stepped:
                _pace.Stepped(stepped.step);
                _left.Stepped(stepped.step);
                _loss = double.IsNaN(_loss) ? stepped.loss : (0.98 * _loss) + (0.02 * stepped.loss);
                if (_clock.Elapsed - _drawn < s_redraw) return false;
                _drawn = _clock.Elapsed;
                bar.Value = Place(stepped.step, total);
                bar.Description = Markup.Escape($"{title}{_left.Words(stepped.step)}train loss {Format.Number(_loss)}  {_metrics}  {_pace.Milliseconds:0.00} ms/step");
                return true;
            case Progress.Evaluated evaluated:
                _pace.Interrupted();
                _metrics = Format.Metrics(evaluated.Item1.Metrics);
                return false;
            default:
                return false;
        }
    }
}

using System;
using System.Diagnostics;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Spectre.Console;
using Progress = Scae.Core.Training.Progress;

namespace Scae.Cli.Reports;

/// <summary>A progress bar with loss, metrics, speed and time left, on a terminal.</summary>
internal sealed class LiveDisplay(IAnsiConsole console) : IProgressDisplay
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(100);

    public Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training)
    {
        int total = plan.Steps, first = state.Step;
        console.MarkupLineInterpolated($"[bold]{specification.Title}[/], preset {preset.Name}, seed {seed}: {total} steps of {plan.BatchSize}");
        Outcome? outcome = null;
        console.Progress().AutoClear(true).HideCompleted(false)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                var bar = context.AddTask(plan.Preparation.IsSome ? Markup.Escape($"first {plan.Preparation.Value}") : "starting", maxValue: total);
                bar.Value = first;
                var clock = Stopwatch.StartNew();
                var drawn = TimeSpan.Zero;
                double loss = double.NaN;
                Pace pace = new(TimeProvider.System, first);
                string metrics = string.Empty;
                outcome = training(progress =>
                {
                    switch (progress)
                    {
                        case Progress.Stepped stepped:
                            pace.Stepped(stepped.step);
                            loss = double.IsNaN(loss) ? stepped.loss : (0.98 * loss) + (0.02 * stepped.loss);
                            if (clock.Elapsed - drawn < s_redraw) return;
                            drawn = clock.Elapsed;
                            bar.Value = stepped.step;
                            bar.Description = Markup.Escape($"train loss {loss:0.0000}  {metrics}  {pace.Milliseconds:0.00} ms/step");
                            break;
                        case Progress.Evaluated evaluated:
                            pace.Interrupted();
                            metrics = Format.Metrics(evaluated.Item1.Metrics);
                            break;
                    }
                });
                bar.Value = state.Step;
            });
        return outcome!;
    }
}

using System;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Spectre.Console;
using Progress = Scae.Core.Training.Progress;

namespace Scae.Cli.Reports;

/// <summary>A progress bar with loss, metrics, speed and time left, on a terminal.</summary>
internal sealed class LiveDisplay(IAnsiConsole console) : IProgressDisplay
{
    public Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training)
    {
        int total = plan.Steps, first = state.Step;
        console.MarkupLineInterpolated($"[bold]{specification.Title}[/], preset {preset.Name}, seed {seed}: {total} steps of {plan.BatchSize}");
        Outcome? outcome = null;
        console.Progress().AutoClear(true).HideCompleted(false)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                var task = context.AddTask(plan.Preparation.IsSome ? Markup.Escape($"first {plan.Preparation.Value}") : "starting", maxValue: total);
                task.Value = first;
                TrainingBar bar = new(task, string.Empty, first, total);
                outcome = training(progress => bar.Hear(progress));
            });
        return outcome!;
    }

    public Summary Finish(string what, Func<Summary> work) => console.Status().Start(what, _ => work());
}

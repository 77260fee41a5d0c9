using System;
using System.IO;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Reports;

/// <summary>One line per epoch, for files and pipes.</summary>
internal sealed class PlainDisplay(TextWriter output) : IProgressDisplay
{
    public Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training)
    {
        int first = state.Step, total = plan.Steps;
        Pace pace = new(TimeProvider.System, first);
        TimeLeft left = new(TimeProvider.System, total);
        output.WriteLine($"{specification.Experiment}, preset {preset.Name}, seed {seed}: {total} steps of {plan.BatchSize}{(first > 0 ? $", from step {first}" : string.Empty)}");
        if (plan.Preparation.IsSome) output.WriteLine($"first {plan.Preparation.Value}");
        return training(progress =>
        {
            if (progress is Progress.Stepped stepped)
            {
                pace.Stepped(stepped.step);
                left.Stepped(stepped.step);
            }

            if (progress is not Progress.Evaluated evaluated) return;
            pace.Interrupted();
            output.WriteLine($"epoch {evaluated.Item1.Epoch,3}/{plan.Epochs}  train loss {Format.Number(evaluated.Item1.TrainLoss)}  {Format.Metrics(evaluated.Item1.Metrics)}  {pace.Milliseconds:0.00} ms/step  {left.Words(evaluated.Item1.Step)}{(evaluated.isBest ? "*" : string.Empty)}".TrimEnd());
        });
    }

    public Summary Finish(string what, Func<Summary> work)
    {
        output.WriteLine(what);
        return work();
    }
}

using System;
using System.Diagnostics;
using System.IO;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Reports;

/// <summary>A line an epoch, for files and pipes.</summary>
internal sealed class PlainDisplay(TextWriter output) : IProgressDisplay
{
    public Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training)
    {
        var clock = Stopwatch.StartNew();
        int first = state.Step, total = plan.Steps;
        Pace pace = new(TimeProvider.System, first);
        output.WriteLine($"{specification.Experiment}, preset {preset.Name}, seed {seed}: {total} steps of {plan.BatchSize}{(first > 0 ? $", from step {first}" : string.Empty)}");
        if (plan.Preparation.IsSome) output.WriteLine($"first {plan.Preparation.Value}");
        return training(progress =>
        {
            if (progress is Progress.Stepped stepped) pace.Stepped(stepped.step);
            if (progress is not Progress.Evaluated evaluated) return;
            pace.Interrupted();
            int done = evaluated.Item1.Step - first;
            double left = clock.Elapsed.TotalSeconds / Math.Max(1, done) * (total - evaluated.Item1.Step);
            output.WriteLine($"epoch {evaluated.Item1.Epoch,3}/{plan.Epochs}  train loss {evaluated.Item1.TrainLoss:0.0000}  {Format.Metrics(evaluated.Item1.Metrics)}  {pace.Milliseconds:0.00} ms/step  {Format.Duration(left)} left{(evaluated.isBest ? "  *" : string.Empty)}");
        });
    }
}

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>
/// The variance of the gradients of attend-infer-repeat where presence is drawn and where its expectation is taken, on the
/// same parameters: preset paper after some steps of training with drawn presence, scenes of stroke digits.
/// </summary>
internal static class PresenceGradients
{
    private const int Batches = 200, FirstBatch = 5000;

    private static readonly int[] s_steps = [300, 1500];

    public static void Run()
    {
        Parallelism.Threads = 1;
        TrainingState trained = Start("discrete");
        Trainer trainer = new(trained);
        foreach (int steps in s_steps)
        {
            while (trained.Step < steps)
            {
                trainer.Fill();
                trainer.Forward();
                trainer.Reverse();
                trainer.Update();
            }

            foreach (string presence in new[] { "discrete", "expected" })
            {
                TrainingState state = Start(presence);
                Dictionary<string, Tensor> from = trained.Learner.Tensors.ToDictionary(pair => pair.Item1, pair => pair.Item2);
                foreach (var (name, tensor) in state.Learner.Tensors) from[name].CopyTo(tensor.Elements<float>());
                Measure($"after {steps} steps, {presence}", state);
            }
        }
    }

    private static TrainingState Start(string presence)
    {
        var experiment = Experiments.find("air").ResultValue;
        var preset = Experiments.preset("paper", experiment).ResultValue;
        var task = ExperimentModule.configure(experiment, preset, [Tuple.Create("presence", presence), Tuple.Create("digits", "strokes")]).ResultValue;
        return TrainingStateModule.start(task.Plan, ExperimentModule.openSeed(task, ResourcesModule.none, 0).ResultValue.Learner);
    }

    /// <summary>Prints the variance over batches, summed over the parameters of each part, and the squared mean.</summary>
    private static void Measure(string title, TrainingState state)
    {
        Trainer trainer = new(state);
        var parameters = state.Learner.Tensors.Where(pair => pair.Item2.RequiresGradient).ToArray();
        double[][] sums = [.. parameters.Select(pair => new double[pair.Item2.nelement])];
        double[][] squares = [.. parameters.Select(pair => new double[pair.Item2.nelement])];
        TimeSpan spent = TimeSpan.Zero;
        for (int batch = 0; batch < Batches; batch++)
        {
            state.Learner.Fill.Invoke(FirstBatch + batch);
            long start = Stopwatch.GetTimestamp();
            trainer.Forward();
            trainer.Reverse();
            spent += Stopwatch.GetElapsedTime(start);
            for (int p = 0; p < parameters.Length; p++)
            {
                ReadOnlySpan<float> gradient = parameters[p].Item2.derivative.Elements<float>();
                for (int i = 0; i < gradient.Length; i++)
                {
                    sums[p][i] += gradient[i];
                    squares[p][i] += (double)gradient[i] * gradient[i];
                }
            }
        }

        Console.WriteLine($"{title}: {spent.TotalMilliseconds / Batches:F1} ms forward and backward");
        foreach (var part in parameters.Select((pair, p) => (Name: string.Join('.', pair.Item1.Split('.').Take(2)), Index: p)).GroupBy(pair => pair.Name))
        {
            double mean = part.Sum(pair => sums[pair.Index].Sum(sum => sum / Batches * (sum / Batches)));
            double second = part.Sum(pair => squares[pair.Index].Sum()) / Batches;
            double variance = (second - mean) * Batches / (Batches - 1);

            // The squared mean of n draws is too large by their variance / n.
            Console.WriteLine($"  {part.Key,-24} variance {variance,12:G4}   squared mean {mean - (variance / Batches),12:G4}");
        }
    }
}

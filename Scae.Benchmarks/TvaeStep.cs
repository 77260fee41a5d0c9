using System;
using System.Diagnostics;
using System.Linq;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>
/// A training step of the topographic autoencoder of preset lpartial-mnist beside the matrix product at 1024³: they take
/// turns, and the medians tell how much of a step its products need at that speed. Data are stroke digits; a step costs the same.
/// </summary>
internal static class TvaeStep
{
    private const int Repetitions = 21, Edge = 1024;

    public static void Run(int threads)
    {
        Parallelism.Threads = threads;
        var experiment = Experiments.find("tvae").ResultValue;
        var preset = Experiments.preset("lpartial-mnist", experiment).ResultValue;
        var task = ExperimentModule.configure(experiment, preset, [Tuple.Create("digits", "strokes")]).ResultValue;
        var session = ExperimentModule.openSeed(task, ResourcesModule.none, 0).ResultValue;
        Trainer trainer = new(TrainingStateModule.start(task.Plan, session.Learner));
        MatMulOperands product = new(new MatMulCase("product", 1, Edge, Edge, Edge));
        double[] steps = new double[Repetitions], products = new double[Repetitions];
        for (int i = -3; i < Repetitions; i++)
        {
            double step = Time(() => Step(trainer)), one = Time(product.Multiply);
            if (i < 0) continue;
            steps[i] = step;
            products[i] = one;
        }

        double speed = 2.0 * Edge * Edge * Edge / Median(products), least = Flops() / speed;
        Console.WriteLine($"lpartial-mnist, {threads} threads, medians of {Repetitions} alternating repetitions:");
        Console.WriteLine($"a step {Median(steps) * 1e3:F1} ms; its products, {Flops() * 1e-9:F2} GFLOP, at the {speed * 1e-9:F0} GFLOP/s of {Edge}³ {least * 1e3:F1} ms; ratio {Median(steps) / least:F2}");
    }

    /// <summary>Two encoders and a decoder, forward, and backward to weights and, but for the frames, inputs.</summary>
    private static double Flops()
    {
        const double rows = 8 * 18, s = 18 * 18, frame = 3 * 28 * 28;
        double encoder = (2 * frame * 3 * s) + (3 * ((3 * s * 2 * s) + (2 * s * 2 * s)));
        double decoder = 3 * ((s * 2 * s) + (2 * s * 3 * s) + (3 * s * frame));
        return 2 * rows * ((2 * encoder) + decoder);
    }

    private static void Step(Trainer trainer)
    {
        trainer.Fill();
        trainer.Forward();
        trainer.Reverse();
        trainer.Update();
    }

    private static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}

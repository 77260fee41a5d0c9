using System;
using System.Diagnostics;
using System.Linq;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>
/// The operations of the image SCAE at its published sizes, forward and backward, on one thread and on two, beside the
/// matrix product at 1024³: all of them take turns, and medians are compared.
/// </summary>
internal static class ScaeRace
{
    private const int Images = 128, Parts = 40, Capsules = 32, Repetitions = 15;

    public static void Run()
    {
        Case[] cases = [Product(), Convolutions(), Mixture(), CapsuleLayers(), MaskedAttention()];
        int[] threads = [1, 2];
        double[,][] seconds = new double[cases.Length, 2][];
        for (int c = 0; c < cases.Length; c++)
            for (int t = 0; t < 2; t++) seconds[c, t] = new double[Repetitions];
        for (int i = -2; i < Repetitions; i++)
        {
            for (int c = 0; c < cases.Length; c++)
            {
                for (int t = 0; t < 2; t++)
                {
                    Parallelism.Threads = threads[t];
                    double time = Time(cases[c].Step);
                    if (i >= 0) seconds[c, t][i] = time;
                }
            }
        }

        Console.WriteLine($"Milliseconds, medians of {Repetitions} alternating repetitions, float32, batch {Images}.");
        Console.WriteLine($"{"",-44}{"1 thread",10}{"of product",12}{"2 threads",11}{"of product",12}{"speed-up",10}");
        for (int c = 0; c < cases.Length; c++)
        {
            Console.Write($"{cases[c].Name,-44}");
            for (int t = 0; t < 2; t++)
            {
                double time = Median(seconds[c, t]), best = cases[0].Flops / Median(seconds[0, t]);
                string share = cases[c].Flops > 0 ? $"{cases[c].Flops / time / best:F2}" : "–";
                Console.Write($"{time * 1e3,10:F2}{share,12}");
            }

            Console.WriteLine($"{Median(seconds[c, 0]) / Median(seconds[c, 1]),10:F2}");
        }
    }

    private static Case Product()
    {
        MatMulOperands operands = new(new MatMulCase("product 1024³", 1, 1024, 1024, 1024));
        return new("product 1024³", 2.0 * 1024 * 1024 * 1024, operands.Multiply);
    }

    /// <summary>The encoder's four layers on 40 × 40: 3 × 3, 128 channels, strides 2, 2, 1, 1, bias and relu.</summary>
    private static Case Convolutions()
    {
        int[] strides = [2, 2, 1, 1];
        Tensor x = Draw(1, Images, 1, 40, 40);
        Tensor[] filters = [.. strides.Select((_, i) => (Draw(2 + i, 128, i == 0 ? 1 : 128, 3, 3) * (i == 0 ? 0.3 : 0.03)).reverseDiff())];
        Tensor[] biases = [.. strides.Select((_, i) => (Draw(6 + i, 128) * 0.1).reverseDiff())];
        double flops = 0;
        var step = Record(() =>
        {
            flops = 0;
            Tensor h = x;
            for (int i = 0; i < strides.Length; i++)
            {
                h = h.conv2d(filters[i], strides[i], 0, biases[i], Activation.Relu);

                // The image itself wants no gradient.
                flops += 2.0 * h.nelement * filters[i].nelement / 128 * (i == 0 ? 2 : 3);
            }

            return h.sum();
        });
        return new("four convolutions, 40×40 to 5×5", flops, step);
    }

    private static Case Mixture()
    {
        Tensor x = (Draw(1, Images, 1, 40, 40) * 0.5) + 0.5;
        Tensor templates = Draw(2, Parts, 1, 11, 11).reverseDiff(), alpha = Draw(3, Parts, 11, 11).reverseDiff();
        Tensor presence = Draw(4, Images, Parts).reverseDiff(), colour = ((Draw(5, Images, Parts, 1) * 0.3) + 0.6).reverseDiff();
        Tensor ground = Draw(6, 1).reverseDiff(), logit = Draw(7).reverseDiff();

        // Poses as at the start of training: scales about a half, any angle, anywhere on the canvas.
        Tensor raw = Draw(8, Images, Parts, 6);
        Tensor Entry(int i) => raw.slice(2, i, i + 1);
        Tensor sx = (Entry(0) * 0.3).sigmoid(), sy = (Entry(1) * 0.3).sigmoid(), angle = Entry(2) * Math.PI, shear = (Entry(3) * 0.5).tanh();
        Tensor c = angle.cos(), s = angle.sin();
        Tensor poses = Tensor.cat([(sx * c) + (shear * sy * s), (shear * sy * c) - (sx * s), (Entry(4) * 1.5).tanh(), sy * s, sy * c, (Entry(5) * 1.5).tanh()], 2).reverseDiff();
        return new("part mixture, 40 parts 11×11 on 40×40", 0, Record(() =>
            x.partMixture(new PartScene(templates, poses, presence, ground, PartMixing.Alpha(alpha, logit)) { Colour = colour }).sum()));
    }

    /// <summary>The capsule layer's four layers with weights of their own, 32 capsules: 256 → 128 → 32, 33 → 128 → 327.</summary>
    private static Case CapsuleLayers()
    {
        (int From, int To)[] sizes = [(256, 128), (128, 32), (32, 128), (128, 327)];
        Tensor x = Draw(1, Images, Capsules, 256).reverseDiff();
        Tensor[] weights = [.. sizes.Select((size, i) => (Draw(2 + i, Capsules, size.From, size.To) * 0.05).reverseDiff())];
        Tensor[] biases = [.. sizes.Select((size, i) => (Draw(6 + i, Capsules, size.To) * 0.1).reverseDiff())];
        double flops = sizes.Sum(size => 6.0 * Images * Capsules * size.From * size.To);
        return new("linear layers of 32 capsules", flops, Record(() =>
        {
            Tensor h = x;
            for (int i = 0; i < sizes.Length; i++) h = h.linearEach(weights[i], biases[i], Activation.Relu);
            return h.sum();
        }));
    }

    private static Case MaskedAttention()
    {
        Tensor q = Draw(1, Images, Parts, 16).reverseDiff(), k = Draw(2, Images, Parts, 16).reverseDiff(), v = Draw(3, Images, Parts, 16).reverseDiff();
        Tensor presence = ((Draw(4, Images, Parts) * 0.5) + 0.5).reverseDiff();
        return new("masked attention, 40 parts, d = 16, 4 heads", 0, Record(() => Tensor.maskedAttention(q, k, v, presence, PresenceMask.Log, 4).sum()));
    }

    private static Tensor Draw(int stream, params int[] shape)
    {
        float[] values = new float[shape.Aggregate(1, (a, b) => a * b)];
        Random random = new(stream);
        for (int i = 0; i < values.Length; i++) values[i] = (2 * random.NextSingle()) - 1;
        return Tensor.of(values, shape);
    }

    private static Action Record(Func<Tensor> loss)
    {
        Recording recording = Recording.Of(() => [loss()]);
        return () =>
        {
            recording.Forward();
            recording.Reverse();
        };
    }

    private static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private sealed record Case(string Name, double Flops, Action Step);
}

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Core;
using Scae.Core.Data;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>
/// How well the digits of the small program's scenes can be counted at all. A convolutional network that is told the
/// true counts is trained on streamed scenes and tested on scenes of test digits. Printed besides is how much of a digit
/// shows beside the other one, as the digits are known. All this is only an upper reference for learning without labels.
/// </summary>
internal static class CountCeiling
{
    private const int Scenes = 64, Channels = 32, Features = 256, TestScenes = 10_000, Reported = 1000, Counts = 3;
    private const double FirstRate = 1e-3, LastRate = 1e-5;

    private static readonly double[] s_shares = [0.01, 0.05, 0.1, 0.2];

    public static void Run(int steps, int seed)
    {
        Parallelism.Threads = 1;
        var digits = Mnist.sets(FuncConvert.FromFunc<MnistFile, FSharpResult<byte[], string>>(Bytes)).ResultValue;
        Key key = Key.OfSeed(seed);
        Uncovered(digits.Test, key.Named("uncovered"));
        Supervised(digits, steps, key);
    }

    private static FSharpResult<byte[], string> Bytes(MnistFile file)
    {
        string folder = Environment.GetEnvironmentVariable("SCAE_DATA") ?? ".";
        string[] places = [.. from place in (string[])[folder, Path.Combine(folder, "mnist")] from ending in (string[])["", ".gz"] select Path.Combine(place, file.Name + ending)];
        return Mnist.verified(file, file.Name, File.ReadAllBytes(places.FirstOrDefault(File.Exists) ?? places[0]));
    }

    /// <summary>
    /// Of scenes of two test digits: the ink that the digit which shows less adds to the other, squared and summed, as a share of
    /// its own.
    /// </summary>
    private static void Uncovered(Digits digits, Key key)
    {
        // Digits stand independently, so that scenes of one laid on each other are scenes of two.
        var published = MultiMnist.published;
        MultiMnistConfig single = new(published.Canvas, 1, published.Sizes, published.Smallest, published.Largest, published.Zoom, published.Overlap);
        var scenes = MultiMnist.sample(single, digits, 5 * TestScenes, key);
        float[][] digit = [.. Enumerable.Range(0, scenes.Truth.Length).Where(i => scenes.Truth[i].Length == 1).Select(i => scenes.Images.select(0, i).toArray<float>())];
        double[] shares = [.. Enumerable.Range(0, TestScenes).Select(i => Math.Min(Share(digit[2 * i], digit[(2 * i) + 1]), Share(digit[(2 * i) + 1], digit[2 * i])))];
        Console.WriteLine($"of {TestScenes} scenes of two test digits, how much of a digit's squared ink shows beside the other:");
        foreach (double share in s_shares) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  below {share:P0}: {shares.Count(s => s < share) / (double)TestScenes:F4}"));

        static double Share(float[] over, float[] under)
        {
            double shown = 0, own = 0;
            for (int p = 0; p < over.Length; p++)
            {
                double more = Math.Max(0, under[p] - over[p]);
                shown += more * more;
                own += (double)under[p] * under[p];
            }

            return shown / own;
        }
    }

    private static void Supervised(DigitSets digits, int steps, Key key)
    {
        var config = MultiMnist.published;
        int side = config.Canvas, quarter = side / 4;
        Key init = key.Named("init");
        Dictionary<string, Tensor> parameters = [];
        Tensor Weights(string name, int inputs, params int[] shape)
        {
            float[] values = new float[shape.Aggregate(1, (product, size) => product * size)];
            init.Named(name).FillNormal(values);
            double deviation = Math.Sqrt(2.0 / inputs);
            for (int i = 0; i < values.Length; i++) values[i] *= (float)deviation;
            return parameters[name] = Tensor.of(values, shape).reverseDiff();
        }

        Tensor Bias(string name, int size) => parameters[name] = Tensor.zeros([size]).reverseDiff();
        Tensor first = Weights("first", 25, Channels, 1, 5, 5), second = Weights("second", 9 * Channels, 2 * Channels, Channels, 3, 3);
        Tensor third = Weights("third", 18 * Channels, 2 * Channels, 2 * Channels, 3, 3);
        Tensor hidden = Weights("hidden", 2 * Channels * quarter * quarter, 2 * Channels * quarter * quarter, Features), output = Weights("output", 10 * Features, Features, Counts);
        Tensor ofFirst = Bias("of first", Channels), ofSecond = Bias("of second", 2 * Channels), ofThird = Bias("of third", 2 * Channels);
        Tensor ofHidden = Bias("of hidden", Features), ofOutput = Bias("of output", Counts);
        Tensor Logits(Tensor images) => images.view(-1, 1, side, side)
            .conv2d(first, 2, 2, ofFirst, Activation.Relu)
            .conv2d(second, 2, 1, ofSecond, Activation.Relu)
            .conv2d(third, 1, 1, ofThird, Activation.Relu)
            .flatten(1)
            .linear(hidden, ofHidden, Activation.Relu)
            .linear(output, ofOutput);

        var batch = MultiMnist.allocate(config, Scenes);
        var counts = Tensor.zeros([Scenes, Counts]);
        var recording = Recording.Of(() => [-(Logits(batch.Images).logsoftmax(1) * counts).sum() * (1.0 / Scenes)]);
        recording.Reverse();
        var learned = parameters.Values.Select(p => (Parameter: p, Mean: p.primal.zerosLike(), Square: p.primal.zerosLike())).ToArray();
        var tested = MultiMnist.sample(config, digits.Test, TestScenes, key.Named("test"));
        var some = Tensor.zeros([Reported, side * side]);
        var inference = Recording.Of(() => [Logits(some)]);
        double sum = 0;
        for (int step = 1; step <= steps; step++)
        {
            MultiMnist.fill(config, digits.Train, key.Named("train").Fold(step), batch);
            var told = counts.Elements<float>();
            told.Clear();
            for (int i = 0; i < Scenes; i++) told[(i * Counts) + batch.Truth[i].Length] = 1;
            recording.Forward();
            recording.Reverse();
            sum += recording.Outputs[0].toScalar();
            double rate = FirstRate * Math.Pow(LastRate / FirstRate, (double)step / steps);
            foreach (var (parameter, mean, square) in learned) Updates.Adam(parameter, parameter.derivative, mean, square, rate, 0.9, 0.999, 1e-8, step);
            if (step % Reported != 0 && step != steps) continue;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"told the true counts, {step} steps of {Scenes}: cross-entropy {sum / (((step - 1) % Reported) + 1):F4}; {Right()}"));
            sum = 0;
        }

        string Right()
        {
            int[] right = new int[Counts], all = new int[Counts];
            for (int part = 0; part < TestScenes; part += Reported)
            {
                tested.Images.slice(0, part, part + Reported).CopyTo(some.Elements<float>());
                inference.Forward();
                float[] logits = inference.Outputs[0].toArray<float>();
                for (int i = 0; i < Reported; i++)
                {
                    int truth = tested.Truth[part + i].Length;
                    all[truth]++;
                    if (Enumerable.Range(0, Counts).MaxBy(count => logits[(i * Counts) + count]) == truth) right[truth]++;
                }
            }

            string each = string.Join(", ", Enumerable.Range(0, Counts).Select(count => string.Create(CultureInfo.InvariantCulture, $"{right[count] / (double)all[count]:F4}")));
            return string.Create(CultureInfo.InvariantCulture, $"test scenes right {right.Sum() / (double)TestScenes:F4}; none, one, two digits {each}");
        }
    }
}

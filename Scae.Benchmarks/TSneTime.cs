using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Scae.Core.Metrics;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>
/// How long t-SNE takes to lay out 10,000 points with the published settings, and whether neighbours stay neighbours: ten
/// clouds of 1,000 points in 32 dimensions that overlap a little.
/// </summary>
internal static class TSneTime
{
    private const int Points = 10_000, Dimensions = 32, Clouds = 10, Nearest = 20;

    public static void Run(int threads)
    {
        Parallelism.Threads = threads;
        float[] centres = new float[Clouds * Dimensions], noise = new float[Points * Dimensions];
        Key.OfSeed(1).FillNormal(centres);
        Key.OfSeed(2).FillNormal(noise);
        int[] labels = [.. Enumerable.Range(0, Points).Select(i => i % Clouds)];
        double[][] points = [.. labels.Select((label, i) => Coordinates(j =>
            centres[label * Dimensions + j] + 0.5 * noise[i * Dimensions + j]))];

        var watch = Stopwatch.StartNew();
        double[][] places = TSne.embed(TSne.published, Key.OfSeed(3), points);
        double seconds = watch.Elapsed.TotalSeconds;

        double[][] shuffled = [.. places];
        Key.OfSeed(4).Shuffle<double[]>(shuffled);
        int half = Points / 2;
        double accuracy = NearestNeighbours.accuracy(places[..half], labels[..half], places[half..], labels[half..]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Points} points, {Parallelism.Threads} threads: {seconds:F1} s; "
            + $"{Nearest} nearest kept {NearestNeighbours.preservation(Nearest, points, places):F3} "
            + $"(shuffled {NearestNeighbours.preservation(Nearest, points, shuffled):F3}); "
            + $"nearest has the cloud's label {accuracy:F4}; places' checksum {places.Sum(p => p[0] * p[1]):R}"));
    }

    private static double[] Coordinates(Func<int, double> at) => [.. Enumerable.Range(0, Dimensions).Select(at)];
}

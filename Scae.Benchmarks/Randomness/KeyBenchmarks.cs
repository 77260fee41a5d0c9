using System;
using BenchmarkDotNet.Attributes;
using Scae.Tensors;

namespace Scae.Benchmarks.Randomness;

/// <summary>Fills of 65,536 values, and the numbers that a batch of 32 constellations takes.</summary>
[MemoryDiagnoser]
public class KeyBenchmarks
{
    private readonly Key _key = Key.OfSeed(1);
    private readonly KeyStream _stream = Key.OfSeed(1).Stream();
    private readonly float[] _values = new float[65536];
    private readonly int[] _integers = new int[65536];
    private readonly float[] _poses = new float[32 * 12];
    private readonly int[] _orders = new int[32 * 11];

    [Benchmark]
    public void Uniform() => _key.FillUniform(_values, -1f, 1f);

    [Benchmark]
    public void Normal() => _key.FillNormal(_values);

    [Benchmark]
    public void Gumbel() => _key.FillGumbel(_values);

    [Benchmark]
    public void Bernoulli() => _key.FillBernoulli(_values, 0.1);

    [Benchmark]
    public void Integers() => _key.FillIntegers(_integers, 0, 10);

    [Benchmark]
    public void Constellations()
    {
        _stream.Restart(_key);
        for (int example = 0; example < 32; example++)
        {
            foreach (ref float pose in _poses.AsSpan(12 * example, 12)) pose = _stream.NextFloat(-3f, 3f);
            _stream.FillPermutation(_orders.AsSpan(11 * example, 11));
        }
    }
}

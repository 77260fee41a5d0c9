using System;
using System.Runtime.CompilerServices;

namespace Scae.Tensors;

/// <summary>
/// Reads a key's words one after the other: for code that draws scalars, such as a data generator. It buffers 64 words
/// at a time. The sequence is that of <see cref="Key.FillBits"/>.
/// </summary>
/// <remarks>
/// A class although it is small: an immutable F# binding of a mutable struct would hand each call a fresh copy, and draw
/// the same value for ever. A loop that must not allocate keeps one reader and calls <see cref="Restart"/>.
/// </remarks>
public sealed class KeyStream
{
    private Words _words;
    private Key _key;
    private ulong _group;
    private int _next;

    /// <summary>A reader at the beginning of a key's words.</summary>
    public KeyStream(Key key) => Restart(key);

    /// <summary>Goes to the beginning of another key's words.</summary>
    public void Restart(Key key)
    {
        _key = key;
        _group = 0;
        _next = Threefry.GroupLength;
    }

    /// <summary>The next 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint NextBits()
    {
        if (_next == Threefry.GroupLength) Refill();
        return _words[_next++];
    }

    /// <summary>Uniform in [0, 1), a multiple of 2⁻²⁴.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float NextFloat() => (int)(NextBits() >> 8) * (1f / (1 << 24));

    /// <summary>Uniform in [lo, hi); lo when both are equal. lo ≤ hi isn't checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float NextFloat(float lo, float hi)
    {
        float value = lo + (NextFloat() * (hi - lo));
        return value < hi ? value : LastBelow(lo, hi);
    }

    /// <summary>Uniform in [0, 1), a multiple of 2⁻⁵³; takes two words.</summary>
    public double NextDouble()
    {
        long upper = (long)(NextBits() >> 8) << 29;
        return (upper | (NextBits() >> 3)) * (1.0 / (1L << 53));
    }

    /// <summary>A draw from N(0, 1), by Box and Muller; takes four words, whatever comes out.</summary>
    public double NextNormal()
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        return radius * Math.Cos(2 * Math.PI * NextDouble());
    }

    /// <summary>Uniform in 0, …, count − 1, without bias (Lemire 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count isn't positive.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int NextInt(int count)
    {
        if (count <= 0) ThrowEmpty(count);
        ulong product = (ulong)NextBits() * (uint)count;
        return (uint)product < (uint)count ? Redraw(product, (uint)count) : (int)(product >> 32);
    }

    /// <summary>Uniform in [lo, hi), without bias; hi − lo must fit an int.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The interval is empty or too wide.</exception>
    public int NextInt(int lo, int hi)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)hi - lo, int.MaxValue, nameof(hi));
        return lo + NextInt((int)Math.Max((long)hi - lo, int.MinValue));
    }

    /// <summary>True with probability p.</summary>
    /// <exception cref="ArgumentOutOfRangeException">p isn't in [0, 1].</exception>
    public bool NextBool(double p = 0.5) => NextBits() < Key.BernoulliThreshold(p);

    /// <summary>Fills a span of length n with a uniformly drawn permutation of 0, …, n − 1.</summary>
    public void FillPermutation(Span<int> destination)
    {
        // Fisher–Yates from the inside out: one pass that writes and shuffles.
        for (int i = 0; i < destination.Length; i++)
        {
            int j = NextInt(i + 1);
            destination[i] = destination[j];
            destination[j] = i;
        }
    }

    /// <summary>Shuffles a span uniformly (Fisher–Yates).</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refill()
    {
        Threefry.FillGroup(_key, _group++, 0, 0, _words);
        _next = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Redraw(ulong product, uint count)
    {
        uint rejected = unchecked(0u - count) % count;
        while ((uint)product < rejected) product = (ulong)NextBits() * count;
        return (int)(product >> 32);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float LastBelow(float lo, float hi) => lo < hi ? MathF.BitDecrement(hi) : lo;

    private static void ThrowEmpty(int count) =>
        throw new ArgumentOutOfRangeException(nameof(count), $"nextInt: count is {count}; it must be positive");

    [InlineArray(Threefry.GroupLength)]
    private struct Words
    {
        private uint _first;
    }
}

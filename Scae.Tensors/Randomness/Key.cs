using System;

namespace Scae.Tensors;

/// <summary>stub</summary>
public readonly record struct Key(ulong Bits)
{
    /// <summary>stub</summary>
    public static Key OfSeed(long seed) => new Key(0).Fold(seed);

    /// <summary>stub</summary>
    public Key Fold(long data) => new(Mix(Bits + (0x9E3779B97F4A7C15UL * (ulong)(data + 1))));

    /// <summary>stub</summary>
    public Key Named(string name)
    {
        var k = this;
        foreach (char c in name) k = k.Fold(c);
        return k;
    }

    /// <summary>stub</summary>
    public KeyStream Stream() => new(Bits);

    /// <summary>stub</summary>
    public void FillNormal(Span<double> s)
    {
        var r = Stream();
        for (int i = 0; i < s.Length; i++) s[i] = Math.Sqrt(-2 * Math.Log(1 - r.NextDouble())) * Math.Cos(2 * Math.PI * r.NextDouble());
    }

    /// <summary>stub</summary>
    public void FillUniform(Span<double> s, double lo, double hi)
    {
        var r = Stream();
        for (int i = 0; i < s.Length; i++) s[i] = lo + ((hi - lo) * r.NextDouble());
    }

    /// <summary>stub</summary>
    public void Permutation(Span<int> s)
    {
        var r = Stream();
        for (int i = 0; i < s.Length; i++)
        {
            int j = r.NextInt(i + 1);
            s[i] = s[j];
            s[j] = i;
        }
    }

    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}

/// <summary>stub</summary>
public struct KeyStream(ulong key)
{
    private ulong _state = key;

    /// <summary>stub</summary>
    public ulong Next() => Key.Mix(_state += 0x9E3779B97F4A7C15UL);

    /// <summary>stub</summary>
    public float NextFloat() => (Next() >> 40) * (1f / (1 << 24));

    /// <summary>stub</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>stub</summary>
    public int NextInt(int n) => (int)Math.BigMul(Next(), (ulong)n, out _);
}

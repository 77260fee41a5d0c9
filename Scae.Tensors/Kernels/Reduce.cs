using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Terms of a sum, a full vector or a part of one at a time.</summary>
internal unsafe interface ITerms<T>
    where T : unmanaged
{
    /// <summary>Terms i, i + 1, … of a full vector.</summary>
    Vector512<T> At(nint i);

    /// <summary>Terms i, …, i + count − 1, fewer than a full vector; zero beyond.</summary>
    Vector512<T> Part(nint i, int count);
}

/// <summary>
/// Sums over spans whose bits are the same on every processor and for any number of threads: the order of additions depends
/// only on the number of terms. Eight vectors are added pairwise, and the results in double. So a sum of floats is off by
/// three roundings at most, however many there are, and a sum of equal floats is exact.
/// </summary>
internal static unsafe class Reduce
{
    private const int Group = 8;

    // How many vectors are added to one running sum, and how many such blocks one thread takes at a time.
    private const int BlockVectors = 512;
    private const int ChunkBlocks = 16;

    // So few terms, coordinates for example, are added one by one: filling a vector would take most of the time.
    private const int Few = 4;

    /// <summary>Σ x_i.</summary>
    public static T Sum<T>(ReadOnlySpan<T> x)
        where T : unmanaged => Narrow<T>(SumWide(x));

    /// <summary>Σ x_i in double.</summary>
    public static double SumWide<T>(ReadOnlySpan<T> x)
        where T : unmanaged
    {
        if (x.Length <= Few) return SumFew(x);
        fixed (T* first = x) return Sum<T, Values<T>>(new(first), x.Length);
    }

    // Adds in the order in which a vector would be added whose other lanes are 0.
    private static double SumFew<T>(ReadOnlySpan<T> x)
        where T : unmanaged
    {
        double even = 0, odd = 0;
        if (x.Length > 0) even += Widened(x[0]);
        if (x.Length > 1) odd += Widened(x[1]);
        if (x.Length > 2) even += Widened(x[2]);
        if (x.Length > 3) odd += Widened(x[3]);
        return even + odd;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Widened<T>(T value)
        where T : unmanaged => typeof(T) == typeof(double) ? Unsafe.BitCast<T, double>(value) : Unsafe.BitCast<T, float>(value);

    /// <summary>Σ x_i · y_i.</summary>
    public static T Dot<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y)
        where T : unmanaged => Narrow<T>(DotWide(x, y));

    /// <summary>Σ x_i · y_i in double; the products are rounded to T.</summary>
    public static double DotWide<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y)
        where T : unmanaged
    {
        fixed (T* left = x, right = y[..x.Length]) return Sum<T, Products<T>>(new(left, right), x.Length);
    }

    /// <summary>
    /// The mean, Σ x_i / n; NaN for none. The mean of equal values is that value: for floats because their sum is exact in
    /// double, for doubles because the mean of the deviations is added to the first mean. It is infinite where a sum
    /// overflows, be it of eight floats or of all doubles.
    /// </summary>
    public static T Mean<T>(ReadOnlySpan<T> x)
        where T : unmanaged
    {
        double mean = SumWide(x) / x.Length;
        if (typeof(T) == typeof(double) && double.IsFinite(mean))
        {
            var values = MemoryMarshal.Cast<T, double>(x);
            fixed (double* first = values) mean += Sum<double, Deviations>(new(first, mean), values.Length) / values.Length;
        }

        return Narrow<T>(mean);
    }

    /// <summary>Σ of terms 0 … n − 1.</summary>
    public static double Sum<T, TTerms>(TTerms terms, nint n)
        where T : unmanaged
        where TTerms : struct, ITerms<T>
    {
        int chunk = BlockVectors * ChunkBlocks * Vector512<T>.Count;
        if (n <= chunk) return SumBlocks<T, TTerms>(terms, 0, n);
        var job = new ChunkJob<T, TTerms>(terms, n, chunk);
        return job.Run();
    }

    /// <summary>A sum in double as T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Narrow<T>(double sum)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return Unsafe.BitCast<double, T>(sum);
        return Unsafe.BitCast<float, T>((float)sum);
    }

    // Adds the sums of two halves, so that the error grows only with the logarithm of the number of blocks.
    private static double SumBlocks<T, TTerms>(in TTerms terms, nint from, nint to)
        where T : unmanaged
        where TTerms : struct, ITerms<T>
    {
        int block = BlockVectors * Vector512<T>.Count;
        if (to - from <= block) return SumBlock<T, TTerms>(terms, from, to);
        nint half = from + (((to - from + block - 1) / block / 2) * block);
        return SumBlocks<T, TTerms>(terms, from, half) + SumBlocks<T, TTerms>(terms, half, to);
    }

    [MethodImpl(VectorLoop.Options)]
    private static double SumBlock<T, TTerms>(TTerms terms, nint from, nint to)
        where T : unmanaged
        where TTerms : struct, ITerms<T>
    {
        int width = Vector512<T>.Count;
        Vector512<double> lower = default, upper = default;
        nint i = from;
        for (; i <= to - (Group * width); i += Group * width)
        {
            var first = terms.At(i) + terms.At(i + width) + (terms.At(i + (2 * width)) + terms.At(i + (3 * width)));
            var second = terms.At(i + (4 * width)) + terms.At(i + (5 * width)) + (terms.At(i + (6 * width)) + terms.At(i + (7 * width)));
            Add(first + second, ref lower, ref upper);
        }

        for (; i <= to - width; i += width) Add(terms.At(i), ref lower, ref upper);
        if (i < to) Add(terms.Part(i, (int)(to - i)), ref lower, ref upper);
        return Lanes.Sum(lower + upper);
    }

    /// <summary>
    /// Adds a vector to running sums in double: the halves of a vector of floats to both, a vector of doubles to the first
    /// alone.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<T>(Vector512<T> value, ref Vector512<double> lower, ref Vector512<double> upper)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double))
        {
            lower += value.AsDouble();
            return;
        }

        var (low, high) = Vector512.Widen(value.AsSingle());
        lower += low;
        upper += high;
    }

    /// <summary>Chunks of fixed size, which threads share.</summary>
    private struct ChunkJob<T, TTerms>(TTerms terms, nint n, int chunk) : IParallelJob
        where T : unmanaged
        where TTerms : struct, ITerms<T>
    {
        private double* _sums;

        public double Run()
        {
            int chunks = checked((int)((n + chunk - 1) / chunk));
            fixed (double* sums = Scratch.Take<double>(Scratch.SumSlot, chunks))
            {
                _sums = sums;
                WorkerPool.Run(ref this, chunks);
                return SumBlocks<double, Values<double>>(new(sums), 0, chunks);
            }
        }

        public readonly void Run(int part) =>
            _sums[part] = SumBlocks<T, TTerms>(terms, (nint)part * chunk, nint.Min(n, ((nint)part + 1) * chunk));
    }

    private readonly struct Values<T>(T* x) : ITerms<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<T> At(nint i) => Vector512.Load(x + i);

        public Vector512<T> Part(nint i, int count) => Lanes.LoadPart(new ReadOnlySpan<T>(x + i, count));
    }

    private readonly struct Products<T>(T* x, T* y) : ITerms<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<T> At(nint i) => Vector512.Load(x + i) * Vector512.Load(y + i);

        public Vector512<T> Part(nint i, int count) =>
            Lanes.LoadPart(new ReadOnlySpan<T>(x + i, count)) * Lanes.LoadPart(new ReadOnlySpan<T>(y + i, count));
    }

    private readonly struct Deviations(double* x, double mean) : ITerms<double>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<double> At(nint i) => Vector512.Load(x + i) - Vector512.Create(mean);

        public Vector512<double> Part(nint i, int count)
        {
            Span<double> part = stackalloc double[Vector512<double>.Count];
            part.Clear();
            for (int j = 0; j < count; j++) part[j] = x[i + j] - mean;
            return Vector512.Create<double>(part);
        }
    }
}

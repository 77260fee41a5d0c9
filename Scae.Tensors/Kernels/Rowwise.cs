using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Operations between a vector and every row of a matrix.</summary>
internal static unsafe class Rowwise
{
    private const int Group = 8;

    // Rows whose groups are added to one running sum: few enough that the error of doubles stays in their last digits.
    private const int BlockRows = 1024;

    private const int StripWidth = 256;
    private const int NarrowStripWidth = 64;

    /// <summary>Every row of the matrix becomes the vector.</summary>
    public static void Repeat<T>(ReadOnlySpan<T> vector, Span<T> matrix)
        where T : unmanaged
    {
        if (vector.IsEmpty) return;
        fixed (T* from = vector, to = matrix)
            Sharing.Run(new Copies<T>(from, vector.Length, to), matrix.Length / vector.Length, matrix.Length >= Sharing.ManyElements);
    }

    /// <summary>Adds the sum over the matrix's rows to the vector, as in <see cref="Sum{T}"/>.</summary>
    public static void AddSum<T>(ReadOnlySpan<T> matrix, Span<T> vector)
        where T : unmanaged => Sum(matrix, 1, vector, accumulate: true);

    /// <summary>
    /// Sums the matrix's rows, divides by a number, and writes the result to the vector or adds it. Eight rows are added
    /// pairwise, and the results in double, whichever threads do it: see <see cref="Reduce"/>.
    /// </summary>
    public static void Sum<T>(ReadOnlySpan<T> matrix, double divisor, Span<T> vector, bool accumulate)
        where T : unmanaged
    {
        int n = vector.Length;
        if (n == 0) return;
        fixed (T* first = matrix, to = vector)
        {
            int strip = n >= 4 * StripWidth ? StripWidth : NarrowStripWidth;
            Sharing.Run(new Strips<T>(first, matrix.Length / n, n, divisor, to, accumulate), n, matrix.Length >= Sharing.ManyElements, strip);
        }
    }

    /// <summary>
    /// Adds to each mean of doubles the mean of the deviations from it, so that the mean of equal values is that value.
    /// Means of floats are left as they are, since their sums are exact enough for that.
    /// </summary>
    public static void CorrectMean<T>(ReadOnlySpan<T> matrix, Span<T> means)
        where T : unmanaged
    {
        if (typeof(T) != typeof(double) || means.IsEmpty) return;
        var x = MemoryMarshal.Cast<T, double>(matrix);
        var mean = MemoryMarshal.Cast<T, double>(means);
        int n = mean.Length, rows = x.Length / n;
        for (int column = 0; column < n; column++)
        {
            if (!double.IsFinite(mean[column])) continue;
            double missed = 0;
            for (int row = 0; row < rows; row++) missed += x[(row * n) + column] - mean[column];
            mean[column] += missed / rows;
        }
    }

    private readonly struct Copies<T>(T* vector, int n, T* matrix) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to)
        {
            ReadOnlySpan<T> row = new(vector, n);
            for (int i = from; i < to; i++) row.CopyTo(new Span<T>(matrix + ((nint)i * n), n));
        }
    }

    /// <summary>
    /// Columns are independent, so they may be cut anywhere. Eight rows are read side by side, and their sum is added to
    /// running sums in double, one per column, which stay in the first-level cache.
    /// </summary>
    private readonly struct Strips<T>(T* matrix, int rows, int n, double divisor, T* vector, bool accumulate) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to)
        {
            for (; from < to; from += StripWidth) Columns(from, int.Min(to, from + StripWidth));
        }

        [MethodImpl(VectorLoop.Options)]
        private void Columns(int from, int to)
        {
            int width = Vector512<T>.Count, count = (to - from + width - 1) / width, parts = sizeof(T) == sizeof(double) ? 1 : 2;
            double* block = stackalloc double[StripWidth], total = stackalloc double[StripWidth];
            new Span<double>(total, StripWidth).Clear();
            for (int row = 0; row < rows; row += BlockRows)
            {
                new Span<double>(block, StripWidth).Clear();
                Block(row, int.Min(rows, row + BlockRows), from, to, block);
                for (int i = 0; i < StripWidth; i++) total[i] += block[i];
            }

            for (int i = 0; i < count; i++)
            {
                var lower = Vector512.Load(total + (i * width)) / Vector512.Create(divisor);
                var sum = parts == 1 ? lower.As<double, T>() : Vector512.Narrow(lower, Vector512.Load(total + (i * width) + (width / 2)) / Vector512.Create(divisor)).As<float, T>();
                int column = from + (i * width), left = int.Min(width, to - column);
                var target = new Span<T>(vector + column, left);
                if (accumulate) sum += Load(vector + column, left);
                if (left == width) sum.Store(vector + column);
                else Lanes.StorePart(sum, target);
            }
        }

        [MethodImpl(VectorLoop.Options)]
        private void Block(int row, int end, int from, int to, double* sums)
        {
            int width = Vector512<T>.Count;
            T* at = matrix + ((nint)row * n) + from;
            for (; row <= end - Group; row += Group, at += (nint)Group * n)
            {
                int i = 0;
                for (; i <= to - from - width; i += width) Add(Group8(at + i, width), sums + i);
                if (i < to - from) Add(Group8(at + i, to - from - i), sums + i);
            }

            for (; row < end; row++, at += n)
            {
                for (int i = 0; i < to - from; i += width) Add(Load(at + i, to - from - i), sums + i);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Vector512<T> Group8(T* at, int left)
        {
            T* next = at + (4 * (nint)n);
            var first = Load(at, left) + Load(at + n, left) + (Load(at + (2 * (nint)n), left) + Load(at + (3 * (nint)n), left));
            var second = Load(next, left) + Load(next + n, left) + (Load(next + (2 * (nint)n), left) + Load(next + (3 * (nint)n), left));
            return first + second;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<T> Load(T* at, int left) =>
            left >= Vector512<T>.Count ? Vector512.Load(at) : Lanes.LoadPart(new ReadOnlySpan<T>(at, left));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Add(Vector512<T> value, double* sums)
        {
            if (typeof(T) == typeof(double))
            {
                (Vector512.Load(sums) + value.AsDouble()).Store(sums);
                return;
            }

            var (lower, upper) = Vector512.Widen(value.AsSingle());
            (Vector512.Load(sums) + lower).Store(sums);
            (Vector512.Load(sums + Vector512<double>.Count) + upper).Store(sums + Vector512<double>.Count);
        }
    }
}

using System;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>The rows of a broadcast loop. Threads share them when there are many elements.</summary>
/// <remarks>A loop's operands are, in this order, x, y, the dense result (or its gradient), and the gradients of x and y.</remarks>
internal static unsafe class BroadcastRows
{
    private const int Dense = 2;
    private const int Operands = 5;

    // How many elements of short rows are computed at once.
    private const int SideBySide = 512;

    /// <summary>destination = f(x, y).</summary>
    public static void Map2<T, TMap>(BroadcastLoop loop, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination)
        where T : unmanaged
        where TMap : IMap2
    {
        if (destination.IsEmpty) return;
        fixed (T* left = x, right = y, to = destination)
            Sharing.Run(new Values<T, TMap>(loop, left, right, to), loop.Rows, destination.Length >= Sharing.ManyElements);
    }

    /// <summary>
    /// Writes f(g, x, y) into the loop's operand number <paramref name="target"/>, or adds it. Each element of that operand
    /// must belong to one row only.
    /// </summary>
    public static void Map3<T, TMap>(BroadcastLoop loop, ReadOnlySpan<T> g, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> into, int target, bool accumulate)
        where T : unmanaged
        where TMap : IMap3
    {
        if (g.IsEmpty) return;
        fixed (T* gradient = g, left = x, right = y, to = into)
            Sharing.Run(new Terms<T, TMap>(loop, gradient, left, right, to, target, accumulate), loop.Rows, g.Length >= Sharing.ManyElements);
    }

    /// <summary>Adds Σ f(g, x, y) over each row to that row's element of the target; no two rows may have the same element.</summary>
    public static void Sum<T, TMap>(BroadcastLoop loop, ReadOnlySpan<T> g, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> into, int target)
        where T : unmanaged
        where TMap : IMap3
    {
        if (g.IsEmpty) return;
        fixed (T* gradient = g, left = x, right = y, to = into)
            Sharing.Run(new Sums<T, TMap>(loop, gradient, left, right, to, target), loop.Rows, g.Length >= Sharing.ManyElements);
    }

    private static ReadOnlySpan<T> Row<T>(T* first, int at, int step, int length)
        where T : unmanaged => new(first + at, step == 0 ? 1 : length);

    private readonly struct Values<T, TMap>(BroadcastLoop loop, T* x, T* y, T* destination) : IRange
        where T : unmanaged
        where TMap : IMap2
    {
        public void Run(int from, int to)
        {
            int n = loop.RowLength, xStep = loop.Step(0), yStep = loop.Step(1);
            Span<int> at = stackalloc int[Dense + 1], index = stackalloc int[loop.Counters];
            loop.Start(at, index, from);
            if (n < Vector512<T>.Count && loop.Counters > 1)
            {
                Short(at, index, from, to);
                return;
            }

            for (int row = from; row < to; row++)
            {
                Elementwise.Map2<T, TMap>(Row(x, at[0], xStep, n), xStep, Row(y, at[1], yStep, n), yStep, new(destination + at[Dense], n));
                loop.Next(at, index);
            }
        }

        // Computes several rows that are shorter than a vector at once. Operands whose rows aren't next to each other are
        // copied side by side first.
        private void Short(Span<int> at, Span<int> index, int from, int to)
        {
            int n = loop.RowLength, most = SideBySide / n;
            T* left = stackalloc T[SideBySide], right = stackalloc T[SideBySide];
            for (int row = from, rows; row < to; row += rows)
            {
                rows = int.Min(int.Min(most, to - row), loop.RowsInStep(index));
                var first = Together(x + at[0], 0, rows, left);
                var second = Together(y + at[1], 1, rows, right);
                Elementwise.Map2<T, TMap>(first, 1, second, 1, new(destination + at[Dense], rows * n));
                loop.Skip(at, index, rows);
            }
        }

        private ReadOnlySpan<T> Together(T* from, int operand, int rows, T* room)
        {
            int n = loop.RowLength, step = loop.Step(operand), rowStep = loop.RowStep(operand);
            if (step == 1 && (rowStep == n || rows == 1)) return new(from, rows * n);
            Span<T> all = new(room, rows * n);
            if (rowStep == 0)
            {
                for (int i = 0; i < n; i++) room[i] = from[i * step];
                for (int done = n; done < all.Length; done *= 2) all[..int.Min(done, all.Length - done)].CopyTo(all[done..]);
                return all;
            }

            for (int row = 0, to = 0; row < rows; row++, from += rowStep)
            {
                for (int i = 0; i < n; i++) room[to++] = from[i * step];
            }

            return all;
        }
    }

    private readonly struct Terms<T, TMap>(BroadcastLoop loop, T* g, T* x, T* y, T* into, int target, bool accumulate) : IRange
        where T : unmanaged
        where TMap : IMap3
    {
        public void Run(int from, int to)
        {
            int n = loop.RowLength, xStep = loop.Step(0), yStep = loop.Step(1);
            Span<int> at = stackalloc int[Operands], index = stackalloc int[loop.Counters];
            loop.Start(at, index, from);
            for (int row = from; row < to; row++)
            {
                Elementwise.Map3<T, TMap>(
                    new(g + at[Dense], n), Row(x, at[0], xStep, n), xStep, Row(y, at[1], yStep, n), yStep, new(into + at[target], n), accumulate);
                loop.Next(at, index);
            }
        }
    }

    private readonly struct Sums<T, TMap>(BroadcastLoop loop, T* g, T* x, T* y, T* into, int target) : IRange
        where T : unmanaged
        where TMap : IMap3
    {
        public void Run(int from, int to)
        {
            int n = loop.RowLength, xStep = loop.Step(0), yStep = loop.Step(1);
            Span<int> at = stackalloc int[Operands], index = stackalloc int[loop.Counters];
            loop.Start(at, index, from);
            for (int row = from; row < to; row++)
            {
                T sum = Elementwise.SumMap3<T, TMap>(new(g + at[Dense], n), Row(x, at[0], xStep, n), xStep, Row(y, at[1], yStep, n), yStep);
                Add(ref into[at[target]], sum);
                loop.Next(at, index);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<T>(ref T sum, T value)
        where T : unmanaged => sum = (Vector128.CreateScalar(sum) + Vector128.CreateScalar(value)).ToScalar();
}

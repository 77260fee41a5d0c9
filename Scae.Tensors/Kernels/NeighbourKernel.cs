using System;
using System.Numerics;
using System.Numerics.Tensors;

namespace Scae.Tensors.Kernels;

/// <summary>Sums over neighbours on a torus; see <see cref="Tensor.neighbourSum"/>.</summary>
internal static unsafe class NeighbourKernel
{
    // How many rows of one sequence a part sums: enough work to be worth handing out.
    private const int RowsAPart = 6;

    /// <summary>
    /// y[b, t, n, c] (+)= Σ_{(δ, γ)} x[b, (t + δ) mod S, n, (c + γ) mod D], or with −δ and −γ when mirrored, over
    /// [b, S, N, D].
    /// </summary>
    /// <remarks>
    /// With n as the innermost axis, a roll along c is a shift of whole rows, so each offset costs two long additions. The
    /// additions are in the order of the offsets, whatever the number of threads.
    /// </remarks>
    public static void Run<T>(ReadOnlySpan<T> x, Span<T> y, NeighbourSizes sizes, ReadOnlySpan<(int Down, int Right)> offsets, bool mirrored, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (x.IsEmpty) return;
        int block = sizes.Capsules * sizes.Columns;
        var turned = Scratch.Take<T>(6, x.Length);
        for (int at = 0; at < x.Length; at += block) Turn(x.Slice(at, block), sizes.Capsules, sizes.Columns, turned.Slice(at, block));
        fixed (T* from = turned, to = y)
        fixed ((int Down, int Right)* steps = offsets)
        {
            int parts = int.Min(WorkerPool.MaxParts, (x.Length / block + RowsAPart - 1) / RowsAPart);
            Job<T> job = new() { From = from, To = to, Offsets = steps, Count = offsets.Length, Rows = x.Length / block, Parts = parts, Sizes = sizes, Mirrored = mirrored, Accumulate = accumulate };
            WorkerPool.Run(ref job, parts, (long)x.Length * offsets.Length);
        }
    }

    /// <summary>[rows, columns] → [columns, rows].</summary>
    private static void Turn<T>(ReadOnlySpan<T> from, int rows, int columns, Span<T> to)
        where T : unmanaged
    {
        for (int i = 0; i < rows; i++)
        {
            var row = from.Slice(i * columns, columns);
            for (int j = 0; j < row.Length; j++) to[(j * rows) + i] = row[j];
        }
    }

    /// <summary>position mod size in 0, …, size − 1, for negative positions too.</summary>
    private static int Wrap(long position, int size)
    {
        int rest = (int)(position % size);
        return rest < 0 ? rest + size : rest;
    }

    private struct Job<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* From;
        public T* To;
        public (int Down, int Right)* Offsets;
        public int Count;
        public int Rows;
        public int Parts;
        public NeighbourSizes Sizes;
        public bool Mirrored;
        public bool Accumulate;

        public readonly void Run(int part)
        {
            int first = (int)((long)Rows * part / Parts), end = (int)((long)Rows * (part + 1) / Parts);
            int block = Sizes.Capsules * Sizes.Columns;
            var sum = Scratch.Take<T>(7, 2 * block);
            for (int row = first; row < end; row++)
            {
                Sum(row, sum[..block]);
                var into = new Span<T>(To + ((nint)row * block), block);
                if (!Accumulate)
                {
                    Turn<T>(sum[..block], Sizes.Columns, Sizes.Capsules, into);
                    continue;
                }

                var turned = sum.Slice(block, block);
                Turn<T>(sum[..block], Sizes.Columns, Sizes.Capsules, turned);
                TensorPrimitives.Add(into, turned, into);
            }
        }

        /// <summary>The sums of one row of the torus, [D, N].</summary>
        private readonly void Sum(int row, Span<T> sum)
        {
            int down = row % Sizes.Rows, sequence = row - down;
            sum.Clear();
            for (int i = 0; i < Count; i++)
            {
                long sign = Mirrored ? -1 : 1;
                int source = sequence + Wrap(down + (sign * Offsets[i].Down), Sizes.Rows);
                int shift = Wrap(sign * Offsets[i].Right, Sizes.Columns) * Sizes.Capsules;
                var values = new ReadOnlySpan<T>(From + ((nint)source * sum.Length), sum.Length);
                var head = sum[..(sum.Length - shift)];
                TensorPrimitives.Add(head, values[shift..], head);
                if (shift == 0) continue;
                var tail = sum[(sum.Length - shift)..];
                TensorPrimitives.Add(tail, values[..shift], tail);
            }
        }
    }
}

/// <summary>The sizes of [b, S, N, D] after the first.</summary>
internal readonly record struct NeighbourSizes(int Rows, int Capsules, int Columns);

using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>Sums over any axes of a dense tensor: the backward rule of broadcasting.</summary>
internal static unsafe class AxisSums
{
    private const int FirstSlot = 6;

    /// <summary>
    /// Sums a dense tensor over the axes whose stride is 0, and adds the result to <paramref name="sum"/>, which is dense.
    /// Neighbouring axes that are both summed, or both kept, are merged. The merged axes are then summed one after the
    /// other, the last first, each as in <see cref="Reduce"/>.
    /// </summary>
    public static void Add<T>(ReadOnlySpan<T> source, ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, Span<T> sum)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (source.IsEmpty) return;
        Span<int> sizes = stackalloc int[shape.Length + 1];
        Span<bool> summed = stackalloc bool[shape.Length + 1];
        int groups = Merge(shape, strides, sizes, summed);
        bool inFirst = true;
        for (int group = groups - 1; group >= 0; group--)
        {
            if (!summed[group]) continue;
            int inner = Product(sizes[(group + 1)..groups]), outer = Product(sizes[..group]), count = sizes[group];
            bool isLast = !summed[..group].Contains(true);
            var target = isLast ? sum : Scratch.Take<T>(FirstSlot + (inFirst ? 0 : 1), outer * inner);
            SumMiddle(source, outer, count, inner, target, accumulate: isLast);
            if (isLast) return;
            source = target;
            inFirst = !inFirst;
            sizes[group] = 1;
        }

        // Nothing was broadcast.
        for (int i = 0; i < sum.Length; i++) sum[i] += source[i];
    }

    /// <summary>Whether an axis longer than 1 has stride 0.</summary>
    public static bool AreAny(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides)
    {
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] > 1 && strides[axis] == 0) return true;
        }

        return false;
    }

    private static void SumMiddle<T>(ReadOnlySpan<T> source, int outer, int count, int inner, Span<T> target, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // With a single outer row, threads share the sum itself instead.
        fixed (T* from = source, to = target)
            Sharing.Run(new Middles<T>(from, count, inner, to, accumulate), outer, outer > 1 && source.Length >= Sharing.ManyElements);
    }

    private readonly struct Middles<T>(T* source, int count, int inner, T* target, bool accumulate) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int from, int to)
        {
            for (int o = from; o < to; o++)
            {
                ReadOnlySpan<T> rows = new(source + ((nint)o * count * inner), count * inner);
                if (inner > 1) Rowwise.Sum(rows, 1, new Span<T>(target + ((nint)o * inner), inner), accumulate);
                else target[o] = accumulate ? target[o] + Reduce.Sum(rows) : Reduce.Sum(rows);
            }
        }
    }

    private static int Merge(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, Span<int> sizes, Span<bool> summed)
    {
        int groups = 0;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] == 1) continue;
            bool isSummed = strides[axis] == 0;
            if (groups > 0 && summed[groups - 1] == isSummed) sizes[groups - 1] *= shape[axis];
            else (sizes[groups], summed[groups++]) = (shape[axis], isSummed);
        }

        return groups;
    }

    private static int Product(ReadOnlySpan<int> sizes)
    {
        int product = 1;
        foreach (int size in sizes) product *= size;
        return product;
    }
}

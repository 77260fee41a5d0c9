using System;
using System.Linq;

namespace Scae.Tensors;

/// <summary>Every shape rule in one place: sizes, strides, broadcasting, axes, and the texts of their errors.</summary>
public static class Shape
{
    /// <summary>The shape as text, "[2, 3]"; a scalar is "[]".</summary>
    public static string Text(ReadOnlySpan<int> shape) => $"[{string.Join(", ", shape.ToArray())}]";

    /// <summary>The number of elements: the product of the sizes, 1 for a scalar.</summary>
    /// <exception cref="ShapeError">A size is negative, or the product exceeds 2³¹ − 1.</exception>
    public static int Count(ReadOnlySpan<int> shape)
    {
        long count = 1;
        foreach (int size in shape)
        {
            if (size < 0) throw new ShapeError($"shape {Text(shape)} has a negative size");
            count *= size;
            if (count > int.MaxValue) throw new ShapeError($"shape {Text(shape)} has more than {int.MaxValue} elements");
        }

        return (int)count;
    }

    /// <summary>Row-major strides of a dense tensor of this shape, in elements.</summary>
    internal static int[] DenseStrides(ReadOnlySpan<int> shape)
    {
        int[] strides = new int[shape.Length];
        int step = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= shape[i];
        }

        return strides;
    }

    /// <summary>Whether strides address the shape densely and in row-major order (axes of size one don't matter).</summary>
    internal static bool IsDense(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides)
    {
        int step = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            if (shape[i] == 0) return true;
            if (shape[i] != 1 && strides[i] != step) return false;
            step *= shape[i];
        }

        return true;
    }

    /// <summary>
    /// The shape that two shapes broadcast to, as in NumPy and PyTorch: aligned at the last axis, a size of one
    /// stretches, a missing axis counts as one. An error names the operands, if they are more than these two shapes, and
    /// counts the axes that they have behind these.
    /// </summary>
    /// <exception cref="ShapeError">Two sizes differ and neither is one.</exception>
    public static int[] Broadcast(string operation, ReadOnlySpan<int> a, ReadOnlySpan<int> b, Func<string>? operands = null, int behind = 0)
    {
        int[] result = new int[Math.Max(a.Length, b.Length)];
        for (int i = 1; i <= result.Length; i++)
        {
            int left = i <= a.Length ? a[^i] : 1, right = i <= b.Length ? b[^i] : 1;
            if (left != right && left != 1 && right != 1)
                throw ShapeError.Of(operation, $"{operands?.Invoke() ?? $"{Text(a)} and {Text(b)}"} don't broadcast: counted from the last axis, sizes must be equal or 1, but axis −{i + behind} has {left} and {right}");
            result[^i] = left == 1 ? right : left;
        }

        return result;
    }

    /// <summary>Strides that read a tensor of the given shape and strides as if it had the broadcast shape.</summary>
    internal static int[] BroadcastStrides(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, ReadOnlySpan<int> target)
    {
        int[] result = new int[target.Length];
        for (int i = 1; i <= shape.Length; i++)
            result[^i] = shape[^i] == 1 && target[^i] != 1 ? 0 : strides[^i];
        return result;
    }

    /// <summary>How often each element is read when a tensor of this shape is broadcast to the target shape.</summary>
    internal static long Repeats(ReadOnlySpan<int> shape, ReadOnlySpan<int> target)
    {
        long repeats = 1;
        for (int i = 1; i <= target.Length; i++)
        {
            if (i > shape.Length || shape[^i] != target[^i]) repeats *= target[^i];
        }

        return repeats;
    }

    /// <summary>An axis counted from the front; negative ones count from the back, −1 being the last.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public static int Axis(string operation, int axis, int rank)
    {
        int result = axis < 0 ? axis + rank : axis;
        if (result < 0 || result >= rank)
            throw ShapeError.Of(operation, $"axis {axis} of a tensor with {rank} axes; {(rank == 0 ? "a scalar has none" : $"axes go from {-rank} to {rank - 1}")}");
        return result;
    }

    /// <summary>Several axes as a flag per axis; an axis named twice is an error.</summary>
    internal static bool[] AxisFlags(string operation, ReadOnlySpan<int> axes, int rank)
    {
        bool[] flags = new bool[rank];
        foreach (int axis in axes)
        {
            int i = Axis(operation, axis, rank);
            if (flags[i]) throw ShapeError.Of(operation, $"axis {axis} is named twice");
            flags[i] = true;
        }

        return flags;
    }

    /// <summary>The shape after reducing the flagged axes, which stay with size one when <paramref name="keepDim"/>.</summary>
    internal static int[] Reduce(ReadOnlySpan<int> shape, bool[] reduced, bool keepDim)
    {
        int[] all = shape.ToArray();
        return keepDim
            ? all.Select((size, i) => reduced[i] ? 1 : size).ToArray()
            : all.Where((_, i) => !reduced[i]).ToArray();
    }

    /// <summary>A shape in which one size may be −1, which stands for whatever makes the count come out.</summary>
    /// <exception cref="ShapeError">The counts differ, or more than one size is −1.</exception>
    internal static int[] Resolve(string operation, ReadOnlySpan<int> wanted, int count, ReadOnlySpan<int> from)
    {
        int[] result = wanted.ToArray();
        int unknown = -1;
        long known = 1;
        for (int i = 0; i < result.Length; i++)
        {
            if (result[i] == -1 && unknown < 0) unknown = i;
            else if (result[i] < 0) throw ShapeError.Of(operation, $"{Text(wanted)} has more than one unknown or a negative size");
            else known *= result[i];
        }

        if (unknown >= 0 && known > 0 && count % known == 0) result[unknown] = (int)(count / known);
        else if (unknown >= 0 || known != count)
            throw ShapeError.Of(operation, $"{Text(from)} has {count} elements and can't be seen as {Text(wanted)}");
        return result;
    }

    internal static bool Same(ReadOnlySpan<int> a, ReadOnlySpan<int> b) => a.SequenceEqual(b);
}

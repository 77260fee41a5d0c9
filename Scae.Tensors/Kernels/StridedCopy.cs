using System;
using System.Numerics;
using System.Numerics.Tensors;

namespace Scae.Tensors.Kernels;

/// <summary>Copies between a strided view and dense memory, axis by axis.</summary>
internal static class StridedCopy
{
    /// <summary>Reads a view in row-major order into dense memory.</summary>
    public static void Gather<T>(ReadOnlySpan<T> source, int offset, ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, Span<T> destination)
        where T : unmanaged
    {
        if (shape.Length == 0)
        {
            destination[0] = source[offset];
            return;
        }

        int rows = 1;
        for (int i = 0; i < shape.Length - 1; i++) rows *= shape[i];
        int inner = shape[^1], step = strides[^1];
        if (rows == 0 || inner == 0) return;
        Span<int> index = stackalloc int[shape.Length];
        index.Clear();
        int at = offset;
        for (int row = 0; row < rows; row++)
        {
            var target = destination.Slice(row * inner, inner);
            if (step == 1) source.Slice(at, inner).CopyTo(target);
            else if (step == 0) target.Fill(source[at]);
            else
            {
                for (int i = 0, from = at; i < target.Length; i++, from += step) target[i] = source[from];
            }

            for (int axis = shape.Length - 2; axis >= 0; axis--)
            {
                at += strides[axis];
                if (++index[axis] < shape[axis]) break;
                at -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
    }

    /// <summary>Adds dense memory in row-major order to the elements of a strided view; a stride of 0 sums.</summary>
    public static void ScatterAdd<T>(ReadOnlySpan<T> source, Span<T> destination, int offset, ReadOnlySpan<int> shape, ReadOnlySpan<int> strides)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (AxisSums.AreAny(shape, strides))
        {
            // Summed first: added one after the other, many rows would drift.
            Span<int> rest = stackalloc int[shape.Length];
            int count = 1;
            for (int axis = 0; axis < shape.Length; axis++) count *= rest[axis] = strides[axis] == 0 ? 1 : shape[axis];
            var sums = Scratch.Take<T>(5, count);
            sums.Clear();
            AxisSums.Add(source, shape, strides, sums);
            ScatterAdd(sums, destination, offset, rest, strides);
            return;
        }

        if (shape.Length == 0)
        {
            destination[offset] += source[0];
            return;
        }

        int rows = 1;
        for (int i = 0; i < shape.Length - 1; i++) rows *= shape[i];
        int inner = shape[^1], step = strides[^1];
        if (rows == 0 || inner == 0) return;
        Span<int> index = stackalloc int[shape.Length];
        index.Clear();
        int at = offset;
        for (int row = 0; row < rows; row++)
        {
            var values = source.Slice(row * inner, inner);
            if (step == 1) TensorPrimitives.Add(destination.Slice(at, inner), values, destination.Slice(at, inner));
            else
            {
                for (int i = 0, to = at; i < values.Length; i++, to += step) destination[to] += values[i];
            }

            for (int axis = shape.Length - 2; axis >= 0; axis--)
            {
                at += strides[axis];
                if (++index[axis] < shape[axis]) break;
                at -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
    }
}

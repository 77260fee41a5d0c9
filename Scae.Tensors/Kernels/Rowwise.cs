using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>A vector against every row of a matrix.</summary>
internal static class Rowwise
{
    /// <summary>Every row of the matrix becomes the vector.</summary>
    public static void Repeat<T>(ReadOnlySpan<T> vector, Span<T> matrix)
        where T : unmanaged
    {
        for (int start = 0; start < matrix.Length; start += vector.Length) vector.CopyTo(matrix[start..]);
    }

    /// <summary>Adds the sum over the matrix's rows to the vector; rows in order, so that the bits are always the same.</summary>
    public static void AddSum<T>(ReadOnlySpan<T> matrix, Span<T> vector)
        where T : unmanaged
    {
        int n = vector.Length, width = Vector512<T>.Count, column = 0;
        if (n == 0) return;
        ref T first = ref MemoryMarshal.GetReference(matrix), to = ref MemoryMarshal.GetReference(vector);
        int rows = matrix.Length / n;

        // Four chains of additions at once: one would wait for each addition in turn.
        for (; column <= n - width; column += width)
        {
            Vector512<T> s0 = Vector512<T>.Zero, s1 = s0, s2 = s0, s3 = s0;
            int row = 0;
            for (; row <= rows - 4; row += 4)
            {
                nuint at = (nuint)((row * n) + column);
                s0 += Vector512.LoadUnsafe(ref first, at);
                s1 += Vector512.LoadUnsafe(ref first, at + (nuint)n);
                s2 += Vector512.LoadUnsafe(ref first, at + (nuint)(2 * n));
                s3 += Vector512.LoadUnsafe(ref first, at + (nuint)(3 * n));
            }

            for (; row < rows; row++) s0 += Vector512.LoadUnsafe(ref first, (nuint)((row * n) + column));
            (Vector512.LoadUnsafe(ref to, (nuint)column) + ((s0 + s1) + (s2 + s3))).StoreUnsafe(ref to, (nuint)column);
        }

        if (column < n)
        {
            var sum = Vector512<T>.Zero;
            for (int row = 0; row < rows; row++) sum += Lanes.LoadPart(matrix.Slice((row * n) + column, n - column));
            Lanes.StorePart(Lanes.LoadPart<T>(vector[column..]) + sum, vector[column..]);
        }
    }
}

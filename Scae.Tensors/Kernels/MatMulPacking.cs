using System;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>Copies blocks of an operand into the layout that the tiles read fastest.</summary>
// AggressiveOptimization throughout: see MatMulTile.
internal static unsafe class MatMulPacking
{
    /// <summary>
    /// A panel of B: target[p·width + j] = B[p, j] for p &lt; k, j &lt; n, n at most two vectors and width n rounded up
    /// to whole ones; what lies in n ≤ j &lt; width is undefined.
    /// </summary>
    /// <remarks>The undefined places meet only those sums of a tile that are never stored.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Panel<T, TVector, TLanes>(int k, int n, int width, T* b, nint bRow, nint bCol, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        if (bCol == 1)
        {
            bool two = n > TLanes.Count;
            TVector mask = TLanes.First(two ? n - TLanes.Count : n);
            for (; k > 0; k--, b += bRow, target += width)
            {
                if (two) TLanes.Store(target, TLanes.Load(b));
                int last = two ? TLanes.Count : 0;
                TLanes.Store(target + last, TLanes.LoadFirst(b + last, mask));
            }
        }
        else if (bRow == 1) Transposition.Run(k, n, b, bCol, target, width);
        else Gather(k, n, b, bRow, bCol, target, width);
    }

    /// <summary>
    /// A block of A by columns: target[p·m' + i] = A[i, p] for i &lt; m, p &lt; k.
    /// </summary>
    /// <remarks>
    /// A tile reads one number of each of its rows in every step. Side by side they are one stream; as rows, they are
    /// fourteen, and in a matrix whose rows are a page apart all fourteen want the same place in the cache.
    /// </remarks>
    /// <returns>m', the elements from a column to the next.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Block<T>(int m, int k, T* a, nint aRow, nint aCol, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        nint column = BlockColumn(m);
        if (aRow == 1)
            for (int p = 0; p < k; p++) new ReadOnlySpan<T>(a + p * aCol, m).CopyTo(new Span<T>(target + p * column, m));
        else if (aCol == 1) Transposition.Run(k, m, a, aRow, target, column);
        else Gather(k, m, a, aCol, aRow, target, column);
        return column;
    }

    /// <summary>m rounded up to a multiple of 8, and an odd number of eights, so that columns spread over the cache.</summary>
    public static int BlockColumn(int m) => (m + 7) / 8 * 8 | 8;

    // Neither rows nor columns are contiguous: target[p·width + j] = source[p·row + j·column].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(int k, int n, T* source, nint row, nint column, T* target, nint width)
        where T : unmanaged
    {
        for (int p = 0; p < k; p++)
            for (int j = 0; j < n; j++) target[p * width + j] = source[p * row + j * column];
    }
}

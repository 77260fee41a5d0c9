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
    /// A block of A tile by tile: target[(t·k + p)·width + r] is A[i, p] for row r of tile t, which is row i of the block, with
    /// the rows dealt out as <see cref="TileHeights"/> has it and the width of <see cref="BlockWidth"/>; other places are undefined.
    /// </summary>
    /// <remarks>
    /// A tile reads one number of each of its rows in every step. Side by side they are one stream, short enough to lie in the
    /// first level beside a panel of B; whole columns of the block use up a line of the cache for each step.
    /// </remarks>
    public static void Block<T, TVector, TLanes>(int m, int k, T* a, nint aRow, nint aCol, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        TileHeights heights = new(m, TLanes.TileRows);
        int width = BlockWidth<T, TVector, TLanes>();
        for (int t = 0; t < heights.Tiles; t++)
        {
            int rows = heights.Of(t);
            // To a panel the rows are columns.
            if (width <= 2 * TLanes.Count) Panel<T, TVector, TLanes>(k, rows, width, a, aCol, aRow, target);
            else Gather(k, rows, a, aCol, aRow, target, width);
            a += rows * aRow;
            target += (nint)k * width;
        }
    }

    /// <summary>Places of a packed tile from a column of A to the next: its rows, rounded up to whole vectors.</summary>
    public static int BlockWidth<T, TVector, TLanes>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector> =>
        (TLanes.TileRows + TLanes.Count - 1) / TLanes.Count * TLanes.Count;

    // Neither rows nor columns are contiguous: target[p·width + j] = source[p·row + j·column].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(int k, int n, T* source, nint row, nint column, T* target, nint width)
        where T : unmanaged
    {
        for (int p = 0; p < k; p++)
            for (int j = 0; j < n; j++) target[p * width + j] = source[p * row + j * column];
    }
}

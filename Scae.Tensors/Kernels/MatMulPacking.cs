using System.Numerics;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>Copies blocks of an operand into the layout that the tiles read fastest.</summary>
// AggressiveOptimization throughout: see MatMulTile.
internal static unsafe class MatMulPacking
{
    // Bytes of a row of B that are read at once: a few cache lines side by side. Rows of a large matrix lie on different pages,
    // and reading a single line of each takes three times as long.
    private const int RowBytes = 512;

    /// <summary>
    /// Packs a slice of B, n columns of k rows, as panels two vectors wide, one after the other: see <see cref="Panel"/>.
    /// </summary>
    public static void Slice<T, TVector, TLanes>(int k, int n, T* b, nint bRow, nint bCol, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        int width = 2 * TLanes.Count, group = RowBytes / (width * sizeof(T)), j = 0;
        while (bCol == 1 && n - j >= width)
        {
            int panels = int.Min(group, (n - j) / width);
            WholePanels<T, TVector, TLanes>(k, panels, b + j, bRow, target + (nint)j * k);
            j += panels * width;
        }

        for (; j < n; j += width)
            Panel<T, TVector, TLanes>(k, int.Min(width, n - j), width, b + j * bCol, bRow, bCol, target + (nint)j * k);
    }

    /// <summary>
    /// Packs a panel of B: target[p·width + j] = B[p, j] for p &lt; k and j &lt; n. n is at most two vectors, and width is
    /// n rounded up to whole vectors. Places with n ≤ j &lt; width are undefined.
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
    /// Packs a block of A tile by tile. If row i of the block is row r of tile t, target[(t·k + p)·width + r] is A[i, p].
    /// <see cref="TileHeights"/> distributes the rows over the tiles, and width is <see cref="BlockWidth"/>. All other
    /// places are undefined.
    /// </summary>
    /// <remarks>
    /// In every step a tile reads one number from each of its rows. Side by side these numbers are one stream, short enough
    /// to stay in the first-level cache beside a panel of B. If whole columns of the block lay side by side instead, each
    /// step would use up a cache line.
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
            // Panel takes the rows as columns.
            if (width <= 2 * TLanes.Count) Panel<T, TVector, TLanes>(k, rows, width, a, aCol, aRow, target);
            else Gather(k, rows, a, aCol, aRow, target, width);
            a += rows * aRow;
            target += (nint)k * width;
        }
    }

    /// <summary>Elements of a packed tile from one column of A to the next: the tile's rows, rounded up to whole vectors.</summary>
    public static int BlockWidth<T, TVector, TLanes>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector> =>
        (TLanes.TileRows + TLanes.Count - 1) / TLanes.Count * TLanes.Count;

    // Several panels side by side, whose rows are contiguous and none of which is cut off.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WholePanels<T, TVector, TLanes>(int k, int panels, T* b, nint bRow, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        int width = 2 * TLanes.Count;
        nint panel = (nint)k * width;
        for (; k > 0; k--, b += bRow, target += width)
        {
            T* from = b, to = target;
            for (int i = 0; i < panels; i++, from += width, to += panel)
            {
                TLanes.Store(to, TLanes.Load(from));
                TLanes.Store(to + TLanes.Count, TLanes.Load(from + TLanes.Count));
            }
        }
    }

    // Neither rows nor columns are contiguous: target[p·width + j] = source[p·row + j·column].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(int k, int n, T* source, nint row, nint column, T* target, nint width)
        where T : unmanaged
    {
        for (int p = 0; p < k; p++)
            for (int j = 0; j < n; j++) target[p * width + j] = source[p * row + j * column];
    }
}

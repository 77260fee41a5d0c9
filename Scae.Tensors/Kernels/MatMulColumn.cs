using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// A column of tiles: all m rows of C, one or two vectors wide. Cuts the rows into tiles and picks the compiled tile.
/// </summary>
internal static unsafe class MatMulColumn
{
    /// <summary>C[m×n] = A·B (+ C when accumulate) for 1 ≤ n ≤ two vectors; strides in elements, B's columns side by side.</summary>
    public static void Multiply<T, TVector, TLanes>(
        int m, int n, int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        TileHeights heights = new(m, MostRows<T, TVector, TLanes>(n));
        int rows = heights.Rows, tall = rows + 1;
        if (heights.Taller > 0)
        {
            Run<T, TVector, TLanes>(
                tall, n, heights.Taller, k, a, tall * aRow, aRow, aCol, b, 0, bRow, c, tall * ldc, ldc, accumulate);
            a += heights.Taller * tall * aRow;
            c += heights.Taller * tall * ldc;
        }

        Run<T, TVector, TLanes>(
            rows, n, heights.Tiles - heights.Taller, k, a, rows * aRow, aRow, aCol, b, 0, bRow, c, rows * ldc, ldc, accumulate);
    }

    /// <summary>The same with A as <see cref="MatMulPacking.Block"/> packs it.</summary>
    public static void MultiplyPacked<T, TVector, TLanes>(
        int m, int n, int k, T* block, T* b, nint bRow, T* c, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        TileHeights heights = new(m, TLanes.TileRows);
        int rows = heights.Rows, tall = rows + 1, width = MatMulPacking.BlockWidth<T, TVector, TLanes>();
        nint tile = (nint)k * width;
        if (heights.Taller > 0)
        {
            Run<T, TVector, TLanes>(
                tall, n, heights.Taller, k, block, tile, 1, width, b, 0, bRow, c, tall * ldc, ldc, accumulate);
            block += heights.Taller * tile;
            c += heights.Taller * tall * ldc;
        }

        Run<T, TVector, TLanes>(
            rows, n, heights.Tiles - heights.Taller, k, block, tile, 1, width, b, 0, bRow, c, rows * ldc, ldc, accumulate);
    }

    /// <summary>The same for <paramref name="batch"/> products of a single tile, m ≤ <see cref="MostRows"/>.</summary>
    /// <remarks>One call for all: calls were a third of the time of 32 products 11×11×32.</remarks>
    public static void MultiplyBatched<T, TVector, TLanes>(
        int batch, int m, int n, int k, T* a, nint aBatch, nint aRow, nint aCol, T* b, nint bBatch, nint bRow,
        T* c, nint cBatch, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector> =>
        Run<T, TVector, TLanes>(
            m, n, batch, k, a, aBatch, aRow, aCol, b, bBatch, bRow, c, cBatch, ldc, accumulate);

    /// <summary>The most rows of a tile that is n ≤ two vectors wide.</summary>
    public static int MostRows<T, TVector, TLanes>(int n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector> =>
        n > TLanes.Count ? TLanes.TileRows : int.Min(MatMulTile.MaxRows, 2 * TLanes.TileRows);

    private static void Run<T, TVector, TLanes>(
        int rows, int n, int tiles, int k, T* a, nint aNext, nint aRow, nint aCol, T* b, nint bNext, nint bRow,
        T* c, nint cNext, nint ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        bool two = n > TLanes.Count;
        int last = two ? n - TLanes.Count : n;
        if (last == TLanes.Count)
        {
            if (two)
                Run<T, TVector, TLanes, TwoWhole>(
                    rows, tiles, k, a, aNext, aRow, aCol, b, bNext, bRow, c, cNext, ldc, last, accumulate);
            else
                Run<T, TVector, TLanes, OneWhole>(
                    rows, tiles, k, a, aNext, aRow, aCol, b, bNext, bRow, c, cNext, ldc, last, accumulate);
        }
        else if (two)
            Run<T, TVector, TLanes, TwoMasked>(
                rows, tiles, k, a, aNext, aRow, aCol, b, bNext, bRow, c, cNext, ldc, last, accumulate);
        else
            Run<T, TVector, TLanes, OneMasked>(
                rows, tiles, k, a, aNext, aRow, aCol, b, bNext, bRow, c, cNext, ldc, last, accumulate);
    }

    private static void Run<T, TVector, TLanes, TColumns>(
        int rows, int tiles, int k, T* a, nint aNext, nint aRow, nint aCol, T* b, nint bNext, nint bRow,
        T* c, nint cNext, nint ldc, int last, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
        where TColumns : struct, IColumns
    {
        // A pointer to the compiled tile: a local function would move all arguments through memory.
        delegate*<int, int, T*, nint, nint, nint, T*, nint, nint, T*, nint, nint, int, bool, void> tile = rows switch
        {
            1 => &MatMulTile.Multiply<T, TVector, TLanes, Rows1, TColumns>,
            2 => &MatMulTile.Multiply<T, TVector, TLanes, Rows2, TColumns>,
            3 => &MatMulTile.Multiply<T, TVector, TLanes, Rows3, TColumns>,
            4 => &MatMulTile.Multiply<T, TVector, TLanes, Rows4, TColumns>,
            5 => &MatMulTile.Multiply<T, TVector, TLanes, Rows5, TColumns>,
            6 => &MatMulTile.Multiply<T, TVector, TLanes, Rows6, TColumns>,
            7 => &MatMulTile.Multiply<T, TVector, TLanes, Rows7, TColumns>,
            8 => &MatMulTile.Multiply<T, TVector, TLanes, Rows8, TColumns>,
            9 => &MatMulTile.Multiply<T, TVector, TLanes, Rows9, TColumns>,
            10 => &MatMulTile.Multiply<T, TVector, TLanes, Rows10, TColumns>,
            11 => &MatMulTile.Multiply<T, TVector, TLanes, Rows11, TColumns>,
            12 => &MatMulTile.Multiply<T, TVector, TLanes, Rows12, TColumns>,
            13 => &MatMulTile.Multiply<T, TVector, TLanes, Rows13, TColumns>,
            _ => &MatMulTile.Multiply<T, TVector, TLanes, Rows14, TColumns>,
        };
        tile(tiles, k, a, aNext, aRow, aCol, b, bNext, bRow, c, cNext, ldc, last, accumulate);
    }

    private readonly struct OneWhole : IColumns
    {
        public static bool Two => false;
        public static bool Masked => false;
    }

    private readonly struct OneMasked : IColumns
    {
        public static bool Two => false;
        public static bool Masked => true;
    }

    private readonly struct TwoWhole : IColumns
    {
        public static bool Two => true;
        public static bool Masked => false;
    }

    private readonly struct TwoMasked : IColumns
    {
        public static bool Two => true;
        public static bool Masked => true;
    }

    private readonly struct Rows1 : IRows { public static int Count => 1; }
    private readonly struct Rows2 : IRows { public static int Count => 2; }
    private readonly struct Rows3 : IRows { public static int Count => 3; }
    private readonly struct Rows4 : IRows { public static int Count => 4; }
    private readonly struct Rows5 : IRows { public static int Count => 5; }
    private readonly struct Rows6 : IRows { public static int Count => 6; }
    private readonly struct Rows7 : IRows { public static int Count => 7; }
    private readonly struct Rows8 : IRows { public static int Count => 8; }
    private readonly struct Rows9 : IRows { public static int Count => 9; }
    private readonly struct Rows10 : IRows { public static int Count => 10; }
    private readonly struct Rows11 : IRows { public static int Count => 11; }
    private readonly struct Rows12 : IRows { public static int Count => 12; }
    private readonly struct Rows13 : IRows { public static int Count => 13; }
    private readonly struct Rows14 : IRows { public static int Count => 14; }
}

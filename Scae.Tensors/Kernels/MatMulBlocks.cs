using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// A product as tiles. Small ones read A and B where they lie; large ones copy A into strips of eight rows and B into
/// panels of two vectors, block by block, so that the inner loop walks memory in order (Goto and van de Geijn 2008).
/// </summary>
internal static unsafe class MatMulBlocks<T, TVector, TOps>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TOps : IVectorOperations<T, TVector>
{
    /// <summary>k runs in blocks of this length at every width: a sum's bits depend on where blocks end.</summary>
    public const int KBlock = 384;

    private const int MBlock = 192;
    private const int NBlock = 2048;
    private const int Strip = 8;

    // Up to this many elements of B and rows of A, copying costs more than it saves.
    private const int SmallB = 24 * 1024;
    private const int PanelSlot = 4;
    private const int StripSlot = 5;
    private const int EdgeSlot = 6;

    private static int Panel => 2 * TOps.Count;

    /// <summary>C (+)= A·B; k &gt; 0.</summary>
    public static void Multiply(int m, int n, int k, T* a, nint aRow, nint aCol, T* b, nint bRow, nint bCol, T* c, nint ldc, bool accumulate)
    {
        bool direct = bCol == 1 && (m <= 2 * Strip || (long)k * n <= SmallB);
        for (int k0 = 0; k0 < k; k0 += KBlock)
        {
            int depth = Math.Min(KBlock, k - k0);
            T* ak = a + (k0 * aCol), bk = b + (k0 * bRow);
            bool add = accumulate || k0 > 0;
            if (direct) Direct(m, n, depth, ak, aRow, aCol, bk, bRow, c, ldc, add);
            else Packed(m, n, depth, ak, aRow, aCol, bk, bRow, bCol, c, ldc, add);
        }
    }

    /// <summary>B is read where it lies, but for columns beyond the last whole vector.</summary>
    private static void Direct(int m, int n, int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        int j = 0;
        for (; j <= n - Panel; j += Panel) Column(m, k, a, aRow, aCol, b + j, bRow, c + j, ldc, add);
        for (; j <= n - TOps.Count; j += TOps.Count) NarrowColumn(m, k, a, aRow, aCol, b + j, bRow, c + j, ldc, add);
        if (j < n)
        {
            fixed (T* panel = Scratch.Take<T>(PanelSlot, k * TOps.Count))
            {
                PackPanel(n - j, TOps.Count, k, b + j, bRow, 1, panel);
                Edge(m, n - j, k, a, aRow, aCol, panel, c + j, ldc, add);
            }
        }
    }

    private static void Packed(int m, int n, int k, T* a, nint aRow, nint aCol, T* b, nint bRow, nint bCol, T* c, nint ldc, bool add)
    {
        int blockWidth = Math.Min(NBlock, (n + Panel - 1) / Panel * Panel);
        bool packStrips = (long)m * k > SmallB && aRow != 1;
        fixed (T* panels = Scratch.Take<T>(PanelSlot, blockWidth * k))
        fixed (T* strips = Scratch.Take<T>(StripSlot, packStrips ? MBlock * k : 1))
        {
            for (int j0 = 0; j0 < n; j0 += NBlock)
            {
                int width = Math.Min(NBlock, n - j0);
                for (int j = 0; j < width; j += Panel)
                    PackPanel(Math.Min(Panel, width - j), Panel, k, b + ((j0 + j) * bCol), bRow, bCol, panels + (j * k));
                for (int i0 = 0; i0 < m; i0 += MBlock)
                {
                    int height = Math.Min(MBlock, m - i0);
                    if (packStrips) PackStrips(height, k, a + (i0 * aRow), aRow, aCol, strips);
                    for (int j = 0; j < width; j += Panel)
                    {
                        T* corner = c + (i0 * ldc) + j0 + j;
                        int columns = Math.Min(Panel, width - j);
                        if (packStrips) Strips(height, columns, k, strips, panels + (j * k), corner, ldc, add);
                        else if (columns == Panel) Column(height, k, a + (i0 * aRow), aRow, aCol, panels + (j * k), Panel, corner, ldc, add);
                        else WideEdge(height, columns, k, a + (i0 * aRow), aRow, aCol, panels + (j * k), corner, ldc, add);
                    }
                }
            }
        }
    }

    /// <summary>All rows of one panel of two vectors.</summary>
    private static void Column(int m, int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        int i = 0;
        for (; i <= m - 8; i += 8) MatMulTiles<T, TVector, TOps>.Rows8(k, a + (i * aRow), aRow, aCol, b, bRow, c + (i * ldc), ldc, add);
        if (i < m && i > 0 && !add)
        {
            // The last eight rows once more: writing some of them twice is cheaper than short tiles.
            i = m - 8;
            MatMulTiles<T, TVector, TOps>.Rows8(k, a + (i * aRow), aRow, aCol, b, bRow, c + (i * ldc), ldc, add);
            return;
        }

        if (i <= m - 4)
        {
            MatMulTiles<T, TVector, TOps>.Rows4(k, a + (i * aRow), aRow, aCol, b, bRow, c + (i * ldc), ldc, add);
            i += 4;
        }

        if (i <= m - 2)
        {
            MatMulTiles<T, TVector, TOps>.Rows2(k, a + (i * aRow), aRow, aCol, b, bRow, c + (i * ldc), ldc, add);
            i += 2;
        }

        if (i < m) MatMulTiles<T, TVector, TOps>.Rows1(k, a + (i * aRow), aCol, b, bRow, c + (i * ldc), add);
    }

    /// <summary>All rows of one vector of columns.</summary>
    private static void NarrowColumn(int m, int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        int i = 0;
        for (; i <= m - 8; i += 8) MatMulTiles<T, TVector, TOps>.Narrow8(k, a + (i * aRow), aRow, aCol, b, bRow, c + (i * ldc), ldc, add);
        if (i < m && i > 0 && !add)
        {
            i = m - 8;
            MatMulTiles<T, TVector, TOps>.Narrow8(k, a + (i * aRow), aRow, aCol, b, bRow, c + (i * ldc), ldc, add);
            return;
        }

        if (i <= m - 4)
        {
            MatMulTiles<T, TVector, TOps>.Narrow4(k, a + (i * aRow), aRow, aCol, b, bRow, c + (i * ldc), ldc, add);
            i += 4;
        }

        for (; i < m; i++) MatMulTiles<T, TVector, TOps>.Narrow1(k, a + (i * aRow), aCol, b, bRow, c + (i * ldc), add);
    }

    /// <summary>Fewer columns than a vector: whole tiles into memory of their own, from which the columns are copied.</summary>
    private static void Edge(int m, int columns, int k, T* a, nint aRow, nint aCol, T* panel, T* c, nint ldc, bool add)
    {
        int width = TOps.Count;
        fixed (T* tile = Scratch.Take<T>(EdgeSlot, Strip * Panel))
        {
            for (int i = 0; i < m; i += Strip)
            {
                int rows = Math.Min(Strip, m - i);
                NarrowColumn(rows, k, a + (i * aRow), aRow, aCol, panel, width, tile, width, add: false);
                Copy(rows, columns, tile, width, c + (i * ldc), ldc, add);
            }
        }
    }

    /// <summary>Fewer columns than a packed panel.</summary>
    private static void WideEdge(int m, int columns, int k, T* a, nint aRow, nint aCol, T* panel, T* c, nint ldc, bool add)
    {
        fixed (T* tile = Scratch.Take<T>(EdgeSlot, Strip * Panel))
        {
            for (int i = 0; i < m; i += Strip)
            {
                int rows = Math.Min(Strip, m - i);
                if (columns <= TOps.Count) NarrowColumn(rows, k, a + (i * aRow), aRow, aCol, panel, Panel, tile, Panel, add: false);
                else Column(rows, k, a + (i * aRow), aRow, aCol, panel, Panel, tile, Panel, add: false);
                Copy(rows, columns, tile, Panel, c + (i * ldc), ldc, add);
            }
        }
    }

    /// <summary>All strips of packed A against one packed panel of B.</summary>
    private static void Strips(int m, int columns, int k, T* strips, T* panel, T* c, nint ldc, bool add)
    {
        for (int i = 0; i < m; i += Strip)
        {
            int rows = Math.Min(Strip, m - i);
            T* strip = strips + (i * k);
            if (columns < Panel) WideEdge(rows, columns, k, strip, 1, Strip, panel, c + (i * ldc), ldc, add);
            else Column(rows, k, strip, 1, Strip, panel, Panel, c + (i * ldc), ldc, add);
        }
    }

    /// <summary>Columns of B, k long, side by side; columns beyond the last are zero.</summary>
    private static void PackPanel(int columns, int panelWidth, int k, T* b, nint bRow, nint bCol, T* panel)
    {
        if (columns < panelWidth) new Span<T>(panel, k * panelWidth).Clear();
        if (bCol == 1)
        {
            for (int l = 0; l < k; l++) new ReadOnlySpan<T>(b + (l * bRow), columns).CopyTo(new Span<T>(panel + (l * panelWidth), columns));
            return;
        }

        // Four columns at once: their reads run along k where B is transposed, and the writes share a cache line.
        int j = 0;
        for (; j <= columns - 4; j += 4)
        {
            T* b0 = b + (j * bCol), b1 = b0 + bCol, b2 = b1 + bCol, b3 = b2 + bCol, to = panel + j;
            for (int l = 0; l < k; l++)
            {
                nint at = l * bRow;
                to[0] = b0[at];
                to[1] = b1[at];
                to[2] = b2[at];
                to[3] = b3[at];
                to += panelWidth;
            }
        }

        for (; j < columns; j++)
        {
            for (int l = 0; l < k; l++) panel[(l * panelWidth) + j] = b[(l * bRow) + (j * bCol)];
        }
    }

    /// <summary>Rows of A in strips of eight; rows beyond the last are left as they are and never read.</summary>
    private static void PackStrips(int m, int k, T* a, nint aRow, nint aCol, T* strips)
    {
        for (int i = 0; i < m; i += Strip)
        {
            int rows = Math.Min(Strip, m - i);
            T* to = strips + (i * k), from = a + (i * aRow);
            if (rows == Strip)
            {
                T* lower = from + (4 * aRow);
                nint two = 2 * aRow, three = 3 * aRow;
                for (int l = 0; l < k; l++)
                {
                    to[0] = from[0];
                    to[1] = from[aRow];
                    to[2] = from[two];
                    to[3] = from[three];
                    to[4] = lower[0];
                    to[5] = lower[aRow];
                    to[6] = lower[two];
                    to[7] = lower[three];
                    to += Strip;
                    from += aCol;
                    lower += aCol;
                }

                continue;
            }

            for (int l = 0; l < k; l++)
            {
                for (int row = 0; row < rows; row++) to[(l * Strip) + row] = from[(row * aRow) + (l * aCol)];
            }
        }
    }

    private static void Copy(int rows, int columns, T* from, nint fromRow, T* to, nint toRow, bool add)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                T value = from[(i * fromRow) + j];
                to[(i * toRow) + j] = add ? to[(i * toRow) + j] + value : value;
            }
        }
    }
}

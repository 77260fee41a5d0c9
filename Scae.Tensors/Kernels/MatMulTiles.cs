using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Tiles of C that stay in registers while k runs: eight, four, two or one rows of two vectors or one. Each element is
/// one chain of fused multiply-adds in increasing k, started from zero and added to C at the end, so that its bits
/// depend neither on the tile nor on the width. Eight rows of two vectors make sixteen chains: enough to hide the
/// latency of two multipliers, few enough to leave registers for the operands.
/// </summary>
internal static unsafe class MatMulTiles<T, TVector, TOps>
    where T : unmanaged
    where TOps : IVectorOperations<T, TVector>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows8(int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        int v = TOps.Count;
        TVector c00 = TOps.Zero, c01 = TOps.Zero, c10 = TOps.Zero, c11 = TOps.Zero, c20 = TOps.Zero, c21 = TOps.Zero, c30 = TOps.Zero, c31 = TOps.Zero;
        TVector c40 = TOps.Zero, c41 = TOps.Zero, c50 = TOps.Zero, c51 = TOps.Zero, c60 = TOps.Zero, c61 = TOps.Zero, c70 = TOps.Zero, c71 = TOps.Zero;
        nint two = 2 * aRow, three = 3 * aRow;
        T* lower = a + (4 * aRow);
        for (; k > 0; k--)
        {
            TVector b0 = TOps.Load(b), b1 = TOps.Load(b + v);
            var x = TOps.Create(a[0]);
            c00 = TOps.MultiplyAdd(x, b0, c00);
            c01 = TOps.MultiplyAdd(x, b1, c01);
            x = TOps.Create(a[aRow]);
            c10 = TOps.MultiplyAdd(x, b0, c10);
            c11 = TOps.MultiplyAdd(x, b1, c11);
            x = TOps.Create(a[two]);
            c20 = TOps.MultiplyAdd(x, b0, c20);
            c21 = TOps.MultiplyAdd(x, b1, c21);
            x = TOps.Create(a[three]);
            c30 = TOps.MultiplyAdd(x, b0, c30);
            c31 = TOps.MultiplyAdd(x, b1, c31);
            x = TOps.Create(lower[0]);
            c40 = TOps.MultiplyAdd(x, b0, c40);
            c41 = TOps.MultiplyAdd(x, b1, c41);
            x = TOps.Create(lower[aRow]);
            c50 = TOps.MultiplyAdd(x, b0, c50);
            c51 = TOps.MultiplyAdd(x, b1, c51);
            x = TOps.Create(lower[two]);
            c60 = TOps.MultiplyAdd(x, b0, c60);
            c61 = TOps.MultiplyAdd(x, b1, c61);
            x = TOps.Create(lower[three]);
            c70 = TOps.MultiplyAdd(x, b0, c70);
            c71 = TOps.MultiplyAdd(x, b1, c71);
            a += aCol;
            lower += aCol;
            b += bRow;
        }

        Put(c00, c01, c, add);
        Put(c10, c11, c + ldc, add);
        Put(c20, c21, c + (2 * ldc), add);
        Put(c30, c31, c + (3 * ldc), add);
        c += 4 * ldc;
        Put(c40, c41, c, add);
        Put(c50, c51, c + ldc, add);
        Put(c60, c61, c + (2 * ldc), add);
        Put(c70, c71, c + (3 * ldc), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows4(int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        int v = TOps.Count;
        TVector c00 = TOps.Zero, c01 = TOps.Zero, c10 = TOps.Zero, c11 = TOps.Zero, c20 = TOps.Zero, c21 = TOps.Zero, c30 = TOps.Zero, c31 = TOps.Zero;
        nint two = 2 * aRow, three = 3 * aRow;
        for (; k > 0; k--)
        {
            TVector b0 = TOps.Load(b), b1 = TOps.Load(b + v);
            var x = TOps.Create(a[0]);
            c00 = TOps.MultiplyAdd(x, b0, c00);
            c01 = TOps.MultiplyAdd(x, b1, c01);
            x = TOps.Create(a[aRow]);
            c10 = TOps.MultiplyAdd(x, b0, c10);
            c11 = TOps.MultiplyAdd(x, b1, c11);
            x = TOps.Create(a[two]);
            c20 = TOps.MultiplyAdd(x, b0, c20);
            c21 = TOps.MultiplyAdd(x, b1, c21);
            x = TOps.Create(a[three]);
            c30 = TOps.MultiplyAdd(x, b0, c30);
            c31 = TOps.MultiplyAdd(x, b1, c31);
            a += aCol;
            b += bRow;
        }

        Put(c00, c01, c, add);
        Put(c10, c11, c + ldc, add);
        Put(c20, c21, c + (2 * ldc), add);
        Put(c30, c31, c + (3 * ldc), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows2(int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        int v = TOps.Count;
        TVector c00 = TOps.Zero, c01 = TOps.Zero, c10 = TOps.Zero, c11 = TOps.Zero;
        for (; k > 0; k--)
        {
            TVector b0 = TOps.Load(b), b1 = TOps.Load(b + v);
            var x = TOps.Create(a[0]);
            c00 = TOps.MultiplyAdd(x, b0, c00);
            c01 = TOps.MultiplyAdd(x, b1, c01);
            x = TOps.Create(a[aRow]);
            c10 = TOps.MultiplyAdd(x, b0, c10);
            c11 = TOps.MultiplyAdd(x, b1, c11);
            a += aCol;
            b += bRow;
        }

        Put(c00, c01, c, add);
        Put(c10, c11, c + ldc, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows1(int k, T* a, nint aCol, T* b, nint bRow, T* c, bool add)
    {
        int v = TOps.Count;
        TVector c0 = TOps.Zero, c1 = TOps.Zero;
        for (; k > 0; k--)
        {
            var x = TOps.Create(a[0]);
            c0 = TOps.MultiplyAdd(x, TOps.Load(b), c0);
            c1 = TOps.MultiplyAdd(x, TOps.Load(b + v), c1);
            a += aCol;
            b += bRow;
        }

        Put(c0, c1, c, add);
    }

    /// <summary>Eight rows of one vector, where the columns end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow8(int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        TVector c0 = TOps.Zero, c1 = TOps.Zero, c2 = TOps.Zero, c3 = TOps.Zero, c4 = TOps.Zero, c5 = TOps.Zero, c6 = TOps.Zero, c7 = TOps.Zero;
        nint two = 2 * aRow, three = 3 * aRow;
        T* lower = a + (4 * aRow);
        for (; k > 0; k--)
        {
            var y = TOps.Load(b);
            c0 = TOps.MultiplyAdd(TOps.Create(a[0]), y, c0);
            c1 = TOps.MultiplyAdd(TOps.Create(a[aRow]), y, c1);
            c2 = TOps.MultiplyAdd(TOps.Create(a[two]), y, c2);
            c3 = TOps.MultiplyAdd(TOps.Create(a[three]), y, c3);
            c4 = TOps.MultiplyAdd(TOps.Create(lower[0]), y, c4);
            c5 = TOps.MultiplyAdd(TOps.Create(lower[aRow]), y, c5);
            c6 = TOps.MultiplyAdd(TOps.Create(lower[two]), y, c6);
            c7 = TOps.MultiplyAdd(TOps.Create(lower[three]), y, c7);
            a += aCol;
            lower += aCol;
            b += bRow;
        }

        Put(c0, c, add);
        Put(c1, c + ldc, add);
        Put(c2, c + (2 * ldc), add);
        Put(c3, c + (3 * ldc), add);
        c += 4 * ldc;
        Put(c4, c, add);
        Put(c5, c + ldc, add);
        Put(c6, c + (2 * ldc), add);
        Put(c7, c + (3 * ldc), add);
    }

    /// <summary>Four rows of one vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow4(int k, T* a, nint aRow, nint aCol, T* b, nint bRow, T* c, nint ldc, bool add)
    {
        TVector c0 = TOps.Zero, c1 = TOps.Zero, c2 = TOps.Zero, c3 = TOps.Zero;
        nint two = 2 * aRow, three = 3 * aRow;
        for (; k > 0; k--)
        {
            var y = TOps.Load(b);
            c0 = TOps.MultiplyAdd(TOps.Create(a[0]), y, c0);
            c1 = TOps.MultiplyAdd(TOps.Create(a[aRow]), y, c1);
            c2 = TOps.MultiplyAdd(TOps.Create(a[two]), y, c2);
            c3 = TOps.MultiplyAdd(TOps.Create(a[three]), y, c3);
            a += aCol;
            b += bRow;
        }

        Put(c0, c, add);
        Put(c1, c + ldc, add);
        Put(c2, c + (2 * ldc), add);
        Put(c3, c + (3 * ldc), add);
    }

    /// <summary>One row of one vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow1(int k, T* a, nint aCol, T* b, nint bRow, T* c, bool add)
    {
        var sum = TOps.Zero;
        for (; k > 0; k--)
        {
            sum = TOps.MultiplyAdd(TOps.Create(a[0]), TOps.Load(b), sum);
            a += aCol;
            b += bRow;
        }

        Put(sum, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(TVector left, TVector right, T* c, bool add)
    {
        Put(left, c, add);
        Put(right, c + TOps.Count, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(TVector vector, T* c, bool add) =>
        TOps.Store(add ? TOps.Add(TOps.Load(c), vector) : vector, c);
}

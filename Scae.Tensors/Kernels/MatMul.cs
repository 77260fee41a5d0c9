using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

internal static class MatMul
{
    public static void Multiply<T>(int m, int n, int k, ReadOnlySpan<T> a, int aRow, int aCol, ReadOnlySpan<T> b, int bRow, int bCol, Span<T> c, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++)
            {
                T s = accumulate ? c[(i * ldc) + j] : T.Zero;
                for (int l = 0; l < k; l++) s += a[(i * aRow) + (l * aCol)] * b[(l * bRow) + (j * bCol)];
                c[(i * ldc) + j] = s;
            }
    }

    public static void MultiplyBatched<T>(int batch, int m, int n, int k, ReadOnlySpan<T> a, int aBatch, int aRow, int aCol, ReadOnlySpan<T> b, int bBatch, int bRow, int bCol, Span<T> c, int cBatch, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < batch; i++) Multiply(m, n, k, a[(i * aBatch)..], aRow, aCol, b[(i * bBatch)..], bRow, bCol, c[(i * cBatch)..], ldc, accumulate);
    }
}

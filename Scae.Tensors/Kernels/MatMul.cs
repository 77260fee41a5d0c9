using System;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Matrix multiplication, for one product or many, on operands with any strides.</summary>
/// <remarks>
/// <para>
/// Every element of C is one chain of fused multiply-adds in the order of k,
/// C[i, j] = fma(A[i, k−1], B[k−1, j], … fma(A[i, 0], B[0, j], start)), start = accumulate ? C[i, j] : 0, and the chain
/// runs on from one product to the next where a batch is summed. So the bits are those of the obvious triple loop,
/// whatever the vector width, the number of threads and the path taken. A chain of floats longer than
/// <see cref="LongestChain"/> is cut into pieces of that length (of whole products where a batch is summed), which are
/// added up in double: a million equal terms in one chain would be off by a hundredth.
/// </para>
/// <para>NaN and infinity propagate as the fused multiply-add has it: 0·∞ is NaN and nothing is skipped for being zero.</para>
/// <para>C must not overlap A or B. Nothing is allocated after a thread's first call of a size.</para>
/// </remarks>
public static unsafe class MatMul
{
    /// <summary>The most terms that are added in one chain of floats.</summary>
    internal const int LongestChain = 4096;

    /// <summary>C[m×n] = A[m×k]·B[k×n], added to C when <paramref name="accumulate"/>.</summary>
    /// <param name="m">Rows of A and C; with 0 nothing happens.</param>
    /// <param name="n">Columns of B and C; with 0 nothing happens.</param>
    /// <param name="k">Columns of A and rows of B; with 0 the product is zero.</param>
    /// <param name="a">A[i, p] is a[i·aRow + p·aCol].</param>
    /// <param name="aRow">Elements from a row of A to the next, ≥ 0.</param>
    /// <param name="aCol">Elements from a column of A to the next, ≥ 0; a transposed matrix swaps the two.</param>
    /// <param name="b">B[p, j] is b[p·bRow + j·bCol].</param>
    /// <param name="bRow">Elements from a row of B to the next, ≥ 0.</param>
    /// <param name="bCol">Elements from a column of B to the next, ≥ 0.</param>
    /// <param name="c">C[i, j] is c[i·ldc + j].</param>
    /// <param name="ldc">Elements from a row of C to the next, ≥ n.</param>
    /// <param name="accumulate">Whether the product is added to C or replaces it.</param>
    /// <exception cref="ArgumentException">A size or stride is negative, ldc &lt; n, or a span is too short.</exception>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static void Multiply<T>(
        int m, int n, int k, ReadOnlySpan<T> a, int aRow, int aCol, ReadOnlySpan<T> b, int bRow, int bCol,
        Span<T> c, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Multiply(default, default, 1, m, n, k, a, 0, aRow, aCol, b, 0, bRow, bCol, c, 0, ldc, accumulate);

    /// <summary>
    /// C_i[m×n] = A_i[m×k]·B_i[k×n] for i &lt; <paramref name="batch"/>, added to C_i when <paramref name="accumulate"/>.
    /// </summary>
    /// <param name="batch">Products; with 0 nothing happens.</param>
    /// <param name="m">Rows of A and C; with 0 nothing happens.</param>
    /// <param name="n">Columns of B and C; with 0 nothing happens.</param>
    /// <param name="k">Columns of A and rows of B; with 0 the products are zero.</param>
    /// <param name="a">A_i[r, p] is a[i·aBatch + r·aRow + p·aCol].</param>
    /// <param name="aBatch">Elements from one A to the next; 0 takes the same for all.</param>
    /// <param name="aRow">Elements from a row of A to the next, ≥ 0.</param>
    /// <param name="aCol">Elements from a column of A to the next, ≥ 0.</param>
    /// <param name="b">B_i[p, j] is b[i·bBatch + p·bRow + j·bCol].</param>
    /// <param name="bBatch">Elements from one B to the next; 0 takes the same for all.</param>
    /// <param name="bRow">Elements from a row of B to the next, ≥ 0.</param>
    /// <param name="bCol">Elements from a column of B to the next, ≥ 0.</param>
    /// <param name="c">C_i[r, j] is c[i·cBatch + r·ldc + j].</param>
    /// <param name="cBatch">
    /// Elements from one C to the next, so that they don't overlap: at least (m − 1)·ldc + n, or at least n where the
    /// matrices lie side by side in rows of ldc ≥ (batch − 1)·cBatch + n; or 0: one C, the sum of all products.
    /// </param>
    /// <param name="ldc">Elements from a row of C to the next, ≥ n.</param>
    /// <param name="accumulate">Whether the products are added to C or replace it.</param>
    /// <exception cref="ArgumentException">
    /// A size or stride is negative, the rows or matrices of C overlap, or a span is too short.
    /// </exception>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static void MultiplyBatched<T>(
        int batch, int m, int n, int k, ReadOnlySpan<T> a, int aBatch, int aRow, int aCol,
        ReadOnlySpan<T> b, int bBatch, int bRow, int bCol, Span<T> c, int cBatch, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Multiply(default, default, batch, m, n, k, a, aBatch, aRow, aCol, b, bBatch, bRow, bCol, c, cBatch, ldc, accumulate);

    /// <summary>The same with a chosen vector width and path; the tests hold all of them to the same bits.</summary>
    internal static void Multiply<T>(
        VectorWidth width, MatMulPath path, int batch, int m, int n, int k, ReadOnlySpan<T> a, int aBatch, int aRow, int aCol,
        ReadOnlySpan<T> b, int bBatch, int bRow, int bCol, Span<T> c, int cBatch, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        MatMulArguments.CheckSizes(batch, m, n, k, cBatch, ldc);
        if (batch == 0 || m == 0 || n == 0) return;
        MatMulArguments.CheckOperand("A", m, k, batch, aRow, aCol, aBatch, a.Length);
        MatMulArguments.CheckOperand("B", k, n, batch, bRow, bCol, bBatch, b.Length);
        MatMulArguments.CheckOperand("C", m, n, batch, ldc, 1, cBatch, c.Length);
        if (k == 0)
        {
            if (!accumulate) Clear(batch, m, n, c, cBatch, ldc);
            return;
        }

        // One A·B with tall A, or with long k, is faster than many small ones, and the chains are the same.
        if (batch > 1 && cBatch != 0 && bBatch == 0 && aBatch == (long)m * aRow && cBatch == (long)m * ldc)
        {
            m *= batch;
            batch = 1;
        }
        else if (batch > 1 && cBatch == 0 && aBatch == (long)k * aCol && bBatch == (long)k * bRow
            && (long)k * batch <= int.MaxValue)
        {
            k *= batch;
            batch = 1;
        }

        fixed (T* pa = a, pb = b, pc = c)
        {
            MatMulProblem<T> problem = new()
            {
                Batch = batch,
                M = m,
                N = n,
                K = k,
                A = pa,
                ABatch = aBatch,
                ARow = aRow,
                ACol = aCol,
                B = pb,
                BBatch = bBatch,
                BRow = bRow,
                BCol = bCol,
                C = pc,
                CBatch = cBatch,
                Ldc = ldc,
                Accumulate = accumulate,
                Path = path,
            };
            long chain = cBatch == 0 ? (long)batch * k : k;
            if (typeof(T) == typeof(float) && chain > LongestChain) MatMulLong.Multiply(width, problem);
            else Run(width, problem);
        }
    }

    /// <summary>Computes a product without cutting long chains.</summary>
    internal static void Run<T>(VectorWidth width, in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (width == VectorWidth.Widest)
            width = Vector512.IsHardwareAccelerated ? VectorWidth.Bits512
                : Vector256.IsHardwareAccelerated ? VectorWidth.Bits256
                : Vector128.IsHardwareAccelerated ? VectorWidth.Bits128
                : VectorWidth.Scalar;
        switch (width)
        {
            case VectorWidth.Bits512: MatMulParallel.Multiply<T, Vector512<T>, Lanes512<T>>(problem); break;
            case VectorWidth.Bits256: MatMulParallel.Multiply<T, Vector256<T>, Lanes256<T>>(problem); break;
            case VectorWidth.Bits128: MatMulParallel.Multiply<T, Vector128<T>, Lanes128<T>>(problem); break;
            default: MatMulParallel.Multiply<T, T, Lanes1<T>>(problem); break;
        }
    }

    private static void Clear<T>(int batch, int m, int n, Span<T> c, int cBatch, int ldc)
    {
        for (int i = 0; i < batch; i++)
            for (int r = 0; r < m; r++)
                c.Slice(i * cBatch + r * ldc, n).Clear();
    }
}

using System;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Products of matrices with arbitrary strides. The bits of a result depend on its sizes and values alone: neither on
/// the width of the processor's vectors nor on the number of threads.
/// </summary>
public static unsafe class MatMul
{
    // Handing half of a product to another core takes some microseconds; below this many multiply-adds it doesn't pay.
    private const long ParallelFrom = 1 << 21;

    private static VectorWidth Widest =>
        Vector512.IsHardwareAccelerated ? VectorWidth.V512
        : Vector256.IsHardwareAccelerated ? VectorWidth.V256
        : Vector128.IsHardwareAccelerated ? VectorWidth.V128
        : VectorWidth.Scalar;

    /// <summary>
    /// C[m×n] (+)= A[m×k]·B[k×n]: C has row stride ldc and column stride 1, A and B have any row and column strides, so
    /// that a transposed operand costs nothing. Products with k = 0 are zero.
    /// </summary>
    /// <exception cref="ArgumentException">A span is too short for its sizes and strides.</exception>
    public static void Multiply<T>(int m, int n, int k, ReadOnlySpan<T> a, int aRow, int aCol, ReadOnlySpan<T> b, int bRow, int bCol, Span<T> c, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        MultiplyBatched(1, m, n, k, a, 0, aRow, aCol, b, 0, bRow, bCol, c, 0, ldc, accumulate);

    /// <summary>
    /// The same for several products, the operands advancing by aBatch, bBatch and cBatch elements. With cBatch = 0 and
    /// <paramref name="accumulate"/> the products are summed into one C, in order.
    /// </summary>
    /// <exception cref="ArgumentException">A span is too short for its sizes and strides.</exception>
    public static void MultiplyBatched<T>(int batch, int m, int n, int k, ReadOnlySpan<T> a, int aBatch, int aRow, int aCol, ReadOnlySpan<T> b, int bBatch, int bRow, int bCol, Span<T> c, int cBatch, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        MultiplyBatched(Widest, batch, m, n, k, a, aBatch, aRow, aCol, b, bBatch, bRow, bCol, c, cBatch, ldc, accumulate);

    /// <summary>The same at a width of one's choice, for tests.</summary>
    internal static void MultiplyBatched<T>(VectorWidth width, int batch, int m, int n, int k, ReadOnlySpan<T> a, int aBatch, int aRow, int aCol, ReadOnlySpan<T> b, int bBatch, int bRow, int bCol, Span<T> c, int cBatch, int ldc, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (batch <= 0 || m <= 0 || n <= 0) return;
        Check("C", c.Length, batch, cBatch, m, ldc, n, 1);
        if (k <= 0)
        {
            if (!accumulate) Clear(batch, m, n, c, cBatch, ldc);
            return;
        }

        Check("A", a.Length, batch, aBatch, m, aRow, k, aCol);
        Check("B", b.Length, batch, bBatch, k, bRow, n, bCol);
        fixed (T* pa = &MemoryMarshal.GetReference(a), pb = &MemoryMarshal.GetReference(b), pc = &MemoryMarshal.GetReference(c))
        {
            var job = new Job<T>(width, batch, m, n, k, pa, aBatch, aRow, aCol, pb, bBatch, bRow, bCol, pc, cBatch, ldc, accumulate);
            int parts = (long)m * n * k * batch >= ParallelFrom ? Parallelism.Threads : 1;
            if (parts > 1) WorkerPool.Run(ref job, parts);
            else job.Run(0, 1);
        }
    }

    private static void Check(string operand, int length, int batch, int batchStride, int rows, int rowStride, int columns, int columnStride)
    {
        long last = ((long)(batch - 1) * batchStride) + ((long)(rows - 1) * rowStride) + ((long)(columns - 1) * columnStride);
        if (last >= length || batchStride < 0 || rowStride < 0 || columnStride < 0)
            throw new ArgumentException($"matmul: {operand} has {length} elements; {batch} × {rows} × {columns} with strides {batchStride}, {rowStride}, {columnStride} needs {last + 1}");
    }

    private static void Clear<T>(int batch, int m, int n, Span<T> c, int cBatch, int ldc)
    {
        for (int i = 0; i < batch; i++)
        {
            for (int row = 0; row < m; row++) c.Slice((i * cBatch) + (row * ldc), n).Clear();
        }
    }

    /// <summary>A share of the output: products of the batch, or rows or columns of a single one.</summary>
    private readonly struct Job<T>(VectorWidth width, int batch, int m, int n, int k, T* a, int aBatch, int aRow, int aCol, T* b, int bBatch, int bRow, int bCol, T* c, int cBatch, int ldc, bool accumulate) : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int part, int parts)
        {
            if (parts == 1 || (batch >= parts && cBatch != 0))
            {
                var (first, count) = Share(batch, 1, part, parts);
                for (int i = first; i < first + count; i++) One(m, n, a + ((long)i * aBatch), b + ((long)i * bBatch), c + ((long)i * cBatch));
                return;
            }

            bool byRows = m >= n;
            var (start, size) = Share(byRows ? m : n, byRows ? 8 : 32, part, parts);
            if (size <= 0) return;
            for (int i = 0; i < batch; i++)
            {
                T* ai = a + ((long)i * aBatch), bi = b + ((long)i * bBatch), ci = c + ((long)i * cBatch);
                if (byRows) One(size, n, ai + ((long)start * aRow), bi, ci + ((long)start * ldc));
                else One(m, size, ai, bi + ((long)start * bCol), ci + start);
            }
        }

        /// <summary>The part-th of equal shares of a count, in whole multiples of a grain.</summary>
        private static (int First, int Count) Share(int count, int grain, int part, int parts)
        {
            int grains = (count + grain - 1) / grain;
            int first = Math.Min(count, (int)((long)grains * part / parts) * grain);
            int last = Math.Min(count, (int)((long)grains * (part + 1) / parts) * grain);
            return (first, last - first);
        }

        private void One(int rows, int columns, T* ai, T* bi, T* ci)
        {
            switch (width)
            {
                case VectorWidth.V512:
                    MatMulBlocks<T, Vector512<T>, Operations512<T>>.Multiply(rows, columns, k, ai, aRow, aCol, bi, bRow, bCol, ci, ldc, accumulate);
                    break;
                case VectorWidth.V256:
                    MatMulBlocks<T, Vector256<T>, Operations256<T>>.Multiply(rows, columns, k, ai, aRow, aCol, bi, bRow, bCol, ci, ldc, accumulate);
                    break;
                case VectorWidth.V128:
                    MatMulBlocks<T, Vector128<T>, Operations128<T>>.Multiply(rows, columns, k, ai, aRow, aCol, bi, bRow, bCol, ci, ldc, accumulate);
                    break;
                default:
                    MatMulBlocks<T, T, OperationsScalar<T>>.Multiply(rows, columns, k, ai, aRow, aCol, bi, bRow, bCol, ci, ldc, accumulate);
                    break;
            }
        }
    }
}

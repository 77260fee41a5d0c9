using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>The checks of a matrix product's arguments; messages are one line and name operand and sizes.</summary>
internal static class MatMulArguments
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CheckSizes(int batch, int m, int n, int k, int cBatch, int ldc)
    {
        if ((batch | m | n | k) < 0) ThrowSizes(batch, m, n, k);
        if (m > 1 && ldc < n) ThrowRows(n, ldc);
        // Matrices are apart when they lie one behind the other, or side by side as the heads of attention do in a row.
        if (batch > 1 && cBatch != 0 && m > 0
            && cBatch < (long)(m - 1) * ldc + n
            && (cBatch < n || ldc < (long)(batch - 1) * cBatch + n))
            ThrowBatches(batch, m, n, ldc, cBatch);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CheckOperand(string name, int rows, int columns, int batch, int row, int column, int step, int length)
    {
        if (rows == 0 || columns == 0) return;
        long needed = (long)(batch - 1) * step + (long)(rows - 1) * row + (long)(columns - 1) * column + 1;
        if ((row | column | step) < 0 || needed > length) Throw(name, rows, columns, batch, row, column, step, length, needed);
    }

    [DoesNotReturn]
    private static void ThrowSizes(int batch, int m, int n, int k) =>
        throw new ArgumentException($"matmul: sizes must not be negative, got batch {batch}, m {m}, n {n}, k {k}");

    [DoesNotReturn]
    private static void ThrowRows(int n, int ldc) =>
        throw new ArgumentException($"matmul: rows of C overlap, {n} columns need a row stride of at least {n}, got {ldc}");

    [DoesNotReturn]
    private static void ThrowBatches(int batch, int m, int n, int ldc, int step) =>
        throw new ArgumentException(
            $"matmul: the {batch} matrices of C overlap, {m}×{n} with row stride {ldc} need a batch stride of 0, of at least {(long)(m - 1) * ldc + n}, or side by side in a row; got {step}");

    [DoesNotReturn]
    private static void Throw(
        string name, int rows, int columns, int batch, int row, int column, int step, int length, long needed) =>
        throw new ArgumentException((row | column | step) < 0
            ? $"matmul: {name} has a negative stride: batch {step}, row {row}, column {column}"
            : $"matmul: {name} of {batch} × {rows}×{columns} with strides {step}, {row}, {column} needs {needed} elements, got {length}");
}

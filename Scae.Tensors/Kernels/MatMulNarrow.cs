using System.Numerics;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Products with fewer columns than a quarter of a vector: computed as Cᵀ = Bᵀ·Aᵀ, so that vectors run along the rows of C.
/// </summary>
internal static unsafe class MatMulNarrow
{
    /// <summary>The most columns of C that this path takes.</summary>
    public const int MaxColumns = 14;

    // Columns of A that are transposed at once: 512 × 32 floats are 64 KiB of the second-level cache.
    private const int DepthBlock = 512;

    /// <summary>C_i (+)= A_i·B_i for every i &lt; batch, n ≤ <see cref="MaxColumns"/>.</summary>
    // AggressiveOptimization: see MatMulTile.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<T, TVector, TLanes>(in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        int width = 2 * TLanes.Count;
        int n = problem.N;
        T* sums = (T*)Scratch.Rent((nint)sizeof(T) * width * (n + int.Min(problem.K, DepthBlock)));
        T* panel = sums + n * width;
        bool inPlace = problem.ARow == 1 && TLanes.HasMasks;
        for (int i = 0; i < problem.Batch; i++)
        {
            bool accumulate = problem.Accumulate || (problem.CBatch == 0 && i > 0);
            for (int r = 0; r < problem.M; r += width)
            {
                int m = int.Min(width, problem.M - r);
                T* a = problem.A + i * problem.ABatch + r * problem.ARow;
                T* c = problem.C + i * problem.CBatch + r * problem.Ldc;
                if (accumulate)
                    for (int j = 0; j < n; j++) Copy(m, c + j, problem.Ldc, sums + j * width, 1);

                for (int p = 0; p < problem.K; p += DepthBlock)
                {
                    int k = int.Min(DepthBlock, problem.K - p);
                    T* from = a + p * problem.ACol;
                    int whole = m > TLanes.Count ? width : TLanes.Count;
                    if (!inPlace)
                        MatMulPacking.Panel<T, TVector, TLanes>(k, m, whole, from, problem.ACol, problem.ARow, panel);
                    MatMulColumn.Multiply<T, TVector, TLanes>(
                        n, m, k, problem.B + i * problem.BBatch + p * problem.BRow, problem.BCol, problem.BRow,
                        inPlace ? from : panel, inPlace ? problem.ACol : whole, sums, width, accumulate || p > 0);
                }

                for (int j = 0; j < n; j++) Copy(m, sums + j * width, 1, c + j, problem.Ldc);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy<T>(int count, T* from, nint fromStep, T* to, nint toStep)
        where T : unmanaged
    {
        for (; count > 0; count--, from += fromStep, to += toStep) *to = *from;
    }
}

using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// One large product, cut so that what is read most often stays in the caches (Goto and van de Geijn 2008): a panel of
/// B in the first level, a block of A in the second, all panels of a slice of B in the third.
/// </summary>
internal static unsafe class MatMulBlocked
{
    // Bytes of a panel of B, two vectors wide: most of a first-level cache.
    private const int PanelBytes = 32 << 10;

    // Bytes of a block of A, which must fit a second-level cache of at least 512 KiB.
    private const int BlockBytes = 252 << 10;

    // Bytes of a row of a slice of B.
    private const int ColumnBytes = 2048 * sizeof(float);

    // The deeper a block is, the less often C is read and written again; narrow vectors need no more than this.
    private const int MostDepth = 512;

    /// <summary>C_i (+)= A_i·B_i for every i &lt; batch.</summary>
    public static void Multiply<T, TVector, TLanes>(in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        MatMulProblem<T> one = problem;
        for (int i = 0; i < problem.Batch; i++)
        {
            One<T, TVector, TLanes>(one);
            one.A += one.ABatch;
            one.B += one.BBatch;
            one.C += one.CBatch;
            one.Accumulate |= one.CBatch == 0;
        }
    }

    private static void One<T, TVector, TLanes>(in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        int width = 2 * TLanes.Count;
        int depth = int.Min(MostDepth, PanelBytes / (width * sizeof(T)));
        int rows = BlockBytes / (depth * sizeof(T)), columns = ColumnBytes / sizeof(T);
        int tiles = new TileHeights(int.Min(rows, problem.M), TLanes.TileRows).Tiles;
        nint blockSize = (nint)int.Min(depth, problem.K) * tiles * MatMulPacking.BlockWidth<T, TVector, TLanes>();
        nint sliceSize = (nint)int.Min(depth, problem.K) * (int.Min(columns, problem.N) + width);
        T* block = (T*)Scratch.Rent((blockSize + sliceSize) * sizeof(T) + 64);
        T* slice = (T*)(((nint)(block + blockSize) + 63) & -64);

        for (int j = 0; j < problem.N; j += columns)
        {
            int n = int.Min(columns, problem.N - j);
            for (int p = 0; p < problem.K; p += depth)
            {
                int k = int.Min(depth, problem.K - p);
                bool accumulate = problem.Accumulate || p > 0;
                T* b = problem.B + p * problem.BRow + j * problem.BCol;
                MatMulPacking.Slice<T, TVector, TLanes>(k, n, b, problem.BRow, problem.BCol, slice);
                for (int i = 0; i < problem.M; i += rows)
                {
                    int m = int.Min(rows, problem.M - i);
                    T* a = problem.A + i * problem.ARow + p * problem.ACol;
                    MatMulPacking.Block<T, TVector, TLanes>(m, k, a, problem.ARow, problem.ACol, block);
                    T* c = problem.C + i * problem.Ldc + j;
                    for (int s = 0; s < n; s += width)
                        MatMulColumn.MultiplyPacked<T, TVector, TLanes>(
                            m, int.Min(width, n - s), k, block, slice + (nint)s * k, width, c + s, problem.Ldc, accumulate);
                }
            }
        }
    }
}

using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Products whose operands fit the caches: A is read where it lies, B too when its columns lie side by side.
/// </summary>
internal static unsafe class MatMulDirect
{
    /// <summary>Rows of B that are packed at once: 512 × 32 floats are 64 KiB of the second-level cache.</summary>
    private const int DepthBlock = 512;

    /// <summary>Bytes of small matrices B that are packed at once: half of a first-level cache of 32 KiB.</summary>
    private const int StackBytes = 16 << 10;

    /// <summary>C_i (+)= A_i·B_i for every i &lt; batch.</summary>
    public static void Multiply<T, TVector, TLanes>(in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        int width = 2 * TLanes.Count;
        for (int j = 0; j < problem.N; j += width)
        {
            int n = int.Min(width, problem.N - j);
            T* b = problem.B + j * problem.BCol;
            T* c = problem.C + j;
            // Without masked loads a narrow panel is padded instead, since whole vectors would read past its end.
            bool inPlace = problem.BCol == 1 && (TLanes.HasMasks || n % TLanes.Count == 0);
            if (inPlace) InPlace<T, TVector, TLanes>(problem, n, b, c);
            else Packed<T, TVector, TLanes>(problem, n, b, c);
        }
    }

    private static void InPlace<T, TVector, TLanes>(in MatMulProblem<T> problem, int n, T* b, T* c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        if (problem.M <= MatMulColumn.MostRows<T, TVector, TLanes>(n))
        {
            MatMulColumn.MultiplyBatched<T, TVector, TLanes>(
                problem.Batch, problem.M, n, problem.K, problem.A, problem.ABatch, problem.ARow, problem.ACol,
                b, problem.BBatch, problem.BRow, c, problem.CBatch, problem.Ldc, problem.Accumulate);
            return;
        }

        T* a = problem.A;
        bool accumulate = problem.Accumulate;
        for (int i = 0; i < problem.Batch; i++, a += problem.ABatch, b += problem.BBatch, c += problem.CBatch)
        {
            MatMulColumn.Multiply<T, TVector, TLanes>(
                problem.M, n, problem.K, a, problem.ARow, problem.ACol, b, problem.BRow, c, problem.Ldc, accumulate);
            accumulate |= problem.CBatch == 0;
        }
    }

    private static void Packed<T, TVector, TLanes>(in MatMulProblem<T> problem, int n, T* b, T* c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        // As many whole vectors as n needs.
        int width = n > TLanes.Count ? 2 * TLanes.Count : TLanes.Count;
        if (problem.Batch > 1 && problem.BBatch != 0
            && problem.M <= MatMulColumn.MostRows<T, TVector, TLanes>(n)
            && (nint)sizeof(T) * width * problem.K <= StackBytes / 2)
        {
            PackedStack<T, TVector, TLanes>(problem, n, width, b, c);
            return;
        }

        T* panel = (T*)Scratch.Rent((nint)sizeof(T) * width * int.Min(problem.K, DepthBlock));
        bool packed = false;
        T* a = problem.A;
        bool accumulate = problem.Accumulate;
        for (int i = 0; i < problem.Batch; i++, a += problem.ABatch, b += problem.BBatch, c += problem.CBatch)
        {
            for (int p = 0; p < problem.K; p += DepthBlock)
            {
                int k = int.Min(DepthBlock, problem.K - p);
                if (!packed) MatMulPacking.Panel<T, TVector, TLanes>(k, n, width, b + p * problem.BRow, problem.BRow, problem.BCol, panel);
                packed = problem.BBatch == 0 && k == problem.K;
                MatMulColumn.Multiply<T, TVector, TLanes>(
                    problem.M, n, k, a + p * problem.ACol, problem.ARow, problem.ACol, panel, width, c, problem.Ldc,
                    accumulate || p > 0);
            }

            accumulate |= problem.CBatch == 0;
        }
    }
    // For products of a single tile each: packs as many of their matrices B as the first-level cache takes, and multiplies
    // them in one call.
    private static void PackedStack<T, TVector, TLanes>(in MatMulProblem<T> problem, int n, int width, T* b, T* c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        nint size = (nint)width * problem.K;
        int most = int.Min(problem.Batch, (int)(StackBytes / (size * sizeof(T))));
        T* stack = (T*)Scratch.Rent(most * size * sizeof(T));
        T* a = problem.A;
        bool accumulate = problem.Accumulate;
        for (int i = 0; i < problem.Batch; i += most)
        {
            int count = int.Min(most, problem.Batch - i);
            for (int s = 0; s < count; s++, b += problem.BBatch)
                MatMulPacking.Panel<T, TVector, TLanes>(
                    problem.K, n, width, b, problem.BRow, problem.BCol, stack + s * size);
            MatMulColumn.MultiplyBatched<T, TVector, TLanes>(
                count, problem.M, n, problem.K, a, problem.ABatch, problem.ARow, problem.ACol, stack, size, width,
                c, problem.CBatch, problem.Ldc, accumulate);
            a += count * problem.ABatch;
            c += count * problem.CBatch;
            accumulate |= problem.CBatch == 0;
        }
    }
}

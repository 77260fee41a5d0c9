using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>The arguments of a batched product, checked and pinned. Strides are in elements.</summary>
internal unsafe struct MatMulProblem<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Batch, M, N, K;
    public T* A, B, C;
    public nint ABatch, ARow, ACol;
    public nint BBatch, BRow, BCol;
    public nint CBatch, Ldc;
    public bool Accumulate;
    public MatMulPath Path;
}

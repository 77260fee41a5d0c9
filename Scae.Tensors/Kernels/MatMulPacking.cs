using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>Copies blocks of an operand into the layout that the tiles read fastest.</summary>
internal static unsafe class MatMulPacking
{
    /// <summary>target[p·width + j] = B[p, j] for p &lt; k, j &lt; n, and zero for n ≤ j &lt; width.</summary>
    public static void Columns<T>(int k, int n, int width, T* b, nint bRow, nint bCol, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (n < width)
            for (int p = 0; p < k; p++)
                for (int j = n; j < width; j++) target[(nint)p * width + j] = T.Zero;

        if (bCol == 1)
        {
            for (int p = 0; p < k; p++, b += bRow, target += width)
                new System.ReadOnlySpan<T>(b, n).CopyTo(new System.Span<T>(target, n));
            return;
        }

        for (int j = 0; j < n; j++)
        {
            T* from = b + j * bCol;
            T* to = target + j;
            for (int p = 0; p < k; p++, from += bRow, to += width) *to = *from;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Scae.Tensors.Kernels;

/// <summary>The transposition of 16×16 floats in AVX-512's registers.</summary>
internal static unsafe class Transposition512
{
    /// <summary>target[p·width + j] = source[j·stride + p] for p &lt; k, j &lt; 16; row 0 stands in for rows from n on.</summary>
    // Whole vectors are written, as the tiles read them: a vector pieced together from two that were just written waits
    // until both are in the cache.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int k, int n, float* source, nint stride, float* target, nint width)
    {
        for (int p = 0; p < k; p += 16, source += 16, target += 16 * width)
        {
            int rows = int.Min(16, k - p);
            Vector512<float> mask = Lanes512<float>.First(rows);
            Four(Row(source, 0, n, stride, mask), Row(source, 1, n, stride, mask), Row(source, 2, n, stride, mask), Row(source, 3, n, stride, mask),
                out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
            Four(Row(source, 4, n, stride, mask), Row(source, 5, n, stride, mask), Row(source, 6, n, stride, mask), Row(source, 7, n, stride, mask),
                out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
            Four(Row(source, 8, n, stride, mask), Row(source, 9, n, stride, mask), Row(source, 10, n, stride, mask), Row(source, 11, n, stride, mask),
                out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
            Four(Row(source, 12, n, stride, mask), Row(source, 13, n, stride, mask), Row(source, 14, n, stride, mask), Row(source, 15, n, stride, mask),
                out Vector512<float> d0, out Vector512<float> d1, out Vector512<float> d2, out Vector512<float> d3);
            Spread(a0, b0, c0, d0, target, 4 * width, rows);
            Spread(a1, b1, c1, d1, target + 1 * width, 4 * width, rows - 1);
            Spread(a2, b2, c2, d2, target + 2 * width, 4 * width, rows - 2);
            Spread(a3, b3, c3, d3, target + 3 * width, 4 * width, rows - 3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Row(float* source, int j, int n, nint stride, Vector512<float> mask) =>
        Lanes512<float>.LoadFirst(source + (j < n ? j * stride : 0), mask);

    // In each quarter of the vectors: four rows of four become four columns of four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d,
        out Vector512<float> r0, out Vector512<float> r1, out Vector512<float> r2, out Vector512<float> r3)
    {
        Vector512<float> abLow = Avx512F.UnpackLow(a, b), abHigh = Avx512F.UnpackHigh(a, b);
        Vector512<float> cdLow = Avx512F.UnpackLow(c, d), cdHigh = Avx512F.UnpackHigh(c, d);
        r0 = Avx512F.Shuffle(abLow, cdLow, 0x44);
        r1 = Avx512F.Shuffle(abLow, cdLow, 0xEE);
        r2 = Avx512F.Shuffle(abHigh, cdHigh, 0x44);
        r3 = Avx512F.Shuffle(abHigh, cdHigh, 0xEE);
    }

    // Quarter q of all four vectors makes row q of what is stored.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* target, nint step, int rows)
    {
        Vector512<float> abEven = Avx512F.Shuffle4x128(a, b, 0x88), abOdd = Avx512F.Shuffle4x128(a, b, 0xDD);
        Vector512<float> cdEven = Avx512F.Shuffle4x128(c, d, 0x88), cdOdd = Avx512F.Shuffle4x128(c, d, 0xDD);
        if (rows > 0) Avx512F.Shuffle4x128(abEven, cdEven, 0x88).Store(target);
        if (rows > 4) Avx512F.Shuffle4x128(abOdd, cdOdd, 0x88).Store(target + step);
        if (rows > 8) Avx512F.Shuffle4x128(abEven, cdEven, 0xDD).Store(target + 2 * step);
        if (rows > 12) Avx512F.Shuffle4x128(abOdd, cdOdd, 0xDD).Store(target + 3 * step);
    }
}

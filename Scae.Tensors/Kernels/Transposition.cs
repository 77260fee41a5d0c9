using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Scae.Tensors.Kernels;

/// <summary>Transposes a block into rows of a fixed width, the layout that matrix-multiply tiles read.</summary>
// AggressiveOptimization throughout: see MatMulTile.
internal static unsafe class Transposition
{
    /// <summary>
    /// target[p·width + j] = source[j·stride + p] for p &lt; k, j &lt; n. Places n ≤ j &lt; width may be overwritten by
    /// anything; width must be at least n, and n rounded up to 8 if it is more than that.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(int k, int n, T* source, nint stride, T* target, nint width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Blocks of 8×8 floats cost 0.2 cycles a number, the plain loop 2.5: for attention on sets (11×11×32) the loop
        // took longer than the product.
        if (Avx.IsSupported && typeof(T) == typeof(float) && width >= 8)
        {
            int j = 0;
            for (; Avx512F.IsSupported && j < n && j + 16 <= width; j += 16)
                Transposition512.Run(k, int.Min(16, n - j), (float*)source + j * stride, stride, (float*)target + j, width);
            for (; j < n; j += 8)
                Eights(k, int.Min(8, n - j), (float*)source + j * stride, stride, (float*)target + j, width);
        }
        else if (Avx.IsSupported && typeof(T) == typeof(double) && width >= 4)
        {
            for (int j = 0; j < n; j += 4)
                Fours(k, int.Min(4, n - j), (double*)source + j * stride, stride, (double*)target + j, width);
        }
        else
        {
            for (int j = 0; j < n; j++)
                for (int p = 0; p < k; p++)
                    target[p * width + j] = source[j * stride + p];
        }
    }

    /// <summary>target[p·n + j] = source[j·stride + p] for p &lt; k, j &lt; n, a matrix without padding, and nothing beyond it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dense<T>(int k, int n, T* source, nint stride, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int whole = n & ~7;
        if (whole > 0) Run(k, whole, source, stride, target, n);
        for (int j = whole; j < n; j++)
            for (int p = 0; p < k; p++)
                target[(nint)p * n + j] = source[j * stride + p];
    }

    // n ≤ 8 rows of k floats. Where there are fewer than 8 rows the first stands in for the missing ones.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eights(int k, int n, float* source, nint stride, float* target, nint width)
    {
        float* s0 = source, s1 = source + (n > 1 ? stride : 0), s2 = source + (n > 2 ? 2 * stride : 0);
        float* s3 = source + (n > 3 ? 3 * stride : 0), s4 = source + (n > 4 ? 4 * stride : 0);
        float* s5 = source + (n > 5 ? 5 * stride : 0), s6 = source + (n > 6 ? 6 * stride : 0);
        float* s7 = source + (n > 7 ? 7 * stride : 0);
        int p = 0;
        for (; p <= k - 8; p += 8, target += 8 * width)
        {
            Transpose(
                Vector256.Load(s0 + p), Vector256.Load(s1 + p), Vector256.Load(s2 + p), Vector256.Load(s3 + p),
                Vector256.Load(s4 + p), Vector256.Load(s5 + p), Vector256.Load(s6 + p), Vector256.Load(s7 + p),
                target, width, 8);
        }

        if (p == k) return;
        Vector256<float> rest = Lanes256<float>.First(k - p);
        Transpose(
            Avx.MaskLoad(s0 + p, rest), Avx.MaskLoad(s1 + p, rest), Avx.MaskLoad(s2 + p, rest),
            Avx.MaskLoad(s3 + p, rest), Avx.MaskLoad(s4 + p, rest), Avx.MaskLoad(s5 + p, rest),
            Avx.MaskLoad(s6 + p, rest), Avx.MaskLoad(s7 + p, rest), target, width, k - p);
    }

    // Pairs of numbers, then pairs of pairs, then the halves of the vectors change places.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d,
        Vector256<float> e, Vector256<float> f, Vector256<float> g, Vector256<float> h, float* target, nint width, int rows)
    {
        Vector256<float> abLow = Avx.UnpackLow(a, b), abHigh = Avx.UnpackHigh(a, b);
        Vector256<float> cdLow = Avx.UnpackLow(c, d), cdHigh = Avx.UnpackHigh(c, d);
        Vector256<float> efLow = Avx.UnpackLow(e, f), efHigh = Avx.UnpackHigh(e, f);
        Vector256<float> ghLow = Avx.UnpackLow(g, h), ghHigh = Avx.UnpackHigh(g, h);
        Vector256<float> l0 = Avx.Shuffle(abLow, cdLow, 0x44), l1 = Avx.Shuffle(abLow, cdLow, 0xEE);
        Vector256<float> l2 = Avx.Shuffle(abHigh, cdHigh, 0x44), l3 = Avx.Shuffle(abHigh, cdHigh, 0xEE);
        Vector256<float> r0 = Avx.Shuffle(efLow, ghLow, 0x44), r1 = Avx.Shuffle(efLow, ghLow, 0xEE);
        Vector256<float> r2 = Avx.Shuffle(efHigh, ghHigh, 0x44), r3 = Avx.Shuffle(efHigh, ghHigh, 0xEE);
        Avx.Permute2x128(l0, r0, 0x20).Store(target);
        if (rows > 1) Avx.Permute2x128(l1, r1, 0x20).Store(target + width);
        if (rows > 2) Avx.Permute2x128(l2, r2, 0x20).Store(target + 2 * width);
        if (rows > 3) Avx.Permute2x128(l3, r3, 0x20).Store(target + 3 * width);
        if (rows > 4) Avx.Permute2x128(l0, r0, 0x31).Store(target + 4 * width);
        if (rows > 5) Avx.Permute2x128(l1, r1, 0x31).Store(target + 5 * width);
        if (rows > 6) Avx.Permute2x128(l2, r2, 0x31).Store(target + 6 * width);
        if (rows > 7) Avx.Permute2x128(l3, r3, 0x31).Store(target + 7 * width);
    }

    // The same for n ≤ 4 rows of k doubles.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fours(int k, int n, double* source, nint stride, double* target, nint width)
    {
        double* s0 = source, s1 = source + (n > 1 ? stride : 0);
        double* s2 = source + (n > 2 ? 2 * stride : 0), s3 = source + (n > 3 ? 3 * stride : 0);
        int p = 0;
        for (; p <= k - 4; p += 4, target += 4 * width)
        {
            Transpose(
                Vector256.Load(s0 + p), Vector256.Load(s1 + p), Vector256.Load(s2 + p), Vector256.Load(s3 + p),
                target, width, 4);
        }

        if (p == k) return;
        Vector256<double> rest = Lanes256<double>.First(k - p);
        Transpose(
            Avx.MaskLoad(s0 + p, rest), Avx.MaskLoad(s1 + p, rest), Avx.MaskLoad(s2 + p, rest),
            Avx.MaskLoad(s3 + p, rest), target, width, k - p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector256<double> a, Vector256<double> b, Vector256<double> c, Vector256<double> d,
        double* target, nint width, int rows)
    {
        Vector256<double> l0 = Avx.UnpackLow(a, b), l1 = Avx.UnpackHigh(a, b);
        Vector256<double> r0 = Avx.UnpackLow(c, d), r1 = Avx.UnpackHigh(c, d);
        Avx.Permute2x128(l0, r0, 0x20).Store(target);
        if (rows > 1) Avx.Permute2x128(l1, r1, 0x20).Store(target + width);
        if (rows > 2) Avx.Permute2x128(l0, r0, 0x31).Store(target + 2 * width);
        if (rows > 3) Avx.Permute2x128(l1, r1, 0x31).Store(target + 3 * width);
    }
}

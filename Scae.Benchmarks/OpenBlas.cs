using System;
using System.Runtime.InteropServices;

namespace Scae.Benchmarks;

/// <summary>OpenBLAS, if this machine has it: the yardstick of the matrix-multiply race.</summary>
internal static unsafe partial class OpenBlas
{
    private const string Library = "libopenblas.so.0";
    private const int RowMajor = 101, NoTranspose = 111, Transpose = 112;

    /// <summary>Whether the library can be loaded.</summary>
    public static bool IsPresent { get; } = NativeLibrary.TryLoad(Library, out _);

    /// <summary>The kernels it chose, for instance SkylakeX.</summary>
    public static string Core => Marshal.PtrToStringUTF8(CoreName()) ?? "?";

    /// <summary>All products of the case, one call each.</summary>
    public static void Multiply(MatMulCase shape, float[] a, float[] b, float[] c)
    {
        (_, int batch, int m, int n, int k, bool aT, bool bT) = shape;
        fixed (float* pa = a, pb = b, pc = c)
            for (int i = 0; i < batch; i++)
                Sgemm(
                    RowMajor, aT ? Transpose : NoTranspose, bT ? Transpose : NoTranspose, m, n, k, 1f, pa + i * m * k,
                    aT ? m : k, pb + i * k * n, bT ? k : n, 0f, pc + i * m * n, n);
    }

    [LibraryImport(Library, EntryPoint = "openblas_set_num_threads")]
    public static partial void SetThreads(int threads);

    [LibraryImport(Library, EntryPoint = "openblas_get_corename")]
    private static partial IntPtr CoreName();

    [LibraryImport(Library, EntryPoint = "cblas_sgemm")]
    private static partial void Sgemm(
        int order, int aTransposed, int bTransposed, int m, int n, int k, float alpha, float* a, int lda, float* b,
        int ldb, float beta, float* c, int ldc);
}

namespace Scae.Benchmarks;

/// <summary>A product to measure: batch × C[m×n] = A[m×k]·B[k×n], either operand stored transposed.</summary>
public sealed record MatMulCase(
    string Name, int Batch, int M, int N, int K, bool ATransposed = false, bool BTransposed = false)
{
    /// <summary>Multiplications and additions of one call.</summary>
    public double Flops => 2.0 * Batch * M * N * K;

    /// <summary>Products that are compared with other libraries.</summary>
    public static MatMulCase[] Large { get; } =
    [
        Of(256, 256, 256), Of(512, 512, 512), Of(1024, 1024, 1024), Of(512, 512, 512, b: true),
        Of(512, 512, 512, a: true), Of(500, 300, 700),
    ];

    /// <summary>The products that training steps of set and image encoders consist of.</summary>
    public static MatMulCase[] Small { get; } =
    [
        Of(352, 32, 32), Of(352, 64, 32), Of(352, 32, 64), Of(352, 32, 32, b: true), Of(352, 64, 32, b: true),
        Of(352, 32, 64, b: true), Of(32, 32, 352, a: true), Of(32, 64, 352, a: true), Of(64, 32, 352, a: true),
        Of(96, 32, 32), Of(96, 4, 32), Of(352, 32, 2), Of(2, 32, 352, a: true), Of(32, 32, 32), Of(96, 1, 32),
        Of(11, 11, 32, b: true, batch: 32), Of(11, 32, 11, batch: 32), Of(11, 32, 11, a: true, batch: 32),
        Of(3, 11, 32, b: true, batch: 32), Of(3, 32, 11, batch: 32), Of(11, 32, 3, a: true, batch: 32),
        Of(128, 576, 24), Of(576, 24, 96), Of(96, 24, 576), Of(96, 576, 24, a: true), Of(96, 24, 576, b: true),
    ];

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static MatMulCase Of(int m, int n, int k, bool a = false, bool b = false, int batch = 1) =>
        new($"{(batch > 1 ? $"{batch} × " : "")}{m}×{n}×{k}{(a ? " Aᵀ·B" : b ? " A·Bᵀ" : "")}", batch, m, n, k, a, b);
}

using System;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// One head of attention over one set at a time, so that everything it touches stays in the first-level cache. Rows of
/// scores are padded to whole vectors: sets are small, and a product whose rows end within a vector takes several times as
/// long as one whose rows don't.
/// </summary>
internal static class AttentionKernel
{
    private const int PackSlot = 2;
    private const int ScoreSlot = 3;
    private const int BiasSlot = 4;
    private const double LeastPresence = 1e-16;

    /// <summary>
    /// p = softmax(scale · q·kᵀ + bias) in padded rows whose tail is zero, and y = p·v; q [n, d], k [m, d], v [m, e], each
    /// with its own row stride, bias [m] or empty.
    /// </summary>
    public static void Forward<T>(in AttentionShape shape, ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, T scale, ReadOnlySpan<T> bias, Span<T> p, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int padded = Planes.Pitch<T>(shape.Keys);
        var transposed = Transpose(shape.Keys, shape.Width, padded, k, shape.KeyStride);
        MatMul.Multiply<T>(shape.Queries, padded, shape.Width, q, shape.KeyStride, 1, transposed, padded, 1, p, padded, accumulate: false);
        if (!bias.IsEmpty)
        {
            for (int row = 0; row < shape.Queries; row++)
            {
                var scores = p.Slice(row * padded, shape.Keys);
                TensorPrimitives.MultiplyAdd(scores, scale, bias, scores);
            }

            scale = T.One;
        }

        Softmax(p[..(shape.Queries * padded)], padded, shape.Keys, scale);
        MatMul.Multiply<T>(shape.Queries, shape.Values, shape.Keys, p, padded, 1, v, shape.ValueStride, 1, y, shape.ValueStride, accumulate: false);
    }

    /// <summary>
    /// The gradient of the scores, ∂S = scale · p ∘ (∂P − Σ ∂P ∘ p) with ∂P = g·vᵀ, in padded rows. The result is valid
    /// until the next call.
    /// </summary>
    public static ReadOnlySpan<T> ScoreGradient<T>(in AttentionShape shape, ReadOnlySpan<T> g, ReadOnlySpan<T> v, ReadOnlySpan<T> p, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int padded = Planes.Pitch<T>(shape.Keys);
        var transposed = Transpose(shape.Keys, shape.Values, padded, v, shape.ValueStride);
        var ds = Scratch.Take<T>(ScoreSlot, shape.Queries * padded);
        MatMul.Multiply<T>(shape.Queries, padded, shape.Values, g, shape.ValueStride, 1, transposed, padded, 1, ds, padded, accumulate: false);
        SoftmaxKernel.Backward(ds, p[..ds.Length], padded, scale, ds, accumulate: false);
        return ds;
    }

    /// <summary>What a hard mask adds to the scores, −scale · (1 − d)·10³². The result is valid until the next call.</summary>
    public static ReadOnlySpan<T> HardBias<T>(ReadOnlySpan<T> presence, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var bias = Scratch.Take<T>(BiasSlot, presence.Length);
        T most = T.CreateChecked(1e32);
        for (int j = 0; j < bias.Length; j++) bias[j] = -((T.One - presence[j]) * most) * scale;
        return bias;
    }

    /// <summary>
    /// What a logarithmic mask adds to the scores: log d, or −10³⁰ where d is below 10⁻¹⁶, which outweighs every score. The
    /// result is valid until the next call.
    /// </summary>
    public static ReadOnlySpan<T> LogBias<T>(ReadOnlySpan<T> presence)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var bias = Scratch.Take<T>(BiasSlot, presence.Length);
        T least = T.CreateChecked(LeastPresence), absent = T.CreateChecked(-1e30);
        for (int j = 0; j < bias.Length; j++) bias[j] = presence[j] < least ? absent : T.Log(presence[j]);
        return bias;
    }

    /// <summary>
    /// Adds the presences' gradient under a logarithmic mask: into_j += Σ_rows ∂S/scale / d_j. Presences below 10⁻¹⁶ get
    /// none.
    /// </summary>
    public static void AddLogBiasGradient<T>(ReadOnlySpan<T> ds, int padded, ReadOnlySpan<T> presence, T scale, Span<T> into)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T least = T.CreateChecked(LeastPresence);
        var sums = Scratch.Take<T>(BiasSlot, padded);
        sums.Clear();
        Rowwise.AddSum(ds, sums);
        for (int j = 0; j < presence.Length; j++)
        {
            if (!(presence[j] < least)) into[j] += sums[j] / (scale * presence[j]);
        }
    }

    /// <summary>
    /// x [rows, columns] transposed to [columns, padded]. The end of a row holds zeros or copies of its first number, which
    /// the softmax masks.
    /// </summary>
    private static unsafe ReadOnlySpan<T> Transpose<T>(int rows, int columns, int padded, ReadOnlySpan<T> x, int stride)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var transposed = Scratch.Take<T>(PackSlot, columns * padded);
        transposed.Clear();
        fixed (T* from = x, to = transposed) Transposition.Run(columns, rows, from, stride, to, padded);
        return transposed;
    }

    /// <summary>Each padded row becomes softmax(scale · row) over its first n elements, and zero beyond.</summary>
    [MethodImpl(VectorLoop.Options)]
    private static void Softmax<T>(Span<T> rows, int padded, int n, T scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int width = Vector512<T>.Count, last = padded - width;
        var valid = Vector512.LessThan(Vector512<T>.Indices, Vector512.Create(T.CreateTruncating(n - last)));

        // The maximum of scale · x; with a negative scale it is found at the smallest x.
        bool negative = scale < T.Zero;
        var sign = Vector512.Create(negative ? -T.One : T.One);
        var none = Vector512.Create(T.NegativeInfinity);
        var factor = Vector512.Create(scale);
        for (int start = 0; start < rows.Length; start += padded)
        {
            ref T first = ref rows[start];
            var tail = Vector512.LoadUnsafe(ref first, (nuint)last);
            var most = Vector512.ConditionalSelect(valid, tail * sign, none);
            for (int i = 0; i < last; i += width) most = Vector512.Max(most, Vector512.LoadUnsafe(ref first, (nuint)i) * sign);
            var shift = Vector512.Create(negative ? -Lanes.Max(most) : Lanes.Max(most));
            tail = Lanes.Exp(Vector512.ConditionalSelect(valid, (tail - shift) * factor, none));
            for (int i = 0; i < last; i += width)
            {
                var value = Lanes.Exp((Vector512.LoadUnsafe(ref first, (nuint)i) - shift) * factor);
                value.StoreUnsafe(ref first, (nuint)i);
            }

            tail.StoreUnsafe(ref first, (nuint)last);
            var rest = Vector512.Create(T.One / (last == 0 ? Lanes.Sum(tail) : Reduce.Sum<T>(rows.Slice(start, padded))));
            for (int i = 0; i < last; i += width) (Vector512.LoadUnsafe(ref first, (nuint)i) * rest).StoreUnsafe(ref first, (nuint)i);
            (tail * rest).StoreUnsafe(ref first, (nuint)last);
        }
    }
}

/// <summary>The sizes of one head: n queries and m keys of width d, values of width e, and the strides between rows.</summary>
internal readonly record struct AttentionShape(int Queries, int Keys, int Width, int Values, int KeyStride, int ValueStride);

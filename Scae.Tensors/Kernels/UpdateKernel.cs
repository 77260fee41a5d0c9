using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Optimiser updates in one pass over a parameter and its state. The end of a span goes through the same vector operations
/// as the rest, so that an element's bits don't depend on its position.
/// </summary>
internal static unsafe class UpdateKernel
{
    private const int Grain = 256;

    /// <summary>
    /// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − rate · m / (√v · rootScale + ε), where g is scaled first.
    /// </summary>
    public static void Adam<T>(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> mean, Span<T> square, T scale, T beta1, T rest1, T beta2, T rest2, T rate, T rootScale, T epsilon)
        where T : unmanaged
    {
        fixed (T* p = parameter, g = gradient, m = mean, v = square)
            Sharing.Run(new AdamRange<T>(p, g, m, v, scale, beta1, rest1, beta2, rest2, rate, rootScale, epsilon), parameter.Length, parameter.Length >= Sharing.ManyElements, Grain);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void AdamSerial<T>(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> mean, Span<T> square, T scale, T beta1, T rest1, T beta2, T rest2, T rate, T rootScale, T epsilon)
        where T : unmanaged
    {
        int width = Vector512<T>.Count;
        Vector512<T> s = Vector512.Create(scale), b1 = Vector512.Create(beta1), r1 = Vector512.Create(rest1), b2 = Vector512.Create(beta2),
            r2 = Vector512.Create(rest2), lr = Vector512.Create(rate), root = Vector512.Create(rootScale), eps = Vector512.Create(epsilon);
        for (int i = 0; i < parameter.Length; i += width)
        {
            var g = Load<T>(gradient, i) * s;
            var m = (b1 * Load<T>(mean, i)) + (r1 * g);
            var v = (b2 * Load<T>(square, i)) + (r2 * g * g);
            Store(m, mean, i);
            Store(v, square, i);
            Store(Load<T>(parameter, i) - (lr * m / ((Vector512.Sqrt(v) * root) + eps)), parameter, i);
        }
    }

    /// <summary>
    /// v ← ρv + (1 − ρ)g², u ← μu + rate · g / (√(v + inner) + outer), p ← p − u; without velocity μ is 0 and u isn't kept.
    /// </summary>
    public static void RmsProp<T>(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> square, Span<T> velocity, T scale, T decay, T rest, T rate, T momentum, T inner, T outer)
        where T : unmanaged
    {
        fixed (T* p = parameter, g = gradient, v = square, u = velocity)
            Sharing.Run(new RmsPropRange<T>(p, g, v, u, scale, decay, rest, rate, momentum, inner, outer), parameter.Length, parameter.Length >= Sharing.ManyElements, Grain);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void RmsPropSerial<T>(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> square, Span<T> velocity, T scale, T decay, T rest, T rate, T momentum, T inner, T outer)
        where T : unmanaged
    {
        int width = Vector512<T>.Count;
        Vector512<T> s = Vector512.Create(scale), d = Vector512.Create(decay), r = Vector512.Create(rest), lr = Vector512.Create(rate),
            mu = Vector512.Create(momentum), inside = Vector512.Create(inner), outside = Vector512.Create(outer);
        for (int i = 0; i < parameter.Length; i += width)
        {
            var g = Load<T>(gradient, i) * s;
            var v = (d * Load<T>(square, i)) + (r * g * g);
            Store(v, square, i);
            var u = lr * g / (Vector512.Sqrt(v + inside) + outside);
            if (!velocity.IsEmpty)
            {
                u += mu * Load<T>(velocity, i);
                Store(u, velocity, i);
            }

            Store(Load<T>(parameter, i) - u, parameter, i);
        }
    }

    /// <summary>u ← μu + g, p ← p − rate · u, or with Nesterov's look-ahead p ← p − rate · (g + μu).</summary>
    public static void SgdMomentum<T>(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> velocity, T scale, T rate, T momentum, bool nesterov)
        where T : unmanaged
    {
        fixed (T* p = parameter, g = gradient, u = velocity)
            Sharing.Run(new SgdRange<T>(p, g, u, scale, rate, momentum, nesterov), parameter.Length, parameter.Length >= Sharing.ManyElements, Grain);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void SgdSerial<T>(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> velocity, T scale, T rate, T momentum, bool nesterov)
        where T : unmanaged
    {
        int width = Vector512<T>.Count;
        Vector512<T> s = Vector512.Create(scale), lr = Vector512.Create(rate), mu = Vector512.Create(momentum);
        for (int i = 0; i < parameter.Length; i += width)
        {
            var g = Load<T>(gradient, i) * s;
            var u = (mu * Load<T>(velocity, i)) + g;
            Store(u, velocity, i);
            Store(Load<T>(parameter, i) - (lr * (nesterov ? g + (mu * u) : u)), parameter, i);
        }
    }

    /// <summary>Σ x² in double, in sixteen running sums whatever the hardware.</summary>
    [MethodImpl(VectorLoop.Options)]
    public static double SumOfSquares(ReadOnlySpan<float> x)
    {
        Vector512<double> even = default, odd = default;
        for (int i = 0; i < x.Length; i += Vector512<float>.Count)
        {
            var (lower, upper) = Vector512.Widen(Load(x, i));
            even += lower * lower;
            odd += upper * upper;
        }

        return Lanes.Sum(even + odd);
    }

    /// <summary>a ← a + share · (p − a).</summary>
    public static void Average<T>(Span<T> average, ReadOnlySpan<T> parameter, T share)
        where T : unmanaged => Elementwise.Map3<T, Toward>(average, parameter, 1, new ReadOnlySpan<T>(in share), 0, average, accumulate: false);

    /// <summary>Σ x², added as in <see cref="Reduce"/>.</summary>
    public static double SumOfSquares(ReadOnlySpan<double> x) => Reduce.Dot(x, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Load<T>(ReadOnlySpan<T> span, int at)
        where T : unmanaged =>
        span.Length - at >= Vector512<T>.Count
            ? Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(span), (nuint)at)
            : Lanes.LoadPart(span[at..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(Vector512<T> value, Span<T> span, int at)
        where T : unmanaged
    {
        if (span.Length - at >= Vector512<T>.Count) value.StoreUnsafe(ref MemoryMarshal.GetReference(span), (nuint)at);
        else Lanes.StorePart(value, span[at..]);
    }

    private readonly struct AdamRange<T>(T* p, T* g, T* m, T* v, T scale, T beta1, T rest1, T beta2, T rest2, T rate, T rootScale, T epsilon) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to) =>
            AdamSerial<T>(Part(p, from, to), Part(g, from, to), Part(m, from, to), Part(v, from, to), scale, beta1, rest1, beta2, rest2, rate, rootScale, epsilon);
    }

    private readonly struct RmsPropRange<T>(T* p, T* g, T* v, T* u, T scale, T decay, T rest, T rate, T momentum, T inner, T outer) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to) =>
            RmsPropSerial<T>(Part(p, from, to), Part(g, from, to), Part(v, from, to), u == null ? default : Part(u, from, to), scale, decay, rest, rate, momentum, inner, outer);
    }

    private readonly struct SgdRange<T>(T* p, T* g, T* u, T scale, T rate, T momentum, bool nesterov) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to) => SgdSerial<T>(Part(p, from, to), Part(g, from, to), Part(u, from, to), scale, rate, momentum, nesterov);
    }

    private static Span<T> Part<T>(T* x, int from, int to)
        where T : unmanaged => new(x + from, to - from);

    private readonly struct Toward : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> average, Vector512<T> parameter, Vector512<T> share)
            where T : unmanaged => average + (share * (parameter - average));
    }
}

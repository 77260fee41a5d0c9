using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Optimiser updates in one pass over a parameter and its state. The end of a span goes through the same vectors as
/// the rest, so that an element's bits don't depend on where it lies.
/// </summary>
internal static class UpdateKernel
{
    // Elements that a part updates: its memory takes longer to come than a dispatch.
    private const int PartLength = 1 << 16;

    /// <summary>
    /// Applies a rule to a parameter, its gradient and its state, of which any but the first two may be empty: on several
    /// threads where there are enough elements, each of which the rule treats alone.
    /// </summary>
    public static unsafe void Run<T, TRule>(TRule rule, Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> first, Span<T> second)
        where T : unmanaged
        where TRule : struct, IUpdateRule<T>
    {
        int parts = int.Min(WorkerPool.MaxParts, (parameter.Length + PartLength - 1) / PartLength);
        if (parts < 2)
        {
            rule.Apply(parameter, gradient, first, second);
            return;
        }

        fixed (T* p = parameter, g = gradient, a = first, b = second)
        {
            Job<T, TRule> job = new() { Rule = rule, Parameter = p, Gradient = g, First = a, Second = b, Length = parameter.Length, Parts = parts };
            WorkerPool.Run(ref job, parts);
        }
    }

    /// <summary>
    /// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − rate · m / (√v · rootScale + ε), where g is scaled first.
    /// </summary>
    public static void Adam<T>(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> mean, Span<T> square, T scale, T beta1, T rest1, T beta2, T rest2, T rate, T rootScale, T epsilon)
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

    /// <summary>Σ x² in double, in eight running sums whatever the hardware.</summary>
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

    /// <summary>Σ x² in eight running sums whatever the hardware.</summary>
    public static double SumOfSquares(ReadOnlySpan<double> x) => Reduce.Dot(x, x);

    private static Vector512<T> Load<T>(ReadOnlySpan<T> span, int at)
        where T : unmanaged =>
        span.Length - at >= Vector512<T>.Count
            ? Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(span), (nuint)at)
            : Lanes.LoadPart(span[at..]);

    private static void Store<T>(Vector512<T> value, Span<T> span, int at)
        where T : unmanaged
    {
        if (span.Length - at >= Vector512<T>.Count) value.StoreUnsafe(ref MemoryMarshal.GetReference(span), (nuint)at);
        else Lanes.StorePart(value, span[at..]);
    }

    private unsafe struct Job<T, TRule> : IParallelJob
        where T : unmanaged
        where TRule : struct, IUpdateRule<T>
    {
        public TRule Rule;
        public T* Parameter;
        public T* Gradient;
        public T* First;
        public T* Second;
        public int Length;
        public int Parts;

        public readonly void Run(int part)
        {
            // Full vectors, so that only the last part has a remainder.
            int width = Vector512<byte>.Count;
            int start = (int)((long)Length * part / Parts / width * width), end = part + 1 == Parts ? Length : (int)((long)Length * (part + 1) / Parts / width * width);
            Rule.Apply(Part(Parameter, start, end), Part(Gradient, start, end), Part(First, start, end), Part(Second, start, end));
        }

        private static Span<T> Part(T* first, int start, int end) => first == null ? default : new Span<T>(first + start, end - start);
    }
}

/// <summary>An optimiser's rule for elements that don't see each other; state that it doesn't have is empty.</summary>
internal interface IUpdateRule<T>
    where T : unmanaged
{
    void Apply(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> first, Span<T> second);
}

/// <summary>See <see cref="UpdateKernel.Adam"/>.</summary>
internal readonly record struct AdamRule<T>(T Scale, T Beta1, T Rest1, T Beta2, T Rest2, T Rate, T RootScale, T Epsilon) : IUpdateRule<T>
    where T : unmanaged
{
    public void Apply(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> first, Span<T> second) =>
        UpdateKernel.Adam(parameter, gradient, first, second, Scale, Beta1, Rest1, Beta2, Rest2, Rate, RootScale, Epsilon);
}

/// <summary>See <see cref="UpdateKernel.RmsProp"/>.</summary>
internal readonly record struct RmsPropRule<T>(T Scale, T Decay, T Rest, T Rate, T Momentum, T Inner, T Outer) : IUpdateRule<T>
    where T : unmanaged
{
    public void Apply(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> first, Span<T> second) =>
        UpdateKernel.RmsProp(parameter, gradient, first, second, Scale, Decay, Rest, Rate, Momentum, Inner, Outer);
}

/// <summary>See <see cref="UpdateKernel.SgdMomentum"/>.</summary>
internal readonly record struct SgdMomentumRule<T>(T Scale, T Rate, T Momentum, bool Nesterov) : IUpdateRule<T>
    where T : unmanaged
{
    public void Apply(Span<T> parameter, ReadOnlySpan<T> gradient, Span<T> first, Span<T> second) =>
        UpdateKernel.SgdMomentum(parameter, gradient, first, Scale, Rate, Momentum, Nesterov);
}

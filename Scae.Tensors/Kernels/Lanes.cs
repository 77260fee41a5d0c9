using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Full-width vectors at the ends of spans, and sums across lanes in a fixed order.</summary>
internal static class Lanes
{
    /// <summary>The elements of a span shorter than a vector, the lanes beyond it zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LoadPart<T>(ReadOnlySpan<T> part)
        where T : unmanaged
    {
        Vector512<T> lanes = default;
        part.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Vector512<T>, T>(ref lanes), Vector512<T>.Count));
        return lanes;
    }

    /// <summary>Stores the first lanes into a span shorter than a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart<T>(Vector512<T> lanes, Span<T> part)
        where T : unmanaged =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector512<T>, T>(ref lanes), part.Length).CopyTo(part);

    /// <summary>The sum over lanes, halves added to halves: the same order at every hardware width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum<T>(Vector512<T> lanes)
        where T : unmanaged
    {
        var half = lanes.GetLower() + lanes.GetUpper();
        var quarter = half.GetLower() + half.GetUpper();
        return Sum(quarter);
    }

    /// <summary>The largest lane; NaN wins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Max<T>(Vector512<T> lanes)
        where T : unmanaged
    {
        var half = Vector256.Max(lanes.GetLower(), lanes.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        if (typeof(T) == typeof(double))
        {
            var two = quarter.AsDouble();
            return (T)(object)Math.Max(two[0], two[1]);
        }

        var four = quarter.AsSingle();
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return (T)(object)Math.Max(four[0], four[1]);
    }

    /// <summary>eˣ in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Exp<T>(Vector512<T> x)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Exp(x.AsDouble()).As<double, T>() : Vector512.Exp(x.AsSingle()).As<float, T>();

    /// <summary>
    /// eˣ for x ≤ 0 in every lane, to two units in the last place; below e⁻⁸⁷ float gives 0. For mixtures, of which it is
    /// most of the time: eight times as fast as <see cref="Exp"/>, which goes through double. The polynomial is Cephes'
    /// (Moshier 1989).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ExpOfNegative<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return Exp(x);
        var from = x.AsSingle();
        var n = Vector512.Round(from * Vector512.Create(1.44269504f));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), from);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440E-4f), r);
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1.9875691500E-4f), r, Vector512.Create(1.3981999507E-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073E-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894E-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459E-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201E-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r) + Vector512<float>.One;

        // 2ⁿ from its exponent; NaN isn't below the limit and stays in p.
        var power = Vector512.ShiftLeft(Vector512.ConvertToInt32Native(n) + Vector512.Create(127), 23).AsSingle();
        return Vector512.AndNot(p * power, Vector512.LessThan(from, Vector512.Create(-87f))).As<float, T>();
    }

    /// <summary>log x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Log<T>(Vector512<T> x)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Log(x.AsDouble()).As<double, T>() : Vector512.Log(x.AsSingle()).As<float, T>();

    /// <summary>log(1 + x) in every lane, exact for small x too: the rounding of 1 + x is divided out again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LogOnePlus<T>(Vector512<T> x)
        where T : unmanaged
    {
        var sum = Vector512<T>.One + x;
        var rounded = sum - Vector512<T>.One;
        return Vector512.ConditionalSelect(Vector512.Equals(rounded, Vector512<T>.Zero), x, Log(sum) * x / rounded);
    }

    /// <summary>
    /// tanh x in every lane. Near 0, where 1 − 2/(e²ˣ + 1) cancels, it is the rational approximation of Cephes (Moshier
    /// 1989); TensorPrimitives.Tanh (11.0.0) is off by up to 6·10⁻⁸ there, so that tanh 0 isn't 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Tanh<T>(Vector512<T> x)
        where T : unmanaged
    {
        var magnitude = Vector512.Abs(x);
        var z = x * x;
        var slope = typeof(T) == typeof(double)
            ? Polynomial(z, [-9.64399179425052238628E-1, -9.92877231001918586564E1, -1.61468768441708447952E3])
              / Polynomial(z, [1.0, 1.12811678491632931402E2, 2.23548839060100448583E3, 4.84406305325125486048E3])
            : Polynomial(z, [-5.70498872745E-3, 2.06390887954E-2, -5.37397155531E-2, 1.33314422036E-1, -3.33332819422E-1]);
        var near = magnitude + (magnitude * z * slope);
        var far = Vector512<T>.One - (Constant<T>(2) / (Exp(magnitude + magnitude) + Vector512<T>.One));
        return WithSignOf(x, Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Constant<T>(0.625)), near, far));
    }

    /// <summary>sinh x in every lane: near 0 the Taylor series, whose next term is below the last digit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sinh<T>(Vector512<T> x)
        where T : unmanaged
    {
        var magnitude = Vector512.Abs(x);
        var z = x * x;
        var slope = Polynomial(
            z,
            [1.0 / 121645100408832000, 1.0 / 355687428096000, 1.0 / 1307674368000, 1.0 / 6227020800, 1.0 / 39916800, 1.0 / 362880, 1.0 / 5040, 1.0 / 120, 1.0 / 6]);
        var near = magnitude + (magnitude * z * slope);

        // eˣ would overflow before sinh does; the square of its root is multiplied last.
        var root = Exp(Constant<T>(0.5) * magnitude);
        var far = (Constant<T>(0.5) * root * root) - (Constant<T>(0.5) / root / root);
        return WithSignOf(x, Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512<T>.One), near, far));
    }

    /// <summary>cosh x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Cosh<T>(Vector512<T> x)
        where T : unmanaged
    {
        var root = Exp(Constant<T>(0.5) * Vector512.Abs(x));
        return (Constant<T>(0.5) * root * root) + (Constant<T>(0.5) / root / root);
    }

    /// <summary>A number in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Constant<T>(double value)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Create(value).As<double, T>() : Vector512.Create((float)value).As<float, T>();

    /// <summary>sin x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sin<T>(Vector512<T> x)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Sin(x.AsDouble()).As<double, T>() : Vector512.Sin(x.AsSingle()).As<float, T>();

    /// <summary>cos x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Cos<T>(Vector512<T> x)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Cos(x.AsDouble()).As<double, T>() : Vector512.Cos(x.AsSingle()).As<float, T>();

    /// <summary>The largest integer ≤ x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Floor<T>(Vector512<T> x)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Floor(x.AsDouble()).As<double, T>() : Vector512.Floor(x.AsSingle()).As<float, T>();

    /// <summary>Stores whole numbers as integers, one a lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreWhole<T>(Vector512<T> whole, ref int target)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            Vector512.ConvertToInt32Native(whole.AsSingle()).StoreUnsafe(ref target);
            return;
        }

        for (int i = 0; i < Vector512<T>.Count; i++) Unsafe.Add(ref target, i) = (int)whole.AsDouble().GetElement(i);
    }

    // Horner's scheme, the highest power's coefficient first.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Polynomial<T>(Vector512<T> x, ReadOnlySpan<double> coefficients)
        where T : unmanaged
    {
        var y = Constant<T>(coefficients[0]);
        for (int i = 1; i < coefficients.Length; i++) y = (y * x) + Constant<T>(coefficients[i]);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> WithSignOf<T>(Vector512<T> x, Vector512<T> magnitude)
        where T : unmanaged => magnitude | (x & Constant<T>(-0.0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Sum<T>(Vector128<T> lanes)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double))
        {
            var two = lanes.AsDouble();
            return (T)(object)(two[0] + two[1]);
        }

        var four = lanes.AsSingle();
        return (T)(object)((four[0] + four[2]) + (four[1] + four[3]));
    }
}

using System;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Elementary functions of eight doubles, off by at most 2 units in the last place, and exact where the true value is (e⁰,
/// log 1, tanh 0). They use only basic arithmetic and fused multiply-adds, each rounded as IEEE 754 says, so the bits are
/// the same on every processor. The polynomials are near-minimax, found by Remez's algorithm in 60 digits; the logarithm
/// follows fdlibm's scheme (Sun 1993).
/// </summary>
internal static class FunctionsForDouble
{
    public const double Ln2 = 0.6931471805599453;
    public const double Ln2Low = 2.3190468138462996e-17;
    public const double PerLn2 = 1.4426950408889634;
    public const double HalfPi = 1.5707963267948966;
    public const double HalfPiLow = 6.123233995736766e-17;
    public const double HalfPiLowest = -1.4973849048591698e-33;

    // Adding this to a number below 2⁵¹ leaves the nearest whole number in the last bits of the sum.
    public const double Whole = 6755399441055744.0;

    // Larger angles are reduced with more digits of π, by the scalar function.
    private const double LargestAngle = 1 << 20;

    /// <summary>eˣ; correct down to subnormal results.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Exp(Vector512<double> x)
    {
        var (p, n) = ExpMinusOneReduced(x);
        return TimesPowerOfTwo(Vector512<double>.One + p, n);
    }

    /// <summary>eˣ − 1, exact to the last digits near 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> ExpMinusOne(Vector512<double> x)
    {
        // Beyond ±40 the result is eˣ or −1, so 2ⁿ − 1 isn't needed there, where it would overflow.
        var limited = Limit(x, -40, 40);
        var (p, n) = ExpMinusOneReduced(limited);
        var scale = PowerOfTwo(n);
        var near = Vector512.FusedMultiplyAdd(scale, p, scale - Vector512<double>.One);
        near = Vector512.ConditionalSelect(Vector512.Equals(x, Vector512<double>.Zero), x, near);
        return Vector512.GreaterThanAny(x, Vector512.Create(40.0))
            ? Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512.Create(40.0)), Exp(x), near)
            : near;
    }

    /// <summary>log x: −∞ at 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Log(Vector512<double> x)
    {
        // Subnormal numbers have too few digits for the bits to be read as they are.
        var small = Vector512.LessThan(x, Vector512.Create(2.2250738585072014e-308));
        var scaled = Vector512.ConditionalSelect(small, x * Vector512.Create(18014398509481984.0), x);
        var (m, k) = Split(scaled);
        k -= small & Vector512.Create(54.0);
        var y = LogOfSplit(m - Vector512<double>.One, k, Vector512<double>.Zero);
        return AtEdges(x, x, y);
    }

    /// <summary>log(1 + x), exact to the last digits near 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> LogOnePlus(Vector512<double> x)
    {
        var u = Vector512<double>.One + x;
        var (m, k) = Split(u);
        var isNear = Vector512.Equals(k, Vector512<double>.Zero);

        // What 1 + x lost to rounding, over 1 + x.
        var lost = Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(x, Vector512<double>.One), Vector512<double>.One - (u - x), x - (u - Vector512<double>.One)) / u;
        var f = Vector512.ConditionalSelect(isNear, x, m - Vector512<double>.One);
        var y = LogOfSplit(f, k, Vector512.AndNot(lost, isNear));
        y = Vector512.ConditionalSelect(Vector512.Equals(x, Vector512<double>.Zero), x, y);
        return AtEdges(u, x, y);
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Sigmoid(Vector512<double> x)
    {
        var e = Exp(-Vector512.Abs(x));
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<double>.Zero), e, Vector512<double>.One) / (Vector512<double>.One + e);
    }

    /// <summary>log(1 + eˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Softplus(Vector512<double> x) =>
        Vector512.Max(x, Vector512<double>.Zero) + LogOnePlus(Exp(-Vector512.Abs(x)));

    /// <summary>tanh x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Tanh(Vector512<double> x)
    {
        var magnitude = Limit(Vector512.Abs(x), 0, 20);
        var e = ExpMinusOne(magnitude + magnitude);
        return WithSignOf(x, e / (e + Vector512.Create(2.0)));
    }

    /// <summary>sin x, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Sin(Vector512<double> x)
    {
        var (r, low, quadrant) = Reduce(x);
        var y = Vector512.ConditionalSelect(Vector512.Equals(x, Vector512<double>.Zero), x, SineOrCosine(r, low, quadrant));
        var isLarge = Vector512.GreaterThan(Vector512.Abs(x), Vector512.Create(LargestAngle));
        return isLarge == Vector512<double>.Zero ? y : Vector512.ConditionalSelect(isLarge, EachLane(x, Math.Sin), y);
    }

    /// <summary>cos x, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Cos(Vector512<double> x)
    {
        var (r, low, quadrant) = Reduce(x);
        var y = SineOrCosine(r, low, quadrant + Vector512<long>.One);
        var isLarge = Vector512.GreaterThan(Vector512.Abs(x), Vector512.Create(LargestAngle));
        return isLarge == Vector512<double>.Zero ? y : Vector512.ConditionalSelect(isLarge, EachLane(x, Math.Cos), y);
    }

    /// <summary>Applies a scalar function in every lane; for functions that aren't on the hot path of any training.</summary>
    public static Vector512<double> EachLane(Vector512<double> x, Func<double, double> function)
    {
        var y = x;
        for (int i = 0; i < Vector512<double>.Count; i++) y = y.WithElement(i, function(x[i]));
        return y;
    }

    /// <summary>x limited to [least, most]; NaN stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Limit(Vector512<double> x, double least, double most) =>
        // x stands second because a comparison with NaN yields the second operand.
        Vector512.MinNative(Vector512.Create(most), Vector512.MaxNative(Vector512.Create(least), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> WithSignOf(Vector512<double> x, Vector512<double> magnitude) =>
        magnitude | (x & Vector512.Create(-0.0));

    /// <summary>Horner's scheme, the highest power's coefficient first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Polynomial(Vector512<double> x, ReadOnlySpan<double> coefficients)
    {
        var y = Vector512.Create(coefficients[0]);
        for (int i = 1; i < coefficients.Length; i++) y = Vector512.FusedMultiplyAdd(y, x, Vector512.Create(coefficients[i]));
        return y;
    }

    /// <summary>2ⁿ for a whole number n that is the exponent of a normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> PowerOfTwo(Vector512<double> n) =>
        (((n + Vector512.Create(Whole)).AsInt64() << 52) + Vector512.Create(1.0).AsInt64()).AsDouble();

    // Reduces x = n·ln 2 + r; returns eʳ − 1 and n.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<double> Value, Vector512<double> Exponent) ExpMinusOneReduced(Vector512<double> x)
    {
        x = Limit(x, -1000, 1000);
        var n = Vector512.FusedMultiplyAdd(x, Vector512.Create(PerLn2), Vector512.Create(Whole)) - Vector512.Create(Whole);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), r);
        var q = Polynomial(
            r,
            [2.0921591355558057e-09, 2.5105217543350842e-08, 2.7557252905997574e-07, 2.755725539874195e-06, 2.4801587347346783e-05, 0.00019841269874821957, 0.0013888888888874396, 0.008333333333326134, 0.041666666666666685, 0.1666666666666667, 0.5]);
        return (Vector512.FusedMultiplyAdd(r * r, q, r), n);
    }

    // Multiplies in two steps, since 2ⁿ itself may overflow or vanish where the result doesn't. Only the second step rounds.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> TimesPowerOfTwo(Vector512<double> value, Vector512<double> n)
    {
        var half = Vector512.Floor(n * Vector512.Create(0.5));
        return value * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    // x = m·2ᵏ with m in [√½, √2).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<double> Mantissa, Vector512<double> Exponent) Split(Vector512<double> x)
    {
        var root = Vector512.Create(0.7071067811865476).AsInt64();
        var bits = x.AsInt64() - root;
        var k = Vector512.ConvertToDouble(bits >> 52);
        return (((bits & Vector512.Create(0xFFFFFFFFFFFFF)) + root).AsDouble(), k);
    }

    // k·ln 2 + log(1 + f) + lost.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> LogOfSplit(Vector512<double> f, Vector512<double> k, Vector512<double> lost)
    {
        var s = f / (Vector512.Create(2.0) + f);
        var z = s * s;
        var rest = z * Polynomial(
            z,
            [0.14619097141730655, 0.15331497716548545, 0.18182896210630037, 0.22222211031676706, 0.2857142862665214, 0.39999999999897884, 0.666666666666667]);
        var half = Vector512.Create(0.5) * f * f;

        // The first part of ln 2 has 33 bits, so that k times it is exact.
        var low = Vector512.FusedMultiplyAdd(k, Vector512.Create(1.90821492927058770002e-10), lost);
        return (k * Vector512.Create(6.93147180369123816490e-01)) - (half - Vector512.FusedMultiplyAdd(s, half + rest, low) - f);
    }

    // The results that no formula gives: for u = 0, for u below 0, for ∞ and for NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> AtEdges(Vector512<double> u, Vector512<double> x, Vector512<double> y)
    {
        var isUsual = Vector512.GreaterThan(u, Vector512<double>.Zero) & Vector512.LessThan(u, Vector512.Create(double.PositiveInfinity));
        if (Vector512.EqualsAll(isUsual.AsInt64(), Vector512<long>.AllBitsSet)) return y;
        y = Vector512.ConditionalSelect(isUsual, y, Vector512.Create(double.NaN));
        y = Vector512.ConditionalSelect(Vector512.Equals(u, Vector512<double>.Zero), Vector512.Create(double.NegativeInfinity), y);
        return Vector512.ConditionalSelect(Vector512.Equals(x, Vector512.Create(double.PositiveInfinity)), x, y);
    }

    // Reduces x = n·π/2 + r + low with |r| ≤ π/4; returns r, low and n.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<double> Angle, Vector512<double> Low, Vector512<long> Quadrant) Reduce(Vector512<double> x)
    {
        var shifted = Vector512.FusedMultiplyAdd(x, Vector512.Create(2 / Math.PI), Vector512.Create(Whole));
        var n = shifted - Vector512.Create(Whole);
        var first = Vector512.FusedMultiplyAdd(n, Vector512.Create(-HalfPi), x);
        var product = n * Vector512.Create(HalfPiLow);
        var lost = Vector512.FusedMultiplyAdd(n, Vector512.Create(HalfPiLow), -product);
        var r = first - product;
        var low = first - r - product - Vector512.FusedMultiplyAdd(n, Vector512.Create(HalfPiLowest), lost);
        return (r, low, shifted.AsInt64());
    }

    // Sine in quadrants 0 and 2, cosine in 1 and 3, negative in 2 and 3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> SineOrCosine(Vector512<double> r, Vector512<double> low, Vector512<long> quadrant)
    {
        var z = r * r;
        var half = Vector512.Create(0.5) * z;
        var sine = r + Vector512.FusedMultiplyAdd(
            r * z,
            Polynomial(z, [-7.586688955998688e-13, 1.6058531486533058e-10, -2.505210623165743e-08, 2.7557319219337054e-06, -0.00019841269841265063, 0.008333333333333331, -0.16666666666666666]),
            Vector512.FusedMultiplyAdd(-half, low, low));
        var w = Vector512<double>.One - half;
        var cosine = w + (Vector512<double>.One - w - half + Vector512.FusedMultiplyAdd(
            z * z,
            Polynomial(z, [4.745867147891715e-14, -1.1470460809964233e-11, 2.087675579061333e-09, -2.755731922140156e-07, 2.4801587301584645e-05, -0.0013888888888888887, 0.041666666666666664]),
            -r * low));
        var odd = Vector512.Equals(quadrant & Vector512<long>.One, Vector512<long>.One).AsDouble();
        var sign = ((quadrant & Vector512.Create(2L)) << 62).AsDouble();
        return Vector512.ConditionalSelect(odd, cosine, sine) ^ sign;
    }
}

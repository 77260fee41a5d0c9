using System;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Elementary functions for float results, computed in double on the two halves of a vector. In double, neither the range
/// of a float nor the sum of two terms is a difficulty. The polynomials have no more terms than show in a float (their
/// error is below 0.2 units in its last place), and the result is rounded once, when it is narrowed. The runtime library's
/// functions work in the same way, but its e⁰ is 1.00000012.
/// </summary>
internal static class FunctionsForSingle
{
    private const uint SmallestNormal = 0x00800000;
    private const uint Infinity = 0x7F800000;

    /// <summary>eˣ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Exp(Vector512<double> x)
    {
        var (scaled, slope, scale) = Reduced(x);
        return Vector512.FusedMultiplyAdd(scaled, slope, scale);
    }

    /// <summary>eˣ − 1. The sign is set explicitly, because the sum would lose that of −0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> ExpMinusOne(Vector512<double> x)
    {
        var (scaled, slope, scale) = Reduced(x);
        return FunctionsForDouble.WithSignOf(x, Vector512.FusedMultiplyAdd(scaled, slope, scale - Vector512<double>.One));
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Sigmoid(Vector512<double> x) => Vector512<double>.One / (Vector512<double>.One + Exp(-x));

    /// <summary>log(1 + eˣ) = max(x, 0) + 2·artanh(e / (2 + e)), e = e^−|x|.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Softplus(Vector512<double> x)
    {
        var e = Exp(-Vector512.Abs(x));
        var s = e / (e + Vector512.Create(2.0));
        var y = s * FunctionsForDouble.Polynomial(s * s, [0.28198576721328583, 0.279562933871209, 0.40025196443912026, 0.6666630861331182, 2.0000000081217064]);
        return y + Vector512.MaxNative(Vector512<double>.Zero, x);
    }

    /// <summary>tanh x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Tanh(Vector512<double> x)
    {
        var e = ExpMinusOne(x + x);
        return e / (e + Vector512.Create(2.0));
    }

    /// <summary>
    /// log x, computed in float: x = m·2ᵏ with m in [√½, √2), and log m is a polynomial. The rounding error of the two
    /// largest terms' sum is carried along. This takes half as long as computing in double.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        // The bits of positive normal numbers lie between those of the smallest one and those of ∞.
        var isUsual = Vector512.LessThan(x.AsUInt32() - Vector512.Create(SmallestNormal), Vector512.Create(Infinity - SmallestNormal));
        return Vector512.EqualsAll(isUsual, Vector512<uint>.AllBitsSet) ? LogOfNormal(x, Vector512<float>.Zero) : LogOfAny(x);
    }

    private static Vector512<float> LogOfAny(Vector512<float> x)
    {
        var small = Vector512.LessThan(x, Vector512.Create(BitConverter.UInt32BitsToSingle(SmallestNormal)));
        var scaled = Vector512.ConditionalSelect(small, x * Vector512.Create(16777216f), x);
        var y = LogOfNormal(scaled, small & Vector512.Create(24f));
        var isUsual = Vector512.GreaterThan(x, Vector512<float>.Zero) & Vector512.LessThan(x, Vector512.Create(float.PositiveInfinity));
        y = Vector512.ConditionalSelect(isUsual, y, Vector512.Create(float.NaN));
        y = Vector512.ConditionalSelect(Vector512.Equals(x, Vector512<float>.Zero), Vector512.Create(float.NegativeInfinity), y);
        return Vector512.ConditionalSelect(Vector512.Equals(x, Vector512.Create(float.PositiveInfinity)), x, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LogOfNormal(Vector512<float> x, Vector512<float> exponent)
    {
        var root = Vector512.Create(0x3F3504F3);
        var bits = x.AsInt32() - root;
        var k = Vector512.ConvertToSingle(bits >> 23) - exponent;
        var f = ((bits & Vector512.Create(0x7FFFFF)) + root).AsSingle() - Vector512<float>.One;
        var q = Vector512.Create(0.07332532622753225f);
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(-0.11659929987124058f));
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(0.11634661595612746f));
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(-0.12396700274302765f));
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(0.14251155712100808f));
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(-0.16669151014482464f));
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(0.20000688085128412f));
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(-0.24999981186084314f));
        q = Vector512.FusedMultiplyAdd(q, f, Vector512.Create(0.33333331256839455f));

        // The first part of ln 2 has 15 bits, so that k times it is exact; where k isn't 0, it exceeds f.
        var z = f * f;
        var whole = k * Vector512.Create(0.693145752f);
        var high = whole + f;
        var low = whole - high + f;
        low = Vector512.FusedMultiplyAdd(k, Vector512.Create(1.42860677e-6f), low);
        low = Vector512.FusedMultiplyAdd(z * f, q, low);
        low = Vector512.FusedMultiplyAdd(z, Vector512.Create(-0.5f), low);
        return high + low;
    }

    // eˣ = 2ⁿ·eʳ = 2ⁿ + 2ⁿ·r·slope(r); returns 2ⁿ·r, slope(r) and 2ⁿ. Beyond ±200 the float result is 0 or ∞ in any case.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<double> Scaled, Vector512<double> Slope, Vector512<double> Scale) Reduced(Vector512<double> x)
    {
        x = FunctionsForDouble.Limit(x, -200, 200);
        var shifted = Vector512.FusedMultiplyAdd(x, Vector512.Create(FunctionsForDouble.PerLn2), Vector512.Create(FunctionsForDouble.Whole));
        var scale = ((shifted.AsInt64() << 52) + Vector512.Create(1.0).AsInt64()).AsDouble();
        var r = Vector512.FusedMultiplyAdd(shifted - Vector512.Create(FunctionsForDouble.Whole), Vector512.Create(-FunctionsForDouble.Ln2), x);
        var slope = FunctionsForDouble.Polynomial(
            r, [0.0013948595646817185, 0.008369157853030764, 0.04166624049111671, 0.16666505169542337, 0.5000000080868642, 1.0000000107819567]);
        return (scale * r, slope, scale);
    }
}

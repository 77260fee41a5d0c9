using System;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Scae.Tensors;

/// <summary>
/// Turns a group of 64 random words, in place, into normal or Gumbel values. All arithmetic is sums, products, square roots
/// and bit operations, each rounded as IEEE 754 says and never fused, so the bits are the same on every processor. The
/// polynomials are those of Cephes (S. Moshier, logf, sinf and cosf), accurate to about one unit in the last place.
/// </summary>
internal static class Transforms
{
    /// <summary>Box–Muller: words j and j + 32 give r·cos φ and r·sin φ, r = √(−2 ln u), u in (0, 1].</summary>
    internal static void Normal(Span<float> group, float mean, float standardDeviation)
    {
        Debug.Assert(group.Length == Threefry.GroupLength);
        var mu = new Vector<float>(mean);
        var sigma = new Vector<float>(standardDeviation);
        int half = group.Length / 2;
        for (int j = 0; j < half; j += Vector<float>.Count)
        {
            var first = Vector.AsVectorUInt32(new Vector<float>(group[j..]));
            var second = Vector.AsVectorUInt32(new Vector<float>(group[(half + j)..]));

            // u has 31 bits before it is rounded to 24, so that the tail reaches 6.7 standard deviations rather than 5.8.
            var u = (Vector.ConvertToSingle(Vector.AsVectorInt32(first >>> 1)) * new Vector<float>(1f / 2147483648f))
                + new Vector<float>(1f / 4294967296f);
            var r = sigma * Vector.SquareRoot(Log(u) * new Vector<float>(-2f));
            var (sin, cos) = SinCos(second);
            ((r * cos) + mu).CopyTo(group[j..]);
            ((r * sin) + mu).CopyTo(group[(half + j)..]);
        }
    }

    /// <summary>−ln(−ln u) for u = (2m + 1)·2⁻²⁴, which is exact in a float and never 0 or 1.</summary>
    internal static void Gumbel(Span<float> group)
    {
        Debug.Assert(group.Length == Threefry.GroupLength);
        for (int j = 0; j < group.Length; j += Vector<float>.Count)
        {
            var word = Vector.AsVectorUInt32(new Vector<float>(group[j..]));
            var u = Vector.ConvertToSingle(Vector.AsVectorInt32((word >>> 8) | Vector<uint>.One))
                * new Vector<float>(1f / (1 << 24));
            (-Log(-Log(u))).CopyTo(group[j..]);
        }
    }

    /// <summary>Natural logarithm of a positive normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Log(Vector<float> value)
    {
        // value = m·2ᵉ with m in [√½, √2); the constant is the bit pattern of √½.
        var sqrtHalf = new Vector<int>(0x3F3504F3);
        var bits = Vector.AsVectorInt32(value) - sqrtHalf;
        var e = Vector.ConvertToSingle(bits >> 23);
        var x = Vector.AsVectorSingle((bits & new Vector<int>(0x7FFFFF)) + sqrtHalf) - Vector<float>.One;
        var z = x * x;
        var p = new Vector<float>(7.0376836292e-2f);
        p = (p * x) + new Vector<float>(-1.1514610310e-1f);
        p = (p * x) + new Vector<float>(1.1676998740e-1f);
        p = (p * x) + new Vector<float>(-1.2420140846e-1f);
        p = (p * x) + new Vector<float>(1.4249322787e-1f);
        p = (p * x) + new Vector<float>(-1.6668057665e-1f);
        p = (p * x) + new Vector<float>(2.0000714765e-1f);
        p = (p * x) + new Vector<float>(-2.4999993993e-1f);
        p = (p * x) + new Vector<float>(3.3333331174e-1f);
        var y = x * z * p;

        // ln 2 in two parts, of which the first times e is exact.
        y += e * new Vector<float>(-2.12194440e-4f);
        y -= z * new Vector<float>(0.5f);
        return x + y + (e * new Vector<float>(0.693359375f));
    }

    /// <summary>Sine and cosine of an angle given as a 32-bit fraction of the circle (from −π/4).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<float> Sin, Vector<float> Cos) SinCos(Vector<uint> word)
    {
        // The upper two bits are the quadrant, the others an angle in [−π/4, π/4): the reduction is exact.
        var fraction = Vector.AsVectorInt32(word & new Vector<uint>(0x3FFFFFFF)) - new Vector<int>(1 << 29);
        var x = Vector.ConvertToSingle(fraction) * new Vector<float>(1.5707963268f / (1 << 30));
        var z = x * x;
        var s = new Vector<float>(-1.9515295891e-4f);
        s = (s * z) + new Vector<float>(8.3321608736e-3f);
        s = (s * z) + new Vector<float>(-1.6666654611e-1f);
        s = (s * z * x) + x;
        var c = new Vector<float>(2.443315711809948e-5f);
        c = (c * z) + new Vector<float>(-1.388731625493765e-3f);
        c = (c * z) + new Vector<float>(4.166664568298827e-2f);
        c = (c * z * z) - (z * new Vector<float>(0.5f)) + Vector<float>.One;

        // Quadrants 1 and 3 exchange the two; sine is negative in 2 and 3, cosine in 1 and 2.
        var odd = Vector.Equals(word & new Vector<uint>(0x40000000), new Vector<uint>(0x40000000));
        var sinBits = Vector.ConditionalSelect(odd, Vector.AsVectorUInt32(c), Vector.AsVectorUInt32(s));
        var cosBits = Vector.ConditionalSelect(odd, Vector.AsVectorUInt32(s), Vector.AsVectorUInt32(c));
        var sign = new Vector<uint>(0x80000000);
        sinBits ^= word & sign;
        cosBits ^= (word ^ (word << 1)) & sign;
        return (Vector.AsVectorSingle(sinBits), Vector.AsVectorSingle(cosBits));
    }
}

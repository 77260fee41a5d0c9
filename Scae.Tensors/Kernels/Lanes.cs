using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Full-width vectors at the ends of spans, and sums across lanes in a fixed order.</summary>
internal static partial class Lanes
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

    /// <summary>
    /// eˣ for x ≤ 0 in every lane, off by at most two units in the last place; in float the result is 0 for x below −87.
    /// Mixtures spend most of their time on it: it is eight times as fast as <see cref="Exp"/>, which goes through double.
    /// The polynomial is Cephes' (Moshier 1989).
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

        // Builds 2ⁿ from its exponent's bits. NaN isn't below the limit, so it survives in p.
        var power = Vector512.ShiftLeft(Vector512.ConvertToInt32Native(n) + Vector512.Create(127), 23).AsSingle();
        return Vector512.AndNot(p * power, Vector512.LessThan(from, Vector512.Create(-87f))).As<float, T>();
    }

    /// <summary>A number in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Constant<T>(double value)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Create(value).As<double, T>() : Vector512.Create((float)value).As<float, T>();

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

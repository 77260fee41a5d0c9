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

    /// <summary>A number in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Constant<T>(double value)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Vector512.Create(value).As<double, T>() : Vector512.Create((float)value).As<float, T>();

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

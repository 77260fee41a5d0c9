using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Sums over spans whose bits are the same on every processor: always sixteen (eight for double) running sums, added
/// in the same order, however wide the hardware's vectors are. TensorPrimitives' sums differ in their last bits.
/// </summary>
internal static class Reduce
{
    /// <summary>Σ x_i.</summary>
    public static T Sum<T>(ReadOnlySpan<T> x)
        where T : unmanaged
    {
        int width = Vector512<T>.Count, i = 0;
        var sum = Vector512<T>.Zero;
        ref T first = ref MemoryMarshal.GetReference(x);
        for (; i <= x.Length - width; i += width) sum += Vector512.LoadUnsafe(ref first, (nuint)i);
        if (i < x.Length) sum += Lanes.LoadPart(x[i..]);
        return Lanes.Sum(sum);
    }

    /// <summary>Σ x_i · y_i.</summary>
    public static T Dot<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y)
        where T : unmanaged
    {
        int width = Vector512<T>.Count, i = 0;
        var sum = Vector512<T>.Zero;
        ref T left = ref MemoryMarshal.GetReference(x);
        ref T right = ref MemoryMarshal.GetReference(y[..x.Length]);
        for (; i <= x.Length - width; i += width) sum += Vector512.LoadUnsafe(ref left, (nuint)i) * Vector512.LoadUnsafe(ref right, (nuint)i);
        if (i < x.Length) sum += Lanes.LoadPart(x[i..]) * Lanes.LoadPart(y[i..x.Length]);
        return Lanes.Sum(sum);
    }
}

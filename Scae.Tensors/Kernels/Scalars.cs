using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>Functions that no training is full of, number by number in double and rounded once.</summary>
internal static class Scalars
{
    /// <summary>destination_i = f(x_i).</summary>
    public static void Map<T>(ReadOnlySpan<T> x, Span<T> destination, Func<double, double> function)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < x.Length; i++) destination[i] = T.CreateTruncating(function(double.CreateTruncating(x[i])));
    }

    /// <summary>destination_i = x_i to the power of y_i, where y with one element is the same for all.</summary>
    public static void Power<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int step = y.Length == 1 ? 0 : 1;
        for (int i = 0, at = 0; i < x.Length; i++, at += step) destination[i] = T.Pow(x[i], y[at]);
    }
}

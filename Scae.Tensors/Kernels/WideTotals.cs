using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>Totals in double, one per element, for terms that are scattered over the elements in any order.</summary>
internal static class WideTotals
{
    /// <summary>So many zeros, valid until the next call.</summary>
    public static Span<double> Take(int length)
    {
        var totals = Scratch.Take<double>(Scratch.TotalSlot, length);
        totals.Clear();
        return totals;
    }

    /// <summary>Adds totals to elements.</summary>
    public static void AddTo<T>(ReadOnlySpan<double> totals, Span<T> into)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < totals.Length; i++) into[i] = T.CreateTruncating(double.CreateTruncating(into[i]) + totals[i]);
    }
}

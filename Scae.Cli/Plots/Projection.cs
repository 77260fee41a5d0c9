using System;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>
/// From values to the coordinates that ScottPlot sees. It has no logarithmic axes, and turns images over where an axis
/// points down: it gets logarithms, and minus the value.
/// </summary>
internal readonly struct Projection(Axis axis)
{
    // Beyond these, ScottPlot's differences and its single-precision pixels would overflow.
    private const double Largest = 1e30;

    private readonly double _sign = axis.Reversed ? -1 : 1;

    public bool IsLog { get; } = axis.Scale.IsLog;

    /// <summary>NaN for NaN, infinities and, on a logarithmic axis, values ≤ 0.</summary>
    public double Map(double value) => !double.IsFinite(value) || (IsLog && value <= 0)
        ? double.NaN
        : _sign * (IsLog ? Math.Log10(value) : Math.Clamp(value, -Largest, Largest)) + 0.0;

    /// <summary>The value at a coordinate.</summary>
    public double Back(double at) => IsLog ? Math.Pow(10, _sign * at) : _sign * at + 0.0;

    /// <summary>The fixed limits of the axis, the smaller coordinate first; null where they are left to the data.</summary>
    public (double Low, double High)? Fixed()
    {
        if (axis.Limits is not Limits.Fixed { low: var low, high: var high } || !(Map(high) != Map(low)))
            return null;
        (double a, double b) = (Map(low), Map(high));
        return double.IsNaN(a + b) ? null : (Math.Min(a, b), Math.Max(a, b));
    }
}

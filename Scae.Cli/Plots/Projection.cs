using System;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>
/// Maps values to the coordinates that ScottPlot gets. ScottPlot has no logarithmic axes, and turns images upside down
/// where an axis points down. So it gets logarithms, and negated values.
/// </summary>
internal readonly struct Projection(Axis axis)
{
    // Beyond these, differences of limits would overflow.
    private const double Largest = 1e300;

    private readonly double _sign = axis.Reversed ? -1 : 1;

    public bool IsLog { get; } = axis.Scale.IsLog;

    /// <summary>The coordinate of a value. NaN for NaN and infinities and, on a logarithmic axis, for values ≤ 0.</summary>
    public double Map(double value) => !double.IsFinite(value) || (IsLog && value <= 0)
        ? double.NaN
        : _sign * (IsLog ? Math.Log10(value) : Math.Clamp(value, -Largest, Largest)) + 0.0;

    /// <summary>The value at a coordinate.</summary>
    public double Back(double at) => IsLog ? Math.Pow(10, _sign * at) : _sign * at + 0.0;

    /// <summary>The fixed limits of the axis as coordinates, the smaller first; null if they follow from the data.</summary>
    public (double Low, double High)? Fixed()
    {
        if (axis.Limits is not Limits.Fixed { low: var low, high: var high } || !(Map(high) != Map(low)))
            return null;
        (double a, double b) = (Map(low), Map(high));
        return double.IsNaN(a + b) ? null : (Math.Min(a, b), Math.Max(a, b));
    }
}

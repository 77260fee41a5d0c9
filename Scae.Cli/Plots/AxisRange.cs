using System;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Finds the limits of an axis from the values on it.</summary>
internal sealed class AxisRange
{
    // Beyond these, differences and powers of ten would overflow.
    private const double Largest = 1e300, Smallest = 1e-300;

    private readonly bool _log;
    private double _low = double.PositiveInfinity;
    private double _high = double.NegativeInfinity;

    public AxisRange(Axis axis) => _log = axis.Scale.IsLog;

    /// <summary>Includes a value; NaN, infinities and, on a logarithmic axis, values ≤ 0 are ignored.</summary>
    public void Include(double value)
    {
        if (!double.IsFinite(value) || (_log && value <= 0))
            return;
        value = Math.Clamp(value, -Largest, Largest);
        _low = Math.Min(_low, value);
        _high = Math.Max(_high, value);
    }

    public void Include(double[] values)
    {
        foreach (double value in values)
            Include(value);
    }

    /// <summary>
    /// Finite limits with low &lt; high: those the axis asks for if they make sense, otherwise those of the data with
    /// a margin. Without data they are 0 and 1 (1 and 10 on a logarithmic axis); a single value stands in the middle.
    /// </summary>
    public (double Low, double High) Limits(Axis axis, double margin)
    {
        if (axis.Limits is Limits.Fixed { low: var a, high: var b } && Usable(Math.Min(a, b), Math.Max(a, b)))
            return Separate(Math.Min(a, b), Math.Max(a, b));
        if (_low > _high)
            return _log ? (1, 10) : (0, 1);
        if (_log)
        {
            double low = Math.Max(_low, Smallest), high = Math.Max(_high, low);
            double factor = low == high ? 3 : Math.Pow(10, margin * (Math.Log10(high) - Math.Log10(low)));
            return (Math.Max(low / factor, Smallest / 10), Math.Min(high * factor, Largest * 10));
        }

        if (_low == _high)
        {
            double around = _low == 0 ? 0.5 : 0.1 * Math.Abs(_low);
            return Separate(_low - around, _high + around);
        }

        double extra = margin * (_high - _low);
        return Separate(_low - extra, _high + extra);
    }

    /// <summary>Puts limits so far apart that a double can tell the ticks between them from each other.</summary>
    private (double Low, double High) Separate(double low, double high)
    {
        double resolution = Math.Max(Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-12, Smallest);
        return _log || high - low >= resolution ? (low, high) : (low - resolution, high + resolution);
    }

    private bool Usable(double low, double high) =>
        double.IsFinite(low) && double.IsFinite(high) && low < high && (!_log || low > 0)
        && Math.Abs(low) <= Largest && Math.Abs(high) <= Largest;
}

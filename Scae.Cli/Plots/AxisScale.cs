using System;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>From values on an axis to pixels.</summary>
internal readonly struct AxisScale
{
    // Far outside every canvas; keeps points beyond fixed limits from overflowing.
    private const double Far = 1e5;

    private readonly bool _log;
    private readonly double _low;
    private readonly double _high;
    private readonly double _start;
    private readonly double _end;

    /// <summary>The low limit stands at pixel start and the high one at end, or the reverse if the axis says so.</summary>
    public AxisScale(Axis axis, double low, double high, double start, double end)
    {
        _log = axis.Scale.IsLog;
        (_low, _high) = _log ? (Math.Log10(low), Math.Log10(high)) : (low, high);
        (_start, _end) = axis.Reversed ? (end, start) : (start, end);
    }

    /// <summary>The pixel of a value; NaN for NaN, infinities and, on a logarithmic axis, values ≤ 0.</summary>
    public double Map(double value)
    {
        if (!double.IsFinite(value) || (_log && value <= 0))
            return double.NaN;
        double t = ((_log ? Math.Log10(value) : value) - _low) / (_high - _low);
        return Math.Clamp(_start + t * (_end - _start), -Far, Far);
    }
}

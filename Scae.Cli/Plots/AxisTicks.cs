using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Scae.Core.Figures;
using ScottPlot;

namespace Scae.Cli.Plots;

/// <summary>Where an axis has ticks, and their labels.</summary>
internal static class AxisTicks
{
    private const double Slack = 1e-9;

    /// <summary>The ticks of an axis between its limits, at most <paramref name="most"/> unless the axis names its own.</summary>
    public static Tick[] Of(Axis axis, Projection projection, CoordinateRange range, int most)
    {
        double slack = Slack * range.Length;
        bool Inside(double at) => at >= range.Min - slack && at <= range.Max + slack;
        return axis.Ticks switch
        {
            Ticks.At at => [.. at.Item.Select(t => Tick.Major(projection.Map(t.Item1), t.Item2)).Where(t => Inside(t.Position))],
            _ when projection.IsLog => Logarithmic(projection, range, most, Inside),
            _ => Linear(projection, range, most, axis.Ticks.IsWhole),
        };
    }

    /// <summary>A value of at most ten digits, with a power of ten where it is very large or small.</summary>
    public static string Format(double value)
    {
        int exponent = value == 0 ? 0 : (int)Math.Floor(Math.Log10(Math.Abs(value)) + Slack);
        return exponent is > -4 and < 6 ? Minus(value.ToString("G10", CultureInfo.InvariantCulture)) : Scientific(value, exponent);
    }

    private static string Scientific(double value, int exponent)
    {
        string mantissa = Minus((value / Math.Pow(10, exponent)).ToString("0.#############", CultureInfo.InvariantCulture));
        return mantissa is "1" or "−1" ? mantissa[..^1] + Power(exponent) : $"{mantissa}·{Power(exponent)}";
    }

    /// <summary>A value in a .NET number format of the invariant culture, with a true minus; NaN is a dash.</summary>
    public static string Format(double value, string format)
    {
        if (double.IsNaN(value))
            return "–";
        try
        {
            string text = value.ToString(format, CultureInfo.InvariantCulture);
            return text.AsSpan().IndexOfAnyInRange('1', '9') < 0 ? text.TrimStart('-') : Minus(text);
        }
        catch (FormatException)
        {
            throw new ArgumentException($"a heatmap's format is a .NET number format such as P0 or 0.0, got \"{format}\"");
        }
    }

    private static string Minus(string text) => text.Replace('-', '−');

    private static string Power(int exponent) => "10" + (exponent < 0 ? "⁻" : "")
        + string.Concat(Math.Abs(exponent).ToString(CultureInfo.InvariantCulture).Select(c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c - '0']));

    /// <summary>
    /// Multiples of the smallest step of 1, 2 or 5 times a power of ten that leaves at most so many ticks; ScottPlot's own
    /// generator often stops at two or three, and writes 1 between 0.9 and 1.1.
    /// </summary>
    public static Tick[] Linear(Projection projection, CoordinateRange range, int most, bool whole)
    {
        double rough = range.Length / most, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * new[] { 1, 2, 5, 10 }.First(digit => digit * power >= rough * (1 - Slack));
        step = whole ? Math.Max(1, Math.Round(step)) : step;
        int decimals = (int)Math.Max(0, -Math.Floor(Math.Log10(step) + Slack));
        bool plain = decimals < 5 && Math.Max(Math.Abs(range.Min), Math.Abs(range.Max)) < 1e6;
        double first = Math.Ceiling(range.Min / step - most * Slack), last = Math.Floor(range.Max / step + most * Slack);
        return [.. Enumerable.Range(0, (int)Math.Clamp(last - first + 1, 0, 100)).Select(i => (first + i) * step).Select(at =>
            Tick.Major(at, plain ? Format(projection.Back(at), $"F{decimals}") : Format(projection.Back(at))))];
    }

    /// <summary>
    /// Powers of ten if at least three of them fit; otherwise these with 2 and 5 times them; otherwise all digits. Where
    /// the limits are closer still, a few even steps. ScottPlot's generator for logarithms knows only powers of ten.
    /// </summary>
    private static Tick[] Logarithmic(Projection projection, CoordinateRange range, int most, Func<double, bool> inside)
    {
        int first = (int)Math.Floor(Math.Log10(Math.Min(projection.Back(range.Min), projection.Back(range.Max))));
        int decades = (int)Math.Ceiling(range.Length) + 2, every = decades / Math.Max(3, most) + 1;
        double[] At(int step, params double[] digits) =>
            [.. from decade in Enumerable.Range(0, decades)
                where (first + decade) % step == 0
                from digit in digits
                let at = projection.Map(digit * Math.Pow(10, first + decade))
                where inside(at)
                select at];
        double[] all = every == 1 ? At(1, 1, 2, 3, 4, 5, 6, 7, 8, 9) : [];
        IEnumerable<double[]> choices = [At(every, 1), At(1, 1, 2, 5), all];
        double[] major = choices.FirstOrDefault(ticks => ticks.Length >= 3)
            ?? [.. Enumerable.Range(0, 4).Select(i => range.Min + i * range.Length / 3)];
        bool plain = major.All(at => projection.Back(at) is > 0.0009 and < 10001);
        string Label(double at) => plain
            ? projection.Back(at).ToString("0.####", CultureInfo.InvariantCulture)
            : Scientific(projection.Back(at), (int)Math.Floor(Math.Log10(projection.Back(at)) + Slack));
        return [.. major.Select(at => Tick.Major(at, Label(at))), .. all.Except(major).Select(Tick.Minor)];
    }
}

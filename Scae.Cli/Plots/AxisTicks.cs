using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Where an axis has ticks, what stands beside them, and what the axis label must add ("×10⁵").</summary>
internal sealed class AxisTicks
{
    private AxisTicks(double[] positions, string[] labels, string suffix = "", double[]? minor = null)
    {
        Positions = positions;
        Labels = labels;
        Suffix = suffix;
        Minor = minor ?? [];
    }

    public double[] Positions { get; }

    public string[] Labels { get; }

    /// <summary>The unit of the labels, "" for 1.</summary>
    public string Suffix { get; }

    /// <summary>Ticks without labels.</summary>
    public double[] Minor { get; }

    /// <summary>The ticks of an axis between limits, at most so many unless the axis names its own.</summary>
    public static AxisTicks Of(Axis axis, double low, double high, int most) => axis.Ticks switch
    {
        Ticks.At at => Named(at, low, high),
        { IsNone: true } => new AxisTicks([], []),
        _ => axis.Scale.IsLog ? Logarithmic(low, high, most) : Linear(low, high, most),
    };

    /// <summary>
    /// Multiples of the smallest step of 1, 2 or 5 times a power of ten that leaves fewer than most steps: between
    /// ⌊most / 2.5⌋ and most ticks, all within the limits.
    /// </summary>
    public static AxisTicks Linear(double low, double high, int most)
    {
        // Limits far from zero lose digits in their difference, and a count of steps is only as exact as that.
        double slack = 1e-9 + 4e-16 * Math.Max(Math.Abs(low), Math.Abs(high)) / (high - low);
        double step = Step(high - low, most, slack);
        double steps = most * slack;
        double first = Math.Ceiling(low / step - steps), last = Math.Floor(high / step + steps);
        var positions = new List<double>();
        for (double k = first; k <= last && positions.Count < 100; k++)
            positions.Add(Math.Clamp(k * step, low, high) + 0.0); // + 0.0 turns −0 into 0
        return Label([.. positions], step);
    }

    /// <summary>
    /// Powers of ten where at least three fit; else these with 2 and 5 times them, else all digits, and linear ticks
    /// where the limits are closer still.
    /// </summary>
    public static AxisTicks Logarithmic(double low, double high, int most)
    {
        int first = (int)Math.Floor(Math.Log10(low) + 1e-9), last = (int)Math.Ceiling(Math.Log10(high) - 1e-9);
        int start = (int)Math.Ceiling(Math.Log10(low) - 1e-9), end = (int)Math.Floor(Math.Log10(high) + 1e-9);
        int every = Math.Max(0, end - start) / Math.Max(1, most) + 1;
        double[] all = Multiples(low, high, first, last, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        foreach (double[] digits in new double[][] { [1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9] })
        {
            double[] positions = digits.Length == 1
                ? Multiples(low, high, start, last, every, digits)
                : Multiples(low, high, first, last, 1, digits);
            if (positions.Length < 3)
                continue;
            bool plain = positions[0] >= 0.001 && positions[^1] <= 10000;
            string[] labels = [.. positions.Select(p => plain
                ? p.ToString("0.###", CultureInfo.InvariantCulture)
                : Scientific(p, always: true))];
            return new AxisTicks(positions, labels, minor: every == 1 ? [.. all.Except(positions)] : []);
        }

        return Linear(low, high, most);
    }

    private static double[] Multiples(double low, double high, int first, int last, int every, double[] digits)
    {
        var positions = new List<double>();
        for (int decade = first; decade <= last; decade += every)
        {
            foreach (double digit in digits)
            {
                double at = digit * Math.Pow(10, decade);
                if (at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9))
                    positions.Add(Math.Clamp(at, low, high));
            }
        }

        return [.. positions];
    }

    /// <summary>A value of at most twelve digits, with a power of ten where it is very large or small.</summary>
    private static string Scientific(double value, bool always = false)
    {
        int exponent = value == 0 ? 0 : (int)Math.Floor(Math.Log10(Math.Abs(value)) + 1e-9);
        string mantissa = (value / Math.Pow(10, exponent)).ToString("0.###########", CultureInfo.InvariantCulture).Replace('-', '−');
        return !always && exponent is > -4 and < 6 ? value.ToString("G12", CultureInfo.InvariantCulture).Replace('-', '−')
            : mantissa == "1" ? Power(exponent)
            : $"{mantissa}·{Power(exponent)}";
    }

    /// <summary>10 with a raised exponent.</summary>
    public static string Power(int exponent)
    {
        const string digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
        string text = Math.Abs(exponent).ToString(CultureInfo.InvariantCulture);
        return "10" + (exponent < 0 ? "⁻" : "") + string.Concat(text.Select(c => digits[c - '0']));
    }

    /// <summary>The same ticks with labels no wider than asked.</summary>
    public AxisTicks Shortened(double width) => new(
        Positions, Array.ConvertAll(Labels, label => TextFitting.Shorten(label, width, Style.TickSize)), Suffix, Minor);

    private static AxisTicks Named(Ticks.At at, double low, double high)
    {
        Tuple<double, string>[] inside = [.. at.Item.Where(tick => tick.Item1 >= low && tick.Item1 <= high)];
        return new AxisTicks([.. inside.Select(t => t.Item1)], [.. inside.Select(t => t.Item2)]);
    }

    /// <summary>The step for a range known up to a relative slack.</summary>
    private static double Step(double range, int most, double slack)
    {
        double rough = range / Math.Max(2, most), power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double ratio = rough / power;
        double nice = ratio < 1 - slack ? 1 : ratio < 2 - 2 * slack ? 2 : ratio < 5 - 5 * slack ? 5 : ratio < 10 - 10 * slack ? 10 : 20;
        return nice * power;
    }

    /// <summary>
    /// Labels with as many decimals as the step needs. Large and small values lose a power of ten, and values that
    /// differ only after the fifth digit lose their common part, both to the axis label.
    /// </summary>
    private static AxisTicks Label(double[] positions, double step)
    {
        double largest = positions.Select(Math.Abs).DefaultIfEmpty(0).Max();
        if (largest == 0)
            return new AxisTicks(positions, [.. positions.Select(_ => "0")]);
        double offset = largest / step > 1e5 ? positions[0] : 0;
        double reach = offset == 0 ? largest : positions[^1] - offset;
        int exponent = reach == 0 ? 0 : (int)Math.Floor(Math.Log10(reach) + 1e-9);
        int power = exponent is >= 5 or < -3 ? exponent : 0;
        int decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9) + power, 0, 15);
        double unit = Math.Pow(10, power);
        string[] labels = [.. positions.Select(p => Number((p - offset) / unit, decimals))];
        string suffix = power == 0 ? "" : "×" + Power(power);
        if (offset != 0)
            suffix += (suffix.Length > 0 ? " " : "") + "+ " + Scientific(offset);
        return new AxisTicks(positions, labels, suffix);
    }

    private static string Number(double value, int decimals)
    {
        string text = value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        bool zero = text.All(c => c is '-' or '0' or '.');
        return zero ? text.TrimStart('-') : text.Replace('-', '−');
    }
}

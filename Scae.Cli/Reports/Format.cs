using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Scae.Cli.Reports;

/// <summary>How numbers are written for people.</summary>
internal static class Format
{
    /// <summary>
    /// Parts of the names of metrics that are fractions of one, whatever else their names have, as in best_… or …_apart.
    /// </summary>
    private static readonly string[] s_fractions = ["accuracy", "recovery", "starts_that_succeed", "_match", "_probe", "_logistic", "_nearest"];

    // Decimals of numbers that aren't small, and the most that mean anything in a float.
    private const int Decimals = 4, MostDecimals = 8;

    /// <summary>A fraction of one is written as a percentage, an epoch as a whole number, everything else as a number.</summary>
    public static string Value(string metric, double value) =>
        double.IsNaN(value) ? "NaN" : IsFraction(metric) ? $"{100 * value:0.0} %" : IsEpoch(metric) ? $"{value:0}" : Number(value);

    /// <summary>
    /// Four decimals. Below 0.001, where they would be mostly zeros, and from a million on, where a float doesn't have them, three
    /// digits and a power of ten.
    /// </summary>
    public static string Number(double value) => HasPower(value) ? $"{value:0.00e-00}" : $"{value:0.0000}";

    /// <summary>mean ± standard deviation; the mean alone where there is a single value and so no deviation.</summary>
    public static string Spread(string metric, double mean, double? deviation)
    {
        if (deviation is not { } spread || double.IsNaN(mean)) return Value(metric, mean);
        if (IsFraction(metric)) return $"{100 * mean:0.0} ± {100 * spread:0.0} %";
        return IsEpoch(metric) ? $"{mean:0.0} ± {spread:0.0}" : Numbers(mean, spread);
    }

    /// <summary>
    /// A number and its deviation, with the same power of ten and the same decimals: as many as show the deviation's first
    /// digit.
    /// </summary>
    private static string Numbers(double mean, double spread)
    {
        double largest = Math.Max(Math.Abs(mean), spread);
        bool hasPower = HasPower(largest);
        int power = hasPower ? Power(largest) : 0, least = hasPower ? 2 : Decimals;
        // 9.996 would be written as 10.00, which is 1.00 of the next power.
        if (hasPower && Math.Round(largest / Math.Pow(10, power), least) >= 10) power++;
        double unit = Math.Pow(10, power);
        int decimals = spread > 0 ? Math.Max(least, -Power(spread / unit)) : least;
        string digits = $"F{(decimals > MostDecimals ? least : decimals)}";
        string pair = $"{(mean / unit).ToString(digits, CultureInfo.InvariantCulture)} ± {(spread / unit).ToString(digits, CultureInfo.InvariantCulture)}";
        return hasPower ? $"({pair})e{power:00}" : pair;
    }

    private static int Power(double value) => (int)Math.Floor(Math.Log10(value));

    private static bool HasPower(double value) => double.IsFinite(value) && value != 0 && Math.Abs(value) is < 0.001 or >= 1e6;

    private static bool IsEpoch(string metric) => metric.EndsWith("epoch", StringComparison.Ordinal);

    /// <summary>84 to 89 %, ≥ 0.9, ≤ 2: with as many digits as the bounds have.</summary>
    public static string Range(string metric, double? least, double? most)
    {
        bool isFraction = IsFraction(metric);
        string unit = isFraction ? " %" : string.Empty;
        string Bound(double value) => isFraction ? $"{100 * value:0.####}" : $"{value}";
        return (least, most) switch
        {
            ({ } low, { } high) => $"{Bound(low)} to {Bound(high)}{unit}",
            ({ } low, null) => $"≥ {Bound(low)}{unit}",
            (null, { } high) => $"≤ {Bound(high)}{unit}",
            _ => "any",
        };
    }

    /// <summary>1 seed, 5 seeds.</summary>
    public static string Seeds(int count) => count == 1 ? "1 seed" : $"{count} seeds";

    /// <summary>chamfer 0.4312  recovery 86.1 %.</summary>
    public static string Metrics(IEnumerable<Tuple<string, double>> metrics) =>
        string.Join("  ", metrics.Select(metric => $"{Name(metric.Item1)} {Value(metric.Item1, metric.Item2)}"));

    /// <summary>raw_recovery → raw recovery.</summary>
    public static string Name(string metric) => metric.Replace('_', ' ');

    /// <summary>12 s, 3 min 05 s, 1 h 02 min.</summary>
    public static string Duration(double seconds)
    {
        var span = TimeSpan.FromSeconds(double.IsFinite(seconds) ? Math.Min(seconds, 1e8) : 0);
        if (span.TotalHours >= 1) return $"{(int)span.TotalHours} h {span.Minutes:00} min";
        return span.TotalMinutes >= 1 ? $"{span.Minutes} min {span.Seconds:00} s" : $"{span.TotalSeconds:0} s";
    }

    /// <summary>Whether a metric is a fraction of one, which people read in percent.</summary>
    public static bool IsFraction(string metric) => s_fractions.Any(part => metric.Contains(part, StringComparison.Ordinal));
}

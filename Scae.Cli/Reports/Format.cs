using System;
using System.Collections.Generic;
using System.Linq;

namespace Scae.Cli.Reports;

/// <summary>How numbers read.</summary>
internal static class Format
{
    /// <summary>A fraction of one as a percentage, everything else with four digits.</summary>
    public static string Value(string metric, double value) =>
        IsFraction(metric) ? $"{100 * value:0.0} %" : metric.EndsWith("epoch", StringComparison.Ordinal) ? $"{value:0}" : $"{value:0.0000}";

    /// <summary>mean ± standard deviation.</summary>
    public static string Spread(string metric, double mean, double deviation) =>
        IsFraction(metric) ? $"{100 * mean:0.0} ± {100 * deviation:0.0} %" : $"{mean:0.0000} ± {deviation:0.0000}";

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

    private static bool IsFraction(string metric) =>
        metric.EndsWith("recovery", StringComparison.Ordinal) || metric.EndsWith("accuracy", StringComparison.Ordinal);
}

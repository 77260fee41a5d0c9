using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;

namespace Scae.Cli.Runs;

/// <summary>A metric over several seeds: its mean, and its standard deviation (n − 1) where there are two seeds or more.</summary>
internal sealed record Spread(string Metric, double Mean, double? Deviation)
{
    /// <summary>The spread of a metric. The mean is NaN if a seed doesn't have the metric.</summary>
    public static Spread Of(IReadOnlyList<Summary> summaries, string metric)
    {
        var values = summaries.Select(summary => summary.Metric(metric) ?? double.NaN).ToList();
        double mean = values.Average();
        return new Spread(metric, mean, values.Count < 2 ? null : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1)));
    }

    /// <summary>The spread of each metric that any seed has.</summary>
    public static List<Spread> OfAll(IReadOnlyList<Summary> summaries) =>
        [.. summaries.SelectMany(summary => summary.Metrics).Select(metric => metric.Item1).Distinct().Select(metric => Of(summaries, metric))];

    /// <summary>The spread as in sweep.json and scan.json, where the deviation of a single seed is null.</summary>
    public JsonObject ToJson() => new() { ["mean"] = Json.Number(Mean), ["deviation"] = Json.Number(Deviation ?? double.NaN) };
}

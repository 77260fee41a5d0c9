using System.Collections.Generic;
using System.Linq;
using Scae.Cli.Reports;

namespace Scae.Cli.Runs;

/// <summary>How many seeds reach a target each by itself, whether or not their mean does.</summary>
/// <param name="Check">The target, with the value of the first seed.</param>
/// <param name="Reached">How many seeds reach it.</param>
/// <param name="Seeds">How many there are.</param>
/// <param name="After">For each seed whose validation ever reached the target, the seconds until then, in ascending order.</param>
internal sealed record SuccessRate(TargetCheck Check, int Reached, int Seeds, IReadOnlyList<double> After)
{
    public double Share => (double)Reached / Seeds;

    /// <summary>raw recovery ≥ 95 %: 5 of 5 seeds; first on validation after 12 s (median of 5).</summary>
    public string Line => $"{Format.Name(Check.Target.Metric)} {Check.Range}: {Reached} of {Format.Seeds(Seeds)}{Time}";

    private string Time => After.Count == 0 ? string.Empty : $"; first on validation after {Format.Duration(Median)}{(After.Count > 1 ? $" (median of {After.Count})" : string.Empty)}";

    private double Median => (After[(After.Count - 1) / 2] + After[After.Count / 2]) / 2;

    /// <summary>Counts the runs of a preset that reach one of its targets.</summary>
    public static SuccessRate Of(TargetCheck check, IReadOnlyList<Summary> summaries)
    {
        string metric = check.Target.Metric;
        int reached = summaries.Count(summary => (check with { Measured = summary.Metric(metric) ?? double.NaN }).Holds);
        var after = summaries.SelectMany(summary => summary.Targets).Where(own => own.Target.Metric == metric).Select(own => own.ReachedAfter).OfType<double>();
        return new SuccessRate(check, reached, summaries.Count, [.. after.Order()]);
    }
}

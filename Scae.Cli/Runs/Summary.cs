using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Cli.Reports;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>What a finished run amounts to, as it stands in summary.json.</summary>
internal sealed record Summary(
    string Experiment,
    string Preset,
    long Seed,
    int Steps,
    double TrainSeconds,
    double MillisecondsPerStep,
    IReadOnlyList<Tuple<string, double>> Metrics,
    IReadOnlyList<TargetCheck> Targets)
{
    public string ToJson()
    {
        var targets = new JsonObject();
        foreach (var target in Targets) targets[target.Target.Metric] = target.ToJson();
        return new JsonObject
        {
            ["experiment"] = Experiment,
            ["preset"] = Preset,
            ["seed"] = Seed,
            ["steps"] = Steps,
            ["train_seconds"] = Math.Round(TrainSeconds, 3),
            ["ms_per_step"] = Math.Round(MillisecondsPerStep, 4),
            ["metrics"] = Json.Object(Metrics),
            ["targets"] = targets,
        }.ToJsonString(Json.Indented);
    }

    public double? Metric(string name) => Metrics.FirstOrDefault(metric => metric.Item1 == name)?.Item2;
}

/// <summary>A target of the specification beside what was measured: the mean of several seeds has a deviation.</summary>
internal sealed record TargetCheck(Target Target, double Measured, double? Deviation = null)
{
    public bool Holds =>
        Measured >= (Target.AtLeast?.Value ?? double.NegativeInfinity) && Measured <= (Target.AtMost?.Value ?? double.PositiveInfinity);

    public string Range => Format.Range(Target.Metric, Target.AtLeast?.Value, Target.AtMost?.Value);

    public JsonObject ToJson()
    {
        var result = new JsonObject { ["measured"] = Json.Number(Measured) };
        if (Deviation is { } deviation) result["deviation"] = Json.Number(deviation);
        result["holds"] = Holds;
        if (Target.AtLeast is { } low) result["at_least"] = low.Value;
        if (Target.AtMost is { } high) result["at_most"] = high.Value;
        return result;
    }

    /// <summary>The targets of a preset that these metrics can speak to.</summary>
    public static List<TargetCheck> Of(Specification specification, string preset, IReadOnlyList<Tuple<string, double>> metrics) =>
    [
        .. from target in specification.Targets
           where target.Preset == preset
           from metric in metrics
           where metric.Item1 == target.Metric
           select new TargetCheck(target, metric.Item2),
    ];
}

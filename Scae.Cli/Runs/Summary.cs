using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scae.Cli.Reports;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>The results of a finished run, as in summary.json.</summary>
internal sealed record Summary(
    string Experiment,
    string Preset,
    long Seed,
    int Steps,
    Spent Spent,
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
            ["ms_per_step"] = Math.Round(MillisecondsPerStep, 4),
            ["train_seconds"] = Math.Round(Spent.Train, 3),
            ["evaluate_seconds"] = Math.Round(Spent.Evaluate, 3),
            ["figures_seconds"] = Math.Round(Spent.Figures, 3),
            ["total_seconds"] = Math.Round(Spent.Total, 3),
            ["metrics"] = Json.Object(Metrics),
            ["targets"] = targets,
        }.ToJsonString(Json.Indented);
    }

    /// <summary>The summary of a finished run, from the text of its summary.json.</summary>
    /// <exception cref="JsonException">The text isn't JSON.</exception>
    /// <exception cref="InvalidOperationException">Something that should be a number isn't one.</exception>
    /// <exception cref="NullReferenceException">Something is missing.</exception>
    public static Summary Parse(string text, RunIdentity identity, Specification specification)
    {
        var root = JsonNode.Parse(text)!;
        double Seconds(string kind) => root[kind + "_seconds"]!.GetValue<double>();
        var metrics = root["metrics"]!.AsObject().Select(pair => Tuple.Create(pair.Key, pair.Value?.GetValue<double>() ?? double.NaN)).ToList();
        return new Summary(
            identity.Experiment,
            identity.Preset,
            identity.Seed,
            root["steps"]!.GetValue<int>(),
            new Spent(Seconds("train"), Seconds("evaluate"), Seconds("figures"), Seconds("total")),
            root["ms_per_step"]!.GetValue<double>(),
            metrics,
            [.. TargetCheck.Of(specification, identity.Preset, metrics).Select(check => check with { ReachedAfter = root["targets"]?[check.Target.Metric]?[TargetCheck.ReachedAfterName]?.GetValue<double>() })]);
    }

    public double? Metric(string name) => Metrics.FirstOrDefault(metric => metric.Item1 == name)?.Item2;
}

/// <summary>A target of the specification beside the measured value, with its deviation if several seeds were measured.</summary>
/// <param name="Target">The target.</param>
/// <param name="Measured">What was measured.</param>
/// <param name="Deviation">Its standard deviation over seeds.</param>
/// <param name="ReachedAfter">Seconds from the start of a training until validation first reached the target, if it did.</param>
internal sealed record TargetCheck(Target Target, double Measured, double? Deviation = null, double? ReachedAfter = null)
{
    public const string ReachedAfterName = "reached_after_seconds";

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
        if (ReachedAfter is { } seconds) result[ReachedAfterName] = Math.Round(seconds, 3);
        return result;
    }

    /// <summary>
    /// Adds the seconds until validation first reached the target, from evaluations in order, each with its seconds. For a
    /// target on the best epoch, the same metric is looked at in every evaluation.
    /// </summary>
    public TargetCheck FirstReached(IEnumerable<Evaluation> evaluations, IReadOnlyList<double> seconds)
    {
        string metric = Target.Metric.Replace("val_", string.Empty, StringComparison.Ordinal).Replace("best_", string.Empty, StringComparison.Ordinal);
        foreach (var (i, evaluation) in evaluations.Index())
        {
            if (evaluation.Metrics.Any(pair => pair.Item1 == metric && (this with { Measured = pair.Item2 }).Holds)) return this with { ReachedAfter = seconds[i] };
        }

        return this;
    }

    /// <summary>The targets of a preset for which these metrics have a value.</summary>
    public static List<TargetCheck> Of(Specification specification, string preset, IReadOnlyList<Tuple<string, double>> metrics) =>
    [
        .. from target in specification.Targets
           where target.Preset == preset
           from metric in metrics
           where metric.Item1 == target.Metric
           select new TargetCheck(target, metric.Item2),
    ];
}

using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>The results of the seeds of a preset.</summary>
internal sealed record SweepResult(string Experiment, string Preset, IReadOnlyList<Summary> Summaries)
{
    public IReadOnlyList<Spread> Spreads { get; } = Spread.OfAll(Summaries);

    /// <summary>For each target of the preset, how many seeds reach it by themselves.</summary>
    public IReadOnlyList<SuccessRate> Successes(Specification specification) =>
    [
        .. TargetCheck.Of(specification, Preset, Summaries[0].Metrics).Select(check => SuccessRate.Of(check, Summaries)),
    ];

    /// <summary>
    /// Each metric's mean and deviation, and its value for each seed. For a metric with a target, also the share of seeds
    /// that reach it by themselves.
    /// </summary>
    public string ToJson(Specification specification)
    {
        var metrics = new JsonObject();
        foreach (var spread in Spreads)
        {
            var metric = spread.ToJson();
            metric["values"] = new JsonArray([.. Summaries.Select(summary => Json.Number(summary.Metric(spread.Metric) ?? double.NaN))]);
            if (Successes(specification).FirstOrDefault(rate => rate.Check.Target.Metric == spread.Metric) is { } rate)
            {
                metric["success_rate"] = Json.Number(rate.Share);
                if (rate.After.Count > 0) metric[TargetCheck.ReachedAfterName] = new JsonArray([.. rate.After.Select(Json.Number)]);
            }

            metrics[spread.Metric] = metric;
        }

        return new JsonObject
        {
            ["experiment"] = Experiment,
            ["preset"] = Preset,
            ["seeds"] = new JsonArray([.. Summaries.Select(summary => (JsonNode)summary.Seed)]),
            ["metrics"] = metrics,
        }.ToJsonString(Json.Indented);
    }
}

using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;

namespace Scae.Cli.Runs;

/// <summary>What the seeds of a preset came to.</summary>
internal sealed record SweepResult(string Experiment, string Preset, IReadOnlyList<Summary> Summaries)
{
    public IReadOnlyList<Spread> Spreads { get; } = Spread.OfAll(Summaries);

    /// <summary>Each metric's mean and deviation, and its value for each seed.</summary>
    public string ToJson()
    {
        var metrics = new JsonObject();
        foreach (var spread in Spreads)
        {
            var metric = spread.ToJson();
            metric["values"] = new JsonArray([.. Summaries.Select(summary => Json.Number(summary.Metric(spread.Metric) ?? double.NaN))]);
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

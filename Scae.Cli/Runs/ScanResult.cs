using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Microsoft.FSharp.Collections;
using Scae.Cli.Reports;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>One combination of a scan's values, and the results of its finished trainings.</summary>
internal sealed record ScanRow(FSharpList<Tuple<string, string>> Settings, IReadOnlyList<Summary> Summaries)
{
    public IReadOnlyList<Spread> Spreads { get; } = Spread.OfAll(Summaries);
}

/// <summary>The results of a scan's combinations.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Metric">The metric by which epochs are chosen, which the table and the picture show.</param>
/// <param name="Rows">One for each combination, in their order.</param>
internal sealed record ScanResult(SweepOptions Options, string Metric, IReadOnlyList<ScanRow> Rows)
{
    /// <summary>Whether every combination has a run, as the picture needs a value for each.</summary>
    public bool HasPicture => Rows.Count == Scan.combinations(Options.Vary).Length;

    public Spread SpreadOf(ScanRow row) => row.Spreads.FirstOrDefault(spread => spread.Metric == Metric) ?? new Spread(Metric, double.NaN, null);

    public string ToJson() => new JsonObject
    {
        ["experiment"] = Options.Experiment.Specification.Experiment,
        ["preset"] = Options.Preset.Name,
        ["overrides"] = Json.Object(Options.Overrides),
        ["seeds"] = new JsonArray([.. Options.Seeds.Values.Select(seed => (JsonNode)seed)]),
        ["combinations"] = new JsonArray([.. Rows.Select(row => new JsonObject
        {
            ["settings"] = Json.Object(row.Settings),
            ["seeds"] = new JsonArray([.. row.Summaries.Select(summary => (JsonNode)summary.Seed)]),
            ["metrics"] = new JsonObject(row.Spreads.Select(spread => KeyValuePair.Create(spread.Metric, (JsonNode?)spread.ToJson()))),
        })]),
    }.ToJsonString(Json.Indented);

    /// <summary>
    /// Writes scan.json, the table as scan.md and, once every combination has a run, the picture as scan.png and scan.svg.
    /// </summary>
    public void Write(string folder)
    {
        var points = ListModule.OfSeq(Rows.Select(row => new ScanPoint(row.Settings, SpreadOf(row).Mean, SpreadOf(row).Deviation ?? double.NaN)));
        string name = Format.Name(Metric);
        bool isFraction = Format.IsFraction(Metric);
        AtomicFile.Write(System.IO.Path.Combine(folder, "scan.json"), ToJson() + "\n");
        AtomicFile.Write(System.IO.Path.Combine(folder, "scan.md"), Scan.markdown(name, isFraction, points));
        if (HasPicture) FigureFiles.Write(folder, Scan.figure($"{Options.Experiment.Specification.Title}, preset {Options.Preset.Name}", name, isFraction, Options.Vary, points));
    }
}

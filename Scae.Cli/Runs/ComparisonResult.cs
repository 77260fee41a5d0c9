using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Scae.Cli.Reports;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>The results of several presets, side by side.</summary>
internal sealed class ComparisonResult
{
    private static readonly FSharpFunc<string, bool> s_isFraction = FSharpFunc<string, bool>.FromConverter(Format.IsFraction);

    private readonly SweepOptions _options;
    private readonly FSharpList<ComparedPreset> _compared;

    public ComparisonResult(SweepOptions options, IReadOnlyList<SweepResult> presets)
    {
        _options = options;
        Presets = presets;
        _compared = ListModule.OfSeq(presets.Select(preset => new ComparedPreset(
            preset.Preset,
            ListModule.OfSeq(preset.Spreads.Select(spread => new ComparedMetric(spread.Metric, spread.Mean, spread.Deviation ?? double.NaN))))));
        var chosenBy = options.Compared.Select(preset =>
            "best_" + RunFailure.Unless(ExperimentModule.restore(options.Experiment, preset, options.Overrides)).Plan.BestBy.Metric);
        Tables = Comparison.tables(options.Experiment.Specification, ListModule.OfSeq(chosenBy.Distinct()), _compared);
    }

    public IReadOnlyList<SweepResult> Presets { get; }

    public FSharpList<PresetTable> Tables { get; }

    /// <summary>Whether a table has a picture.</summary>
    public bool HasPicture => Tables.Any(table => table.Plot is not null);

    /// <summary>A table's rows: the preset and its cells.</summary>
    public IEnumerable<(string Preset, IEnumerable<string> Cells)> CellsOf(PresetTable table) =>
        Comparison.cells(s_isFraction, table, _compared).Select(row => (row.Item1, row.Item2.AsEnumerable()));

    public string ToJson() => new JsonObject
    {
        ["experiment"] = _options.Experiment.Specification.Experiment,
        ["overrides"] = Json.Object(_options.Overrides),
        ["presets"] = new JsonArray([.. Presets.Select(preset => JsonNode.Parse(preset.ToJson(_options.Experiment.Specification)))]),
    }.ToJsonString(Json.Indented);

    /// <summary>
    /// Writes comparison.json, the tables as comparison.md and, if there is a picture, comparison.png and comparison.svg.
    /// </summary>
    public void Write(string folder)
    {
        AtomicFile.Write(Path.Combine(folder, "comparison.json"), ToJson() + "\n");
        AtomicFile.Write(Path.Combine(folder, "comparison.md"), string.Join("\n", Tables.Select(table => Comparison.markdown(s_isFraction, table, _compared))));
        if (Comparison.figure(_options.Experiment.Specification, Tables, _compared) is { } figure) FigureFiles.Write(folder, figure.Value);
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Cli.Plots;
using Scae.Cli.Runs;
using Scae.Core.Figures;

namespace Scae.Cli.Reports;

/// <summary>The curves of runs as one picture, such as those of two schedules: a panel a metric, a line a run.</summary>
internal static class ReportCurves
{
    private const int Columns = 3;

    /// <summary>Whether a file's name asks for the picture instead of a page.</summary>
    public static bool IsMeant(string path) => Path.GetExtension(path).ToLowerInvariant() is ".png" or ".svg";

    /// <summary>Writes the picture in the format of the file's name.</summary>
    public static void Write(IReadOnlyList<ReportedFolder> runs, string path)
    {
        var figure = Of(runs);
        AtomicFile.WriteNamed(path, stream =>
        {
            if (string.Equals(Path.GetExtension(path), ".png", StringComparison.OrdinalIgnoreCase)) FigureRenderer.RenderPng(figure, stream);
            else FigureRenderer.RenderSvg(figure, stream);
        });
    }

    /// <summary>
    /// The picture as data. Values are over steps, since epochs of two runs may differ in length. A metric that only some
    /// runs have has the lines of these. Where there are several groups of seeds, all runs of a group have its colour.
    /// </summary>
    public static Figure Of(IReadOnlyList<ReportedFolder> runs)
    {
        var sections = runs.Select(run => run.Experiment.Specification).DistinctBy(specification => specification.Experiment).ToList();
        if (sections.Count > 1)
            throw new RunFailure($"curves of {string.Join(" and ", sections.Select(each => each.Experiment))} don't fit into one picture; name runs of one experiment", ExitCode.Usage);
        var shared = runs.Select(ReportText.Changes).Aggregate((some, others) => [.. some.Intersect(others)]);
        var groups = RunGroup.Of(runs, shared);
        var key = groups is [var only]
            ? only.Runs.Select(run => (Name: only.FullNameOf(run), Runs: (IReadOnlyList<ReportedFolder>)[run])).ToList()
            : [.. groups.Select(group => (Name: group.Runs is [var alone] ? group.FullNameOf(alone) : $"{group.Name} ({Format.Seeds(group.Runs.Count)})", group.Runs))];
        var colourOf = key.SelectMany((entry, i) => entry.Runs.Select(run => (run, Palette.categoryOf(key.Count, i)))).ToDictionary();
        var panels = ReportBuilder.Metrics(runs).Select(metric => Panel(runs, metric, colourOf)).Chunk(Columns).Select(ListModule.OfSeq);
        var figure = FigureModule.create("curves", $"{sections[0].Title}: evaluations of each run", ListModule.OfSeq(panels));
        if (shared.Count > 0)
            figure = FigureModule.note($"{(runs.Count == 1 ? "With" : "All with")} {string.Join(", ", shared.Select(change => $"{change.Name} {change.Value}"))}.", figure);
        return FigureModule.keys(Swatch.NewLine(false), ListModule.OfSeq(key.Select((entry, i) => Tuple.Create(entry.Name, Palette.categoryOf(key.Count, i)))), figure);
    }

    private static Panel Panel(IReadOnlyList<ReportedFolder> runs, string metric, Dictionary<ReportedFolder, Colour> colourOf)
    {
        bool isFraction = Format.IsFraction(metric);
        var panel = PanelModule.axes("step", isFraction ? "%" : string.Empty, PanelModule.create(Format.Name(metric)));
        foreach (var run in runs)
        {
            double[] values = [.. run.Course.Select(point => (isFraction ? 100 : 1) * point.Values.GetValueOrDefault(metric, double.NaN))];
            panel = PanelModule.line(string.Empty, colourOf[run], [.. run.Course.Select(point => point.Step)], values, panel);
        }

        return panel;
    }
}

using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Scae.Reports;

namespace Scae.Cli.Reports;

/// <summary>Makes a report of runs: a section for each experiment, in which runs that differ only in their seed form a group.</summary>
internal static class ReportBuilder
{
    // With more columns than this a table can't be read.
    private const int MostColumns = 8;

    public static Report Of(IReadOnlyList<ReportedFolder> runs)
    {
        var rooms = ReportPictures.Rooms(runs);
        var sections = runs.GroupBy(run => run.Identity.Experiment).Select(some => Section([.. some], rooms)).ToList();
        string title = runs.Count == 1
            ? $"{sections[0].Title}, preset {runs[0].Identity.Preset}, seed {runs[0].Identity.Seed}"
            : $"{string.Join(", ", sections.Select(section => section.Title))}: {runs.Count} runs";
        return new Report(title, ListModule.OfSeq(sections), RunIdentityModule.version);
    }

    private static ReportSection Section(List<ReportedFolder> runs, Dictionary<ReportedFolder, long> rooms)
    {
        var specification = runs[0].Experiment.Specification;
        var groups = RunGroup.Of(runs);
        var groupOf = groups.SelectMany(group => group.Runs.Select(run => (run, group))).ToDictionary();
        string NameOf(ReportedFolder run) => groups.Count > 1 ? groupOf[run].FullNameOf(run) : groupOf[run].NameOf(run);
        int ColourOf(ReportedFolder run) => groups.Count > 1 ? groups.IndexOf(groupOf[run]) : runs.IndexOf(run);
        return new ReportSection(
            specification.Title,
            specification.Summary + ".",
            specification.Paper,
            Results(specification, groups),
            Repeats(groups.SelectMany(group => group.Repeats).Select(NameOf)),
            ListModule.OfSeq(groups.Count > 1
                ? groups.Select((group, i) => Tuple.Create(group.Name, i))
                : runs.Select((run, i) => Tuple.Create(NameOf(run), i))),
            ListModule.OfSeq(Metrics(runs).Select(metric => ChartOf(metric, runs.Select(run => (run, NameOf(run), ColourOf(run)))))),
            ListModule.OfSeq(runs.Select(run => ReportText.Of(run, groupOf[run].FullNameOf(run), rooms[run]))));
    }

    private static string Repeats(IEnumerable<string> names)
    {
        string all = string.Join("; ", names);
        return all.Length == 0 ? string.Empty : $"Left out of these figures, which have the seed already: {all}.";
    }

    /// <summary>Every metric of the runs, in order of first appearance.</summary>
    public static IEnumerable<string> Metrics(IEnumerable<ReportedFolder> runs) => runs.SelectMany(run => run.Course[^1].Values.Keys).Distinct();

    /// <summary>A chart of a metric over the epochs; fractions of one are in percent.</summary>
    private static Chart ChartOf(string metric, IEnumerable<(ReportedFolder Run, string Label, int Colour)> runs)
    {
        int scale = Format.IsFraction(metric) ? 100 : 1;
        var limits = scale == 1 ? (double.NegativeInfinity, double.PositiveInfinity) : (0.0, 100.0);
        var curves = runs.Select(one => new Curve(
            one.Label,
            one.Colour,
            [.. one.Run.Course.Select(point => point.Epoch)],
            [.. one.Run.Course.Select(point => scale * point.Values.GetValueOrDefault(metric, double.NaN))]));
        return new Chart(scale == 1 ? Format.Name(metric) : $"{Format.Name(metric)}, %", ListModule.OfSeq(curves), limits, value => Format.Value(metric, value / scale));
    }

    /// <summary>
    /// One row per metric: the mean ± standard deviation of each group, or each run if there is only one group; then what
    /// was published, and the target.
    /// </summary>
    private static Table Results(Specification specification, List<RunGroup> groups)
    {
        groups = [.. groups.Where(group => group.Finished.Count > 0)];
        var metrics = groups.SelectMany(group => group.Finished).SelectMany(summary => summary.Metrics.Select(metric => metric.Item1)).Distinct().ToList();
        var seeds = groups is [{ Finished: { Count: > 1 and <= MostColumns } some }] ? some : [];
        var columns = groups.Select(group => groups.Count == 1 && group.Finished.Count == 1 ? "measured" : $"{group.Name} ({Format.Seeds(group.Finished.Count)})");
        var rows = metrics.Select(metric => (string[])
        [
            Format.Name(metric),
            .. groups.Select(group => Measured(group, metric)),
            .. seeds.Select(summary => Format.Value(metric, summary.Metric(metric) ?? double.NaN)),
            Lines(groups, group => Tables.Published(specification, group.Preset, metric)),
            Lines(groups, group => Targets(specification, group, metric)),
        ]).ToList();
        string[] head = ["metric", .. columns, .. seeds.Select(summary => $"seed {summary.Seed}"), "published", "target"];

        // Columns without any entry are left out.
        var shown = Enumerable.Range(0, head.Length).Where(column => rows.Any(row => row[column].Length > 0)).ToList();
        FSharpList<string> Shown(string[] row) => ListModule.OfSeq(shown.Select(column => row[column]));
        return new Table(Shown(head), ListModule.OfSeq(rows.Select(Shown)));
    }

    private static string Measured(RunGroup group, string metric)
    {
        if (group.Finished.All(summary => summary.Metric(metric) is null)) return "–";
        var spread = Spread.Of(group.Finished, metric);
        return Format.Spread(metric, spread.Mean, spread.Deviation);
    }

    private static string Targets(Specification specification, RunGroup group, string metric) => string.Join('\n', specification.Targets
        .Where(target => target.Preset == group.Preset && target.Metric == metric && group.Finished.Any(summary => summary.Metric(metric) is not null))
        .Select(target =>
        {
            var check = new TargetCheck(target, Spread.Of(group.Finished, metric).Mean);
            // A target for the mean of five seeds claims nothing about a single one, and a preset with other hyperparameters
            // is another program.
            bool isMeant = group.IsPreset && group.Finished.Count >= target.Seeds;
            return Tables.Target(check) + (!isMeant ? string.Empty : check.Holds ? ": holds" : ": missed");
        }));

    private static string Lines(IEnumerable<RunGroup> groups, Func<RunGroup, string> lines) =>
        string.Join('\n', groups.SelectMany(group => lines(group).Split('\n')).Where(line => line.Length > 0).Distinct());
}

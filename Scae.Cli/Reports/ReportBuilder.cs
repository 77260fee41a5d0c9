using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Reports;

namespace Scae.Cli.Reports;

/// <summary>Makes a report of runs: a section for each experiment, in which runs that differ only in their seed form a group.</summary>
internal static class ReportBuilder
{
    // With more columns than this a table can't be read.
    private const int MostColumns = 8;

    // How many digits of a hash tell one data set from another.
    private const int HashDigits = 8;

    /// <summary>Runs with the same hyperparameters and data.</summary>
    /// <param name="Name">What a report calls them.</param>
    /// <param name="IsPreset">Whether the hyperparameters are the preset's.</param>
    /// <param name="Preset">The preset.</param>
    /// <param name="Runs">The runs, in the order in which they were given.</param>
    private sealed record Group(string Name, bool IsPreset, string Preset, IReadOnlyList<ReportedFolder> Runs)
    {
        /// <summary>
        /// The summary of each seed. A seed that occurs twice is no second sample: the first of its finished runs counts.
        /// </summary>
        public List<Summary> Finished { get; } = [.. Counted(Runs).Select(run => run.Summary!)];

        /// <summary>The finished runs that don't count, because another run has the same seed.</summary>
        public IEnumerable<ReportedFolder> Repeats => Runs.Where(run => run.Summary is not null).Except(Counted(Runs));

        /// <summary>The name of a run in the group: its seed, together with its folder if the seed occurs twice.</summary>
        public string NameOf(ReportedFolder run)
        {
            var same = Runs.Where(other => other.Identity.Seed == run.Identity.Seed).Select(other => other.Folder.Path).ToList();
            string seed = $"seed {run.Identity.Seed}", path = run.Folder.Path;
            if (same.Count == 1) return seed;
            return $"{seed} ({(same.Count(other => LastPart(other) == LastPart(path)) == 1 ? LastPart(path) : path)})";
        }

        private static IEnumerable<ReportedFolder> Counted(IEnumerable<ReportedFolder> runs) =>
            runs.Where(run => run.Summary is not null).DistinctBy(run => run.Identity.Seed);

        private static string LastPart(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
    }

    public static Report Of(IReadOnlyList<ReportedFolder> runs)
    {
        var rooms = ReportPictures.Rooms(runs);
        var sections = runs.GroupBy(run => run.Identity.Experiment).Select(some => Section([.. some], rooms)).ToList();
        string title = runs.Count == 1
            ? $"{sections[0].Title}, preset {runs[0].Identity.Preset}, seed {runs[0].Identity.Seed}"
            : $"{string.Join(", ", sections.Select(section => section.Title))}: {runs.Count} runs";
        return new Report(title, ListModule.OfSeq(sections), TrainingRun.Version);
    }

    /// <summary>What distinguishes each of some runs of one experiment: the preset with what differs from it, and the seed.</summary>
    public static List<string> NamesOf(IReadOnlyList<ReportedFolder> runs)
    {
        var groups = Groups(runs);
        return [.. runs.Select(run => groups.First(group => group.Runs.Contains(run))).Zip(runs, (group, run) => $"{group.Name}, {group.NameOf(run)}")];
    }

    private static ReportSection Section(List<ReportedFolder> runs, Dictionary<ReportedFolder, long> rooms)
    {
        var specification = runs[0].Experiment.Specification;
        var groups = Groups(runs);
        var groupOf = groups.SelectMany(group => group.Runs.Select(run => (run, group))).ToDictionary();
        string FullName(ReportedFolder run) => $"{groupOf[run].Name}, {groupOf[run].NameOf(run)}";
        string NameOf(ReportedFolder run) => groups.Count > 1 ? FullName(run) : groupOf[run].NameOf(run);
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
            ListModule.OfSeq(runs.Select(run => ReportText.Of(run, FullName(run), rooms[run]))));
    }

    /// <summary>
    /// Groups of runs that differ only in their seed. If another group has the same hyperparameters but other data, the
    /// name says which data.
    /// </summary>
    private static List<Group> Groups(IReadOnlyList<ReportedFolder> runs)
    {
        var alike = runs.GroupBy(run => (Combination: Combination(run), Data: run.Identity.Data?.Value)).ToList();
        return [.. alike.Select(some =>
        {
            var ((combination, data), preset) = (some.Key, some.First().Identity.Preset);
            bool isAlone = alike.Count(other => other.Key.Combination == combination) == 1;
            string name = isAlone || data is null ? combination : $"{combination}, data {data[..Math.Min(HashDigits, data.Length)]}";
            return new Group(name, combination == preset, preset, [.. some]);
        })];
    }

    private static string Repeats(IEnumerable<string> names)
    {
        string all = string.Join("; ", names);
        return all.Length == 0 ? string.Empty : $"Left out of these figures, which have the seed already: {all}.";
    }

    /// <summary>The preset, and the values that differ from it.</summary>
    private static string Combination(ReportedFolder run) =>
        string.Join(", ", ReportText.Changes(run).Select(change => $"{change.Name} {change.Value}").Prepend(run.Identity.Preset));

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
    private static Table Results(Specification specification, List<Group> groups)
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

    private static string Measured(Group group, string metric)
    {
        if (group.Finished.All(summary => summary.Metric(metric) is null)) return "–";
        var spread = Spread.Of(group.Finished, metric);
        return Format.Spread(metric, spread.Mean, spread.Deviation);
    }

    private static string Targets(Specification specification, Group group, string metric) => string.Join('\n', specification.Targets
        .Where(target => target.Preset == group.Preset && target.Metric == metric && group.Finished.Any(summary => summary.Metric(metric) is not null))
        .Select(target =>
        {
            var check = new TargetCheck(target, Spread.Of(group.Finished, metric).Mean);
            // A target for the mean of five seeds claims nothing about a single one, and a preset with other hyperparameters
            // is another program.
            bool isMeant = group.IsPreset && group.Finished.Count >= target.Seeds;
            return Tables.Target(check) + (!isMeant ? string.Empty : check.Holds ? ": holds" : ": missed");
        }));

    private static string Lines(IEnumerable<Group> groups, Func<Group, string> lines) =>
        string.Join('\n', groups.SelectMany(group => lines(group).Split('\n')).Where(line => line.Length > 0).Distinct());
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Scae.Cli.Runs;

namespace Scae.Cli.Reports;

/// <summary>Runs with the same hyperparameters and data, which differ in their seeds.</summary>
/// <param name="Name">What a report calls them: the preset, the values that differ from it and, if these are others' too, the data.</param>
/// <param name="IsPreset">Whether the hyperparameters are the preset's.</param>
/// <param name="Preset">The preset.</param>
/// <param name="Runs">The runs, in the order in which they were given.</param>
internal sealed record RunGroup(string Name, bool IsPreset, string Preset, IReadOnlyList<ReportedFolder> Runs)
{
    // How many digits of a hash tell one data set from another.
    private const int HashDigits = 8;

    /// <summary>
    /// The summary of each seed. A seed that occurs twice is no second sample: the first of its finished runs counts.
    /// </summary>
    public List<Summary> Finished { get; } = [.. Counted(Runs).Select(run => run.Summary!)];

    /// <summary>The finished runs that don't count, because another run has the same seed.</summary>
    public IEnumerable<ReportedFolder> Repeats => Runs.Where(run => run.Summary is not null).Except(Counted(Runs));

    /// <summary>
    /// The groups of some runs of one experiment, in the order of their first runs. Names leave out the hyperparameters in
    /// <paramref name="told"/>, of which the reader knows otherwise.
    /// </summary>
    public static List<RunGroup> Of(IReadOnlyList<ReportedFolder> runs, params IReadOnlyCollection<(string Name, string Value)> told)
    {
        var alike = runs.GroupBy(run => (Combination: Combination(run, []), Data: run.Identity.Data?.Value)).ToList();
        return [.. alike.Select(some =>
        {
            var ((combination, data), first) = (some.Key, some.First());
            bool isAlone = alike.Count(other => other.Key.Combination == combination) == 1;
            string name = Combination(first, told);
            if (!isAlone && data is not null) name += $", data {data[..Math.Min(HashDigits, data.Length)]}";
            return new RunGroup(name, combination == first.Identity.Preset, first.Identity.Preset, [.. some]);
        })];
    }

    /// <summary>The name of a run in the group: its seed, together with its folder if the seed occurs twice.</summary>
    public string NameOf(ReportedFolder run)
    {
        var same = Runs.Where(other => other.Identity.Seed == run.Identity.Seed).Select(other => other.Folder.Path).ToList();
        string seed = $"seed {run.Identity.Seed}", path = run.Folder.Path;
        if (same.Count == 1) return seed;
        return $"{seed} ({(same.Count(other => LastPart(other) == LastPart(path)) == 1 ? LastPart(path) : path)})";
    }

    /// <summary>The name of a run among those of all groups.</summary>
    public string FullNameOf(ReportedFolder run) => $"{Name}, {NameOf(run)}";

    /// <summary>The preset, and the values that differ from it.</summary>
    private static string Combination(ReportedFolder run, IReadOnlyCollection<(string Name, string Value)> told) =>
        string.Join(", ", ReportText.Changes(run).Except(told).Select(change => $"{change.Name} {change.Value}").Prepend(run.Identity.Preset));

    private static IEnumerable<ReportedFolder> Counted(IEnumerable<ReportedFolder> runs) =>
        runs.Where(run => run.Summary is not null).DistinctBy(run => run.Identity.Seed);

    private static string LastPart(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
}

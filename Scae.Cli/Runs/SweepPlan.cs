using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>
/// All trainings of a sweep, in the order in which they are numbered: combinations or presets in the given order, with the
/// seeds of each next to each other.
/// </summary>
internal sealed class SweepPlan
{
    private readonly SeedRange _seeds;

    public SweepPlan(SweepOptions options, string folder, Resources resources)
    {
        _seeds = options.Seeds;
        Folder = folder;
        IReadOnlyList<Tuple<string, string>> overrides = [.. options.Overrides];
        bool isScan = !options.Vary.IsEmpty;
        Runs = new SweepRun(options.Experiment, folder, options.Training.Threads?.Value ?? Environment.ProcessorCount, resources, Pictures: !isScan, options.Training.TensorBoard);
        Groups = options.Compared.IsEmpty
            ? [.. Scan.combinations(options.Vary).Select(settings =>
                new SweepGroup(options.Preset, settings, [.. overrides, .. settings], isScan ? Path.Combine(folder, Scan.folder(settings)) : folder))]
            : [.. options.Compared.Select(preset => new SweepGroup(preset, FSharpList<Tuple<string, string>>.Empty, overrides, Path.Combine(folder, preset.Name)))];
    }

    public string Folder { get; }

    /// <summary>What trains them.</summary>
    public SweepRun Runs { get; }

    public IReadOnlyList<SweepGroup> Groups { get; }

    /// <summary>How many trainings there are.</summary>
    public long Count => Groups.Count * _seeds.Count;

    /// <summary>The training with the given place, from 0 to <see cref="Count"/> − 1.</summary>
    public (SweepGroup Group, long Seed) At(long place) => (Groups[(int)(place / _seeds.Count)], _seeds.First + (place % _seeds.Count));

    /// <summary>
    /// The summaries of the finished trainings of a group, in the order of their seeds. What is wrong with those that can't be
    /// read is added to <paramref name="damages"/>.
    /// </summary>
    public List<Summary> Finished(SweepGroup group, List<string> damages)
    {
        var summaries = new List<Summary>();
        foreach (long seed in _seeds.Values)
        {
            var (summary, damage) = Look(group.Job(seed));
            if (summary is not null) summaries.Add(summary);
            if (damage is not null) damages.Add(damage);
        }

        return summaries;
    }

    /// <summary>The seeds beyond the sweep's of which runs of its hyperparameters are finished in its folders, ascending.</summary>
    public List<long> OtherSeeds()
    {
        const string Prefix = "seed-";
        var seeds = from each in Groups
                    where Directory.Exists(each.Folder)
                    from run in Directory.EnumerateDirectories(each.Folder, Prefix + "*")
                    let seed = long.TryParse(Path.GetFileName(run)[Prefix.Length..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : (long?)null
                    where seed is not null && Look(each.Job(seed.Value)).Summary is not null
                    select seed.Value;
        return [.. seeds.Except(_seeds.Values).Distinct().Order()];
    }

    /// <summary>
    /// The places of the trainings that aren't finished, ascending. Throws where a folder holds another run, or one that is
    /// damaged.
    /// </summary>
    public IEnumerable<long> Unfinished() => Where(job => Runs.Finished(job) is null);

    /// <summary>The same without those whose folders can't be read.</summary>
    public IEnumerable<long> Missing() => Where(job => Look(job) is (null, null));

    private IEnumerable<long> Where(Func<SweepJob, bool> isMeant)
    {
        for (long place = 0; place < Count; place++)
        {
            var (group, seed) = At(place);
            if (isMeant(group.Job(seed))) yield return place;
        }
    }

    /// <summary>The summary of a training if it is finished, or what is wrong with its folder; neither if it isn't finished.</summary>
    private (Summary? Summary, string? Damage) Look(SweepJob job)
    {
        try
        {
            return (Runs.Finished(job), null);
        }
        catch (RunFailure damage)
        {
            return (null, damage.Message);
        }
    }

    /// <summary>How far an unfinished training is, with its folder within the sweep's.</summary>
    public string Progress(long place)
    {
        var folder = FolderOf(place);
        string name = Path.GetRelativePath(Folder, folder.Path);
        return folder.ReadSaved() is { } saved ? $"{name} (step {saved.Step})" : $"{name} ({(folder.WasBegun ? "begun" : "not begun")})";
    }

    private RunFolder FolderOf(long place)
    {
        var (group, seed) = At(place);
        return RunFolder.At(group.Job(seed).Folder);
    }
}

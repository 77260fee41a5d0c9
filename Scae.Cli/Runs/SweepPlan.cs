using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;

namespace Scae.Cli.Runs;

/// <summary>Trainings of a sweep that differ in their seeds alone.</summary>
/// <param name="Settings">The values that are varied; empty where none are.</param>
/// <param name="Run">What trains them.</param>
/// <param name="Overrides">What they replace in the preset.</param>
/// <param name="Folder">Where their folders are.</param>
internal sealed record SweepGroup(FSharpList<Tuple<string, string>> Settings, SweepRun Run, IReadOnlyList<Tuple<string, string>> Overrides, string Folder)
{
    public SweepJob Job(long seed) => new(Overrides, seed, Path.Combine(Folder, $"seed-{seed}"));
}

/// <summary>
/// All trainings of a sweep in the order in which they are counted: combinations or presets as they were given, the seeds of
/// each beside each other.
/// </summary>
internal sealed class SweepPlan
{
    private readonly SeedRange _seeds;

    public SweepPlan(SweepOptions options, string folder, Resources resources)
    {
        _seeds = options.Seeds;
        Folder = folder;
        IReadOnlyList<Tuple<string, string>> overrides = [.. options.Overrides];
        if (!options.Compared.IsEmpty)
        {
            Groups = [.. options.Compared.Select(preset => new SweepGroup(FSharpList<Tuple<string, string>>.Empty, Trainings(preset, true), overrides, Path.Combine(folder, preset.Name)))];
            return;
        }

        bool isScan = !options.Vary.IsEmpty;
        var run = Trainings(options.Preset, pictures: !isScan);
        Groups = [.. Scan.combinations(options.Vary).Select(settings =>
            new SweepGroup(settings, run, [.. overrides, .. settings], isScan ? Path.Combine(folder, Scan.folder(settings)) : folder))];

        SweepRun Trainings(Preset preset, bool pictures) => new(
            options.Experiment, preset, folder, options.Threads?.Value ?? Environment.ProcessorCount, resources, pictures, options.TensorBoard);
    }

    public string Folder { get; }

    public IReadOnlyList<SweepGroup> Groups { get; }

    /// <summary>How many trainings there are.</summary>
    public long Count => Groups.Count * _seeds.Count;

    /// <summary>A training by its place, from 0 to <see cref="Count"/>.</summary>
    public (SweepGroup Group, SweepJob Job) At(long place)
    {
        var group = Groups[(int)(place / _seeds.Count)];
        return (group, group.Job(_seeds.First + (place % _seeds.Count)));
    }

    /// <summary>What the finished trainings of a group came to, in the order of their seeds.</summary>
    public List<Summary> Finished(SweepGroup group) => [.. _seeds.Values.Select(seed => group.Run.Finished(group.Job(seed))).OfType<Summary>()];

    /// <summary>The places of the trainings that aren't finished, ascending.</summary>
    public IEnumerable<long> Unfinished()
    {
        for (long place = 0; place < Count; place++)
        {
            if (!RunFolder.At(At(place).Job.Folder).IsFinished) yield return place;
        }
    }

    /// <summary>How far a training is that isn't finished, with its folder within the sweep's.</summary>
    public string Progress(long place)
    {
        var folder = RunFolder.At(At(place).Job.Folder);
        string name = Path.GetRelativePath(Folder, folder.Path);
        return folder.ReadSaved() is { } saved ? $"{name} (step {saved.Step})" : $"{name} ({(folder.WasBegun ? "begun" : "not begun")})";
    }
}

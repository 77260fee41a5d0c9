using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Reports;

namespace Scae.Cli.Reports;

/// <summary>The part of a report on one run: its sentence, the command that repeats it, its hyperparameters and its pictures.</summary>
internal static class ReportText
{
    // The value by which a preset leaves the choice of data to the machine.
    private const string Auto = "auto";

    /// <summary>The report on a run, with pictures of at most <paramref name="room"/> bytes.</summary>
    public static ReportedRun Of(ReportedFolder run, string name, long room)
    {
        var settings = Settings(run);
        var (pictures, omitted) = ReportPictures.Of(run.Folder, room);
        return new ReportedRun(name, Sentence(run), Command(run, settings), settings, pictures, omitted);
    }

    /// <summary>
    /// The names and values of the hyperparameters that differ from the preset's. A data source that the preset leaves open
    /// doesn't count, unless strokes stand in for MNIST.
    /// </summary>
    public static List<(string Name, string Value)> Changes(ReportedFolder run) =>
        [.. Settings(run).Where(setting => setting.Preset is { } preset && !(preset.Value == Auto && setting.Value is "mnist" or "file" or "drawn")).Select(setting => (setting.Name, setting.Value))];

    private static FSharpList<ReportedSetting> Settings(ReportedFolder run)
    {
        var preset = run.Experiment.Specification.Presets.FirstOrDefault(preset => preset.Name == run.Identity.Preset);
        var defaults = preset is null ? [] : run.Experiment.Settings.Invoke(preset).ToDictionary(setting => setting.Name, setting => setting.Default);
        return ListModule.OfSeq(run.Identity.Settings.Select(pair => new ReportedSetting(
            pair.Item1,
            pair.Item2,
            defaults.TryGetValue(pair.Item1, out string? other) && !IsSame(other, pair.Item2) ? FSharpOption<string>.Some(other) : null)));
    }

    /// <summary>
    /// Whether two texts stand for the same value, as 1e-05 and 0.00001 do. Separators of thousands aren't allowed: "3,5"
    /// is a list.
    /// </summary>
    private static bool IsSame(string a, string b) =>
        a == b || (double.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out double x) && double.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out double y) && x.Equals(y));

    private static string Sentence(ReportedFolder run)
    {
        string version = $"scae {run.Identity.Version}";
        if (run.Summary is not { } summary) return $"Not finished: {run.Course[^1].Epoch:0} epochs are evaluated so far. {version}.";
        return $"{summary.Steps} steps, {summary.MillisecondsPerStep.ToString("0.000", CultureInfo.InvariantCulture)} ms in the median, in {Format.Duration(summary.Spent.Train)}, everything in {Format.Duration(summary.Spent.Total)}. {version}.";
    }

    /// <summary>Those of some hyperparameters that have an effect on the run; train refuses others.</summary>
    private static FSharpList<Tuple<string, string>> Heeded(ReportedFolder run, FSharpList<Tuple<string, string>> changed)
    {
        var preset = Experiments.preset(run.Identity.Preset, run.Experiment);
        if (preset.IsError) return changed;
        var task = ExperimentModule.restore(run.Experiment, preset.ResultValue, run.Identity.Settings);
        return task.IsOk ? ExperimentModule.heeded(changed, task.ResultValue) : changed;
    }

    private static string Command(ReportedFolder run, IEnumerable<ReportedSetting> settings)
    {
        List<string> words = ["scae", "train", run.Identity.Experiment, "--preset", run.Identity.Preset, "--seed", $"{run.Identity.Seed}"];
        var changed = ListModule.OfSeq(settings.Where(setting => setting.Preset is not null).Select(setting => Tuple.Create(setting.Name, setting.Value)));
        foreach (var (name, value) in Heeded(run, changed)) words.AddRange([$"--{name}", value]);

        // A run knows the contents of the user's own data, but not its folder.
        if (RunSettings.HasOwnData(run.Identity.Settings)) words.AddRange(["--data", "FOLDER"]);
        return string.Join(' ', words.Select(Shell.Quote));
    }
}

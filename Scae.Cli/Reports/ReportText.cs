using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Scae.Cli.Plots;
using Scae.Cli.Runs;
using Scae.Reports;

namespace Scae.Cli.Reports;

/// <summary>What a report says of one run: its sentence, the command that repeats it, its hyperparameters and its pictures.</summary>
internal static class ReportText
{
    // What presets say of data that each machine chooses.
    private const string Auto = "auto";

    // The PNG files are drawn for screens of twice the resolution.
    private const int PixelsPerDot = 2;

    /// <summary>A run, with pictures of at most so many bytes.</summary>
    public static ReportedRun Of(ReportedFolder run, string name, int room)
    {
        var settings = Settings(run);
        var (pictures, omitted) = Pictures(run.Folder, room);
        return new ReportedRun(name, Sentence(run), Command(run, settings), settings, pictures, omitted);
    }

    /// <summary>The hyperparameters that aren't the preset's: their names and values. Data that a preset leaves open is none of them, unless
    /// it is strokes in MNIST's place.</summary>
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

    /// <summary>Whether two texts are the same value: 1e-05 is 0.00001. Without thousands: "3,5" is a list.</summary>
    private static bool IsSame(string a, string b) =>
        a == b || (double.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out double x) && double.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out double y) && x.Equals(y));

    private static string Sentence(ReportedFolder run)
    {
        string version = $"scae {run.Identity.Version}";
        if (run.Summary is not { } summary) return $"Not finished: {run.Course[^1].Epoch:0} epochs are evaluated so far. {version}.";
        return $"{summary.Steps} steps of {summary.MillisecondsPerStep.ToString("0.000", CultureInfo.InvariantCulture)} ms in {Format.Duration(summary.Spent.Train)}, everything in {Format.Duration(summary.Spent.Total)}. {version}.";
    }

    private static string Command(ReportedFolder run, IEnumerable<ReportedSetting> settings)
    {
        List<string> words = ["scae", "train", run.Identity.Experiment, "--preset", run.Identity.Preset, "--seed", $"{run.Identity.Seed}"];
        foreach (var setting in settings.Where(setting => setting.Preset is not null)) words.AddRange([$"--{setting.Name}", setting.Value]);
        return string.Join(' ', words.Select(Shell.Quote));
    }

    /// <summary>The PNG files by name and then the animation, as far as there is room; and what was left out.</summary>
    private static (FSharpList<Picture> Pictures, string Omitted) Pictures(RunFolder folder, int room)
    {
        if (!Directory.Exists(folder.Figures)) return (FSharpList<Picture>.Empty, string.Empty);
        var pictures = new List<Picture>();
        var omitted = new List<string>();
        foreach (string path in Files(folder, "*.png").Concat(Files(folder, "*.gif")))
        {
            byte[] bytes = File.ReadAllBytes(path);
            if (bytes.Length > room || bytes.Length < ImageSize.Header)
            {
                omitted.Add(Path.GetFileName(path));
                continue;
            }

            room -= bytes.Length;
            string name = Path.GetFileNameWithoutExtension(path).Replace('-', ' ');
            pictures.Add(path.EndsWith(".gif", StringComparison.Ordinal)
                ? new Picture($"{name}, animated", "image/gif", ImageSize.OfGif(bytes).Width, bytes)
                : new Picture(name, "image/png", ImageSize.OfPng(bytes).Width / PixelsPerDot, bytes));
        }

        return (ListModule.OfSeq(pictures), omitted.Count == 0 ? string.Empty : $"Left out, damaged or beyond the 5 MB that a report has at most: {string.Join(", ", omitted)}.");
    }

    private static IEnumerable<string> Files(RunFolder folder, string pattern) => Directory.EnumerateFiles(folder.Figures, pattern).Order(StringComparer.Ordinal);
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Reports;

/// <summary>An evaluation, as a line of metrics.jsonl has it.</summary>
internal sealed record CoursePoint(double Epoch, double Step, IReadOnlyDictionary<string, double> Values);

/// <summary>A run as a report sees it: what the files in its folder say, without its checkpoint.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Identity">Which run it is.</param>
/// <param name="Experiment">Its experiment.</param>
/// <param name="Course">Its evaluations.</param>
/// <param name="Summary">Its results; null if it isn't finished.</param>
internal sealed record ReportedFolder(RunFolder Folder, RunIdentity Identity, Experiment Experiment, IReadOnlyList<CoursePoint> Course, Summary? Summary)
{
    // Digits of the largest seed.
    private const int LongestNumber = 19;

    private static readonly string[] s_notMetrics = ["epoch", "step", "seconds"];

    /// <summary>
    /// Reads runs. Each path is a run's folder, or that of a sweep whose runs have folders of their own. Of a sweep the runs that
    /// can't be read are left out, with a line for each, unless there are no others.
    /// </summary>
    public static List<ReportedFolder> ReadAll(IEnumerable<string> paths) =>
        [.. paths.SelectMany(At).DistinctBy(run => Path.TrimEndingDirectorySeparator(Path.GetFullPath(run.Folder.Path)))];

    private static IEnumerable<ReportedFolder> At(string path)
    {
        var folder = RunFolder.Given("report", path);
        if (!Directory.Exists(path)) throw new RunFailure($"{path}: there is no such folder; scae train leaves one under runs/");
        return folder.WasBegun ? [Read(folder)] : OfSweep(path);
    }

    private static List<ReportedFolder> OfSweep(string path)
    {
        List<RunFolder> inner = [.. Ordered(Directory.GetDirectories(path))];
        var runs = inner.Concat(inner.SelectMany(each => Below(each.Path))).Where(WasBegun).ToList();
        if (runs.Count == 0) throw new RunFailure($"{path}: the folder holds neither a run nor a sweep's runs; scae train leaves one under runs/");

        // Runs that have only begun are left out. If there are no others, reading them reports what is missing.
        var evaluated = runs.Where(run => new FileInfo(run.Metrics) is { Exists: true, Length: > 0 }).ToList();
        var (read, failures) = (new List<ReportedFolder>(), new List<RunFailure>());
        foreach (var run in evaluated.Count > 0 ? evaluated : runs)
        {
            try
            {
                read.Add(Read(run));
            }
            catch (RunFailure failure)
            {
                failures.Add(failure);
            }
            catch (Exception problem) when (FileProblem.Is(problem))
            {
                failures.Add(new RunFailure($"{run.Path}: {FileProblem.Text(problem)}"));
            }
        }

        if (read.Count == 0) throw failures[0];
        foreach (var failure in failures) Notice.TellOnce($"{failure.Message}; the report is of the other runs");
        return read;
    }

    /// <summary>The folders in a folder; none if it can't be read, as lost+found can't.</summary>
    private static IEnumerable<RunFolder> Below(string path)
    {
        try
        {
            return Ordered(Directory.GetDirectories(path));
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            Notice.TellOnce($"{path}: {FileProblem.Text(problem)}; the report is of the other runs");
            return [];
        }
    }

    // seed-2 before seed-10, and 0.25 before 0.5. The runtime's own numeric order needs cultures, of which the program has none.
    private static IEnumerable<RunFolder> Ordered(string[] paths) =>
        paths.OrderBy(path => Regex.Replace(path, "(?<![0-9.])[0-9]+", digits => digits.Value.PadLeft(LongestNumber, '0')), StringComparer.Ordinal).Select(RunFolder.At);

    private static bool WasBegun(RunFolder folder)
    {
        try
        {
            return folder.WasBegun;
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            Notice.TellOnce($"{folder.Path}: {FileProblem.Text(problem)}; the report is of the other runs");
            return false;
        }
    }

    private static ReportedFolder Read(RunFolder folder)
    {
        if (!File.Exists(folder.Settings)) throw new RunFailure($"{folder.Settings}: the file is missing, and it says which run this is");
        var identity = RunSettings.Identity(File.ReadAllText(folder.Settings)) ?? throw new RunFailure($"{folder.Settings}: the file is damaged");
        var experiment = RunFailure.Unless(Experiments.find(identity.Experiment), folder.Settings);
        var course = File.Exists(folder.Metrics) ? File.ReadLines(folder.Metrics).Select((line, i) => Point(folder, line, i + 1)).ToList() : [];
        if (course.Count == 0) throw new RunFailure($"{folder.Path}: the run has no evaluation yet; the first comes at the end of its first epoch");
        return new ReportedFolder(folder, identity, experiment, course, SummaryOf(folder, identity, experiment));
    }

    private static CoursePoint Point(RunFolder folder, string line, int number)
    {
        try
        {
            var root = JsonNode.Parse(line)!.AsObject();
            var values = root.Where(pair => !s_notMetrics.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => Drawable(pair.Value?.GetValue<double>() ?? double.NaN));
            double epoch = root["epoch"]!.GetValue<double>(), step = root["step"]!.GetValue<double>();
            if (double.IsFinite(epoch) && double.IsFinite(step)) return new CoursePoint(epoch, step, values);
        }
        catch (Exception problem) when (Json.IsDamage(problem))
        {
            // The same line tells of it.
        }

        throw new RunFailure($"{folder.Metrics}: line {number} isn't an evaluation");

        // No axis reaches so far that the difference of its ends overflows.
        static double Drawable(double value) => Math.Abs(value) < 1e300 ? value : double.NaN;
    }

    private static Summary? SummaryOf(RunFolder folder, RunIdentity identity, Experiment experiment)
    {
        if (!folder.IsFinished) return null;
        try
        {
            return Summary.Parse(File.ReadAllText(folder.Summary), identity, experiment.Specification);
        }
        catch (Exception problem) when (Json.IsDamage(problem))
        {
            throw new RunFailure($"{folder.Summary}: the file is damaged; scae train --resume --out {Shell.Quote(folder.Path)} writes it again");
        }
    }
}

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Core.Experiments;
using Scae.Tensors;

namespace Scae.Cli.Runs;

/// <summary>
/// How many bytes this process may still take: the least of what Linux says is available and what is left in each control
/// group of the process (versions 1 and 2; containers and batch systems set such limits). On other systems, all
/// that the machine or the job has, whoever uses it.
/// </summary>
internal static class FreeMemory
{
    private const string Groups = "/sys/fs/cgroup";

    /// <summary>Throws if the memory can't hold so many runs of a task at once.</summary>
    public static void Check(Task task, long atOnce = 1) => Refuse(NeedsOf(task), atOnce);

    /// <summary>Throws if the memory can't hold the scenes that are measured; no step is recorded for that.</summary>
    public static void CheckMeasuring(Task task) => Refuse(NeedsOf(task).Where(need => need.For is Needed.Hyperparameter { name: not ("batch-size" or "train-size") }), 1);

    /// <summary>What a task needs. The estimate makes the model, and sizes that are allowed one by one can be too large together.</summary>
    private static IEnumerable<Need> NeedsOf(Task task)
    {
        try
        {
            return task.Needs.Invoke(null!);
        }
        catch (ShapeError problem)
        {
            throw new RunFailure($"the model is too large: {problem.Message}; lower the numbers of capsules or the sizes of layers", ExitCode.Usage);
        }
    }

    private static void Refuse(IEnumerable<Need> needs, long atOnce)
    {
        if (Needs.refusal(Bytes(), atOnce, ListModule.OfSeq(needs)) is { } refusal) throw new RunFailure(refusal.Value, ExitCode.Usage);
    }

    /// <summary>What the system has left, but no more than the runtime's own limit, three quarters of a container's.</summary>
    public static double Bytes()
    {
        double left = Of(Read) ?? double.PositiveInfinity, most = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return most > 0 ? Math.Min(left, most) : left;
    }

    /// <summary>
    /// The same for a system whose files the given function reads; the function returns null for files that aren't there.
    /// </summary>
    public static double? Of(Func<string, string?> read)
    {
        var left = new List<double>();
        if (Labelled(read("/proc/meminfo"), "MemAvailable:") is { } kilobytes) left.Add(1024 * kilobytes);
        foreach (string line in Lines(read("/proc/self/cgroup")))
        {
            // The format is number:controllers:path; version 2 has no controllers.
            string[] parts = line.Split(':', 3);
            if (parts.Length < 3) continue;
            if (parts[1].Length == 0) AddGroups(Groups, "memory.max", "memory.current", "inactive_file ");
            else if (parts[1].Split(',').Contains("memory")) AddGroups($"{Groups}/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ");

            // A group's limit also holds for all groups within it.
            void AddGroups(string root, string limit, string usage, string cache)
            {
                for (string path = parts[2].TrimEnd('/'); ; path = path[..path.LastIndexOf('/')])
                {
                    string folder = root + path;
                    if (Number(read($"{folder}/{limit}")) is { } most && Number(read($"{folder}/{usage}")) is { } taken)
                        left.Add(Math.Max(0, most - taken + (Labelled(read($"{folder}/memory.stat"), cache) ?? 0)));
                    if (path.Length == 0) return;
                }
            }
        }

        return left.Count == 0 ? null : left.Min();
    }

    private static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            return null;
        }
    }

    private static IEnumerable<string> Lines(string? text) => (text ?? string.Empty).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The number that follows a label; null if the label isn't there.</summary>
    private static double? Labelled(string? text, string label) =>
        Lines(text).Where(line => line.StartsWith(label, StringComparison.Ordinal)).Select(line => Number(line[label.Length..].Replace("kB", string.Empty, StringComparison.Ordinal))).FirstOrDefault();

    /// <summary>A number; null for "max" and anything else.</summary>
    private static double? Number(string? text) =>
        double.TryParse(text?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out double number) ? number : null;
}

using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Scae.Cli.Runs;

namespace Scae.Cli.Slurm;

/// <summary>Hands array jobs to Slurm.</summary>
internal static class Submission
{
    // Slurm's default for MaxArraySize.
    private const int UsualArraySize = 1001;

    /// <summary>More than any cluster's queue takes.</summary>
    public const int MostTasks = 100_000;

    /// <summary>The words that start this program on another machine with the same files.</summary>
    public static IReadOnlyList<string> Program
    {
        get
        {
            string process = Environment.ProcessPath ?? "scae";
            string? assembly = Environment.GetCommandLineArgs().FirstOrDefault();
            bool hosted = Path.GetFileNameWithoutExtension(process) == "dotnet" && assembly is not null;
            return hosted ? [process, Path.GetFullPath(assembly!)] : [process];
        }
    }

    /// <summary>
    /// Writes the scripts of array jobs, each with as many places as Slurm allows, and submits them; returns the jobs'
    /// numbers.
    /// </summary>
    /// <param name="job">The sweep.</param>
    /// <param name="tasks">The places of the runs to train, ascending.</param>
    public static List<string> Submit(ArrayJob job, IReadOnlyList<int> tasks)
    {
        if (tasks.Count > MostTasks) throw new RunFailure($"--slurm: more than {MostTasks} runs are too many for array jobs; fewer --seeds", ExitCode.Usage);
        int size = ArraySize();
        var arrays = tasks.GroupBy(place => place / size * size).Select(array =>
            (Script: Path.Combine(job.Place, array.Key == 0 ? "sweep.sh" : $"sweep-{array.Key}.sh"), Text: job.Script([.. array], array.Key))).ToList();
        FileProblem.Tell(job.Folder, "nothing was submitted", () =>
        {
            Directory.CreateDirectory(job.Place);
            foreach (var (script, text) in arrays) AtomicFile.Write(script, text);
        });

        // sbatch puts numbers in the place of %A and %a.
        string output = Path.Combine(job.Place.Replace("%", "%%", StringComparison.Ordinal), "%A_%a.txt");
        List<string> numbers = [];
        foreach (var (script, _) in arrays)
        {
            string rest = string.Join(", ", arrays.Skip(numbers.Count).Select(array => array.Script));
            numbers.Add(Sbatch(script, ["--parsable", "--output", output, script], numbers, rest));
        }

        return numbers;
    }

    /// <summary>The size limit of an array: its indices must be below this.</summary>
    private static int ArraySize()
    {
        try
        {
            var (code, output, _) = Run("scontrol", ["show", "config"]);
            var setting = Regex.Match(output, @"^MaxArraySize\s*=\s*(\d+)", RegexOptions.Multiline);
            return code == 0 && int.TryParse(setting.Groups[1].Value, out int size) && size > 1 ? size : UsualArraySize;
        }
        catch (Win32Exception)
        {
            return UsualArraySize;
        }
    }

    private static string Sbatch(string script, IEnumerable<string> words, List<string> before, string rest)
    {
        try
        {
            var (code, output, error) = Run("sbatch", words);
            string others = before.Count == 0 ? string.Empty : $"; submitted: {string.Join(", ", before)}; not submitted: {rest}";
            if (code != 0) throw new RunFailure($"sbatch refused {script}: {error.Trim()}{others}");

            // The output is the number, followed by a semicolon and the cluster's name if there are several clusters.
            return output.Trim().Split(';')[0];
        }
        catch (Win32Exception)
        {
            throw new RunFailure($"sbatch isn't on the PATH; run this where jobs are submitted, or hand Slurm what was written: {rest}");
        }
    }

    private static (int Code, string Output, string Error) Run(string program, IEnumerable<string> words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}

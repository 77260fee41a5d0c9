using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Scae.Cli.Runs;

namespace Scae.Cli.Slurm;

/// <summary>Hands an array job to Slurm.</summary>
internal static class Submission
{
    /// <summary>More than any cluster takes as one array.</summary>
    public const int MostTasks = 100_000;

    /// <summary>The words that start this program again on another machine that has the same files.</summary>
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

    /// <summary>Writes the script of an array job and submits it; the job's number.</summary>
    /// <param name="job">The array job.</param>
    /// <param name="tasks">The places of the runs to train, ascending.</param>
    public static string Submit(ArrayJob job, IReadOnlyList<int> tasks)
    {
        if (tasks.Count > MostTasks) throw new RunFailure($"--slurm: more than {MostTasks} runs are too many for an array job; fewer --seeds", ExitCode.Usage);
        string script = Path.Combine(job.Place, "sweep.sh");
        FileProblem.Tell(job.Folder, "nothing was submitted", () =>
        {
            Directory.CreateDirectory(job.Place);
            AtomicFile.Write(script, job.Script(tasks));
        });

        // sbatch puts numbers in the place of %A and %a.
        return Sbatch(script, ["--parsable", "--output", Path.Combine(job.Place.Replace("%", "%%", StringComparison.Ordinal), "%A_%a.txt"), script]);
    }

    private static string Sbatch(string script, IEnumerable<string> words)
    {
        var info = new ProcessStartInfo("sbatch", words) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var sbatch = Process.Start(info)!;
            var error = sbatch.StandardError.ReadToEndAsync();
            string output = sbatch.StandardOutput.ReadToEnd();
            sbatch.WaitForExit();
            if (sbatch.ExitCode != 0) throw new RunFailure($"sbatch refused {script}: {error.Result.Trim()}");

            // The number, and behind a semicolon the cluster's name where there are several.
            return output.Trim().Split(';')[0];
        }
        catch (Win32Exception)
        {
            throw new RunFailure($"sbatch isn't on the PATH; run this where jobs are submitted, or hand Slurm the script that was written: {script}");
        }
    }
}

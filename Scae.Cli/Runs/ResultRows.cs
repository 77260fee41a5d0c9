using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

namespace Scae.Cli.Runs;

/// <summary>
/// results.csv, from which others can redo the statistics: one row for each seed and metric of a preset, with the command
/// that measures it. A metric that has no value in a run has no row.
/// </summary>
internal static class ResultRows
{
    public const string FileName = "results.csv";

    /// <summary>The first line of the file.</summary>
    public const string Header = "experiment,preset,seed,metric,value,command";

    /// <summary>
    /// Writes the file as a whole or not at all: for each preset its results, and the part of the command that follows the
    /// seed.
    /// </summary>
    public static void Write(string folder, IEnumerable<(SweepResult Result, string Changes)> results)
    {
        var text = new StringBuilder(Header + "\n");
        foreach (var (result, changes) in results)
        {
            foreach (var summary in result.Summaries)
            {
                string command = $"scae train {result.Experiment} --preset {result.Preset} --seed {summary.Seed}{changes}";
                foreach (var (metric, value) in summary.Metrics.Where(pair => double.IsFinite(pair.Item2)))
                {
                    text.Append(CultureInfo.InvariantCulture, $"{result.Experiment},{result.Preset},{summary.Seed},{metric},{value},\"{command.Replace("\"", "\"\"", StringComparison.Ordinal)}\"\n");
                }
            }
        }

        AtomicFile.Write(Path.Combine(folder, FileName), text.ToString());
    }
}

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae gradcheck: the whole model's gradient against central differences in float64.</summary>
internal static class GradcheckCommand
{
    /// <summary>The largest relative error allowed.</summary>
    private const double Tolerance = 1e-6;

    public static int Run(ExperimentOptions options)
    {
        var checks = new List<GradientComparison>();
        var all = new JsonArray();
        foreach (var experiment in options.Experiments)
        {
            var preset = RunFailure.Unless(Experiments.preset(options.Preset, experiment));
            var task = RunFailure.Unless(ExperimentModule.configure(experiment, preset, options.Overrides));
            FreeMemory.CheckMeasuring(task);
            var comparisons = RunFailure.Unless(ExperimentModule.checkGradient(task, MnistFiles.Resources(options.Data?.Value), options.Seed));
            checks.AddRange(comparisons);
            var table = Tables.New("parameter", "entries", "gradient", "relative error", string.Empty);
            foreach (var comparison in comparisons)
            {
                all.Add(new JsonObject
                {
                    ["experiment"] = experiment.Specification.Experiment,
                    ["parameter"] = comparison.Parameter,
                    ["gradient_norm"] = Json.Number(comparison.Norm),
                    ["relative_error"] = Json.Number(comparison.RelativeError),
                });
                table.AddRow(
                    Markup.Escape(comparison.Parameter),
                    comparison.Compared.ToString(),
                    comparison.Norm == 0 ? "none" : $"{comparison.Norm:0.0e+0}",
                    comparison.RelativeError == 0 ? "none beyond rounding" : $"{comparison.RelativeError:0.0e+0}",
                    Holds(comparison) ? "[green]ok[/]" : "[red]wrong[/]");
            }

            if (options.Json) continue;
            Console.Out.WriteLine($"{experiment.Specification.Experiment}, preset {preset.Name}");
            Tables.Console.Write(table);
        }

        int exit = ExitOf(checks);
        if (options.Json) Json.Print(all);
        else Console.Out.WriteLine(exit == ExitCode.Success ? $"every relative error is at most {Tolerance:0e+0}" : $"some relative error exceeds {Tolerance:0e+0}");
        return exit;
    }

    /// <summary>The exit code: failure if one relative error is too large, or no number.</summary>
    internal static int ExitOf(IEnumerable<GradientComparison> comparisons) => comparisons.All(Holds) ? ExitCode.Success : ExitCode.Failure;

    private static bool Holds(GradientComparison comparison) => comparison.RelativeError <= Tolerance;
}

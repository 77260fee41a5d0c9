using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Spectre.Console;

namespace Scae.Cli.Reports;

/// <summary>Results as tables.</summary>
internal static class Tables
{
    /// <summary>The console for tables: as wide as the terminal; for a file or a pipe, wide enough and without colours.</summary>
    public static IAnsiConsole Console => On(System.Console.Out);

    /// <summary>The same for a display that redraws itself, and that nobody misses if the terminal is gone.</summary>
    public static IAnsiConsole Live => On(new LiveWriter(System.Console.Out));

    private static IAnsiConsole On(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = Terminal.IsElsewhere ? new AnsiConsoleOutput(writer) : new TerminalOutput(writer) });
        if (!Terminal.SpeaksUnicode(Environment.GetEnvironmentVariable)) console.Profile.Capabilities.Unicode = false;
        if (Terminal.IsElsewhere)
        {
            console.Profile.Width = 140;
            console.Profile.Capabilities.Ansi = false;
        }

        return console;
    }

    public static FittedTable New(params string[] columns) => new(columns);

    /// <summary>Metrics beside the published figures and the targets of the preset.</summary>
    public static FittedTable Results(Specification specification, string preset, IReadOnlyList<Tuple<string, double>> metrics, Func<string, double, string>? format = null)
    {
        format ??= Format.Value;
        var table = New("metric", "measured", "published", "target");
        foreach (var (name, value) in metrics)
        {
            string target = string.Join("\n", TargetCheck.Of(specification, preset, metrics).Where(check => check.Target.Metric == name).Select(Target));
            table.AddRow(Markup.Escape(Format.Name(name)), Markup.Escape(format(name, value)), Markup.Escape(Published(specification, preset, name)), Markup.Escape(target));
        }

        return table;
    }

    /// <summary>The published figures of a metric for a preset, one line each.</summary>
    public static string Published(Specification specification, string preset, string metric) =>
        string.Join("\n", specification.Published.Where(figure => figure.Metric == metric && figure.SpeaksOf(preset))
            .Select(figure => $"{Format.Value(metric, figure.Value)} ({figure.Note})"));

    /// <summary>A target's range, and for how many seeds it is meant.</summary>
    public static string Target(TargetCheck check) =>
        $"{check.Range} ({(check.Target.Seeds > 1 ? $"mean of {check.Target.Seeds} seeds" : "one seed")})";
}

using System;
using Spectre.Console;

namespace Scae.Cli.Reports;

/// <summary>Which display fits: nothing when quiet, a bar on a terminal, lines elsewhere.</summary>
internal static class Displays
{
    public static IProgressDisplay For(bool quiet)
    {
        if (quiet) return new SilentDisplay();
        return Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Ansi ? new PlainDisplay(Console.Out) : new LiveDisplay(Tables.Console);
    }
}

using System;

namespace Scae.Cli.Reports;

/// <summary>Which display fits: nothing when quiet, a bar on a terminal, lines elsewhere.</summary>
internal static class Displays
{
    public static IProgressDisplay For(bool quiet)
    {
        if (quiet) return new SilentDisplay();
        var console = Tables.Console;
        return console.Profile.Capabilities.Ansi ? new LiveDisplay(console) : new PlainDisplay(Console.Out);
    }
}

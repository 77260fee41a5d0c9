using System;

namespace Scae.Cli.Reports;

/// <summary>Chooses a display: nothing when quiet, bars on a terminal, lines elsewhere.</summary>
internal static class Displays
{
    public static IProgressDisplay For(bool quiet)
    {
        if (quiet) return new SilentDisplay();
        var console = Tables.Live;
        return console.Profile.Capabilities.Ansi ? new LiveDisplay(console) : new PlainDisplay(Console.Out);
    }

    /// <summary>The same for a sweep of so many trainings.</summary>
    public static ISweepDisplay ForSweep(bool quiet, long count)
    {
        if (quiet) return new SilentSweepDisplay();
        var console = Tables.Live;
        return console.Profile.Capabilities.Ansi ? new LiveSweepDisplay(console, count, TimeProvider.System) : new PlainSweepDisplay(Console.Out, count, TimeProvider.System);
    }
}

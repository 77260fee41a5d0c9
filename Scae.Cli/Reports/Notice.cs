using System;
using System.Collections.Concurrent;

namespace Scae.Cli.Reports;

/// <summary>A line beside the results: what a command did otherwise than one might think, and why.</summary>
internal static class Notice
{
    private static readonly ConcurrentDictionary<string, bool> s_told = new();

    /// <summary>The same, but where several runs have it to say it is said once.</summary>
    public static void TellOnce(string line)
    {
        if (s_told.TryAdd(line, true)) Tell(line);
    }

    public static void Tell(string line) => Console.Error.WriteLine($"scae: {line.ReplaceLineEndings(" ")}");
}

using System;
using System.Collections.Concurrent;
using Scae.Cli.Runs;

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

    public static void Tell(string line) => Write($"scae: {line.ReplaceLineEndings(" ")}");

    /// <summary>Writes a line to standard error. Where that can't be written nobody reads it, and the work goes on.</summary>
    public static void Write(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (Exception problem) when (FileProblem.Is(problem) || problem is ObjectDisposedException)
        {
            // There is no other place to say so.
        }
    }
}

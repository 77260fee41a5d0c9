using System;
using System.Collections.Concurrent;
using System.Linq;
using Scae.Cli.Runs;

namespace Scae.Cli.Reports;

/// <summary>A line beside the results that says what a command did differently from what one might expect, and why.</summary>
internal static class Notice
{
    private static readonly ConcurrentDictionary<string, bool> s_told = new();

    /// <summary>The same, but said only once even if several runs say it.</summary>
    public static void TellOnce(string line)
    {
        if (s_told.TryAdd(line, true)) Tell(line);
    }

    public static void Tell(string line) => Write("scae: " + line);

    /// <summary>
    /// Writes a line to standard error. Characters that control a terminal become spaces: parts of a line may come from files of
    /// others. If that can't be written, nobody reads it, and the work goes on.
    /// </summary>
    public static void Write(string line)
    {
        try
        {
            Console.Error.WriteLine(Plain(line));
        }
        catch (Exception problem) when (FileProblem.Is(problem) || problem is ObjectDisposedException)
        {
            // There is no other place to report this.
        }
    }

    internal static string Plain(string line) => string.Concat(line.ReplaceLineEndings(" ").Select(symbol => char.IsControl(symbol) ? ' ' : symbol));
}

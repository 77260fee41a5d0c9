using System;

namespace Scae.Cli.Reports;

/// <summary>A line beside the results: what a command did otherwise than one might think, and why.</summary>
internal static class Notice
{
    public static void Tell(string line) => Console.Error.WriteLine($"scae: {line.ReplaceLineEndings(" ")}");
}

using System;
using System.IO;
using System.Linq;
using Scae.Cli.Runs;

namespace Scae.Cli.Reports;

/// <summary>What the terminal can show.</summary>
internal static class Terminal
{
    /// <summary>Whether output goes elsewhere. Tests that call the program set this, wherever their own output goes.</summary>
    internal static bool IsElsewhere { get; set; } = Console.IsOutputRedirected;

    // Words that are broken into columns narrower than this can't be read, and Spectre.Console never ends with some tables.
    private const int LeastWidth = 20;

    /// <summary>How many columns the terminal has, at least 20; null if output goes elsewhere, or the terminal doesn't say.</summary>
    public static int? Width => Said(() => Console.WindowWidth) is { } width ? Math.Max(width, LeastWidth) : null;

    /// <summary>How many lines the terminal has; null if output goes elsewhere, or the terminal doesn't say.</summary>
    public static int? Height => Said(() => Console.WindowHeight);

    private static int? Said(Func<int> size)
    {
        if (IsElsewhere) return null;
        try
        {
            return size() is var said and > 0 ? said : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    // The sequence that shows the cursor, which live displays hide.
    private const string ShowsCursor = "\u001b[?25h";

    /// <summary>Shows the cursor again, before the process ends at once under a live display.</summary>
    public static void ShowCursor()
    {
        if (IsElsewhere || !Tables.Console.Profile.Capabilities.Ansi) return;
        try
        {
            Console.Out.Write(ShowsCursor);
            Console.Out.Flush();
        }
        catch (RunFailure)
        {
            // The terminal is gone.
        }
    }

    /// <summary>
    /// Whether characters beyond ASCII are shown. They aren't if the locale's variables name another encoding than UTF-8,
    /// or C. If none is set, as in most containers, UTF-8 is more likely.
    /// </summary>
    public static bool SpeaksUnicode(Func<string, string?> variable)
    {
        string? locale = new[] { "LC_ALL", "LC_CTYPE", "LANG" }.Select(variable).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return OperatingSystem.IsWindows() || locale is null || locale.Replace("-", string.Empty, StringComparison.Ordinal).Contains("utf8", StringComparison.OrdinalIgnoreCase);
    }
}
